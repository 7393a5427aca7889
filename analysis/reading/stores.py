"""A store's tables as DataFrames, and what their columns mean.

    runs    one row per training: its settings, its outcome and its measurements
    layers  one row per (training, layer): forward and backward norms
    curves  one row per (training, logged step): loss and gradient norm

A table to which nothing was written yet is missing, not empty.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs

from analysis.reading.manifests import ManifestError, parsed_manifest
from analysis.reading.older_rows import OlderRows, with_later_columns
from core.settings import Value
from core.trials import SETTINGS, TRIAL_FIELDS

TABLES = ("runs", "layers", "curves")

# Settings such as the seed: runs that differ in them alone are averaged over.
REPEATS = tuple(name for name, setting in SETTINGS.items() if setting.repeats)

# For settings by which a command can judge all runs alike: the command's option.
JUDGING_OPTIONS = {"trained_level": "--trained-level"}

CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


class NotAStoreError(ValueError):
    """A folder is no phasesweep store; the message names it and the remedy."""


class DamagedTableError(ValueError):
    """A file of the store cannot be read; the message says how to repair the store."""


class MissingTableError(ValueError):
    """A store has no row of a table; the message names both and the remedy."""


class UnsuitableRunsError(ValueError):
    """A table or figure cannot show these runs together; the message says what to select."""


def read_runs(
    store: str | Path,
    columns: Sequence[str] | None = None,
    where: Mapping[str, Value | Sequence[Value]] | None = None,
) -> pd.DataFrame:
    """One row per training.

    Args:
        store: The store's folder, or its URL in an object store.
        columns: The columns to read, all by default; the fewer, the less is read.
        where: Keep the rows whose column has the value, or one of the values:
            `{"activation": "tanh", "depth": [2, 8]}`.

    Returns:
        The rows as pandas.read_parquet gives them: NULL is NaN.

    Raises:
        NotAStoreError: There is no store at `store`.
        MissingTableError: The store has no runs yet.
        ValueError: The table has no column of that name.
    """
    return _read(store, "runs", columns, where)


def read_layers(
    store: str | Path,
    columns: Sequence[str] | None = None,
    where: Mapping[str, Value | Sequence[Value]] | None = None,
) -> pd.DataFrame:
    """One row per (training, layer); arguments and errors are those of read_runs."""
    return _read(store, "layers", columns, where)


def read_curves(
    store: str | Path,
    columns: Sequence[str] | None = None,
    where: Mapping[str, Value | Sequence[Value]] | None = None,
) -> pd.DataFrame:
    """One row per (training, logged step); arguments and errors are those of read_runs."""
    return _read(store, "curves", columns, where)


def read_schema(store: str | Path, table: str = "runs") -> pa.Schema:
    """The Arrow schema of a table, with each column's unit and meaning; raises as read_runs."""
    return OlderRows(table_dataset(store, table).schema).schema


def data_dictionary(schema: pa.Schema) -> pd.DataFrame:
    """What the columns of a table mean: column, type, unit and meaning, one row per column."""
    descriptions = [(field, field.metadata or {}) for field in schema]
    return pd.DataFrame(
        {
            "column": schema.names,
            "type": [str(field.type) for field in schema],
            "unit": [about.get(b"unit", b"").decode() for _, about in descriptions],
            "meaning": [about.get(b"meaning", b"").decode() for _, about in descriptions],
        }
    )


def axes(runs: pd.DataFrame) -> list[str]:
    """The settings that vary among the runs, in the order of the columns."""
    return [name for name in TRIAL_FIELDS if name in runs and runs[name].nunique() > 1]


def factors(runs: pd.DataFrame) -> list[str]:
    """The axes that may change how a run ends: neither repetitions nor what was measured."""
    return [n for n in axes(runs) if n not in REPEATS and SETTINGS[n].decides != "record"]


def following(runs: pd.DataFrame) -> dict[str, str]:
    """The axes whose values follow from those of another one, by name, and that one's name.

    Only an axis whose values go with some of others, as hidden_widths do with a width, decides
    others so; the runs show whether it does.
    """
    found: dict[str, str] = {}
    for name, setting in SETTINGS.items():
        if setting.goes_with is None or name not in runs or runs[name].nunique() < 2:
            continue
        asked = {other for value in runs[name].unique() for other in setting.goes_with(value)}
        for other in axes(runs[[each for each in runs if each in asked]]):
            if (runs.groupby(name)[other].nunique() == 1).all():
                found[other] = name
    return found


def groups(runs: pd.DataFrame, usual: Sequence[str], pooled: Collection[str] = ()) -> list[str]:
    """The settings by which a table groups runs: the usual, then whatever else decides and varies.

    Args:
        runs: The settings.
        usual: Those that come first, whether they vary or not.
        pooled: Those whose values the table pools.
    """
    return list(dict.fromkeys([*usual, *(n for n in factors(runs) if n not in pooled)]))


