"""A real S3 server on a free port of this machine, and a wire to it that can be cut."""

import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import pyarrow.fs as pafs

BUCKET = "sweeps"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def s3_server():
    """moto's server as a process of its own; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ.copy()) as server:
        try:
            for line in server.stderr:
                if b"Running on" in line:
                    break
            threading.Thread(target=server.stderr.read, daemon=True).start()
            yield port
        finally:
            server.kill()


def environment(port):
    """What names the server to an S3 client."""
    return {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }


def make_bucket(port):
    """An empty bucket BUCKET."""
    filesystem = pafs.S3FileSystem(
        endpoint_override=f"127.0.0.1:{port}", scheme="http", allow_bucket_creation=True
    )
    filesystem.create_dir(BUCKET)
    return filesystem


# What S3 says where requests come faster than it serves them.
SLOW_DOWN = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 71\r\n"
    b"Connection: close\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>"
)


REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) ")


class Wire:
    """A TCP proxy that can be told to break off uploads, or to answer requests itself.

    Attributes:
        port: Where it listens.
        cut: Break off a PUT to a path that holds this word; None for none.
        cuts: How many uploads were broken off.
        slowed: How many of the next requests are answered by SLOW_DOWN.
        slow_answers: How many were.
    """

    def __init__(self, server_port):
        """Forward to the server's port, from a free one."""
        self._server_port, self.cut, self.cuts = server_port, None, 0
        self.slowed, self.slow_answers = 0, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            up = threading.Thread(target=self._forward, args=(client, server, True), daemon=True)
            up.start()
            self._forward(server, client, upload=False)
            up.join()

    def _forward(self, source, target, upload):
        with suppress(OSError):
            self._copy(source, target, upload)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _copy(self, source, target, upload):
        while chunk := source.recv(65_536):
            if upload and self.slowed and REQUEST.match(chunk):
                self.slowed -= 1
                self.slow_answers += 1
                self._slow(source)
                return
            if upload and self._is_cut(chunk):
                target.sendall(chunk[: len(chunk) // 2])
                self.cuts += 1
                return
            target.sendall(chunk)

    def _slow(self, client):
        """Answer, and take what the client still sends, so that it comes to read the answer."""
        client.sendall(SLOW_DOWN)
        while client.recv(65_536):
            pass

    def _is_cut(self, chunk):
        request = chunk.split(b"\r\n", 1)[0]
        return self.cut is not None and request.startswith(b"PUT") and self.cut in request
