"""YAML of one reading: what plain YAML lets pass and a sweep file must not."""

from itertools import pairwise

import pytest

from pipeline.notation.strict_yaml import MisreadError, StrictYamlError, parse


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
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "found 'a' twice at line 3, column 1: a: 3"),
        ("r: {a: 1, a: 2}", "found 'a' twice at line 1, column 11"),
        ("a: &x [1]\nb: *x", "found an alias instead of its value at line 2, column 4"),
        ("a: " + "9" * 5000, "4300 digits.* at line 1, column 4"),
        ("a: [1, 2", "expected ',' or ']'.* at line 1"),
        ("a: !!python/object/apply:os.getpid []", "could not determine a constructor .* at line 1"),
        ("? [a]\n: 1", "unhashable key at line 1"),
        ("a: \0", "unacceptable character #x0000"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, said):
    """On one line, with the text around it."""
    with pytest.raises(StrictYamlError, match=said) as error:
        parse(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1e3", 1000.0),
        ("1e-4", 1e-4),
        ("-1E+2", -100.0),
        ("1.0e3", 1000.0),
        ("1.e3", 1000.0),
        (".5e1", 5.0),
        ("1_000", 1000),
        ("12_345_678", 12345678),
        ("0x10", 16),
        ("0b10", 2),
        ("0", 0),
        ("0.5", 0.5),
        ("00.5", 0.5),
        (".5", 0.5),
        ('"010"', "010"),
        ("'yes'", "yes"),
        ("true", True),
        ("a_b", "a_b"),
        ("[10,100]", [10, 100]),
        ("[1, 000.5]", [1, 0.5]),
    ],
)
def test_a_value_of_one_meaning_is_read_so(written, number):
    """Exponents without a point are numbers; quotes make text of anything."""
    assert parse(f"a: {written}") == {"a": number}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("010", "010 at line 2, column 4 is 8 to YAML, .* write 10, or 8 if octal was meant"),
        ("-017", "-017 .* is -15 to YAML, .* write -17, or -15"),
        ("0_1", "0_1 .* starts with a zero; write 1, or put it in quotes"),
        ("08", "08 .* is text to YAML; write 8, or put it in quotes"),
        ("00", "00 .* starts with a zero; write 0"),
        ("0o17", "0o17 .* is text to YAML; write 15"),
        ("1:30", r"1:30 .* is 90 to YAML, which counts in 60s; write \[1, 30\] .*, or 90"),
        ("-1:30.5", r"-1:30.5 .* is -90.5 to YAML"),
        ("1_5", "1_5 .* has underscores that do not part thousands; write 15"),
        ("1_000_00", "1_000_00 .* write 100000"),
        ("+_1", r"\+_1 .* write \+1"),
        ("1_5.5", "1_5.5 .* write 15.5"),
        ("1,000", "1,000 .* is text to YAML; write 1000"),
        ("0,5", r"0,5 .* is text to YAML; write 0.5, or \[0, 5\] for two values"),
        ("[1,000]", r"\[1,000\] at line 2, column 5 are two values, 1 and 0; write 1000 for one"),
        ("[2, 1,000]", r"\[1,000\] at line 2, column 8 are two values"),
        ("[1,000,000, 5]", r"\[1,000,000\] .* are three values, 1 and 0 and 0; write 1000000"),
        ("[1,024]", r"\[1,024\] .* are two values, 1 and 20; write 1024"),
        ("{linspace: [1,000, 2, 3]}", r"\[1,000\] .* are two values"),
        ("{linspace: [1, 010, 3]}", "010 at line 2, column 19 is 8 to YAML"),
        ("yes", 'yes .* is true to YAML; write true, or "yes" in quotes if the word'),
        ("[no, maybe]", 'no .* is false to YAML; write false, or "no" in quotes if the word'),
        ("On", "On .* is true to YAML"),
        ("2026-01-31", "2026-01-31 .* is a date to YAML; put it in quotes"),
        ("2026-13-01", "2026-13-01 .* is a date to YAML"),
    ],
)
def test_a_value_that_may_be_meant_otherwise_is_refused(written, said):
    """With its field and place, how YAML reads it, and what to write."""
    with pytest.raises(MisreadError, match=f"^a: {said}"):
        parse(f"b: 1\na: {written}")


@pytest.mark.parametrize("key", ["on", "010", "2026-01-01"])
def test_a_key_is_read_as_strictly(key):
    """A field called `on` would be called True."""
    with pytest.raises(MisreadError, match=f"^{key}: {key} at line 1, column 1 is "):
        parse(f"{key}: 1")


def test_a_document_without_fields_is_read_as_strictly():
    """The message begins with the value."""
    with pytest.raises(MisreadError, match=r"^010 at line 1, column 3 is 8"):
        parse("- 010")


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
def test_deep_nesting_is_reported(opening):
    """Not a stack overflow."""
    with pytest.raises(StrictYamlError, match="nested too deeply"):
        parse(opening * 500)
