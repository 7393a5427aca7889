"""The Markdown files: every relative link leads somewhere, every command exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.exceptions import TyperException

from pipeline.cli import app

ROOT = Path(__file__).resolve().parents[1]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(
    r"\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)|<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\""
)
MAKE = re.compile(r"(?:^[ \t]*(?:\$ )?|`)make[ \t]+([a-z][a-z-]*)", re.MULTILINE)
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def documents() -> list[Path]:
    """The project's Markdown files."""
    folders = [ROOT / name for name in ("core", "pipeline", "analysis", "tests", "docs")]
    found = [*ROOT.glob("*.md"), *(path for f in folders for path in f.rglob("*.md"))]
    return sorted(path for path in found if not path.is_relative_to(ROOT / "docs/_build"))


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    headings = re.findall(r"^#+ +(.+?)\s*$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(link: str, document: Path) -> bool:
    """Whether a relative link names no file, or a heading that its document has not."""
    path, _, anchor = link.partition("#")
    target = (document.parent / path) if path else document
    if not target.exists():
        return True
    return bool(anchor) and target.suffix == ".md" and anchor not in anchors(target.read_text())


def broken_links(document: Path) -> list[str]:
    """The document's relative links that lead nowhere."""
    found = LINK.findall(FENCED.sub("", document.read_text()))
    links = [markdown or html for markdown, html in found]
    relative = [link for link in links if not re.match(r"[a-z]+:", link)]
    return [link for link in relative if leads_nowhere(link, document)]


def unknown_targets(text: str) -> set[str]:
    """What a document tells its reader to `make` and the Makefile does not."""
    return set(MAKE.findall(text)) - set(TARGET.findall((ROOT / "Makefile").read_text()))


def commands(text: str) -> list[str]:
    """The `phasesweep` commands that stand on lines of their own, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    return re.findall(r"^(?:    |\$ )?phasesweep (?!COMMAND)(\S.*)$", joined, re.MULTILINE)


def refused_commands(text: str) -> list[str]:
    """Those of a text's `phasesweep` commands that the command line would not take."""
    group: Any = typer.main.get_command(app)
    refused = []
    for command in commands(text):
        name, *arguments = shlex.split(command, comments=True)
        try:
            group.commands[name].make_context(name, arguments)
        except (KeyError, TyperException):
            refused.append(command)
    return refused


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document):
    """A reader who follows a link within the project arrives."""
    assert broken_links(document) == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_command_is_a_target(document):
    """A reader who types a `make` command from the page gets what it promises."""
    assert unknown_targets(document.read_text()) == set()


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_is_one_that_the_command_line_takes(document):
    """A reader who types a `phasesweep` command from the page meets no unknown option."""
    assert refused_commands(document.read_text()) == []


def test_the_readme_is_read_in_three_minutes():
    """At most 700 words, and the first two commands are the demo and the tests."""
    readme = (ROOT / "README.md").read_text()
    assert len(readme.split()) <= 700
    assert MAKE.findall(readme)[:2] == ["demo", "test"]


def test_a_broken_link_is_noticed(tmp_path):
    """Links to a missing file, image and heading are found; good links and code are not."""
    document = tmp_path / "page.md"
    document.write_text(
        "# A heading\n[good](page.md#a-heading) [gone](gone.md) [astray](#another-heading)\n"
        '<img src="gone.png"> [web](https://example.org/gone)\n```\n[code](gone.py)\n```\n'
    )
    assert broken_links(document) == ["gone.md", "#another-heading", "gone.png"]


def test_an_unknown_make_command_is_noticed():
    """A target that the Makefile lacks is found in a code block, a prompt and a sentence."""
    page = "```\nmake demo\n$ make coffee\n```\nOr `make tea`; you make sense of it.\n"
    assert unknown_targets(page) == {"coffee", "tea"}


def test_an_unknown_command_or_option_is_noticed():
    """Commands in a code block and after a prompt are read; continued lines are one command."""
    page = (
        "    phasesweep run a.yaml\n$ phasesweep brew tea\nphasesweep plan a.yaml \\\n  --sugar 2\n"
    )
    assert refused_commands(page) == ["brew tea", "plan a.yaml --sugar 2"]
