"""The Slurm script, run under stand-ins for Slurm's commands that start real processes here.

`srun` starts the two tasks of an allocation of two nodes side by side. `ray` is Ray's own command,
but for what only one node a machine can do: it takes the second task for another machine, looks
for no other Ray, and ends the processes of this test instead of every Ray of the user. And it
looks for the other node every half a second instead of every five.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "pipeline" / "deploy" / "slurm.sh"

SWEEP = """\
dataset: wine
depth: [2, 3]
width: 6
activation: tanh
learning_rate: [0.01, 0.1, 1]
steps: 12
"""
SRUN = """\
#!/bin/bash
printf '%s\\n' "$@" > "$STAND_INS/srun.txt"
while [[ $1 == --* ]]; do shift; done
SLURM_PROCID=1 "$@" > "$STAND_INS/worker.txt" 2>&1 &
SLURM_PROCID=0 "$@"
code=$?
wait
exit $code
"""
SCONTROL = """\
#!/bin/bash
[[ "$*" == "show hostnames this,that" ]] || exit 1
hostname -I | tr ' ' '\\n' | head -n 1
echo that
"""
RAY = """\
#!{python}
import os, sys, time
from types import SimpleNamespace
import psutil
from ray.scripts import symmetric_run
from ray.scripts.scripts import main

if sys.argv[1] == "stop":  # this node's processes of this test, by their ids
    for process in psutil.process_iter(["cmdline", "environ"]):
        found = process.info["environ"] or {{}}
        words = process.info["cmdline"] or []
        if found.get("SLURM_PROCID") == os.environ["SLURM_PROCID"]:
            if any(os.environ["RAY_OF_TEST"] in word for word in words):
                process.terminate()
    sys.exit()
if sys.argv[1] == "start":
    sys.argv[2:2] = ["--temp-dir", os.environ["RAY_OF_TEST"]] if "--head" in sys.argv else []
symmetric_run.check_ray_already_started = lambda: False
symmetric_run.time = SimpleNamespace(time=time.time, sleep=lambda seconds: time.sleep(0.5))
if os.environ["SLURM_PROCID"] != "0":
    symmetric_run.psutil.net_if_addrs = dict
sys.exit(main())
"""


@pytest.fixture
def slurm(tmp_path):
    """Runs the script in a folder with a sweep, as in an allocation of two nodes of one CPU."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    # Short: sockets lie in it, whose paths have a limit.
    of_ray = Path(tempfile.mkdtemp(prefix="ray-slurm-", dir="/tmp"))
    commands = {"srun": SRUN, "scontrol": SCONTROL, "ray": RAY.format(python=sys.executable)}
    commands["phasesweep"] = f'#!/bin/bash\nexec {sys.executable} -m pipeline "$@"\n'
    for name, text in commands.items():
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    (tmp_path / "mine.yaml").write_text(SWEEP)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "STAND_INS": str(tmp_path),
        "RAY_OF_TEST": str(of_ray),
        # How long a node waits for its head, which is not to come back; by default a minute.
        "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_JOB_NODELIST": "this,that",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_CPUS_PER_TASK": "1",
    }

    def run(*arguments):
        return subprocess.run(
            [SCRIPT, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip

    yield run
    for process in psutil.process_iter(["cmdline"]):
        if any(str(of_ray) in word for word in process.info["cmdline"] or []):
            process.kill()
    shutil.rmtree(of_ray, ignore_errors=True)


def test_a_sweep_runs_on_the_nodes_of_an_allocation(slurm, tmp_path):
    """Every trial has a row, trained on a Ray that both nodes joined and that needs its token."""
    done = slurm("mine.yaml", "store")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 trainings in " in done.stderr
    assert len(pd.read_parquet(tmp_path / "store" / "runs")) == 6
    assert "On worker node. Connecting" in (tmp_path / "worker.txt").read_text()
    asked = (tmp_path / "srun.txt").read_text().splitlines()
    assert asked[:4] == ["--nodes=2", "--ntasks=2", "ray", "symmetric-run"]
    assert "--min-nodes" in asked


@pytest.mark.parametrize(("given", "said"), [((), "give a sweep"), (("x.yaml",), "give a store")])
def test_what_is_missing_is_said(slurm, given, said):
    """Before anything is started."""
    refused = slurm(*given)
    assert refused.returncode != 0
    assert said in refused.stderr


@pytest.mark.parametrize(
    ("ray", "code", "said"),
    [
        ("exit 0", 1, "error: Ray did not start"),
        ('while [[ $1 != -- ]]; do shift; done; shift; "$@"; exit 0', 2, "'gone.yaml' is neither"),
    ],
)
def test_the_exit_code_is_the_sweeps(slurm, tmp_path, ray, code, said):
    """Though Ray's own is 0 whatever happened; where Ray did not start it is 1."""
    (tmp_path / "bin" / "ray").write_text(f"#!/bin/bash\n{ray}\n")
    ended = slurm("gone.yaml", "store")
    assert ended.returncode == code
    assert said in ended.stderr
    assert [path.name for path in tmp_path.glob(".phasesweep-*")] == []
