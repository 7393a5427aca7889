"""The sweep file: what it may say, and that whatever else it says is refused and runs nothing."""

import re
from pathlib import Path

import pytest

from core.settings import trial_id
from pipeline.sweep_files.loading import SweepFileError, load_sweep, shipped_sweeps

ROOT = Path(__file__).resolve().parents[2]
README, CHOOSING = ROOT / "README.md", ROOT / "docs" / "how_to" / "choose_trials.md"

VALID = {
    "dataset": "digits",
    "examples": "24",
    "depth": "[2, 4]",
    "activation": "[tanh, relu]",
    "init_scale": "[0.5, 2.0]",
    "learning_rate": "0.1",
}


@pytest.fixture
def sweep_path(tmp_path):
    """Where a test's sweep file lies."""
    return tmp_path / "sweep.yaml"


@pytest.fixture
def write(sweep_path):
    """Writes a valid sweep file with some lines changed; None leaves a field out."""

    def write(**changes):
        fields = VALID | changes
        kept = [f"{name}: {value}" for name, value in fields.items() if value is not None]
        sweep_path.write_text("\n".join(kept))
        return sweep_path

    return write


def refusal(path):
    with pytest.raises(SweepFileError) as error:
        load_sweep(path)
    assert str(error.value).startswith(f"{path}")
    return str(error.value).removeprefix(f"{path}")


def test_fields_left_out_have_defaults(write):
    """A sweep is its data set, depths, activations and learning rates; the rest is usual."""
    sweep = load_sweep(write(examples=None, init_scale=None))
    first = sweep.grid.first
    assert sweep.grid.size == 4
    assert (first.examples, first.width, first.initializer) == (128, 32, "gaussian")
    assert (first.init_scale, first.bias_scale, first.features) == (1.0, 0.0, "standardized")
    assert (first.loss, first.steps, first.seed, first.dtype) == (
        "cross_entropy",
        100,
        0,
        "float32",
    )


