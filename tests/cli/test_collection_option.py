"""One way to name a collection: every command takes it by ``-c``; the ways before still work, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from persrv.cli import app
from tiny_collection import Tiny

WITHOUT = {
    "demo",
    "import",
    "restore",
    "keys list",
    "keys remove",
    "evaluate experiment",
    "evaluate stickerqueries",
    "evaluate unanswered",
} | {f"train {name}" for name in ("run", "evaluate", "merge", "losses", "tiny", "neighbours")}
"""Commands that are about no collection, or make one."""

FORMER = {"build", "learn", "compare", "tune", "evaluate run", "train prepare"}
"""Commands that took it as an argument."""


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


@pytest.fixture
def every() -> dict[str, Any]:
    return dict(commands(typer.main.get_command(app)))


def test_every_command_takes_the_collection_the_same_way(every: dict[str, Any]) -> None:
    missing = []
    for name, command in every.items():
        options = [each for each in command.params if "--collection" in each.opts]
        if not options:
            missing.append(name)
            continue
        assert options[0].opts[:2] == ["--collection", "-c"], name
        visible = [each for each in command.params if each.param_type_name == "argument" and not each.hidden]
        assert not [each for each in visible if each.name in ("recipe", "collection")], name
    assert set(missing) <= WITHOUT, sorted(set(missing) - WITHOUT)
    assert set(every) >= FORMER


@pytest.mark.parametrize("name", sorted(FORMER))
def test_an_argument_still_works_where_it_was_one(every: dict[str, Any], name: str) -> None:
    assert [each.name for each in every[name].params if each.param_type_name == "argument"][-1] == "former"


def test_the_ways_before_say_what_is_written_now(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    run = CliRunner().invoke
    now = run(app, ["info", "-c", str(tiny.file)])
    assert (now.exit_code, now.stderr) == (0, "")
    for arguments, written in (
        (["info", "-r", str(tiny.file)], "-c (--collection)"),
        (["info", f"--recipe={tiny.file}"], "-c (--collection)"),
        (["build", str(tiny.file), "--dry-run"], f"-c {tiny.file}"),
    ):
        before = run(app, arguments)
        assert before.exit_code == 0, before.output
        assert f"name the collection by {written}" in before.stderr
        assert "next release" in before.stderr
    assert run(app, ["info", "-r", str(tiny.file)]).stdout == now.stdout
    monkeypatch.setenv("PERSRV_COLLECTION", str(tiny.file))
    assert run(app, ["info"]).stdout == now.stdout
    monkeypatch.delenv("PERSRV_COLLECTION")
    monkeypatch.setenv("PERSRV_RECIPE", str(tiny.file))
    assert run(app, ["info"]).stdout == now.stdout
