"""A row of a table as a mapping."""

from typing import Any

import pandas as pd


def by_column(row: pd.Series) -> dict[str, Any]:
    """The values of one row by column."""
    return {str(name): value for name, value in row.items()}
