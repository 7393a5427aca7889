"""Stores in an S3 server of this machine, and copies of them to hold against others."""

import os
from contextlib import contextmanager
from pathlib import Path

import pyarrow.fs as pafs

from tests.pipeline.s3 import BUCKET, Wire, make_bucket, s3_server


class Bucket:
    """A bucket in a real server over HTTP.

    Attributes:
        wire: The way to it, which can answer in its place.
        environment: What a command needs to reach it, in small letters.
    """

    def __init__(self, port):
        """Make the bucket in the server at a port."""
        self.wire = Wire(port)
        self.environment = {
            "aws_access_key_id": "key",
            "aws_secret_access_key": "secret",
            "aws_default_region": "us-east-1",
            "aws_ec2_metadata_disabled": "true",
            "aws_endpoint_url": f"http://127.0.0.1:{self.wire.port}",
        }
        os.environ |= {name.upper(): value for name, value in self.environment.items()}
        self._files = make_bucket(port)

    def url(self, name):
        """Of a store."""
        return f"s3://{BUCKET}/{name}"

    def parts(self, name):
        """How many files its `runs` has."""
        selector = pafs.FileSelector(f"{BUCKET}/{name}/runs", allow_not_found=True)
        return len(self._files.get_file_info(selector))

    def copy(self, name, folder: Path):
        """Bring a store to a folder."""
        folder.mkdir()
        pafs.copy_files(
            f"{BUCKET}/{name}",
            str(folder),
            source_filesystem=self._files,
            destination_filesystem=pafs.LocalFileSystem(),
        )


@contextmanager
def bucket():
    """A server with an empty bucket."""
    with s3_server() as port:
        found = Bucket(port)
        try:
            yield found
        finally:
            found.wire.close()
