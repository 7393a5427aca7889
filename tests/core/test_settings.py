"""Settings: what follows from the description of each."""

from dataclasses import dataclass, make_dataclass, replace

import pytest

from core.settings import (
    Trials,
    defaults,
    setting,
    settings_of,
    trial_from,
    trial_id,
    values_of,
)
from core.trainers import Column


@dataclass(frozen=True, kw_only=True)
class First:
    """A trial as it was at first."""

    swings: int = setting("how many", differs_within="batch")


@dataclass(frozen=True, kw_only=True)
class Pendulum(First):
    """The same once its forces were a choice: rows of before had gravity and friction."""

    forces: frozenset[str] = setting(
        "what acts on it",
        "name",
        default=frozenset({"gravity", "friction"}),
        choices=("friction", "gravity", "wind"),
    )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A trial whose set of names was there at first."""

    measured: frozenset[str] = setting("what is measured", "name", choices=("angle", "speed"))


FORCES = settings_of(Pendulum)["forces"]
AS_EVER = Pendulum(swings=3, forces=frozenset({"gravity", "friction"}))


def test_a_default_set_of_names_is_encoded_in_the_order_of_the_choices():
    """In the column's description as in the column itself."""
    assert FORCES.encoded_default == "friction+gravity"
    assert FORCES.description.endswith("; NULL: friction+gravity")
    assert defaults(settings_of(Pendulum)) == {"forces": "friction+gravity"}
    empty = replace(FORCES, default=frozenset())
    assert empty.description.endswith("; NULL: none")


def test_what_a_setting_or_a_column_may_be_is_part_of_its_description():
    """Listed from its choices; several of a set of names, as they stand in the column."""
    some = "what is measured; some of angle, speed, joined by +, or none"
    assert settings_of(Measured)["measured"].description == some
    name = replace(FORCES, kind=str, default="wind")
    assert name.description == "what acts on it; one of friction, gravity, wind; NULL: wind"
    fate = Column("fate", str, "how it ended", choices=("hangs", "swings"))
    assert fate.metadata["meaning"] == "how it ended; one of hangs, swings"
    assert replace(fate, choices=()).description == "how it ended"


def test_a_default_set_of_names_changes_no_id_of_before():
    """An id has the setting only where it differs from the default."""
    assert trial_id(AS_EVER) == trial_id(First(swings=3))
    assert Trials.of([AS_EVER]).ids() == [trial_id(First(swings=3))]
    assert trial_id(replace(AS_EVER, forces=frozenset({"wind"}))) != trial_id(AS_EVER)


@pytest.mark.parametrize("row", [{}, {"swings": None}, {"forces": "wind"}])
def test_a_row_without_a_setting_that_every_row_has_makes_no_trial(row):
    """Nothing stands for it, be it a number or a set of names."""
    with pytest.raises(ValueError, match="a row has no swings, which has no default"):
        trial_from(Pendulum, row)
    with pytest.raises(ValueError, match="no measured"):
        trial_from(Measured, row)


@pytest.mark.parametrize("older", [{"swings": 3}, {"swings": 3, "forces": None}])
def test_a_row_without_a_set_of_names_stands_for_the_default(older):
    """Be it a row without the column or with NULL in it."""
    assert trial_from(Pendulum, older) == AS_EVER
    assert trial_from(Pendulum, values_of(AS_EVER)) == AS_EVER


@pytest.mark.parametrize(
    ("kind", "field", "message"),
    [
        (str, setting("where", choises=("here", "there")), "kick: a setting has no 'choises'; it"),
        (str, setting("where", kind=int), "kick: a setting has no 'kind'; it has above, below,"),
        (list[int], setting("where"), "kick: .* type <class 'list'>; take one of str"),
        (
            int | None,
            setting("where", default=1),
            r"kick: .* type int \| None; take one of str, int",
        ),
        (int, 3, "kick is no setting: make it by setting"),
    ],
)
def test_a_wrong_description_is_refused_by_the_name_of_its_setting(kind, field, message):
    """A fact that is misspelt, a type that no column has, or no description at all."""
    described = make_dataclass("Described", [("kick", kind, field)])
    with pytest.raises(TypeError, match=message):
        settings_of(described)
