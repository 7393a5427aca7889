"""Files that a command writes where there is none: a user's own is not replaced."""

from pathlib import Path


def write_new(option: str, path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Args:
        option: The command's option that names it.
        path: Where.
        text: What.

    Raises:
        ValueError: There is one, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ValueError(f"{option}: {path} exists; name a file that does not") from error
    except OSError as error:
        raise ValueError(f"{option}: cannot write {path}: {error.strerror}") from error
