"""Commands on a page that the build executes, and whose output it shows.

    ```{file} my-sweep.yaml       writes the file, and shows it
    ```{session}                  executes each line, and shows what it printed; a line that
                                  ends with a backslash goes on in the next

The commands of a page share a folder, in the order in which they stand. One that ends with
another exit code than 0 (or `:exit:`) is a warning, and so ends the build.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

NOT_EXECUTED = "not_executed"  # a tag: pages are checked, and no command runs
LONGEST_SECONDS = 300
FOLDER = "/home/you"  # shown for the folder of a page's commands, which is the build's

log = logging.getLogger(__name__)


def folder_of(directive: SphinxDirective) -> Path:
    """Where the commands of a directive's page run."""
    return Path(directive.env.doctreedir).parent / "sessions" / directive.env.docname


def environment() -> dict[str, str]:
    """What a reader's shell has: the environment's commands on its path; 80 columns."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}


class File(SphinxDirective):
    """A file that the page's commands find in their folder."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"language": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Write it, and show it."""
        name, text = self.arguments[0], "\n".join(self.content) + "\n"
        folder_of(self).mkdir(parents=True, exist_ok=True)
        (folder_of(self) / name).write_text(text)
        shown = nodes.literal_block(text, text)
        shown["language"] = self.options.get("language", Path(name).suffix[1:])
        caption = nodes.caption("", "", nodes.literal(name, name))
        return [nodes.container("", caption, shown, literal_block=True)]


class Session(SphinxDirective):
    """Commands, one per line, with what they print.

    Options:
        lines: Show this many lines of each output.
        exit: The exit code that is expected.
        picture: A file that the commands draw; shown below them.
        alt: What it shows.
    """

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "lines": directives.nonnegative_int,
        "exit": directives.nonnegative_int,
        "picture": directives.unchanged_required,
        "alt": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Execute the commands, and show them with their output."""
        commands = re.split(r"(?<!\\)\n", "\n".join(self.content))
        if self.env.app.tags.has(NOT_EXECUTED):
            return [_shown("\n".join(f"$ {command}" for command in commands))]
        text = "\n\n".join(self._executed(command) for command in commands)
        return [_shown(text), *self._picture()]

    def _executed(self, command: str) -> str:
        folder_of(self).mkdir(parents=True, exist_ok=True)
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=folder_of(self),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
        if result.returncode != self.options.get("exit", 0):
            log.warning(
                "%s ended with exit code %s:\n%s",
                command,
                result.returncode,
                result.stdout,
                location=self.get_location(),
            )
        printed = result.stdout.replace(str(folder_of(self)), FOLDER).rstrip().splitlines()
        most = self.options.get("lines", len(printed))
        rest = ["..."] if len(printed) > most else []
        return "\n".join([f"$ {command}", *printed[:most], *rest])

    def _picture(self) -> list[nodes.Node]:
        if "picture" not in self.options:
            return []
        drawn = folder_of(self) / self.options["picture"]
        uri = os.path.relpath(drawn, Path(self.env.doc2path(self.env.docname)).parent)
        return [nodes.image("", uri=uri, alt=self.options.get("alt", ""))]


def _shown(text: str) -> nodes.literal_block:
    block = nodes.literal_block(text, text)
    block["language"] = "console"
    return block


def begin_anew(app: Sphinx, env: Any, docname: str) -> None:
    """Forget what the commands of a page left behind when it was last built."""
    shutil.rmtree(Path(app.doctreedir).parent / "sessions" / docname, ignore_errors=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("file", File)
    app.add_directive("session", Session)
    app.connect("env-purge-doc", begin_anew)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
