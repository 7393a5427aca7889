"""YAML of one reading: what plain YAML lets pass and a sweep file must not."""

from itertools import pairwise

import pytest

from pipeline.strict_yaml import StrictYamlError, parse


def bomb(first, line):
    """Eleven lines, each of nine aliases of the one before."""
    lines = [
        line.format(new=new, nine=", ".join([f"*{old}"] * 9))
        for old, new in pairwise("abcdefghijkl")
    ]
    return "\n".join([first, *lines])


def test_plain_documents_are_read_as_yaml_says():
    """Values, lists, mappings and comments."""
    assert parse("a: 1\nb: [x, 2.5, null]  # c\nc: {d: .inf}\n") == {
        "a": 1,
        "b": ["x", 2.5, None],
        "c": {"d": float("inf")},
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3", "found 'a' twice at line 3, column 1: a: 3"),
        ("r: {a: 1, a: 2}", "found 'a' twice at line 1, column 11"),
        ("a: &x [1]\nb: *x", "found an alias instead of its value at line 2, column 4"),
        ("a: 1\nb: 2026-13-01", "month must be in 1..12 at line 2, column 4"),
        ("a: " + "9" * 5000, "4300 digits.* at line 1, column 4"),
        ("a: [1, 2", "expected ',' or ']'.* at line 1"),
        ("a: !!python/object/apply:os.getpid []", "could not determine a constructor .* at line 1"),
        ("? [a]\n: 1", "unhashable key at line 1"),
        ("a: \0", "unacceptable character #x0000"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, told):
    """On one line, with the text around it."""
    with pytest.raises(StrictYamlError, match=told) as error:
        parse(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("first", "line"),
    [
        ("a: &a [1, 1]", "{new}: &{new} [{nine}]"),
        ("a: &a {x: 1}", "{new}: &{new} {{<<: [{nine}]}}"),
    ],
    ids=["sequences", "merges"],
)
def test_a_few_lines_never_stand_for_billions_of_values(first, line):
    """The first alias ends it: expanded, these hold 9^11 values."""
    with pytest.raises(StrictYamlError, match="alias instead of its value at line 2"):
        parse(bomb(first, line))


@pytest.mark.parametrize("opening", ["[", "{", "- ", "{a: "])
def test_deep_nesting_is_told(opening):
    """Not a stack overflow."""
    with pytest.raises(StrictYamlError, match="nested too deeply"):
        parse(opening * 500)