def test_the_sweeps_of_the_documents_are_sweeps(sweep_path):
    """As a reader copies them."""

    def grid(text):
        sweep_path.write_text(text)
        return load_sweep(sweep_path).grid

    (mine,) = re.findall("```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    assert grid(mine).size == 3 * 3 * 16 * 16
    written = dict(re.findall(r"```\{file\} (\S+)\n(.*?)```", CHOOSING.read_text(), re.DOTALL))
    assert grid(written["my-sweep.yaml"]).size == 3 * 3 * 16 * 16
    assert [(t.depth, t.learning_rate) for t in grid(written["paired.yaml"])] == [
        (2, 0.3),
        (8, 0.1),
        (32, 0.03),
    ]
    small_steps = grid(written["small_steps.yaml"])
    rates = small_steps.axes["learning_rate"]
    kept = {depth: sum(rate * depth < 1 for rate in rates) for depth in (2, 8, 32)}
    assert small_steps.size == kept[2] + 2 * kept[8] + 2 * kept[32]


def test_a_single_measurement_needs_no_list(write):
    """As with an axis of one value; and a misspelled one is told by its name."""
    single, listed = (load_sweep(write(measure=said)) for said in ("sharpness", "[sharpness]"))
    assert single.grid.first.measure == listed.grid.first.measure == {"sharpness"}
    assert "'sharpnes'" in refusal(write(measure="sharpnes"))


def test_the_trained_level_is_an_axis_as_any_other(write):
    """A tenth if nothing is said, and then every trial has the id that it always had."""
    usual, said = load_sweep(write()).grid, load_sweep(write(trained_level="0.1")).grid
    assert usual.axes == said.axes
    assert trial_id(usual.first) == trial_id(said.first)
    levels = load_sweep(write(trained_level="{linspace: [0.1, 0.9, 9]}")).grid
    assert levels.size == 9 * usual.size


def test_a_sweep_without_a_name_has_that_of_its_file(write):
    """The name says where the rows go."""
    assert load_sweep(write()).name == "sweep"
    assert load_sweep(write(name="mine")).name == "mine"


@pytest.mark.parametrize("name", shipped_sweeps())
def test_a_shipped_sweep_is_found_by_its_name(name):
    """From wherever the command is run."""
    assert load_sweep(name).name == name
    assert load_sweep(name).grid.size > 1


@pytest.mark.parametrize(
    ("field", "written", "values"),
    [
        ("steps", "1e3", (1000,)),
        ("width", "[1e1, 1.0e2]", (10, 100)),
        ("learning_rate", "1e-4", (1e-4,)),
        ("learning_rate", "{geomspace: [1e-4, 1e-2, 3]}", (1e-4, 1e-3, 1e-2)),
    ],
)
def test_an_exponent_needs_no_point(write, field, written, values):
    """A whole number where one is asked for, as 1e3 steps."""
    axis = load_sweep(write(**{field: written})).grid.axes[field]
    assert axis == values
    assert [type(value) for value in axis] == [type(value) for value in values]


def test_a_data_file_is_found_beside_the_sweep_file(write, sweep_path, monkeypatch, tmp_path):
    """Its path is relative to the sweep file, not to where the command is run."""
    (sweep_path.parent / "d.csv").write_text("x,target\n1,a\n2,b\n3,a\n4,b\n")
    monkeypatch.chdir(tmp_path)
    sweep = load_sweep(write(dataset=None, file="d.csv", examples=4))
    (name,) = sweep.data_files
    assert name.startswith("d.csv-")
    assert sweep.grid.axes["dataset"] == (name,)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"learnin_rate": "0.1"}, ": learnin_rate: no such field (got 0.1); did you mean learning"),
        ({"epochs": "3"}, ": epochs: no such field (got 3); phasesweep calls it steps"),
        ({"dropout": "0.5"}, ": dropout: no such field (got 0.5); phasesweep trains plain fully"),
        ({"optimizer": "sgd"}, ": optimizer: no such value, got 'sgd'; did you mean gd? one of"),
        (
            {"momentum": "0.9"},
            ": momentum: decides nothing with optimizer: gd; set optimizer to momentum or nesterov "
            "or adam, or leave out momentum",
        ),
        (
            {"optimizer": "[gd, momentum]", "beta2": "0.9"},
            ": beta2: decides nothing with optimizer: gd, momentum; set optimizer to adam, or",
        ),
        (
            {"initializer": "weight_std", "init_scale": "[0.1, He]"},
            ": init_scale: must be a number with initializer: weight_std, got He; write one, or "
            "set initializer to gaussian or uniform or",
        ),
        (
            {"initializer": "Normal"},
            ": initializer: no such value, got 'Normal'; did you mean gauss",
        ),
        ({"warmup_steps": "5"}, ": warmup_steps: decides nothing with schedule: constant; set sch"),
        ({"momentum": "1"}, ": momentum: must be less than 1, got 1; as in momentum: [0, 0.9,"),
        ({"batch_size": "half"}, ": batch_size: must be a whole number, got 'half'; examples of a"),
        (
            {"batch_size": "65"},
            ": batch_size: digits gives 24 examples, got batches of 65; set bat",
        ),
        ({"colour": "red"}, ": colour: no such field (got 'red'); the fields are dataset, file, "),
        ({"depth": "010"}, ": depth: 010 at line 3, column 8 is 8 to YAML, which takes it for oct"),
        (
            {"steps": "1.5e0"},
            ": steps: must be a whole number, got 1.5; steps of the optimizer, as",
        ),
        ({"depth": None}, ": depth: is missing; add weight matrices, as in depth: [2, 8, 32]"),
        ({"learning_rate": None}, ": learning_rate: is missing; add it, as in learning_rate: {geo"),
        ({"learning_rate": "-0.1"}, ": learning_rate: must be greater than or equal to"),
        ({"learning_rate": "-0.1"}, "got -0.1; as in learning_rate: {geomspace: ["),
        ({"learning_rate": ".nan"}, ": learning_rate: must be a finite number, got nan; as in"),
        ({"init_scale": ".inf"}, ": init_scale: must be a finite number, got inf; sigma_w, as in"),
        ({"init_scale": "true"}, ": init_scale: must not be true or false"),
        ({"depth": "[]"}, ": depth: an axis needs a value at least, got []; weight matrices"),
        ({"depth": "null"}, ": depth: must be a whole number, got None; weight matrices"),
        ({"depth": "2.5"}, ": depth: must be a whole number, got 2.5; weight matrices, as in"),
        ({"depth": "[2, 2]"}, ": depth: 2 is listed twice"),
        ({"measure": "signal+sharpness"}, ": measure: must be written [signal, sharpness], not as"),
        ({"measure": "none"}, ": measure: must be written [], not as in a column, got 'none'; no"),
        ({"measure": "[signal, signal]"}, ": measure: 'signal' is listed twice; a set has it once"),
        ({"depth": "0"}, ": depth: must be greater than or equal to 1, got 0; weight matrices"),
        ({"depth": "9" * 4000}, ": depth: must be less than or equal to 100000, got 9999"),
        ({"depth": "0x" + "f" * 5000}, "got a number of thousands of digits; weight matrices"),
        ({"learning_rate": "9" * 4000}, ": learning_rate: must be a valid number, got 9999"),
        (
            {"activation": "tahn"},
            ": activation: no such value, got 'tahn'; did you mean tanh? one of linear, ",
        ),
        ({"trained_level": "0"}, ": trained_level: must be greater than 0, got 0; the share of"),
        ({"trained_level": "50"}, ": trained_level: must be less than 1, got 50; the share of the"),
        ({"trained_level": "1.0"}, "got 1.0; the share of the best constant's loss at or below"),
        ({"trained_level": ".nan"}, ": trained_level: must be a finite number, got nan; the share"),
        ({"trained_level": "50%"}, "got '50%'; the share of the best constant's loss at or below"),
        ({"dtype": "[float32, float16]"}, ": dtype: no such value, got 'float16'; float32 or fl"),
        ({"dataset": "mnist"}, ": dataset: no such value, got 'mnist'; one of digits, "),
        ({"dataset": None}, ": dataset: give either dataset: (one of digits, "),
        ({"file": "d.csv"}, ": dataset: give either dataset: (one of digits, "),
        ({"dataset": None, "file": "gone.csv"}, ": file: cannot read "),
        ({"dataset": None, "file": "[d.csv, ./d.csv]", "examples": "4"}, ": file: two files are "),
        (
            {"examples": "1798"},
            ": examples: digits has 1,797 examples, got 1,798; set examples: 17",
        ),
        ({"dataset": "[digits, diabetes]"}, ": loss: diabetes has numbers as targets, no classes"),
        (
            {"init_scale": "{geomspace: [0, 1, 3]}"},
            ": init_scale: geomspace needs two ends above 0",
        ),
        ({"init_scale": "{geomspace: [1, 2]}"}, ": init_scale: a range is {geomspace: [first, "),
        (
            {"name": "../up"},
            ": name: must be a name of up to 100 characters, got '../up'; letters, d",
        ),
        (
            {"name": "2026-01-01"},
            ": name: 2026-01-01 at line 7, column 7 is a date to YAML; put it",
        ),
        (
            {"name": "1e3"},
            ": name: must be text, in quotes if YAML would take it for something else",
        ),
        ({'"\\uD800"': "1"}, ": '\\ud800': no such field"),
        ({"? 1\n": "1"}, ": 1: no such field"),
        ({"depth ": "\ndepth: 3"}, " is not valid YAML: found 'depth' twice at line "),
        ({"depth": "&x [*x]"}, " is not valid YAML: found an alias instead of its value at line 3"),
    ],
)
def test_what_is_wrong_is_told_with_its_file_field_value_and_remedy(
    write, sweep_path, changes, said
):
    """Before anything is run."""
    (sweep_path.parent / "d.csv").write_text("x,target\n1,a\n2,b\n3,a\n4,b\n")
    assert said in refusal(write(**changes))


