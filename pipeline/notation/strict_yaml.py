"""Unambiguous YAML: no key twice and no aliases; every error names its line."""

import re
import reprlib
from collections.abc import Hashable
from typing import Any

import yaml

from pipeline.notation.yaml_readings import misreadings

# What everyone else reads as a number, YAML 1.1 takes for text: 1e3, 1e-4, 1.0e3.
EXPONENTIAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$")


class StrictYamlError(ValueError):
    """Text is not such YAML; the message says what is wrong, and where."""


class MisreadError(StrictYamlError):
    """A value may have been meant differently; the message begins with its field."""


def parse(text: str) -> Any:
    """Parse a text that holds one document.

    Raises:
        StrictYamlError: It is not YAML, or not of one reading.
        MisreadError: Likewise, a value of it.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_misreadings(node)
        return loader.construct_document(node)
    except RecursionError as error:
        raise StrictYamlError("it is nested too deeply") from error
    except yaml.YAMLError as error:
        words = str(error).replace('in "<unicode string>",', "at")
        raise StrictYamlError(" ".join(words.split())) from error


def _refuse_misreadings(node: yaml.Node) -> None:
    parts = [("", node)]
    if isinstance(node, yaml.MappingNode):
        parts = [(f"{key.value}: ", part) for key, value in node.value for part in (key, value)]
    for field, part in parts:
        for found in misreadings(part):
            mark = found.node.start_mark
            place = f"line {mark.line + 1}, column {mark.column + 1}"
            raise MisreadError(f"{field}{found.written} at {place} {found.problem}")


class _Loader(yaml.SafeLoader):
    """Plain YAML keeps the last of two equal keys, and lets a few aliases make billions."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # untyped in its stub
            raise _marked("found an alias instead of its value", event.start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # a number of 10,000 digits
            raise _marked(str(error).partition(";")[0], node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        seen: set[tuple[str, str]] = set()
        for key in keys:
            if (key.tag, key.value) in seen:
                raise _marked(f"found {reprlib.repr(key.value)} twice", key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", EXPONENTIAL, [*"+-.0123456789"])


def _marked(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
