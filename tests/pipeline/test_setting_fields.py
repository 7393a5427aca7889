"""A setting's field of a sweep file: everything that it accepts follows from its description."""

from dataclasses import dataclass, replace

import pytest

from core.settings import setting
from core.trainers import Column, Trainer
from pipeline.sweep_files.fields import sweep_fields
from pipeline.sweep_files.loading import SweepFileError, load_sweep


def drag_text(written):
    """A name or a number as text."""
    if written != "none" and not isinstance(written, float | int):
        raise ValueError("must be a number or none")
    return str(written)


@dataclass(frozen=True, kw_only=True)
class Pendulum:
    """Settings of every kind, which have nothing to do with networks."""

    length: float = setting("m", "m", above=0, below=10, remedy="meters, as in length: 0.5")
    angle: float = setting("radians", written=0.5, least=-3, most=3, smallest=1e-6)
    swings: int = setting("how many", default=10, least=1)
    damped: bool = setting("whether it stops", default=False, elsewhere=("friction", "lossy"))
    method: str = setting("solver", "name", written="euler", choices=("euler", "verlet"))
    label: str = setting("a word", "name", written="none", words=("short", "long"))
    record: frozenset[str] = setting(
        "what is kept", "name", written=frozenset({"energy"}), choices=("angle", "energy")
    )
    drag: str = setting("of air", "name", default="none", text=drag_text, words=("none",))
    gravity: float = setting("g", meant={"earth": 9.81}.get, words=("earth",), written=9)


PENDULUM = Trainer(
    trial=Pendulum,
    results=(Column("outcome", str, "how it ended", choices=("done",)),),
    train=lambda trials, task: {"runs": {"outcome": ["done"] * len(trials)}},
    seconds=lambda trial, data: 1.0,
)


@pytest.fixture
def load(tmp_path):
    """Loads a sweep of pendulums, with a line changed."""

    def load(line="length: 1"):
        path = tmp_path / "sweep.yaml"
        path.write_text(line if line.startswith("length") else f"length: 1\n{line}")
        return load_sweep(str(path), PENDULUM)

    return load


def test_what_a_file_leaves_out_is_as_the_settings_say(load):
    """Each in its setting's own type, as ids are made of it."""
    sweep = load()
    assert sweep.trainer is PENDULUM
    assert sweep.grid.axes == {
        "length": (1.0,),
        "angle": (0.5,),
        "swings": (10,),
        "damped": (False,),
        "method": ("euler",),
        "label": ("none",),
        "record": ("energy",),
        "drag": ("none",),
        "gravity": (9.0,),
    }
    assert type(sweep.grid.axes["gravity"][0]) is float


def test_a_trainer_without_a_task_has_no_fields_on_data():
    """There is no data set to choose, nor a file to read."""
    fields = sweep_fields(PENDULUM).model_fields
    assert set(fields) == {"name", "zip", "where", "trace", *PENDULUM.settings}


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        ("damped: true", "damped", (True,)),
        ("damped: [false, true]", "damped", (False, True)),
        ("swings: {linspace: [1, 3, 3]}", "swings", (1, 2, 3)),
        ("angle: [-3, 0, 3]", "angle", (-3.0, 0.0, 3.0)),
        ("method: [verlet, euler]", "method", ("verlet", "euler")),
        ("label: anything", "label", ("anything",)),
        ("record: energy", "record", ("energy",)),
        ("record: [energy, angle]", "record", ("angle+energy",)),
        ("record: []", "record", ("none",)),
        ("drag: [none, 0.5, 2]", "drag", ("none", "0.5", "2")),
        ("gravity: [earth, 1.6]", "gravity", (9.81, 1.6)),
    ],
)
def test_every_kind_of_setting_has_its_axis(load, line, name, values):
    """Truths where the setting is one; sets are one value, whatever their order."""
    axis = load(line).grid.axes[name]
    assert axis == values
    assert list(map(type, axis)) == list(map(type, values))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("length: 0", "length: must be greater than 0, got 0; meters, as in length: 0.5"),
        ("length: 10", "length: must be less than 10, got 10; meters"),
        ("length: .inf", "length: must be a finite number, got inf"),
        ("length: true", "length: must not be true or false; quote a word"),
        ("angle: 4", "angle: must be less than or equal to 3, got 4; radians"),
        ("angle: -1e-9", "angle: must be 0 or at least 1e-06, got -1e-09; radians"),
        ("swings: 2.5", "swings: must be a whole number, got 2.5; how many"),
        ("swings: many", "swings: must be a whole number, got 'many'; how many"),
        ("damped: 1", "damped: must be true or false, got 1; whether it stops, as in damped: true"),
        ("damped: ture", "damped: must be true or false, got 'ture'; did you mean true? whether"),
        ("damped: yes", "damped: yes at line 2, column 9 is true to YAML; write true, or"),
        ("damped: [true, true]", "damped: True is listed twice"),
        ("damped: []", "damped: an axis needs a value at least"),
        ("method: eulr", "method: no such value, got 'eulr'; did you mean euler? one of euler, v"),
        ("label: 3", "label: must be text, in quotes if YAML would take it for something else"),
        ("record: speed", "record: no such value, got 'speed'; one of angle, energy"),
        ("record: none", "record: must be written [], not as in a column, got 'none'; one of"),
        ("record: [none]", "record: must be written [], not as in a column, got ['none']; one"),
        (
            "record: angle+energy",
            "record: must be written [angle, energy], not as in a column, got",
        ),
        ("record: [angle + energy, energy]", "record: must be written [angle, energy], not as in"),
        ("record: [energy, energy]", "record: 'energy' is listed twice; a set has it once, got"),
        ("record: {a: 1}", "record: must be a list, got {'a': 1}; one of angle, energy"),
        (
            "swings: 9223372036854775808",
            "swings: must be less than or equal to 9223372036854775807, got 9223372036854775808",
        ),
        ("drag: nnoe", "drag: must be a number or none, got 'nnoe'; did you mean none? of air"),
        ("drag: [1, 1]", "drag: '1' is listed twice"),
        (
            "gravity: eart",
            "gravity: must be a valid number, got 'eart'; did you mean earth?",
        ),
        ("lossy: true", "lossy: no such field (got True); phasesweep calls it damped"),
        (
            "dropout: 1",
            "dropout: no such field (got 1); the fields are name, zip, where, trace, length",
        ),
        ("dataset: digits", "dataset: no such field (got 'digits'); the fields are name, zip"),
    ],
)
def test_what_a_setting_does_not_accept_is_refused(load, line, said):
    """With its name, what must hold, what was given and its remedy."""
    with pytest.raises(SweepFileError) as error:
        load(line)
    assert f": {said}" in str(error.value)


def test_a_setting_with_the_name_of_another_field_is_refused():
    """It could never be written in a sweep file."""

    @dataclass(frozen=True, kw_only=True)
    class Taken:
        where: str = setting("a place", "name", written="here")

    with pytest.raises(ValueError, match=r"a setting cannot be called where: .* rename it"):
        sweep_fields(replace(PENDULUM, trial=Taken))
