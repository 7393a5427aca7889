"""Fields that do not exist: what is called otherwise here, what is not there yet, what is near."""

import pytest

from pipeline.field_names import ABSENT, ELSEWHERE, remedy
from pipeline.sweep_file import SweepFields

KNOWN = list(SweepFields.model_fields)


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
        ("std", "init_scale"),
        ("dataset_path", "file"),
        ("n_samples", "examples"),
        ("Hidden-Size", "width"),
    ],
)
def test_a_name_from_elsewhere_is_translated(written, field):
    """However it is spelled."""
    assert remedy(written, KNOWN) == f"phasesweep calls it {field}"


@pytest.mark.parametrize(
    "written",
    ["optimizer", "momentum", "batch_size", "dropout", "batch_norm", "weight_decay", "lr_decay"],
)
def test_what_is_not_there_yet_is_said_to_be_so(written):
    """And nothing else is offered in its place."""
    told = remedy(written, KNOWN)
    assert told.endswith(f"no {written} setting yet")
    assert "did you mean" not in told


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
    assert remedy(written, KNOWN) == f"did you mean {field}?"


@pytest.mark.parametrize("written", ["optimism", "color", "fade", "decoder", "", "x"])
def test_what_is_not_close_is_not_suggested(written):
    """All fields are listed then."""
    assert remedy(written, KNOWN) == "the fields are " + ", ".join(KNOWN)


def test_no_field_is_said_not_to_exist():
    """A setting that is added leaves these tables, and every translation leads to a field."""
    assert set(ELSEWHERE) <= set(KNOWN)
    names = [
        name for names in [*ELSEWHERE.values(), *ABSENT.values()] for name in names.split(", ")
    ]
    assert len(set(names)) == len(names)
    assert not set(names) & set(KNOWN)