@pytest.mark.parametrize("content", ["", "- depth: 2", "depth", "3"])
def test_a_file_that_is_no_mapping_is_reported(sweep_path, content):
    """With an example of what it should be."""
    sweep_path.write_text(content)
    assert " must be a mapping such as `depth: [2, 8]`, one setting per line, got" in refusal(
        sweep_path
    )


def test_a_file_that_is_no_text_is_reported(sweep_path):
    """Say, a picture."""
    sweep_path.write_bytes(b"\x89PNG\xff")
    assert "can't decode byte 0x89 in position 0" in refusal(sweep_path)


@pytest.mark.parametrize("sweep", ["gone.yaml", "quickstrat", "a" * 300, "a\0b"])
def test_a_sweep_that_is_nowhere_is_reported(sweep):
    """With the names of those that come with phasesweep."""
    with pytest.raises(SweepFileError, match=r"neither a file nor a shipped sweep \(.*quickstart"):
        load_sweep(sweep)


def test_a_folder_is_no_sweep(sweep_path):
    """The system's reason is said."""
    with pytest.raises(SweepFileError, match="Is a directory; give the path of a YAML file"):
        load_sweep(str(sweep_path.parent))


def test_hundreds_of_problems_are_told_in_a_page(write):
    """The first ten in full, the rest counted."""
    said = refusal(write(learning_rate="{linspace: [-5, -1, 2000]}"))
    assert said.endswith("\nand 1,990 problems more")
    assert len(said) < 3000


def test_a_misspelled_field_is_told_before_the_one_it_stands_for(write):
    """Which is missing for no other reason."""
    said = refusal(write(activation=None, actvation="tanh")).splitlines()
    assert "actvation: no such field (got 'tanh'); did you mean activation?" in said[0]
    assert said[-1].startswith("activation: is missing")


