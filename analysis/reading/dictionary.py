"""The data dictionary as a page: what every column of every table means, from the schemas."""

from collections.abc import Mapping

import pyarrow as pa

from analysis.reading.stores import data_dictionary

HEAD = """# Data dictionary

What the columns of a store mean. Written by `phasesweep dictionary STORE` from the Parquet
schemas, which carry the same words: `phasesweep query STORE "describe runs"` shows them too.
A number that does not exist is NULL; unit 1 is a pure number.
"""

TITLES = {
    "runs": "one row per training",
    "layers": "one row per (training, layer), where the sweep measured `signal`",
    "curves": "one row per (training, logged step)",
}


def dictionary_page(schemas: Mapping[str, pa.Schema]) -> str:
    """The dictionary in Markdown: one table per schema, in their order."""
    return "\n".join([HEAD, *(_section(name, schema) for name, schema in schemas.items())])


def _section(name: str, schema: pa.Schema) -> str:
    rows = data_dictionary(schema).to_numpy()
    lines = [
        f"| `{column}` | {kind} | {unit} | {_escaped(meaning)} |"
        for column, kind, unit, meaning in rows
    ]
    head = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {name}: {TITLES[name]}", "", *head, *lines, ""])


def _escaped(text: str) -> str:
    """Text in which a bar, star or angle bracket is escaped, so that it is not markup."""
    return "".join(f"\\{c}" if c in "|*_<>" else c for c in text)
