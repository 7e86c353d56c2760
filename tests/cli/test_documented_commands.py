"""Every command that a page or a help text shows is one that persrv takes: its name, its options, its arguments."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from persrv.cli import app
from persrv.cli.options import COLLECTION_NAMES
from repository import ROOT

PAST = ("decisions", "reports")
"""Folders of what was true when it was written."""

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name not in PAST),
]

SHELLS = ("", "sh", "text", "console")
COMMAND = r"^ *(?:\w+=\S+ )*(persrv .*)$"

ROOT_COMMAND: Any = typer.main.get_command(app)
UsageError = typer.BadParameter.__mro__[1]
INCOMPLETE = ("MissingParameter", "BadOptionUsage")


def in_blocks(text: str) -> list[str]:
    """The commands of a text's blocks."""
    blocks = [block for language, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) if language in SHELLS]
    return [line for block in blocks for line in re.findall(COMMAND, block.replace("\\\n", " "), re.MULTILINE)]


def in_sentences(text: str) -> list[str]:
    """The commands between single marks of code; they may leave out what every reader adds."""
    return re.findall(r"(?<!`)`(persrv [^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def words(command: str) -> list[str]:
    """The words of a command, without what a shell does with its output."""
    plain = re.split(r"\s(?:\||&&|;|>|2>)\s?", command)[0]
    return shlex.split(plain, comments=True)[1:]


def understood(arguments: list[str]) -> None:
    """Resolve and parse a command without running it."""
    command, context = ROOT_COMMAND, typer.Context(ROOT_COMMAND, info_name="persrv")
    while isinstance(command, TyperGroup) and arguments and not arguments[0].startswith("-"):
        name, command, arguments = command.resolve_command(context, arguments)
        context = typer.Context(command, context, name)
    if not isinstance(command, TyperGroup):
        command.parse_args(context, arguments)
    assert context.params.get("former") is None, "the page shows a former way to name the collection"


def check(command: str, *, whole: bool = True) -> None:
    arguments = words(command)
    assert not set(arguments) & set(COLLECTION_NAMES[2:]), f"{command} has a former name"
    try:
        understood(arguments)
    except UsageError as error:
        if whole or type(error).__name__ not in INCOMPLETE:
            raise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_commands_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for command in in_blocks(text):
        check(command)
    for command in in_sentences(text):
        if not re.search(r"COMMAND|\.\.\.|…", command):
            check(command, whole=False)


def subcommands(group: TyperGroup) -> Iterator[Any]:
    for command in group.commands.values():
        yield command
        if isinstance(command, TyperGroup):
            yield from subcommands(command)


def test_help_texts_show_commands_that_exist() -> None:
    examples = [line for command in subcommands(ROOT_COMMAND) for line in in_sentences(command.help or "")]
    assert len(examples) > 20
    for example in examples:
        check(example, whole=False)


def test_commands_that_do_not_exist_are_seen() -> None:
    assert sum(len(in_blocks(page.read_text(encoding="utf-8"))) for page in PAGES) > 60
    for wrong in ("persrv sing", "persrv search cat --loudly", "persrv pick", "persrv keys sing"):
        with pytest.raises(UsageError):
            check(wrong)
    for former in ("persrv build emoji", "persrv search cat -r emoji"):
        with pytest.raises(AssertionError, match="former"):
            check(former)
