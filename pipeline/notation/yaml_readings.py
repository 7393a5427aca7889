"""Plain YAML scalars that a person may have meant differently from how YAML reads them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import yaml

DATE = "tag:yaml.org,2002:timestamp"
QUOTE = "or put it in quotes if it is text"


@dataclass(frozen=True)
class Misreading:
    """A scalar that is refused because of its reading.

    Attributes:
        written: As it stands in the file.
        problem: How YAML reads it, and what to write instead.
        node: Where it stands.
    """

    written: str
    problem: str
    node: yaml.Node


def misreadings(node: yaml.Node) -> Iterator[Misreading]:
    """Every scalar in a tree that is refused, in order; keys of mappings too."""
    if isinstance(node, yaml.ScalarNode):
        problem = _problem(node)
        if problem is not None:
            yield Misreading(node.value, problem, node)
    elif isinstance(node, yaml.SequenceNode):
        if node.flow_style:
            yield from _split_thousands(node.value)
        for item in node.value:
            yield from misreadings(item)
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for part in pair:
                yield from misreadings(part)


def _problem(node: yaml.ScalarNode) -> str | None:
    if node.style is not None:  # quoted: text, whatever it looks like
        return None
    if node.tag == DATE:
        return "is a date to YAML; put it in quotes"
    for pattern, problem in READINGS:
        if pattern.fullmatch(node.value):
            return problem(node.value)
    return None


def _leading_zero(text: str) -> str:
    digits = text.replace("_", "")
    if set(digits) & set("89"):
        return f"is text to YAML; write {int(digits)}, {QUOTE}"
    if abs(int(digits)) < 8:
        return f"starts with a zero; write {int(digits)}, {QUOTE}"
    return (
        f"is {int(digits, 8)} to YAML, which takes it for octal; write {int(digits)}, "
        f"or {int(digits, 8)} if octal was meant, {QUOTE}"
    )


def _octal(text: str) -> str:
    return f"is text to YAML; write {int(text.replace('_', ''), 0)}, {QUOTE}"


def _base_60(text: str) -> str:
    parts = text.lstrip("+-").replace("_", "").split(":")
    number = 0.0
    for part in parts:
        number = 60 * number + float(part)
    number = -number if text.startswith("-") else number
    return (
        f"is {number:.15g} to YAML, which counts in 60s; write [{', '.join(parts)}] for several "
        f"values, or {number:.15g}, {QUOTE}"
    )


def _without_commas(text: str) -> str:
    return f"is text to YAML; write {text.replace(',', '')}, {QUOTE}"


def _decimal_comma(text: str) -> str:
    pair = text.replace(",", ", ")
    return f"is text to YAML; write {text.replace(',', '.')}, or [{pair}] for two values, {QUOTE}"


def _without_underscores(text: str) -> str:
    return f"has underscores that do not part thousands; write {text.replace('_', '')}, {QUOTE}"


def _truth(text: str) -> str:
    truth = str(text.lower() in ("yes", "on")).lower()
    return f'is {truth} to YAML; write {truth}, or "{text}" in quotes if the word was meant'


# The first pattern that matches the whole scalar says what is wrong with it.
READINGS: Sequence[tuple[re.Pattern[str], Callable[[str], str]]] = [
    (re.compile(pattern), problem)
    for pattern, problem in (
        (r"[-+]?0[0-9_]*[0-9][0-9_]*", _leading_zero),
        (r"[-+]?0o[0-7_]*[0-7][0-7_]*", _octal),
        (r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", _base_60),
        (r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?", _without_commas),
        (r"[-+]?[0-9]+,[0-9]+", _decimal_comma),
        # Underscores that part thousands, as in 1_000, are read as everyone means them.
        (
            r"(?![-+]?[1-9][0-9]{0,2}(_[0-9]{3})+(\.|$))[-+]?(?=.*_)_*[0-9][0-9_]*(\.[0-9_]*)?"
            r"([eE][-+]?[0-9]+)?",
            _without_underscores,
        ),
        (r"[-+]?_*\.(?=.*_)(?=.*[0-9])[0-9_]+([eE][-+]?[0-9]+)?", _without_underscores),
        (r"(?i:yes|no|on|off)", _truth),
    )
]


def _split_thousands(items: Sequence[yaml.Node]) -> Iterator[Misreading]:
    """Lists such as [1,000]: the comma separates two values, and the second begins with a zero."""
    run: list[yaml.ScalarNode] = []
    for item in items:
        if not _is_group(item):
            yield from _thousands(run)
            run = []
        elif run and len(item.value) == 3 and item.start_mark.index == run[-1].end_mark.index + 1:
            run.append(item)
        else:
            yield from _thousands(run)
            run = [item]
    yield from _thousands(run)


def _is_group(node: yaml.Node) -> TypeGuard[yaml.ScalarNode]:
    """Whether it is plain digits, as many as stand between the commas of a large number."""
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return plain and node.value.isdigit() and len(node.value) <= 3


def _thousands(run: Sequence[yaml.ScalarNode]) -> Iterator[Misreading]:
    groups = [group.value for group in run]
    if not any(group.startswith("0") for group in groups[1:]):
        return
    octal = [group.startswith("0") and not set(group) & set("89") for group in groups]
    read = [str(int(g, 8)) if o else g for g, o in zip(groups, octal, strict=True)]
    count = {2: "two", 3: "three"}.get(len(groups), str(len(groups)))
    problem = f"are {count} values, {' and '.join(read)}; write {''.join(groups)} for one"
    yield Misreading(f"[{','.join(groups)}]", problem, run[0])
