"""The files that public hosts and pre-commit read call what exists here."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


@pytest.fixture
def jobs() -> dict[str, Any]:
    """The jobs of the workflow, by name."""
    return yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]


@pytest.fixture
def hooks() -> list[dict[str, Any]]:
    """The hooks that run before a commit."""
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    return local["hooks"]


def made(job: dict[str, Any]) -> list[str]:
    """The targets that a job makes."""
    return [step["run"].split()[1] for step in job["steps"] if "run" in step]


def test_jobs_make_targets_that_exist(jobs):
    """The workflow has no commands of its own: whatever it checks, `make` checks here too."""
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    assert {"test", "demo", "docs"} == {target for job in jobs.values() for target in made(job)}
    assert {"test", "demo", "docs"} <= targets


def test_every_python_is_tested_from_the_oldest_that_installs(jobs):
    """The matrix begins where requires-python does, and macOS is in it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert project["requires-python"] == f">={matrix['python'][0]}"
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert "macos-latest" in {each["system"] for each in matrix["include"]}


def test_hooks_run_the_pinned_tools(hooks):
    """A hook is a command of .venv, so that it judges as `make lint` does."""
    lint = (ROOT / "Makefile").read_text()
    for hook in hooks:
        tool = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert f"$(BIN)/{tool}" in lint
        assert hook["language"] == "system"
