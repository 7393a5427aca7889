"""The data sets that a sweep file names, and how many of their examples it uses."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
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


def selection(fields: DataFields, folder: Path) -> Selection:
    """Read the files that the fields name, relative to `folder`, and fit the rest to them.

    Raises:
        DataFileError: That cannot be; the message begins with the field.
    """
    if fields.dataset is not None:
        _refuse_reading_settings(fields)
    data_files = _data_files(fields, folder)
    names = fields.dataset or tuple(data_files)
    infos = Selection(data_files, names, ()).infos
    _refuse_raw_classes(fields, infos)
    examples = _examples(fields, infos)
    _require_so_many(max(examples), infos)
    return Selection(data_files, names, examples)


def _refuse_reading_settings(fields: DataFields) -> None:
    given = [name for name in READING_FIELDS if name in fields.model_fields_set]
    if given:
        raise DataFileError(
            f"{given[0]}: says how a file of your own is read, got it with "
            f"dataset: {listed(fields.dataset or ())}; leave it out, or give file: a path"
        )


def _data_files(fields: DataFields, folder: Path) -> dict[str, DataFile]:
    try:
        own = [load_data_file(folder / name, fields.reading) for name in fields.file or ()]
    except DataFileError as error:
        raise DataFileError(f"file: {error}") from error
    data_files = {file.dataset.name: file for file in own}
    if len(data_files) < len(own):
        raise DataFileError(
            f"file: two files are the same, got {reprlib.repr(fields.file)}; keep one"
        )
    return data_files


def _refuse_raw_classes(fields: DataFields, infos: Mapping[str, DatasetInfo]) -> None:
    named = [name for name, data in infos.items() if data.classes is not None]
    if named and "raw" in fields.targets:
        raise DataFileError(
            f"targets: {named[0]} has classes as targets, which are one-hot and have no scale, "
            "got raw; leave out targets"
        )


def _examples(fields: DataFields, infos: Mapping[str, DatasetInfo]) -> tuple[int, ...]:
    """The axis as given; `all`, and a user's file where nothing is given, is the file's size."""
    if isinstance(fields.examples, tuple):
        return fields.examples
    if fields.examples is None and fields.dataset is not None:
        return (BUNDLED_EXAMPLES,)
    sizes = {name: data.examples for name, data in infos.items()}
    for name, size in sizes.items():
        if size is None:
            raise DataFileError(
                f"examples: {name} is drawn with as many examples as wanted, got all; give a "
                "number, as in examples: 128"
            )
    distinct = sorted({size for size in sizes.values() if size is not None})
    if len(distinct) > 1:
        told = listed([f"{name} has {size:,}" for name, size in sizes.items()])
        raise DataFileError(
            f"examples: all is another number for each data set: {told}; set examples: "
            f"{distinct[0]} or fewer, or give each a sweep file of its own"
        )
    return tuple(distinct)


def _require_so_many(examples: int, infos: Mapping[str, DatasetInfo]) -> None:
    for name, data in infos.items():
        if data.examples is not None and examples > data.examples:
            raise DataFileError(
                f"examples: {name} has {data.examples:,} examples, got {examples:,}; "
                f"set examples: {data.examples} or fewer, or examples: all"
            )
