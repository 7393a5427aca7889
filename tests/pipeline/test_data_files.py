"""A user's data file: read as it is meant, or refused with its name, the place and a remedy."""

import gzip
import io
import zipfile
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data_files.loading import load_data_file
from pipeline.data_files.reading import DataFileError, Reading

NUMBERS = [0.5, 1.5, -2.0, 3.0]
TRUTHS = [True, False, True, False]
LABELS = ["b", "a", "b", "a"]
FEATURES = np.c_[NUMBERS, TRUTHS]


def table_bytes(table):
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def parquet(**columns):
    return table_bytes(pa.table(columns))


def pandas_parquet(index):
    frame = pd.DataFrame({"x": NUMBERS, "y": TRUTHS, "target": LABELS}, index=index)
    return frame.to_parquet()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def csv(*lines):
    return "\n".join(lines).encode()


def twice(*names):
    return table_bytes(pa.Table.from_arrays([pa.array(NUMBERS)] * len(names), names=list(names)))


READ_ALIKE = {
    "a CSV": ("d.csv", csv("x,target,y", "0.5,b,1", "1.5,a,0", "-2,b,1", "3,a,0")),
    "a Parquet": ("d.parquet", parquet(x=NUMBERS, target=LABELS, y=TRUTHS)),
    "an npz": ("d.npz", npz(features=FEATURES, target=np.array(LABELS))),
    "float16 and wide text": (
        "d.parquet",
        parquet(
            x=pa.array(NUMBERS, pa.float16()), y=TRUTHS, target=pa.array(LABELS, pa.large_string())
        ),
    ),
    "dictionary columns": (
        "d.parquet",
        parquet(
            x=pa.array(NUMBERS).dictionary_encode(),
            y=TRUTHS,
            target=pa.array(LABELS).dictionary_encode(),
        ),
    ),
    "a pandas index beside them": ("d.parquet", pandas_parquet(index=[7, 8, 9, 3])),
}


@pytest.mark.parametrize(("name", "content"), READ_ALIKE.values(), ids=READ_ALIKE.keys())
def test_the_same_data_are_read_from_every_kind_of_file(tmp_path, name, content):
    """Text as a target is a class, classes are numbered in order, truths are 0 and 1."""
    (tmp_path / name).write_bytes(content)
    data = load_data_file(tmp_path / name).dataset
    np.testing.assert_array_equal(data.inputs, FEATURES)
    assert data.targets.tolist() == [1, 0, 1, 0]
    assert data.classes == 2
    assert data.name.startswith(f"{name}-")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_floating_point_targets_are_regressed_on(tmp_path, dtype):
    """They stay numbers, in both layouts."""
    target = np.array([0.25, 0.5, 0.75, 1.0], dtype)
    (tmp_path / "d.parquet").write_bytes(parquet(x=NUMBERS, target=target))
    (tmp_path / "d.npz").write_bytes(npz(features=FEATURES, target=target))
    for name in ("d.parquet", "d.npz"):
        data = load_data_file(tmp_path / name).dataset
        assert data.classes is None
        assert data.targets.tolist() == [0.25, 0.5, 0.75, 1.0]


def name_of(path, **settings):
    return load_data_file(path, Reading(**settings)).dataset.name.removeprefix(f"{path.name}-")


def test_the_name_follows_what_is_trained_on(tmp_path):
    """Neither the folder, the kind of file, the names of columns nor idle settings change it."""
    same = {
        "a/d.csv": csv("x,target", "1,0.5", "2,1.5", "3,0.5", "4,1.5"),
        "c/d.csv": csv("x,target", "1,0.5", "2,1.5", "3,0.5", "4,1.5", ""),
        "b/d.csv": csv("age,target", "1.0,0.50", "2.0,1.50", "3.0,0.50", "4.0,1.50"),
        "b/d.tsv": csv("x\ttarget", "1\t0.5", "2\t1.5", "3\t0.5", "4\t1.5"),
        "b/d.csv.gz": gzip.compress(csv("x,target", "1,0.5", "2,1.5", "3,0.5", "4,1.5")),
        "b/d.parquet": parquet(x=[1, 2, 3, 4], target=[0.5, 1.5, 0.5, 1.5]),
        "b/d.npz": npz(
            features=np.array([[1], [2], [3], [4]]), target=np.array([0.5, 1.5, 0.5, 1.5])
        ),
    }
    for name, content in same.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    plain = tmp_path / "a" / "d.csv"
    names = [name_of(tmp_path / name) for name in same]
    names += [name_of(plain, task="numbers", missing="mean", categories="one_hot")]
    assert len(set(names)) == 1
    (tmp_path / "d.csv").write_bytes(csv("x,target", "1,0.5", "2,1.5", "5,0.5", "4,1.5"))
    assert name_of(tmp_path / "d.csv") not in names
    assert name_of(plain, task="classes") not in names
    assert name_of(plain, target=("x",), task="numbers") not in names


