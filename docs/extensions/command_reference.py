"""Every command with its arguments and options, as `--help` describes them."""

from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from wording import inline

from analysis.commands.name_lists import NamesCommand
from pipeline.cli import app as command_line


class Commands(SphinxDirective):
    """A section per command of `phasesweep`."""

    def run(self) -> list[nodes.Node]:
        """Ask the command line itself."""
        group: Any = typer.main.get_command(command_line)
        above = group.make_context("phasesweep", ["run"], resilient_parsing=True)
        own = [_section(name, each, above) for name, each in group.commands.items()]
        return [_definitions(group, above), *own]


def _section(name: str, command: Any, above: Any) -> nodes.section:
    context = command.make_context(name, [], parent=above, resilient_parsing=True)
    section = nodes.section(ids=[f"phasesweep-{name}"], names=[name])
    section += nodes.title("", name)
    usage = command.get_usage(context).removeprefix("Usage: ")
    section += nodes.literal_block(usage, usage, language="text")
    section += [nodes.paragraph("", "", *inline(part)) for part in command.help.split("\n\n")]
    section += _definitions(command, context)
    if isinstance(command, NamesCommand):
        section += nodes.paragraph("", "", *inline(command.listed()))
    return section


def _definitions(command: Any, context: Any) -> nodes.definition_list:
    """The arguments and options, but `--help`, which every command has."""
    listed = nodes.definition_list()
    for parameter in command.get_params(context):
        if parameter.name == "help":
            continue
        term, text = parameter.get_help_record(context)
        described = nodes.definition("", nodes.paragraph("", "", *inline(" ".join(text.split()))))
        listed += nodes.definition_list_item("", nodes.term("", "", nodes.literal("", term)))
        listed[-1] += described
    return listed


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
