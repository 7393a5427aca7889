"""Fields that do not exist: what is called otherwise here, what is not there yet, what is near."""

import re

import pytest

from core.initializers import INITIALIZERS
from core.losses import LOSSES
from core.training import FULLY_CONNECTED
from pipeline.data_files import fields as data_fields
from pipeline.notation.field_names import ABSENT, remedy
from pipeline.sweep_files.fields import ELSEWHERE, sweep_fields, unknown

KNOWN = list(sweep_fields(FULLY_CONNECTED).model_fields)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("epochs", "steps"),
        ("lr", "learning_rate"),
        ("layers", "depth"),
        ("num_layers", "depth"),
        ("hidden", "width"),
        ("units", "width"),
        ("neurons", "width"),
        ("sigma_w", "init_scale"),
        ("gain", "init_scale"),
        ("dataset_path", "file"),
        ("batch_norm", "normalization"),
        ("LayerNorm", "normalization"),
        ("skip-connections", "residual"),
        ("n_samples", "examples"),
        ("Hidden-Size", "width"),
        ("filter", "where"),
        ("together", "zip"),
    ],
)
def test_a_name_from_elsewhere_is_translated(written, field):
    """However it is spelled."""
    said, _, use = unknown(written, FULLY_CONNECTED).partition(": ")
    assert said == f"phasesweep calls it {field}"
    assert ("width: [[128, 64, 32]]" in use) == (field == "width")


@pytest.mark.parametrize("written", ["dropout", "conv", "early_stopping"])
def test_what_is_not_there_yet_is_said_to_be_so(written):
    """And nothing else is offered in its place."""
    said = remedy(written, ["depth"], {}, ABSENT, {})
    assert said.endswith(f"no {written} setting yet")
    assert "did you mean" not in said


def test_a_function_of_the_outputs_leads_to_the_losses_that_have_one():
    """By the names that there are."""
    said = unknown("output_activation", FULLY_CONNECTED)
    named = re.search("loss: (.*);", said).group(1).replace(" or ", ", ").split(", ")
    assert {*named} == {loss for loss in LOSSES if loss != "mse"}


def test_a_standard_deviation_of_weights_leads_to_the_initializer_that_has_it():
    """Where init_scale is that number and not sigma_w."""
    assert "initializer: weight_std" in unknown("std", FULLY_CONNECTED)
    assert "weight_std" in INITIALIZERS


def test_a_setting_is_never_said_to_be_absent():
    """Nor is what other tools call one that is there."""
    assert remedy("Momentum", ["momentum"], {}, ABSENT, {}) == "did you mean momentum?"
    elsewhere = {"optimizer": ("solver",)}
    said = remedy("solver", ["optimizer"], elsewhere, ABSENT, {})
    assert said == "phasesweep calls it optimizer"


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("learnin_rate", "learning_rate"),
        ("actvation", "activation"),
        ("widht", "width"),
        ("Depth", "depth"),
        ("init-scale", "init_scale"),
    ],
)
def test_a_letter_or_two_amiss_are_seen(written, field):
    """Those are misspellings."""
    assert unknown(written, FULLY_CONNECTED) == f"did you mean {field}?"


@pytest.mark.parametrize("written", ["optimism", "color", "fade", "decoder", "", "x"])
def test_what_is_not_close_is_not_suggested(written):
    """All fields are listed then."""
    assert unknown(written, FULLY_CONNECTED) == "the fields are " + ", ".join(KNOWN)


def test_a_name_from_elsewhere_is_no_field_and_leads_to_one():
    """And to one alone."""
    of_settings = {n: tuple(s.elsewhere) for n, s in FULLY_CONNECTED.settings.items()}
    elsewhere = of_settings | ELSEWHERE | data_fields.ELSEWHERE
    names = [name for names in elsewhere.values() for name in names]
    assert set(elsewhere) <= set(KNOWN)
    assert len(set(names)) == len(names)
    assert not set(names) & set(KNOWN)


def test_what_is_absent_is_said_once():
    """Two sentences on one name would contradict each other."""
    names = [name for names in ABSENT.values() for name in names.split(", ")]
    assert len(set(names)) == len(names)
