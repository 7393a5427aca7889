"""One writer at a time: the kernel's lock on a local folder, a lease in an object store."""

import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import sleep, time
from uuid import uuid4

from pipeline.storage.files import Files, LocalFiles

LOCK, LEASE = "lock", "lock.json"

# An object store has no lock that dies with its holder, so the holder renews a lease. A lease that
# was not renewed for LEASE_SECONDS is free. If two processes take it at once, both wait and look
# again.
RENEWAL_SECONDS = 10.0
LEASE_SECONDS = 60.0
SETTLING_SECONDS = 1.0


class LockedError(RuntimeError):
    """Another process is writing; the message says which."""


class LeaseLostError(RuntimeError):
    """This process was silent for so long that another one took over the store."""


@dataclass(frozen=True)
class Hold:
    """The right to write.

    Attributes:
        check: Raises LeaseLostError if it has ended.
        taken_over: Whether from a writer that did not give it back: if that one was only silent,
            its last upload may still come.
    """

    check: Callable[[], None]
    taken_over: bool = False


@contextmanager
def held(files: Files) -> Iterator[Hold]:
    """Be the only writer.

    Raises:
        LockedError: Another process writes.
        OSError: The place cannot be written.
    """
    hold = _kernel_lock if isinstance(files, LocalFiles) else _lease
    with hold(files) as ours:
        yield ours


@contextmanager
def _kernel_lock(files: Files) -> Iterator[Hold]:
    """An exclusive flock, which the kernel frees however this process ends."""
    root = Path(files.root)
    root.mkdir(parents=True, exist_ok=True)
    with open(root / LOCK, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise LockedError(lock.read().strip() or "another process") from error
        lock.truncate(0)
        lock.write(_name())
        lock.flush()
        yield Hold(lambda: None)


@contextmanager
def _lease(files: Files) -> Iterator[Hold]:
    token = uuid4().hex
    taken_over = _refuse_fresh(files, token) != FREE
    _renew(files, token)
    sleep(SETTLING_SECONDS)
    _refuse_fresh(files, token)
    ended = threading.Event()
    renewing = threading.Thread(target=_keep_renewing, args=(files, token, ended), daemon=True)
    renewing.start()

    def check() -> None:
        lease = _read(files)
        if lease.token != token:
            raise LeaseLostError(f"{files.location} was taken over by {lease.holder}")

    try:
        yield Hold(check, taken_over)
    finally:
        ended.set()
        renewing.join()
        if _read(files).token == token:
            files.remove(LEASE)


@dataclass(frozen=True)
class Lease:
    """Who writes to an object store, and when that was last renewed, in seconds since 1970."""

    token: str
    holder: str
    renewed: float


FREE = Lease("", "nobody", 0.0)


def _refuse_fresh(files: Files, token: str) -> Lease:
    """The lease as it stands: ours, or one that is free.

    Raises:
        LockedError: It is another process'.
    """
    lease = _read(files)
    if lease.token != token and time() - lease.renewed < LEASE_SECONDS:
        raise LockedError(lease.holder)
    return lease


def _read(files: Files) -> Lease:
    content = files.read(LEASE)
    try:
        lease = json.loads(content) if content else {}
        return Lease(str(lease["token"]), str(lease["holder"]), float(lease["renewed"]))
    except (ValueError, KeyError, TypeError):
        return FREE


def _renew(files: Files, token: str) -> None:
    files.write(LEASE, json.dumps(asdict(Lease(token, _name(), time()))).encode())


def _keep_renewing(files: Files, token: str, ended: threading.Event) -> None:
    while not ended.wait(RENEWAL_SECONDS):
        try:
            if _read(files).token != token:
                return
            _renew(files, token)
        except OSError:  # The next renewal may reach the store; the lease outlasts a few.
            continue


def _name() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