def test_several_targets_are_the_same_from_every_kind_of_file(tmp_path):
    """In an npz each is an array of its own."""
    (tmp_path / "d.csv").write_bytes(csv("x,a,b", "1,0.5,7", "2,1.5,9", "3,0.5,8"))
    (tmp_path / "d.parquet").write_bytes(parquet(b=[7, 9, 8], x=[1, 2, 3], a=[0.5, 1.5, 0.5]))
    arrays = {"a": np.array([0.5, 1.5, 0.5]), "b": np.array([7, 9, 8])}
    features = np.array([[1], [2], [3]])
    (tmp_path / "d.npz").write_bytes(npz(features=features, **arrays))
    kinds = ("csv", "parquet", "npz")
    names = {name_of(tmp_path / f"d.{kind}", target=("a", "b")) for kind in kinds}
    assert len(names) == 1
    assert names != {name_of(tmp_path / "d.npz", target=("b", "a"))}
    wide = npz(features=features, a=np.ones((3, 2)))
    (tmp_path / "d.npz").write_bytes(wide)
    with pytest.raises(DataFileError, match=r"got \(3, 1\) and \(3, 2\); give each target an arr"):
        load_data_file(tmp_path / "d.npz", Reading(target=("a",)))
    with pytest.raises(DataFileError, match="needs the arrays 'features' and 'a' and 'b'; it has"):
        load_data_file(tmp_path / "d.npz", Reading(target=("a", "b")))


def test_0_and_minus_0_are_the_same_number(tmp_path):
    """Though not the same bits."""
    names = []
    for zero in ("0.0", "-0.0"):
        (tmp_path / "d.csv").write_bytes(csv("x,target", f"{zero},0.5", f"2,{zero}", "3,0.5"))
        names.append(name_of(tmp_path / "d.csv"))
    assert names[0] == names[1]


def test_a_column_is_judged_by_all_its_cells(tmp_path):
    """The last of 200,000 lines is told as the first would be."""
    lines = [f"{row},{row % 2}" for row in range(200_000)]
    (tmp_path / "d.csv").write_bytes(csv("x,target", *lines, "n.a.,1"))
    with pytest.raises(DataFileError, match=r"text: 'n\.a\.' in line 200,002; leave"):
        load_data_file(tmp_path / "d.csv")


def test_a_name_is_pinned(tmp_path):
    """Stores know a user's data by it."""
    (tmp_path / "d.csv").write_bytes(csv("x,target", "1,0.5", "2,1.5", "3,0.5"))
    assert load_data_file(tmp_path / "d.csv").dataset.name == "d.csv-b70165460dc2"


