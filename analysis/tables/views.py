"""What someone asks to see of a store: the same view for maps, figures and tables."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.reading.conditions import condition, no_setting
from analysis.reading.stores import UnsuitableRunsError, groups
from core.trials import SETTINGS

ROLES = ("x", "y", "rows", "columns")


@dataclass(frozen=True)
class View:
    """What someone asks to see; for what is left out, settings that vary are chosen.

    Attributes:
        where: Conditions that the runs meet, as analysis.reading.conditions reads them.
        x, y: The settings along the axes of each panel.
        rows, columns: The settings that have a row or a column of panels for each value.

    Raises:
        UnsuitableRunsError: A condition does not read as one, or a setting has two places.
    """

    where: tuple[str, ...] = ()
    x: str | None = None
    y: str | None = None
    rows: str | None = None
    columns: str | None = None

    def __post_init__(self) -> None:
        for text in self.where:
            condition(text)
        named = list(self.named.items())
        for place, (role, name) in enumerate(named):
            for other, same in named[:place]:
                if name == same:
                    raise UnsuitableRunsError(
                        f"--{other} and --{role} are both {name}; give one of them another setting"
                    )

    @property
    def named(self) -> dict[str, str]:
        """The settings asked for, by role."""
        asked = {role: getattr(self, role) for role in ROLES}
        return {role: name for role, name in asked.items() if name is not None}

    @property
    def conditioned(self) -> list[str]:
        """The columns that the conditions are on."""
        return [condition(text).column for text in self.where]

    def kept(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The runs that meet all conditions; the settings asked for must be among their columns.

        Raises:
            UnsuitableRunsError: There are none, or there is no such setting.
        """
        for text in self.where:
            runs = condition(text).kept(runs)
        if runs.empty:
            raise UnsuitableRunsError("there are no runs to show")
        for role, name in self.named.items():
            if name not in SETTINGS or name not in runs:
                raise UnsuitableRunsError(f"--{role}: {no_setting(name, runs)}")
        return runs

    def groups(
        self, runs: pd.DataFrame, usual: Sequence[str], pooled: Collection[str] = ()
    ) -> list[str]:
        """The settings by which a table groups: those asked for, then those of stores.groups."""
        return list(dict.fromkeys([*self.named.values(), *groups(runs, usual, pooled)]))

    def options(self) -> str:
        """The view as options of the command line, each after a blank; empty by default."""
        where = "".join(f" --where '{text}'" for text in self.where)
        return where + "".join(f" --{role} {name}" for role, name in self.named.items())


EVERYTHING = View()