@pytest.mark.parametrize(
    ("axes", "most"),
    [
        (("seed", "init_scale", "bias_scale", "learning_rate"), "9,223,372,036,854,775,807 trials"),
        (("depth", "width"), "1,000,000 shapes"),
    ],
)
def test_a_grid_that_cannot_be_planned_is_reported(write, axes, most):
    """Beyond 2^63 cells no index counts them; each shape is planned on its own."""
    many = {name: f"{{linspace: [{1 + place}, 99999, 70000]}}" for place, name in enumerate(axes)}
    assert f"make more than {most}" in refusal(write(**many))


def test_a_scale_too_small_for_any_arithmetic_is_refused(tmp_path):
    """No scale at all is 0; what would underflow on the way is refused, with the bound."""
    path = tmp_path / "sweep.yaml"
    rest = "dataset: digits\ndepth: 2\nactivation: tanh\nlearning_rate: 1\n"
    path.write_text(rest + "init_scale: 1.0e-100\n")
    with pytest.raises(
        SweepFileError, match=r"init_scale: must be 0 or at least 1e-12, got 1e-100"
    ):
        load_sweep(str(path))
    path.write_text(rest + "init_scale: 0\n")
    assert load_sweep(str(path)).grid.axes["init_scale"] == (0.0,)


def test_activations_are_read_in_the_spellings_that_people_know(write):
    """The trials have the one name, so their ids are those of that name."""
    known = load_sweep(write(activation="[relu, leaky_relu, silu, linear]"))
    other = load_sweep(write(activation="[ReLU, LeakyReLU, Swish, identity]"))
    assert other.grid.axes == known.grid.axes
    assert "'relu' is listed twice" in refusal(write(activation="[relu, ReLU]"))


def test_one_measurement_needs_no_brackets(write):
    """As messages write it; it is the same list, and a word of several is none of them."""
    for written in ("signal", "[signal]"):
        assert load_sweep(write(measure=written)).grid.axes["measure"] == ("signal",)
    assert "no such value, got 'signal, sharpness'" in refusal(write(measure="signal, sharpness"))


def test_a_named_scale_may_stand_beside_weight_std(write):
    """Where no cell has both."""
    both = {"initializer": "[gaussian, weight_std]", "init_scale": "[he, 0.1]"}
    paired = load_sweep(write(**both, zip="[initializer, init_scale]"))
    assert [(each.initializer, each.init_scale) for each in paired.grid if each.init_scale > 1]
    assert "got he; write one" in refusal(write(**both))


def test_a_setting_of_one_optimizer_may_stand_beside_others(write):
    """It decides something with one of them; words stand for their numbers."""
    axes = load_sweep(
        write(optimizer="[gd, adam]", beta2="0.9", batch_size="[full, 12]", clip_norm="[none, 1]")
    ).grid.axes
    assert axes["optimizer"] == ("gd", "adam")
    assert axes["batch_size"] == (0, 12)
    assert axes["clip_norm"] == (0.0, 1.0)


def test_init_scales_are_read_by_name(write):
    """Beside numbers, in any case; the trials have the number."""
    sweep = load_sweep(write(init_scale="[he, 0.5, Xavier, pytorch]"))
    assert sweep.grid.axes["init_scale"] == (1.41421356237, 0.5, 1.0, 0.57735026919)
    assert load_sweep(write(init_scale="kaiming")).grid.axes["init_scale"] == (1.41421356237,)
    assert "1.0 is listed twice" in refusal(write(init_scale="[lecun, xavier]"))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("activation", "Rleu", "no such value, got 'Rleu'; did you mean relu? one of linear,"),
        ("activation", "snake", "no such value, got 'snake'; one of linear,"),
        ("initializer", "orthogonl", "got 'orthogonl'; did you mean orthogonal? one of"),
        ("init_scale", "xavir", "got 'xavir'; did you mean xavier? sigma_w, as in"),
        ("depth", "range(2, 8)", "whole number, got 'range(2, 8)'; weight matrices"),
        ("init_scale", "[1, wide]", "got 'wide'; sigma_w, as in"),
        ("activation", "tanh, relu", "got 'tanh, relu'; did you mean [tanh, relu]? one of linear,"),
        ("depth", "(2, 8)", "must be a whole number, got '(2, 8)'; did you mean [2, 8]? weight"),
    ],
)
def test_a_misspelled_value_is_told_with_the_nearest(write, field, value, said):
    """And with all that there are."""
    assert said in refusal(write(**{field: value}))
