"""Docstrings are plain text with code in backticks; their |delta| and N * M are no markup."""

import re
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(`+[^`]+`+)")
SEVERAL = re.compile(r"(?<=\w), (?=[\w, ]+:)")  # x, y: of what attributes share
MARKUP = re.compile(r"([|*\\]|(?<=\w)_(?=\W|$))")


def escaped(line: str) -> str:
    """The line with what reStructuredText would read as markup escaped, outside of code.

    A block that is indented by more than its paragraph's text is a formula: it is left as it is.
    """
    parts = CODE.split(line)
    parts[::2] = [MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def with_formulas(lines: list[str]) -> list[str]:
    """Indented blocks after a blank line become literal blocks; the rest is escaped."""
    plain: list[str] = []
    margin, formula = 0, False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        starts = bool(plain) and not plain[-1].strip() and indent > margin
        if line.strip():
            if starts and not formula:
                plain.extend([" " * margin + "::", ""])
            formula = starts or (formula and indent > margin)
            if not formula:
                margin = indent
        plain.append(line if formula else escaped(line))
    return plain


def without_types(lines: list[str]) -> list[str]:
    """A colon in what is returned parts no type from its description."""
    plain: list[str] = []
    for line in lines:
        described = plain and plain[-1].strip() in ("Returns:", "Yields:")
        indent = line[: len(line) - len(line.lstrip())]
        plain.append(f"{indent}: {line.lstrip()}" if described and ":" in line else line)
    return plain


def joined_names(lines: list[str]) -> list[str]:
    """Attributes that share a description, joined: Sphinx takes what blanks part for a type."""
    plain: list[str] = []
    margin: int | None = None  # of the section's entries; None outside of it
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if plain and plain[-1].strip() == "Attributes:":
            margin = indent
        elif line.strip() and margin is not None and indent < margin:
            margin = None
        entry = margin is not None and indent == margin
        plain.append(SEVERAL.sub(",\N{ZERO WIDTH SPACE}", line) if entry else line)
    return plain


def rewrite(app: Sphinx, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Replace a docstring's lines, before napoleon reads its sections."""
    lines[:] = without_types(joined_names(with_formulas(lines)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect before napoleon, whose priority is the default 500."""
    app.connect("autodoc-process-docstring", rewrite, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
