"""A Ray cluster as the driver sees it: joining it, its nodes, its loss."""

import atexit
import logging
import os
import socket
import sys
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

from pipeline.clusters.attempts import Node
from pipeline.interrupts import kept_handlers

REASON_LENGTH = 500
# To a cluster's address, and for each of its first two answers.
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 8.0
# How often the head is asked for its nodes, and for how long it may stay silent. Ray itself would
# end this process after 60 s, with whatever it holds.
ASK_SECONDS, SILENT_SECONDS = 2.0, 40.0
# After how long without CPUs that is said, first and then; and how long a cluster that lost all of
# them is waited for.
FIRST_WORD_SECONDS, NEXT_WORD_SECONDS, NO_CPU_SECONDS = 10.0, 60.0, 600.0
# After a node was lost, CPUs that are free for so long, with batches in flight, are a sign that
# batches hang on it: Ray may wait for it for minutes.
IDLE_SECONDS = 20.0
# The longest time between two looks that counts: a driver that was stopped itself, as on a
# laptop that slept, has no reason to complain of others.
LOOK_SECONDS = 10.0
# The first words of a client of gRPC (HTTP/2), with empty settings: any server of it answers with
# its own, in a frame whose fourth byte says so.
SETTINGS = 4
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0])


class ClusterError(ValueError):
    """There is no Ray cluster to join; the message names the address and the remedy."""


class ClusterLostError(ConnectionError):
    """The Ray cluster, or this process' node of it, died; the message says which."""


class Cluster:
    """The nodes of the connected Ray cluster that can train, as its head last named them.

    A thread asks: a head that is gone answers nothing, and the driver must not wait for it with
    rows in its hands.
    """

    def __init__(self, ray: Any):
        """Ask for the nodes once, and again every ASK_SECONDS from then on."""
        self._ray, self._nodes = ray, _nodes(ray)
        self._answers, self._seen = 0, 0
        self._lost_nodes, self._idle_seconds = 0, 0.0
        self._looked = self._knocked = monotonic()
        self._silent = self._without_cpus = 0.0
        self._next_word, self._had_cpus = FIRST_WORD_SECONDS, bool(self._nodes)
        self._ended = threading.Event()
        self._asking = threading.Thread(target=self._ask, daemon=True)
        self._asking.start()

    def _ask(self) -> None:
        while not self._ended.wait(ASK_SECONDS):
            with suppress(Exception):  # Of a cluster that is going away; the silence tells.
                self.ask()

    def ask(self) -> None:
        """Ask the head for the nodes and for what is free on them; it may never answer."""
        nodes, free = _nodes(self._ray), self._ray.available_resources().get("CPU", 0)
        self._lost_nodes += len({*self._nodes} - {*nodes})
        self._idle_seconds = self._idle_seconds + ASK_SECONDS if free >= 1 else 0.0
        self._nodes = nodes
        self._answers += 1

    def close(self) -> None:
        """Ask no more."""
        self._ended.set()
        self._asking.join(timeout=1.0)

    @property
    def nodes(self) -> list[Node]:
        """Those that have CPUs, in a lasting order."""
        return self._nodes

    @property
    def cpus(self) -> int:
        """Of all nodes."""
        return sum(node.cpus for node in self.nodes)

    @property
    def lost_nodes(self) -> int:
        """How many have gone since the beginning."""
        return self._lost_nodes

    @property
    def is_idle(self) -> bool:
        """Whether a CPU has been free for a while."""
        return self._idle_seconds >= IDLE_SECONDS

    def look(self, waiting: int) -> None:
        """Say that nothing can be trained, or end the run, if that has lasted for long.

        Args:
            waiting: How many batches wait for an end.

        Raises:
            ClusterLostError: This machine's Ray died, the head is silent, or no node came back.
        """
        now = monotonic()
        passed, self._looked = min(now - self._looked, LOOK_SECONDS), now
        if now - self._knocked >= ASK_SECONDS:
            self._knocked = now
            _require_a_raylet(self._ray)
        self._require_a_head(passed)
        self._require_cpus(passed, waiting)

    def _require_a_head(self, passed: float) -> None:
        self._silent = self._silent + passed if self._answers == self._seen else 0.0
        self._seen = self._answers
        if self._silent > SILENT_SECONDS:
            raise ClusterLostError(
                f"the head of the Ray cluster has not answered for {SILENT_SECONDS:.0f} s; "
                "no trial is to blame"
            )

    def _require_cpus(self, passed: float, waiting: int) -> None:
        if self.cpus:
            self._without_cpus, self._next_word, self._had_cpus = 0.0, FIRST_WORD_SECONDS, True
            return
        self._without_cpus += passed
        if self._had_cpus and self._without_cpus > NO_CPU_SECONDS:
            raise ClusterLostError(
                f"the Ray cluster lost its nodes, and none came in {NO_CPU_SECONDS / 60:.0f} "
                "minutes; no trial is to blame"
            )
        if self._without_cpus >= self._next_word:
            say(f"waiting: the Ray cluster has no CPU for {waiting} batches yet")
            self._next_word += NEXT_WORD_SECONDS


