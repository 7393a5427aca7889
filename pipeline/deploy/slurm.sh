#!/bin/bash
# A sweep on Slurm, in one allocation: Ray starts on its nodes, the sweep runs, and Ray ends.
#
#   sbatch pipeline/deploy/slurm.sh my-sweep.yaml /shared/stores/my-sweep
#
# Submitted again it goes on where it stopped, also after the time limit. Slurm copies this script,
# so begin in the folder of a checkout whose .venv/bin is on the PATH of every node.
#SBATCH --job-name=phasesweep
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --time=12:00:00
# Whole nodes: where it ends, Ray ends all that you run of it on a node.
#SBATCH --exclusive

set -euo pipefail
sweep=${1:?give a sweep file, then a store: sbatch slurm.sh my-sweep.yaml /shared/stores/my-sweep}
store=${2:?give a store after the sweep file: a folder that all nodes see, or s3://bucket/prefix}

read -r head < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
# `ray symmetric-run` and `phasesweep run --address auto` join this cluster and no other.
export RAY_ADDRESS="$head:$((20000 + SLURM_JOB_ID % 10000))"
# A token of this job's own: others on the network are refused.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_TOKEN
# Nodes that load their software over the network take a while.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=300

# Ray's command ends with 0 too where Ray did not start: the sweep leaves its own exit code.
ended="$PWD/.phasesweep-$SLURM_JOB_ID"
rm -f "$ended"
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
    ray symmetric-run --address "$RAY_ADDRESS" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus="$SLURM_CPUS_PER_TASK" -- bash -c \
    'phasesweep run "$1" --address auto --store "$2"; code=$?; echo $code > "$3"; exit $code' \
    sweep "$sweep" "$store" "$ended" || echo "srun ended with exit code $?" >&2
[[ -s $ended ]] || { echo "error: Ray did not start; its messages are above" >&2; exit 1; }
code=$(cat "$ended")
rm "$ended"
exit "$code"
