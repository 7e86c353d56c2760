"""The command as a person types it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from persrv.cli.app import CommandGroup
from persrv.cli.evaluate_stickerqueries import stickerqueries, unanswered

LINES = """sticker_id,labeled_queries
a.png,"good night, sleepy cat, tired, going to bed"
b.png,"happy cat, so happy, yay, dancing"
c.png,"crying, so sad, sad cat, tears"
d.png,"good job, thumbs up, very nice, well done"
e.png,"hello, hi"
"""


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer(cls=CommandGroup, pretty_exceptions_enable=False)
    made.command("stickerqueries")(stickerqueries)
    made.command("unanswered")(unanswered)
    made.callback()(lambda: None)
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "en.csv"
    file.write_text(LINES)
    return file


def test_json_holds_metrics_baseline_ratio_and_latency(app: typer.Typer, table: Path) -> None:
    ids = table.with_name("ids.txt")
    ids.write_text("a.png\nb.png\nmissing.png\n")
    arguments = ["stickerqueries", str(table), "--language", "en", "--only", str(ids), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert (content["stickers"], content["wanted"], content["queries"]) == (5, 2, 8)
    assert "missing.png" in content["warnings"][0]
    assert "missing.png" in result.stderr
    for part in ("metrics", "baseline"):
        for name in ("MRR@20", "MRR@1", "Recall@20", "nDCG@10", "HitRate@10"):
            value = content[part][name]
            assert 0 <= value["low"] <= value["value"] <= value["high"] <= 1
    assert set(content["ratio"]["MRR@20"]) == {"value", "low", "high", "p"}
    assert content["latency_ms"]["searches"] == 3  # the first five only warm up
    assert content["settings"]["recipe"]["meaning"] == {"encoder": "use+e5", "dimension": 512}


def test_without_json_a_table(app: typer.Typer, table: Path) -> None:
    result = CliRunner().invoke(app, ["stickerqueries", str(table), "-l", "zh"])
    assert result.exit_code == 0, result.output
    assert "MRR@20" in result.stdout
    assert "16 queries of 4 stickers, 5 stickers indexed" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gone.csv", "-l", "en"], 4, "gone.csv"),
        (["en.csv", "-l", "de"], 2, "'de'"),
        (["en.csv", "-l", "en", "--only", "gone.txt"], 4, "gone.txt"),
        (["en.csv", "-l", "en", "--only", "others.txt"], 2, "zzz.png"),
        (["en.csv", "-l", "en", "--only", "few.txt"], 2, "3 or more"),
    ],
)
def test_impossible_requests_say_what_to_do(
    app: typer.Typer,
    table: Path,
    arguments: list[str],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(table.parent)
    Path("others.txt").write_text("zzz.png\n")
    Path("few.txt").write_text("e.png\n")
    result = CliRunner().invoke(app, ["stickerqueries", *arguments])
    assert result.exit_code == code
    assert result.stderr.startswith("persrv: ")
    assert message in result.stderr
    assert result.stdout == ""


SHARED = """sticker_id,labeled_queries
a.png,"good night, sleepy, tired, going to bed"
b.png,"tired, exhausted, overtime"
c.png,"crying, so sad, sad cat, tears"
d.png,"good job, thumbs up, tears, tired"
e.png,"hello, hi, good morning sunshine"
"""


def test_queries_are_asked_after_their_answers_were_taken_out(app: typer.Typer, tmp_path: Path) -> None:
    file, chosen = tmp_path / "en.csv", tmp_path / "chosen.csv"
    file.write_text(SHARED)
    arguments = ["unanswered", str(file), "-l", "en"]
    assert CliRunner().invoke(app, [*arguments, "--write", str(chosen), "--most", "5"]).exit_code == 0
    assert len(chosen.read_text().splitlines()) == 6
    rows = [line.split(",") for line in chosen.read_text().splitlines()[1:]]
    assert all(sticker in out.split() for _, sticker, out in rows)
    by_words = CliRunner().invoke(app, [*arguments, "--words", "--queries", str(chosen), "--json"])
    found = json.loads(by_words.stdout)
    assert found["queries"] == 5
    assert 0 <= found["claimed"] <= 1 and 0 <= found["precision"] <= 1 and 0 <= found["presented"] <= 1
    every = CliRunner().invoke(app, [*arguments, "--words"])
    assert "queries without a good answer" in every.stdout
    file.write_text(LINES)
    refused = CliRunner().invoke(app, [*arguments, "--queries", str(chosen)])
    assert refused.exit_code != 0
