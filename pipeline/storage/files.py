"""A store's files, in a folder or an object store; each is written whole or not at all.

Names are relative to the store's root, with forward slashes. One file-system layer,
pyarrow's, reads and writes both; what differs is how a write becomes visible.
"""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from random import uniform
from time import monotonic, sleep
from typing import Any, ParamSpec, Protocol, TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as pafs

STAGING = "staging"

# How Arrow words the answers of an object store that is asked too often. It repeats a request
# for some seconds itself, without a pause to speak of.
THROTTLED = ("SLOW_DOWN", "THROTTLING", "REQUEST_LIMIT", "SERVICE_UNAVAILABLE", "status 503")
PATIENCE_SECONDS = 120.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 20.0

P = ParamSpec("P")
T = TypeVar("T")


class FilesError(ValueError):
    """A place cannot hold files; the message names it and the remedy."""


class Files(Protocol):
    """The files of a store.

    Attributes:
        location: The path or URL it was opened with.
        filesystem: pyarrow's, to read tables with.
        root: The store's root in it.
    """

    location: str
    filesystem: Any
    root: str

    def names(self, folder: str = "") -> list[str]:
        """What lies directly in a folder, sorted; [] where it does not exist."""

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole: a reader finds the old content or the new."""

    def remove(self, name: str) -> None:
        """Delete a file."""

    def move(self, name: str, target: str) -> None:
        """Move a file; at any moment its whole content is at one of the two places."""


def open_files(location: str | Path) -> Files:
    """The files at a path, or at a URL such as s3://bucket/prefix or gs://bucket/prefix.

    Raises:
        FilesError: The URL has a scheme that is not known, or cannot be reached.
    """
    if "://" in str(location):
        return ObjectFiles(str(location))
    return LocalFiles(Path(location))


class _ArrowFiles:
    """The part that both kinds share: listing and reading."""

    location: str
    filesystem: Any
    root: str

    def names(self, folder: str = "") -> list[str]:
        """What lies directly in a folder, sorted; [] where it does not exist."""
        selector = pafs.FileSelector(self._at(folder), allow_not_found=True)
        found = self.filesystem.get_file_info(selector)
        return sorted(info.base_name for info in found if info.base_name)

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is none."""
        try:
            with self.filesystem.open_input_stream(self._at(name)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Delete a file."""
        self.filesystem.delete_file(self._at(name))

    def move(self, name: str, target: str) -> None:
        """Move a file; an object store copies and then deletes it."""
        self.filesystem.create_dir(self._at(target).rpartition("/")[0])
        self.filesystem.move(self._at(name), self._at(target))

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root


class LocalFiles(_ArrowFiles):
    """A folder. A write is staged beside it, synced to disk and moved into place."""

    def __init__(self, path: Path):
        """Take any path; nothing is made before something is written."""
        self.location, self.root = str(path), str(path)
        self.filesystem = pafs.LocalFileSystem()

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole."""
        root = Path(self.root)
        staged, target = root / STAGING / uuid4().hex, root / name
        staged.parent.mkdir(parents=True, exist_ok=True)
        try:
            with staged.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged, target)
        except OSError:
            staged.unlink(missing_ok=True)  # on a full disk it would take what is left
            raise
        sync(target.parent)


def reason(error: OSError) -> str:
    """The system's own error message, without the layers that it passed through."""
    return os.strerror(error.errno) if error.errno else str(error)


def remedy(error: OSError) -> str:
    """What helps where a store cannot be read or written."""
    if is_throttled(error):
        minutes = f"{PATIENCE_SECONDS / 60:g} minutes"
        return f"it asked to slow down for {minutes}: the same command goes on later"
    return "choose another --store"


def one_line(error: BaseException) -> str:
    """An error's message without line breaks."""
    return " ".join(str(error).split())


def sync(path: Path) -> None:
    """Let a file's content, or a folder's names, survive a loss of power too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_throttled(error: BaseException) -> bool:
    """Whether an object store answered that requests come faster than it serves them."""
    return any(answer in str(error) for answer in THROTTLED)


def _patiently(operation: Callable[P, T]) -> Callable[P, T]:
    """The operation, tried again with growing pauses while the store asks to slow down."""

    @wraps(operation)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        until, pause = monotonic() + PATIENCE_SECONDS, FIRST_PAUSE_SECONDS
        while True:
            try:
                return operation(*args, **kwargs)
            except OSError as error:
                if not is_throttled(error) or monotonic() + pause > until:
                    raise
            # Of different length, so that many clients do not come back together.
            sleep(pause * uniform(0.5, 1))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    return tried


class ObjectFiles(_ArrowFiles):
    """A prefix in an object store, where a finished upload appears at once and whole.

    A store that asks to slow down is asked again, for PATIENCE_SECONDS at most.
    Credentials and endpoint come from the environment of the process that writes, the
    driver: for S3 AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on, as for the `aws` command.
    """

    def __init__(self, url: str):
        """Raises FilesError for an unknown scheme, or a URL that cannot be understood."""
        self.location = url
        try:
            self.filesystem, root = pafs.FileSystem.from_uri(url)
        except (ValueError, OSError, pa.ArrowException) as error:
            raise FilesError(
                f"cannot open {url}: {error}; give a path, s3://bucket/prefix or gs://bucket/prefix"
            ) from error
        self.root = root.rstrip("/")
        if not self.root:
            raise FilesError(f"{url} names no bucket; give s3://bucket/prefix")

    names = _patiently(_ArrowFiles.names)
    remove = _patiently(_ArrowFiles.remove)
    move = _patiently(_ArrowFiles.move)

    @_patiently
    def read(self, name: str) -> bytes | None:
        """An object's content; None where there is none."""
        # Arrow asks for the length first: of an object that is replaced just then by a longer or
        # a shorter one, it would give the beginning, or more bytes than there are.
        while (content := super().read(name)) is not None:
            if self.filesystem.get_file_info(self._at(name)).size in (len(content), None):
                break
        return content

    @_patiently
    def write(self, name: str, content: bytes) -> None:
        """Put an object there, whole."""
        # Closed only when all is written: an upload that failed never becomes an object.
        stream = self.filesystem.open_output_stream(self._at(name))
        stream.write(content)
        stream.close()