REFUSED = {
    "another kind": ("d.txt", b"", r"must end in one of \.csv, \.tsv, \.csv\.gz"),
    "no target in a CSV": (
        "d.csv",
        csv("x,y", "1,2"),
        "no column 'target'; set target: to .* 'x', 'y'",
    ),
    "no target in a Parquet": ("d.parquet", parquet(x=NUMBERS), "no column 'target'; set target"),
    "no target in an npz": ("d.npz", npz(features=FEATURES), "arrays 'features' and 'target'"),
    "a column twice in a CSV": ("d.csv", csv("x,x,target", "1,2,3"), "'x' stands 2 times"),
    "a column twice in a Parquet": ("d.parquet", twice("x", "x", "target"), "'x' stands 2 times"),
    "two targets": ("d.csv", csv("x,target,target", "1,2,3"), "'target' stands 2 times"),
    "text in a feature": (
        "d.csv",
        csv("x,target", "1,0.5", "n.d.,1.5"),
        r"column 'x' holds numbers and text: 'n\.d\.' in line 3; leave such cells empty",
    ),
    "a nested feature": ("d.parquet", parquet(x=[[1], [2]], target=[1.0, 2.0]), "'x' holds list"),
    "a struct": ("d.parquet", parquet(x=[{"a": 1}] * 2, target=[1.0, 2.0]), "'x' holds struct"),
    "a time": (
        "d.parquet",
        parquet(x=[datetime(2026, 1, 1)] * 2, target=[1.0, 2.0]),
        r"'x' holds dates \(2026-01-01 00:00:00\).* set drop: \[x\]",
    ),
    "a time as a target": (
        "d.parquet",
        parquet(x=NUMBERS[:2], target=[datetime(2026, 1, 1)] * 2),
        "'target' holds timestamp",
    ),
    "missing features": ("d.csv", csv("x,target", "1,0.5", ",1.5"), "1 of column 'x' in line 3"),
    "only missing features": (
        "d.parquet",
        parquet(x=pa.nulls(2), target=[1.0, 2.0]),
        r"column 'x' holds no value, .* set drop: \[x\]",
    ),
    "missing labels": (
        "d.parquet",
        parquet(x=NUMBERS, target=pa.array([0, 1, None, 1])),
        "1 of column 'target' in row",
    ),
    "missing text": ("d.csv", csv("x,target", "1,a", "2,"), "1 of column 'target' in line 3"),
    "missing in a dictionary": (
        "d.parquet",
        parquet(x=NUMBERS, target=pa.array(["a", None, "b", "a"]).dictionary_encode()),
        "1 of column 'target' in row",
    ),
    "an infinite feature": ("d.csv", csv("x,target", "1,1", "inf,2"), "'x' must be.*inf in line 3"),
    "a target that is not a number": (
        "d.npz",
        npz(features=FEATURES, target=np.array([1, 2, np.nan, 4])),
        "1 of column 'target' in row 3, counted from 1",
    ),
    "an infinite target": (
        "d.npz",
        npz(features=FEATURES, target=np.array([1, 2, np.inf, 4])),
        "'target' must be finite, got inf in row 3",
    ),
    "a header alone": ("d.csv", csv("x,target", ""), "0 examples of 1 features"),
    "a target alone": ("d.csv", csv("target", "1", "2"), "2 examples of 0 features"),
    "one example": ("d.npz", npz(features=FEATURES[:1], target=np.ones(1)), "1 examples"),
    "one class": ("d.csv", csv("x,target", "1,a", "2,a"), "every target in column 'target' is 'a'"),
    "one number": ("d.csv", csv("x,target", "1,0.5", "2,0.5"), "every target in .* is 0.5"),
    "as many classes as examples": (
        "d.csv",
        csv("x,target", "1,10", "2,20", "3,30"),
        "3 different whole numbers from 10 to 30, with gaps: set task: numbers .* task: classes",
    ),
    "shapes that differ": (
        "d.npz",
        npz(features=FEATURES, target=np.ones(3)),
        r"got \(4, 2\) and \(3,\)",
    ),
    "complex features": ("d.npz", npz(features=FEATURES + 1j, target=np.ones(4)), "complex128"),
    "an empty CSV": ("d.csv", b"", "no readable .csv file: Empty CSV"),
    "ragged lines": ("d.csv", csv("x,target", "1"), "names 2 columns, but line 2 holds 1 cells"),
    "an empty Parquet": ("d.parquet", b"", "no readable .parquet file"),
    "a truncated Parquet": ("d.parquet", parquet(x=NUMBERS)[:-9], "no readable .parquet file"),
    "an empty npz": ("d.npz", b"", "no readable .npz file: File is not a zip file; write it again"),
    "no gzip": ("d.csv.gz", csv("x,target", "1,2"), r"no readable \.csv\.gz file: Not a gzipped"),
    "no arrays in a zip": ("d.npz", npz(), "arrays 'features' and 'target'"),
}


@pytest.mark.parametrize(("name", "content", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_trained_on_is_refused(tmp_path, name, content, reason):
    """The error names the file, the column or array, what is wrong with it and what to do."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=reason) as told:
        load_data_file(path)
    assert str(path) in str(told.value)


@pytest.mark.parametrize("name", ["gone.csv", "a\0b.csv", "a" * 300 + ".csv"])
def test_a_path_that_cannot_be_read_is_refused(tmp_path, name):
    """Whatever the system's reason."""
    with pytest.raises(DataFileError, match=r"^cannot read .*\.csv: "):
        load_data_file(tmp_path / name)


class _Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return (open, (str(self._path), "w"))


def test_pickled_objects_are_refused_and_never_unpickled(tmp_path):
    """Code in somebody's data file does not run."""
    trap = np.array([_Trap(tmp_path / "sprung")] * 4, dtype=object)
    content = npz(features=FEATURES, target=trap)
    np.load(io.BytesIO(content), allow_pickle=True)["target"][0].close()
    (tmp_path / "sprung").unlink()  # the trap works
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(DataFileError, match="Object arrays cannot be loaded"):
        load_data_file(tmp_path / "d.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_zip_member_that_is_no_array_is_refused(tmp_path):
    """NumPy hands such a member out as bytes."""
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("features.npy", b"text")
        archive.writestr("target.npy", b"text")
    with pytest.raises(DataFileError, match=r"features must be \(examples, features\)"):
        load_data_file(tmp_path / "d.npz")


GOOD = [READ_ALIKE[kind] for kind in ("a CSV", "a Parquet", "an npz")]


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(GOOD), st.data())
def test_a_damaged_file_is_told_or_read_but_breaks_nothing(tmp_path_factory, good, data):
    """Bytes changed or cut off anywhere raise no other error than a DataFileError."""
    name, content = good
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    damaged[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(bytes(damaged[: data.draw(st.sampled_from([None, place]))]))
    try:
        told = load_data_file(path).dataset.name
    except DataFileError as error:
        told = str(error)
    assert name in told
