"""Peers in processes of their own, so that each has its threads set before it is imported."""

import importlib
import multiprocessing as mp
import os
from time import perf_counter

import numpy as np
from workloads import Floats, Workload

# Libraries read these once, when they are imported.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Processes:
    """A peer in some processes, each with its share of the trials and of the cores."""

    def __init__(self, module: str, processes: int, threads: int):
        """Start the processes.

        Args:
            module: Has `prepare(workload, trials)`.
            processes: How many to start.
            threads: How many threads each process has.
        """
        before = dict(os.environ)
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
        context, self._pipes = mp.get_context("spawn"), []
        for number in range(processes):
            ours, theirs = context.Pipe()
            core = number if processes > 1 or threads == 1 else None
            context.Process(target=_serve, args=(theirs, module, core), daemon=True).start()
            self._pipes.append(ours)
        os.environ.clear()
        os.environ.update(before)
        self._ask(["import"] * processes)

    def load(self, workload: Workload) -> tuple[float, Floats]:
        """Prepare a workload and run it once: what `run` returns, compiling included."""
        edges = np.linspace(0, workload.trials, len(self._pipes) + 1).round().astype(int).tolist()
        self._ask([(workload, range(a, b)) for a, b in zip(edges[:-1], edges[1:], strict=True)])
        return self.run()

    def run(self) -> tuple[float, Floats]:
        """Seconds until the last process was done, and the final losses."""
        began = perf_counter()
        losses = self._ask(["run"] * len(self._pipes))
        return perf_counter() - began, np.concatenate(losses)

    def _ask(self, questions):
        for pipe, question in zip(self._pipes, questions, strict=True):
            pipe.send(question)
        return [pipe.recv() for pipe in self._pipes]


def _serve(pipe, module: str, core: int | None) -> None:
    """Answer until the parent is gone."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[core % len(allowed)]})
    peer, run = importlib.import_module(module), None
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        if question == "import":
            pipe.send(None)
        elif question == "run":
            pipe.send(run())
        else:
            run = peer.prepare(*question)
            pipe.send(None)
