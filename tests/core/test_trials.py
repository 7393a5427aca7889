"""Trials: an id for every setting, and columns that say what they mean."""

import re
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.trials import (
    DEFAULTS,
    TRIAL_FIELDS,
    Trial,
    TrialResult,
    settings,
    trial_id,
    trial_of,
)

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
    measure="signal+sharpness",
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
    changed = {str: lambda v: v + "x", int: lambda v: v + 1, float: lambda v: v * (1 + 2**-52)}
    other = replace(TRIAL, **{name: changed[type(value)](value)})
    assert trial_id(other) != trial_id(TRIAL)


def test_a_default_that_came_later_is_not_hashed():
    """So that it changes no id of before; another value is another trial."""
    for name, default in DEFAULTS.items():
        assert trial_id(replace(TRIAL, **{name: default})) == trial_id(TRIAL)
        older = {each: value for each, value in settings(TRIAL).items() if each != name}
        assert trial_of(older) == trial_of({**older, name: None}) == TRIAL


def test_swapped_settings_have_another_id():
    """A value is hashed with its name, so depth 32 and width 4 are not depth 4 and width 32."""
    assert trial_id(replace(TRIAL, depth=32, width=4)) != trial_id(TRIAL)


def test_a_setting_that_is_no_number_has_no_id():
    """NaN equals nothing, so it could not be found again."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        trial_id(replace(TRIAL, learning_rate=float("nan")))


@pytest.mark.parametrize("record", [Trial, TrialResult])
def test_every_column_has_a_meaning_and_a_unit(record):
    """The data dictionary is made of them; a column's name has one meaning in both records."""
    for column in fields(record):
        assert column.metadata["meaning"].strip(), column.name
        assert column.metadata["unit"].strip(), column.name
    assert not set(TRIAL_FIELDS) & {column.name for column in fields(TrialResult)}


def test_settings_are_the_fields_by_name():
    """In the order of the columns, and enough to make the trial again."""
    assert tuple(settings(TRIAL)) == TRIAL_FIELDS
    assert Trial(**settings(TRIAL)) == TRIAL
