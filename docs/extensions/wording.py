"""Words that are written for a terminal, as nodes of a page."""

import re

from docutils import nodes

CODE = re.compile(r"`([^`]+)`")


def inline(text: str) -> list[nodes.Node]:
    """Plain text, as it stands, and code where it is in backticks."""
    parts = CODE.split(text)
    shown: list[nodes.Node] = []
    for number, part in enumerate(parts):
        if number % 2:
            shown.append(nodes.literal(part, part))
        elif part:
            shown.append(nodes.inline("", part, support_smartquotes=False))
    return shown
