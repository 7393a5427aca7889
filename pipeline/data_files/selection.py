"""The data sets that a sweep file names, and how many of their examples it uses."""

import reprlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from core.datasets import DATASETS, DatasetInfo
from pipeline.data_files.fields import READING_FIELDS, DataFields
from pipeline.data_files.loading import DataFile, load_data_file
from pipeline.data_files.reading import DataFileError, listed

BUNDLED_EXAMPLES = 128


@dataclass(frozen=True)
class Selection:
    """What a sweep trains on.

    Attributes:
        data_files: The user's own data sets, by the names that trials know them by.
        names: The data sets of the sweep.
        examples: How many of their examples are used, an axis.
    """

    data_files: Mapping[str, DataFile]
    names: tuple[str, ...]
    examples: tuple[int, ...]

    @property
    def infos(self) -> dict[str, DatasetInfo]:
        """The sizes of the sweep's data sets."""
        own = {name: file.dataset.info for name, file in self.data_files.items()}
        return {name: (DATASETS | own)[name] for name in self.names}


def selection(fields: DataFields, folder: Path, moving: Collection[str] = ()) -> Selection:
    """Read the files that the fields name, relative to `folder`, and fit the rest to them.

    Args:
        fields: Of a sweep file.
        folder: That of the sweep file.
        moving: The axes that move together with the data sets. These may repeat then, and
            `examples` among them may be another number for each.

    Raises:
        DataFileError: That cannot be; the message begins with the field.
    """
    if (fields.dataset is None) is (fields.file is None):
        raise DataFileError(
            f"dataset: give either dataset: (one of {', '.join(DATASETS)}) or file: (a path of "
            f"your own), got {'neither' if fields.file is None else 'both'}"
        )
    if fields.dataset is not None:
        _refuse_reading_settings(fields)
    own = _own(fields, folder)
    data_files = {file.dataset.name: file for file in own}
    if len(data_files) < len(own) and not moving:
        raise DataFileError(
            f"file: two files are the same, got {reprlib.repr(fields.file)}; keep one"
        )
    names = fields.dataset or tuple(file.dataset.name for file in own)
    chosen = Selection(data_files, names, ())
    return replace(chosen, examples=_examples(fields, chosen, moving))


def _refuse_reading_settings(fields: DataFields) -> None:
    given = [name for name in READING_FIELDS if name in fields.model_fields_set]
    if given:
        raise DataFileError(
            f"{given[0]}: says how a file of your own is read, got it with "
            f"dataset: {listed(fields.dataset or ())}; leave it out, or give file: a path"
        )


def _own(fields: DataFields, folder: Path) -> list[DataFile]:
    read = cache(lambda name: load_data_file(folder / name, fields.reading))
    try:
        return [read(name) for name in fields.file or ()]
    except DataFileError as error:
        raise DataFileError(f"file: {error}") from error


def _examples(fields: DataFields, chosen: Selection, moving: Collection[str]) -> tuple[int, ...]:
    """The axis as given; `all` means the file's size, and so does no value for a user's file."""
    if isinstance(fields.examples, tuple):
        return fields.examples
    if fields.examples is None and fields.dataset is not None:
        return (BUNDLED_EXAMPLES,)
    sizes = {name: _size(name, data) for name, data in chosen.infos.items()}
    if "examples" in moving:
        return tuple(sizes[name] for name in chosen.names)
    smallest, *others = sorted(set(sizes.values()))
    if others:
        each = listed([f"{name} has {size:,}" for name, size in sizes.items()])
        raise DataFileError(
            f"examples: all is another number for each data set: {each}; set examples: "
            f"{smallest} or fewer, or let them move together: "
            f"zip: [{'file' if fields.dataset is None else 'dataset'}, examples]"
        )
    return (smallest,)


def _size(name: str, data: DatasetInfo) -> int:
    if data.examples is None:
        raise DataFileError(
            f"examples: {name} is drawn with as many examples as wanted, got all; give a "
            "number, as in examples: 128"
        )
    return data.examples