def _nodes(ray: Any) -> list[Node]:
    found = [
        Node(node["NodeID"], int(node["Resources"].get("CPU", 0)))
        for node in ray.nodes()
        if node["Alive"]
    ]
    return sorted((node for node in found if node.cpus), key=lambda node: node.node_id)


def _require_a_raylet(ray: Any) -> None:
    """Raise ClusterLostError if this machine's Ray died: soon it ends this process as well."""
    node = ray._private.worker._global_node
    if node is None:  # of a client, by ray://
        return
    with socket.socket(socket.AF_UNIX) as raylet:
        raylet.settimeout(1.0)
        try:
            raylet.connect(node.raylet_socket_name)
        except (ConnectionRefusedError, FileNotFoundError) as error:
            raise ClusterLostError("the Ray on this machine died; no trial is to blame") from error
        except OSError:  # alive, if busy
            return


def connect(ray: Any, address: str | None) -> bool:
    """Connect to Ray; True when that started or joined a cluster on our behalf.

    Raises:
        ClusterError: No cluster answers at that address.
    """
    if ray.is_initialized():
        return False
    if address is not None:
        _require_an_answer(ray, address)
    where = "Ray on this machine" if address is None else f"the Ray cluster at {address}"
    say(f"{'starting' if address is None else 'joining'} {where}: some seconds")
    # Under `uv run` Ray would resolve the environment anew for every worker.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    # Of a node that died Ray would print the last log lines, to stdout.
    ray._private.worker.print_to_stdstream = lambda data, ignore_prefix: None
    try:
        with kept_handlers():
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                logging_level=logging.ERROR,
                log_to_driver=False,
            )
    except (OSError, ValueError, RuntimeError) as error:
        if address is None:
            raise
        raise _no_cluster(address, in_a_line(error)) from error
    cpus = int(ray.cluster_resources().get("CPU", 0))
    say(f"Ray trains on {cpus:,} CPU{'' if cpus == 1 else 's'}")
    return True


def leave_silently() -> None:
    """Let this process end, when it does, without taking leave of its cluster.

    Ray would wait for the answer of a head that hangs. The exit code is 1.
    """
    atexit.register(_end)


def _end() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)


def _require_an_answer(ray: Any, address: str) -> None:
    """Refuse an address where nothing listens, or no head answers: Ray would try for longer.

    Raises:
        ClusterError: With the system's reason.
    """
    from ray._private.services import canonicalize_bootstrap_address

    try:
        # What auto stands for; "host:port" after "ray://".
        found = canonicalize_bootstrap_address(address.removeprefix("ray://"))
        host, _, port = (found or "").rpartition(":")
        if not host:
            return
        to_head = socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS)
        with to_head:
            answered = _greets(to_head)
        if answered and not address.startswith("ray://"):
            answered = _is_head(ray, f"{host}:{port}")
    except ray.exceptions.AuthenticationError as error:
        raise ClusterError(
            f"the Ray cluster at {address!r} refused this process' token: set RAY_AUTH_MODE=token, "
            "and give the cluster's token in RAY_AUTH_TOKEN or ~/.ray/auth_token"
        ) from error
    except (OSError, ValueError) as error:
        raise _no_cluster(address, in_a_line(error)) from error
    if not answered:
        raise _no_cluster(address, "it accepts connections but does not answer as a head does")


def _greets(to_head: socket.socket) -> bool:
    """Whether a server of gRPC is at the other end; under TLS, whose greeting differs, assumed."""
    if os.environ.get("RAY_USE_TLS", "0") != "0":
        return True
    to_head.settimeout(ANSWER_SECONDS)
    try:
        to_head.sendall(GREETING)
        with to_head.makefile("rb") as answer:
            return answer.read(4)[3:] == bytes([SETTINGS])
    except (TimeoutError, ConnectionResetError):
        return False


def _is_head(ray: Any, address: str) -> bool:
    """Whether a server of gRPC is the head of a cluster, which Ray would ask for half a minute.

    Raises:
        ray.exceptions.AuthenticationError: It is one that wants another token.
    """
    answers, refusals = [], []

    def ask() -> None:
        try:
            answers.append(ray._raylet.GcsClient(address=address))
        except ray.exceptions.AuthenticationError as error:
            refusals.append(error)
        except Exception:  # whatever Ray raises where no head answers
            return

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    for error in refusals:
        raise error
    return bool(answers)


def _no_cluster(address: str, reason: str) -> ClusterError:
    return ClusterError(
        f"cannot join the Ray cluster at {address!r}: {reason}; give the address "
        "of one that runs, auto on one of its nodes, or leave out --address"
    )


def say(message: str) -> None:
    """Tell the user something."""
    print(message, file=sys.stderr, flush=True)


def in_a_line(error: BaseException) -> str:
    """An error's message without line breaks."""
    return " ".join(str(error).split())
