"""The bytes of a text file as text; the likely encodings if none was given and it is not UTF-8."""

import codecs
from pathlib import Path

from pipeline.data_files.reading import DataFileError

UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# Encodings with two bytes per letter; if none fits, any encoding with one byte may be meant.
WIDE = ("cp949", "gb18030", "shift_jis")


def decoded(content: bytes, path: Path, encoding: str | None) -> str:
    """The text of a file.

    Raises:
        DataFileError: It is not in that encoding; the message names likely ones.
    """
    if encoding is not None:
        return _decoded_as(content, path, encoding)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataFileError(
            f"{path} is not UTF-8 (byte 0x{content[error.start]:02x} in line {line:,}); "
            f"{_advised(content)}"
        ) from error


def _decoded_as(content: bytes, path: Path, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except LookupError as error:
        raise DataFileError(
            f"{path}: encoding: there is no encoding {encoding!r}; set encoding: utf-8, cp949, "
            "latin-1 or another that Python knows"
        ) from error
    except (UnicodeError, ValueError) as error:
        raise DataFileError(
            f"{path} cannot be read with encoding: {encoding} ({error}); {_advised(content)}"
        ) from error


def _advised(content: bytes) -> str:
    """The likely encodings, and how the first word outside ASCII reads in each."""
    if content.startswith(UTF_16_MARKS):
        return "it begins as UTF-16 does: set encoding: utf-16"
    word = _first_word(content)
    wide = [name for name in WIDE if _reads(content, name)] if _in_pairs(content) else []
    ways = [f"{name} reads {word.decode(name, 'replace')!r}" for name in (*wide, "latin-1")]
    return (
        f"set encoding: {(*wide, 'latin-1')[0]} or another; its first such word: {', '.join(ways)}"
    )


def _first_word(content: bytes) -> bytes:
    return next(
        (w for w in content.replace(b",", b" ").replace(b";", b" ").split() if not w.isascii()), b""
    )[:40]


def _in_pairs(content: bytes) -> bool:
    """Whether bytes above ASCII come in runs, like letters of two bytes, rather than singly."""
    runs = [len(run) for run in content.translate(_MARKED).split(b" ") if run]
    return sum(run for run in runs if run > 1) > sum(runs) / 2


# Bytes of ASCII as a space, all others as themselves.
_MARKED = bytes(32 if byte < 128 else byte for byte in range(256))


def _reads(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
