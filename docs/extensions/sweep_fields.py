"""The fields of a sweep file, from the descriptions that its checks are made of."""

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from wording import inline

from core.settings import Setting, one_of
from core.trials import SETTINGS
from pipeline.data_files.fields import DataFields

NO_SETTINGS = [name for name in DataFields.model_fields if name not in SETTINGS]


class SettingFields(SphinxDirective):
    """A definition per setting: what it is, what it may be, what it is if left out."""

    def run(self) -> list[nodes.Node]:
        """List those that stand in a sweep file under their own name."""
        fields = DataFields.model_fields
        own = [each for each in SETTINGS.values() if each.remedy or each.name not in fields]
        return [_listed((each.name, list(_facts(each))) for each in own)]


class DataFileFields(SphinxDirective):
    """A definition per field on data."""

    def run(self) -> list[nodes.Node]:
        """List them with their descriptions."""
        fields = DataFields.model_fields
        names = [*NO_SETTINGS, *(n for n, s in SETTINGS.items() if n in fields and not s.remedy)]
        return [_listed((n, [str(fields[n].description)]) for n in dict.fromkeys(names))]


def _facts(each: Setting) -> Iterator[str]:
    """What it is; how it is written or what it may be; what it is if left out."""
    named = each.unit in ("1", "name") or each.unit in each.meaning
    yield each.meaning if named else f"{each.meaning} (unit: {each.unit})"
    _, shown, example = each.remedy.partition(f"as in {each.name}: ")
    if shown:
        yield f"example: {each.name}: {example}"
    elif each.choices and each.kind is not frozenset:
        yield one_of(each.choices)
    else:
        yield each.remedy
    if bounds := list(_bounds(each)):
        yield "allowed: " + ", ".join(bounds)
    yield "required" if each.written is None else f"default: {each.encoded(each.written)}"


def _bounds(each: Setting) -> Iterator[str]:
    for sign, bound in (
        (">=", each.least),
        (">", each.above),
        ("<=", each.most),
        ("<", each.below),
    ):
        if bound is not None:
            yield f"{sign} {_words(bound)}"


def _words(bound: float) -> str:
    """A bound in words: 100,000, 1e+12 or 2^63."""
    power = int(bound).bit_length() - 1
    if bound > 10**15 and bound == 2**power:
        return f"2^{power}"
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:,g}"


def _listed(entries: Any) -> nodes.definition_list:
    listed = nodes.definition_list()
    for name, facts in entries:
        item = nodes.definition_list_item("", nodes.term("", "", nodes.literal("", name)))
        lines = nodes.line_block("", *(nodes.line("", "", *inline(fact)) for fact in facts))
        item += nodes.definition("", lines)
        listed += item
    return listed


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("setting-fields", SettingFields)
    app.add_directive("data-fields", DataFileFields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
