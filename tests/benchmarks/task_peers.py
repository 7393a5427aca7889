"""Peers that run one trial a task: joblib, Ray tasks, Optuna and Ray Tune, on two workers.

All train with `train_one`. Each function runs the first trials of a workload and returns
their final losses.
"""

import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO

import joblib
import numpy as np
import optuna
import ray
from plain_training import train_one
from ray import tune
from workloads import Floats, Workload

WORKERS = 2


def with_joblib(workload: Workload, trials: int) -> Floats:
    """Processes (loky), batched by joblib as it sees fit."""
    work = joblib.delayed(train_one)
    return np.array(joblib.Parallel(n_jobs=WORKERS)(work(workload, n) for n in range(trials)))


def with_ray_tasks(workload: Workload, trials: int) -> Floats:
    """One Ray task a trial."""
    task = ray.remote(num_cpus=1)(train_one)
    return np.array(ray.get([task.remote(workload, n) for n in range(trials)]))


def with_optuna(workload: Workload, trials: int) -> Floats:
    """GridSampler, in memory, without pruning; threads, as n_jobs gives them."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.GridSampler({"trial": list(range(trials))}, seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(
        lambda trial: train_one(workload, trial.suggest_categorical("trial", list(range(trials)))),
        n_trials=trials,
        n_jobs=WORKERS,
    )
    values = {trial.params["trial"]: trial.value for trial in study.trials}
    return np.array([values[n] for n in range(trials)])


def with_ray_tune(workload: Workload, trials: int) -> Floats:
    """Grid search over a function, actors reused, no logs, no checkpoints."""
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    logging.disable(logging.WARNING)  # on the logs that are left out
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        results = tune.Tuner(
            tune.with_resources(
                lambda config: {"loss": train_one(workload, config["trial"])}, {"cpu": 1}
            ),
            param_space={"trial": tune.grid_search(list(range(trials)))},
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        ).fit()
    losses = {result.config["trial"]: result.metrics["loss"] for result in results}
    return np.array([losses[n] for n in range(trials)])


# With the trials each runs: few for the slow ones, whose rate is what is told.
TASK_PEERS: dict[str, tuple[Callable[[Workload, int], Floats], int]] = {
    "joblib, one trial a task": (with_joblib, 128),
    "Ray, one trial a task": (with_ray_tasks, 128),
    "Optuna GridSampler": (with_optuna, 64),
    "Ray Tune, actors reused": (with_ray_tune, 8),
}


def prepare(peer: str, workload: Workload) -> Callable[[], Floats]:
    """A function that runs a peer of TASK_PEERS."""
    run, trials = TASK_PEERS[peer]
    return partial(run, workload, min(trials, workload.trials))
