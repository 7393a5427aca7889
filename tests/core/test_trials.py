"""Trials: an id for every setting, and columns that say what they mean."""

import re
from dataclasses import replace
from math import inf, nextafter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import DATASETS
from core.measuring.signal_propagation import LayerSignals
from core.outcomes import CAUSES, INIT_PHASES, OUTCOMES
from core.results import CURVES, LAYERS, RESULTS
from core.settings import Trials, trial_from, trial_id, values_of
from core.trials import DEFAULTS, SETTINGS, TRIAL_FIELDS, Trial, trial_of

TRIAL = Trial(
    dataset="digits",
    examples=128,
    features="standardized",
    depth=4,
    width=32,
    activation="tanh",
    initializer="gaussian",
    init_scale=1.5,
    bias_scale=0.1,
    learning_rate=0.01,
    loss="cross_entropy",
    steps=100,
    seed=7,
    dtype="float32",
    measure=frozenset({"signal", "sharpness"}),
)
POSITIVE = st.floats(min_value=0, allow_infinity=False)


def test_an_id_is_pinned():
    """Stores are addressed by it: an id that changes orphans every result there is."""
    assert trial_id(TRIAL) == "087e040676fe10b17a127c07"


@given(POSITIVE, POSITIVE, st.integers(0, 2**64 - 1), st.text(max_size=20))
def test_an_id_is_24_hex_digits(init_scale, learning_rate, seed, dataset):
    """Whatever the setting; and the same when asked again of an equal trial."""
    changes = {"init_scale": init_scale, "learning_rate": learning_rate, "seed": seed}
    trial = replace(TRIAL, dataset=dataset, **changes)
    assert re.fullmatch("[0-9a-f]{24}", trial_id(trial))
    assert trial_id(replace(trial)) == trial_id(trial)


@pytest.mark.parametrize("name", TRIAL_FIELDS)
def test_every_setting_changes_the_id(name):
    """The least change does: the next float, the next integer, a letter more."""
    value = getattr(TRIAL, name)
    changed = {
        str: lambda v: v + "x",
        int: lambda v: v + 1,
        float: lambda v: nextafter(v, inf),
        frozenset: lambda v: v - {min(v)},
    }
    other = replace(TRIAL, **{name: changed[type(value)](value)})
    assert trial_id(other) != trial_id(TRIAL)


def test_a_default_that_came_later_is_not_hashed():
    """So that it changes no id of before; another value is another trial."""
    for name, default in DEFAULTS.items():
        assert trial_id(replace(TRIAL, **{name: default})) == trial_id(TRIAL)
        older = {each: value for each, value in values_of(TRIAL).items() if each != name}
        assert trial_of(older) == trial_of({**older, name: None}) == TRIAL


def test_swapped_settings_have_another_id():
    """A value is hashed with its name, so depth 32 and width 4 are not depth 4 and width 32."""
    assert trial_id(replace(TRIAL, depth=32, width=4)) != trial_id(TRIAL)


def test_a_setting_that_is_no_number_has_no_id():
    """NaN equals nothing, so it could not be found again."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        trial_id(replace(TRIAL, learning_rate=float("nan")))


@pytest.mark.parametrize(
    "described", [(*SETTINGS.values(), *RESULTS), LAYERS.columns, CURVES.columns]
)
def test_every_column_has_a_meaning_and_a_unit(described):
    """The data dictionary is made of them; a name stands once in a table."""
    for column in described:
        assert column.meaning.strip(), column.name
        assert column.unit.strip(), column.name
    names = [column.name for column in described]
    assert len(set(names)) == len(names)


def test_the_names_that_a_verdict_may_be_are_those_of_the_rules():
    """Listed once, with the rules' thresholds."""
    choices = {column.name: column.choices for column in RESULTS if column.choices}
    verdicts = {"outcome": OUTCOMES, "cause": tuple(CAUSES), "init_phase": INIT_PHASES}
    assert choices == verdicts


def test_every_signal_of_a_layer_is_a_column_at_the_start_and_at_the_end():
    """In the order in which they are measured."""
    names = list(LayerSignals.__annotations__)
    columns = [column.name for column in LAYERS.columns]
    assert columns == ["layer", *names, *(f"final_{name}" for name in names)]


def test_settings_are_the_fields_by_name():
    """In the order of the columns, and enough to make the trial again."""
    assert tuple(values_of(TRIAL)) == TRIAL_FIELDS
    assert trial_from(Trial, values_of(TRIAL)) == TRIAL


def test_a_set_of_names_is_written_in_one_order():
    """That of its choices, whatever the set's; an empty one has a name, too."""
    measure = SETTINGS["measure"]
    for names, text in (
        ({"sharpness", "signal"}, "signal+sharpness"),
        ({"sharpness_curve"}, "sharpness_curve"),
        (set(), "none"),
    ):
        assert measure.encoded(frozenset(names)) == text
        assert measure.decoded(text) == names


def test_classes_as_targets_have_no_scale():
    """So only what a sweep file means without it may stand there; numbers may have any."""
    targets = SETTINGS["targets"]
    assert set(targets.choices) == {"raw", "standardized"}
    classes, numbers = DATASETS["digits"], DATASETS["diabetes"]
    assert targets.objection("standardized", classes) is None
    for scaling in ("raw", "centered"):
        assert f"got {scaling}" in targets.objection(scaling, classes)
        assert targets.objection(scaling, numbers) is None


def test_trials_in_columns_are_the_trials():
    """One by one, in part, and by their ids."""
    each = [replace(TRIAL, seed=seed, learning_rate=2.0**-seed) for seed in range(5)]
    trials = Trials.of(each)
    assert list(trials) == each
    assert list(trials.part(slice(3, None))) == each[3:]
    assert trials.ids() == [trial_id(trial) for trial in each]
    assert trials.columns["learning_rate"].dtype == np.float64
    assert values_of(trials[1])["measure"] == "signal+sharpness"
