"""YAML of one reading: no key twice, no aliases, and whatever is wrong has its line."""

import reprlib
from collections.abc import Hashable
from typing import Any

import yaml


class StrictYamlError(ValueError):
    """Text that is no such YAML; the message says what is wrong, and where."""


def parse(text: str) -> Any:
    """The text's one document.

    Raises:
        StrictYamlError: It is not YAML, or not of one reading.
    """
    try:
        return yaml.load(text, _Loader)
    except RecursionError as error:
        raise StrictYamlError("it is nested too deeply") from error
    except yaml.YAMLError as error:
        told = str(error).replace('in "<unicode string>",', "at")
        raise StrictYamlError(" ".join(told.split())) from error


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
        except ValueError as error:  # a 13th month, a number of 10,000 digits
            raise _marked(str(error).partition(";")[0], node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        seen: set[tuple[str, str]] = set()
        for key in keys:
            if (key.tag, key.value) in seen:
                raise _marked(f"found {reprlib.repr(key.value)} twice", key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def _marked(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
