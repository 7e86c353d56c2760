"""Names that draw on a terminal, turn text around or hold HTML are harmless wherever the command line prints them."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from persrv.cli import app
from persrv.serve.middleware import JsonLines
from tiny_collection import Tiny, draw

HOSTILE = "\x1b]0;owned\x07 \u202egnp.exe\u2066 <script>alert(1)</script> [bold red]x[/] \x9b2J\u2028two \U000e0041"
DRAWS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COMMANDS = (
    ["build"],
    ["search", "hostile"],
    ["search", "hostile", "--json"],
    ["search", HOSTILE],
    ["search", "hostile", "--user", "eve\u202e"],
    ["search", "hostile", "--filter", f"pack={HOSTILE}"],
    ["info"],
    ["info", "--json"],
    ["doctor"],
    ["doctor", "--json"],
    ["users"],
    ["users", "eve\u202e"],
    ["users", "eve\u202e", "--export"],
    ["show", HOSTILE],
    ["pick", HOSTILE, "--user", "eve"],
    ["edit", "ffffffff", HOSTILE, HOSTILE],
    ["similar", HOSTILE],
    ["read", HOSTILE],
)


@pytest.fixture
def hostile(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """The collection with a sticker, a broken file and a user of hostile names."""
    folder = tiny.file.parent / "stickers" / "flat"
    picture = folder / "hostile.png"
    draw("rain", "line", picture)
    picture.write_bytes(picture.read_bytes() + b" ")
    texts = {field: [f"hostile {HOSTILE}"] for field in ("name", "tags", "description", "ocr")}
    side_car = texts | {"pack": HOSTILE, "style": HOSTILE, "language": HOSTILE}
    picture.with_suffix(".json").write_text(json.dumps(side_car), encoding="utf-8")
    (folder / "broken\x1b[2J\u202e.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with (tiny.file.parent / "picks.csv").open("a", encoding="utf-8") as picks:
        picks.write("eve\u202e,hostile,flat/hostile.png,2026-01-03T00:00:00+00:00\n")
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    monkeypatch.setenv("PERSRV_COLLECTION", str(tiny.file))
    return tiny


def test_no_name_reaches_a_terminal_as_an_order(hostile: Tiny, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for arguments in COMMANDS:
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), (arguments, result.exception)
        for stream in (result.stdout, result.stderr):
            assert not DRAWS.search(stream), (arguments, stream)
            assert "Traceback" not in stream
    sticker = json.loads(CliRunner().invoke(app, ["search", "hostile", "--json"]).stdout)["hits"][0]
    assert "\u202e" in sticker["payload"]["title"] + sticker["payload"]["semantics"]
    for arguments in (["show", sticker["sticker_id"]], ["edit", sticker["sticker_id"], "tags", HOSTILE]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0
        assert not DRAWS.search(result.stdout), result.stdout
    for record in caplog.records:
        assert not DRAWS.search(record.getMessage()), record


def test_a_sheet_of_hostile_names_holds_no_script(hostile: Tiny, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["build"]).exit_code == 0
    page = tmp_path / "page.html"
    assert CliRunner().invoke(app, ["search", "hostile", "--html", str(page)]).exit_code == 0
    written = page.read_text(encoding="utf-8")
    assert "<script>alert" not in written
    assert not DRAWS.search(written)


def test_the_services_log_holds_no_order() -> None:
    record = logging.LogRecord("persrv", logging.INFO, "", 0, "it says %s", (HOSTILE,), None)
    record.fields = {"query": HOSTILE}
    line = JsonLines().format(record)
    assert not DRAWS.search(line)
    assert json.loads(line)["query"] == HOSTILE