def refuse_other_axes(runs: pd.DataFrame, expected: Collection[str]) -> None:
    """Refuse runs in which a setting varies unexpectedly; REPEATS may always vary.

    Raises:
        UnsuitableRunsError: Names the setting, and how to keep one of its values.
    """
    for name in axes(runs):
        if name in expected or name in REPEATS:
            continue
        values = sorted(runs[name].unique().tolist())
        shown = ", ".join(map(str, values[:5])) + (", ..." if len(values) > 5 else "")
        raise UnsuitableRunsError(
            f"{name} varies among the runs ({shown}) and would be mixed up here; group by it, "
            f"or keep one value: --where {name}={values[0]}"
        )


def _read(
    store: str | Path,
    table: str,
    columns: Sequence[str] | None,
    where: Mapping[str, Value | Sequence[Value]] | None,
) -> pd.DataFrame:
    dataset = table_dataset(store, table)
    older = OlderRows(dataset.schema)
    for name in [*(columns or ()), *(where or ())]:
        if name not in older.schema.names:
            known = ", ".join(older.schema.names)
            raise ValueError(f"{table} in {store} has no column {name!r}; it has {known}")
    kept = None if columns is None else older.stored(list(columns))
    conditions = _filter(where or {}, older)
    try:
        rows = dataset.to_table(kept, conditions)
    except FileNotFoundError:  # A compaction took the files' place since they were listed.
        rows = table_dataset(store, table).to_table(kept, conditions)
    except OSError as error:
        raise _damaged(store, error) from error
    return older.filled(rows).to_pandas()


def _filter(where: Mapping[str, Value | Sequence[Value]], older: OlderRows) -> ds.Expression | None:
    kept = None
    for name, wanted in where.items():
        values = [wanted] if isinstance(wanted, Value) else list(wanted)
        condition = older.condition_column(name).isin(values)
        kept = condition if kept is None else kept & condition
    return kept


def table_dataset(store: str | Path, table: str) -> ds.Dataset:
    """All parts as one data set; a column that an older part lacks is NULL in its rows.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or nothing in that table.
        DamagedTableError: A file cannot be read.
    """
    parts = _parts(store, table)
    if not parts:
        raise _missing(store, table)
    filesystem, _ = _place(store)
    try:
        each = [ds.dataset(part, format=CHECKED, filesystem=filesystem) for part in parts]
        # The newest part first: its metadata is the one that is kept.
        schema = pa.unify_schemas([part.schema for part in reversed(each)])
        if table == "runs":
            schema = with_later_columns(schema)
    except FileNotFoundError:  # A compaction took its place since it was listed.
        raise
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:  # a name may be damaged too
        raise _damaged(store, error) from error
    return ds.dataset(parts, schema=schema, format=CHECKED, filesystem=filesystem)


def _damaged(store: str | Path, error: Exception) -> DamagedTableError:
    reason = " ".join(str(error).split())
    return DamagedTableError(
        f"{store} is damaged ({reason}); `phasesweep verify {store}` says which file "
        "is no part of it, or with --repair sets a damaged one aside to be trained again"
    )


def read_manifest(store: str | Path) -> dict[str, Any]:
    """The store's manifest: its sweeps, versions and thresholds.

    Raises:
        NotAStoreError: There is no store at `store`, or its manifest is damaged.
    """
    filesystem, root = _place(store)
    try:
        with filesystem.open_input_stream(f"{root}/manifest.json") as stream:
            return parsed_manifest(stream.read())
    except ManifestError as error:
        raise NotAStoreError(
            f"{store}/manifest.json is damaged: {error}; `phasesweep status {store}` says how it "
            "is mended"
        ) from error
    except OSError as error:
        found = "has no manifest.json" if Path(root).is_dir() else "is no folder"
        raise NotAStoreError(
            f"{store} is no phasesweep store: it {found}; give the folder or URL that "
            "`phasesweep run SWEEP --store STORE` wrote"
        ) from error


def _parts(store: str | Path, table: str) -> list[str]:
    """The table's files, ordered by name."""
    read_manifest(store)
    filesystem, root = _place(store)
    listed = filesystem.get_file_info(pafs.FileSelector(f"{root}/{table}", allow_not_found=True))
    return sorted(info.path for info in listed if info.base_name.endswith(".parquet"))


def _place(store: str | Path) -> tuple[pafs.FileSystem, str]:
    """The file system of a path or URL, and the store's root in it."""
    if "://" not in str(store):
        return pafs.LocalFileSystem(), str(store)
    try:
        filesystem, root = pafs.FileSystem.from_uri(str(store))
    except (OSError, ValueError) as error:
        raise NotAStoreError(
            f"cannot open {store}: {error}; give a folder, s3://bucket/prefix or gs://bucket/prefix"
        ) from error
    return filesystem, root.rstrip("/")


def _missing(store: str | Path, table: str) -> MissingTableError:
    return MissingTableError(
        f"{store} has no {table} yet; `phasesweep run SWEEP --store {store}` writes them"
    )
