"""The documentation site: its links lead somewhere and its doctests hold.

Neither the commands on its pages nor the gallery's scripts are executed here; `make docs` does.
"""

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DOCTEST = re.compile(r"^```\{doctest\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
BUILT = shutil.ignore_patterns("_build", "gallery", "__pycache__")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the pages beside the sources, so that a build leaves nothing in the checkout."""
    shutil.copytree(DOCS, tmp_path / "docs", ignore=BUILT)
    for path in ROOT.iterdir():
        if path.name != "docs" and not path.name.startswith("."):
            (tmp_path / path.name).symlink_to(path)
    return tmp_path / "docs"


def build(site: Path) -> subprocess.CompletedProcess[str]:
    """Read and resolve every page, write none; a warning is an error."""
    options = ["-b", "dummy", "-t", "not_executed", "-D", "plot_gallery=0"]
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", *options]
    return subprocess.run(
        [*command, str(site), str(site / "_build")], check=False, capture_output=True, text=True
    )


def test_every_link_and_every_docstring_is_understood(site):
    """Pages, links between them, included files and the API's docstrings give no warning."""
    result = build(site)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "page",
    [page for page in sorted(DOCS.rglob("*.md")) if DOCTEST.search(page.read_text())],
    ids=lambda page: str(page.relative_to(DOCS)),
)
def test_the_examples_of_a_page_give_what_it_shows(page):
    """The numbers on a page are those that today's code gives."""
    examples = "\n".join(DOCTEST.findall(page.read_text()))
    test = doctest.DocTestParser().get_doctest(examples, {}, page.name, str(page), 0)
    printed: list[str] = []
    doctest.DocTestRunner().run(test, out=printed.append)
    assert test.examples
    assert "".join(printed) == ""
