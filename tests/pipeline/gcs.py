"""A real server of Google's storage API on a free port of this machine."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic, sleep

from .s3 import BUCKET, free_port


@contextmanager
def gcs_server():
    """An emulator as a process of its own, with a bucket BUCKET; yields its address."""
    port = free_port()
    where = ["--host", "127.0.0.1", "--port", str(port), "--default-bucket", BUCKET]
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--in-memory", *where]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=os.environ.copy(), **quiet) as server:
        try:
            _wait_for(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def _wait_for(server, port):
    limit = monotonic() + 60
    while server.poll() is None and monotonic() < limit:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            sleep(0.05)
        else:
            return
    raise TimeoutError("the emulator of Google's storage did not start")
