from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from persrv.cli import app
from persrv.online.retriever import Retriever
from repository import ROOT
from tiny_collection import Tiny

COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands if command.callback)


@pytest.fixture
def run(tiny: Tiny, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    monkeypatch.setenv("PERSRV_COLLECTION", str(tiny.file))

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return call


def one_line(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("persrv: ")
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


def first_id(run, query: str = "cat") -> str:
    return json.loads(run("search", query, "--json").stdout)["hits"][0]["sticker_id"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_is_documented(command: str) -> None:
    page = CliRunner().invoke(app, [command, "--help"])
    assert page.exit_code == 0
    assert f"persrv {command}" in " ".join(re.sub(r"[│╭╮╰╯─]", " ", page.stdout).split())
    assert f"`{command}`" in (ROOT / "docs/reference/cli.md").read_text()
    assert f"persrv {command}" in (ROOT / "README.md").read_text()


def test_build_again_adds_nothing(run) -> None:
    results = json.loads(run("build", "--json").stdout)
    assert (results["stickers"], results["encoded"], results["picks"], results["skipped"]) == (30, 0, 0, [])


def test_build_reports_what_it_skips(run, tiny: Tiny) -> None:
    (tiny.file.parent / "stickers/flat/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    result = run("build")
    assert result.exit_code == 0
    assert "broken.png" in result.stderr
    assert "30 stickers" in result.stdout and "1 skipped" in result.stdout
    assert run("build", "--strict").exit_code == 8


def test_a_backup_is_restored_beside_it(run, tiny: Tiny, tmp_path: Path) -> None:
    assert "catalog.db" not in run("backup", str(tmp_path / "tiny.tar")).stdout
    result = run("restore", str(tmp_path / "tiny.tar"), "--as", "older")
    assert (result.exit_code, (tiny.home / "older" / "catalog.db").is_file()) == (0, True)
    assert "persrv build -c older" in result.stderr
    assert "--replace" in one_line(run("restore", str(tmp_path / "tiny.tar")), 4)
    assert "no file" in one_line(run("restore", str(tmp_path / "nothing.tar")), 6)


def test_search_shows_a_table_or_json(run) -> None:
    assert "cat" in run("search", "cat").stdout
    results = json.loads(run("search", "猫", "--user", "ann", "--limit", "2", "--json").stdout)
    assert (results["reason"], results["personal"], len(results["hits"]), results["more"]) == ("matched", True, 2, True)
    assert results["hits"][0]["payload"]["style"] == "line"
    assert results["hits"][0]["explanation"]["matched"]


@pytest.mark.parametrize("command", [["search", "cat"], ["trending", "--days", "3650"], ["similar", "cat.png"]])
def test_an_answer_is_shown_before_the_collection_is_closed(
    run, tiny: Tiny, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tiny.file.parent / "stickers" / "flat")
    close = Retriever.close

    def tell(retriever: Retriever) -> None:
        typer.echo("closed")
        close(retriever)

    monkeypatch.setattr(Retriever, "close", tell)
    shown = run(*command).stdout.splitlines()
    assert shown.index("closed") == len(shown) - 1 > 2


def test_search_filters_and_pages(run) -> None:
    page = run("search", "-f", "style=soft", "-f", "animated=no", "-n", "3", "--offset", "9", "--json")
    results = json.loads(page.stdout)
    assert [hit["rank"] for hit in results["hits"]] == [10]
    assert "FIELD=VALUE" in one_line(run("search", "cat", "-f", "style"), 2)
    assert "colour" in one_line(run("search", "cat", "-f", "colour=red"), 2)
    assert "animated" in one_line(run("search", "cat", "-f", "animated=maybe"), 2)


def test_search_writes_a_contact_sheet(run, tmp_path: Path) -> None:
    page = tmp_path / "cats.html"
    assert run("search", "cat", "--user", "ann", "--html", str(page)).exit_code == 0
    assert page.read_text(encoding="utf-8").count("<img") == 3
    assert "nowhere" in one_line(run("search", "cat", "--html", str(tmp_path / "nowhere" / "x.html")), 4)


def test_similar_to_a_sticker_and_to_a_picture(run, tiny: Tiny) -> None:
    assert run("similar", first_id(run)[:10], "--by", "look").exit_code == 0
    results = json.loads(run("similar", str(tiny.file.parent / "stickers/soft/dog.png"), "--json").stdout)
    assert results["hits"][0]["payload"]["style"] == "soft"
    assert "gone.png" in one_line(run("similar", "gone.png"), 4)
    assert "abcdef0123" in one_line(run("similar", "abcdef0123"), 6)


def test_pick_moves_a_style(run) -> None:
    sticker = first_id(run)
    assert "cleo now has 1 style" in run("pick", sticker, "--user", "cleo", "--query", "cat").stdout
    content = json.loads(run("users", "cleo", "--export").stdout)
    assert [(p["query"], p["sticker_id"]) for p in content["interactions"]] == [("cat", sticker)]
    assert "not there" not in run("users").stdout
    one_line(run("pick", "ffff0000ffff0000", "--user", "cleo"), 6)
    one_line(run("pick", sticker, "--user", " "), 2)


def test_users_are_listed_shown_and_forgotten(run) -> None:
    assert {user["user"] for user in json.loads(run("users", "--json").stdout)} == {"ann", "bo"}
    assert "ann: 6 picks, 1 style" in run("users", "ann").stdout
    assert "6 picks" in run("users", "ann", "--forget").stdout
    assert "ann" in one_line(run("users", "ann"), 6)
    assert "--export" in one_line(run("users", "--forget"), 2)


def test_a_picture_that_is_added_is_found_and_one_that_is_removed_is_not(run, tmp_path) -> None:
    picture = tmp_path / "stripes.png"
    Image.effect_noise((48, 48), 60).save(picture)
    sticker = json.loads(run("add", str(picture), "--tags", "okapi", "--pack", "mine", "--json").stdout)["added"][0]
    assert sticker in run("search", "okapi", "--json").stdout
    assert "is removed" in run("remove", sticker[:12]).stdout
    assert sticker not in run("search", "okapi", "--json").stdout
    assert run("remove", sticker).exit_code == 6
    assert run("add", str(tmp_path / "nothing.png")).exit_code != 0


def test_edits_win_over_every_later_build(run) -> None:
    sticker = first_id(run)
    assert "zebra" in run("edit", sticker[:12], "tags", "zebra", "斑马").stdout
    for _ in range(2):
        run("build")
        assert json.loads(run("search", "斑马", "--json").stdout)["hits"][0]["sticker_id"] == sticker
    assert "edited by" in run("show", sticker).stdout
    run("edit", sticker, "tags", "--reset")
    assert json.loads(run("show", sticker, "--json").stdout)["semantics"]["tags"] == ["cat", "猫"]
    one_line(run("edit", sticker, "colour", "red"), 5)
    one_line(run("edit", sticker, "tags"), 2)


def test_show_info_and_doctor(run, tiny: Tiny) -> None:
    results = json.loads(run("show", first_id(run), "--json").stdout)
    assert results["semantics"]["emoji"] == ["🐱"]
    assert results["sources"][0]["source"] == "loader:folder"
    info = json.loads(run("info", "--json").stdout)
    assert (info["stickers"], info["users"], info["picks"]) == (30, 2, 12)
    assert info["packs"] == {"flat": 10, "line": 10, "soft": 10}
    healthy = run("doctor")
    assert healthy.exit_code == 0
    assert "BAD" not in healthy.stdout
    (tiny.file.parent / "stickers/flat/cat.png").unlink()
    ill = run("doctor")
    assert ill.exit_code == 1
    assert "cat.png" in ill.stdout


def test_a_locked_collection_is_refused_and_unharmed(run, tiny: Tiny) -> None:
    with tiny.open() as owner:
        assert "process" in one_line(run("search", "cat"), 7)
        assert run("info").exit_code == 0
        assert len(owner.search("cat")) == 3
    assert run("search", "cat").exit_code == 0


def test_wrong_recipes(run, tiny: Tiny, tmp_path: Path) -> None:
    assert "nowhere.toml" in one_line(run("build", "-c", str(tmp_path / "nowhere.toml")), 3)
    assert "emoji" in one_line(run("build", "-c", "no-such-recipe"), 3)
    tiny.file.write_text(tiny.file.read_text() + "[rankign]\nbeta = 1\n")
    assert "rankign" in one_line(run("build"), 3)
    tiny.file.write_text('name = "x"\n[stickers')
    assert "TOML" in one_line(run("search", "cat"), 3)


def test_an_index_of_another_tokenizer_is_refused(run, tiny: Tiny) -> None:
    for manifest in tiny.home.glob("tiny/index/tiny/**/manifest.json"):
        manifest.write_text(re.sub(r'"tokenizer":\s*"[^"]*"', '"tokenizer": "0"', manifest.read_text()))
    assert "run persrv build -c tiny" in one_line(run("search", "cat"), 7)
    assert run("build").exit_code == 0
    assert run("search", "cat").exit_code == 0


def test_push_needs_a_server_that_answers(run) -> None:
    assert "address" in one_line(run("push", "ftp://example"), 3)
    assert "127.0.0.1:9" in one_line(run("push", "http://127.0.0.1:9"), 7)


def test_what_was_never_built(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tmp_path / "empty"))
    for command in (["search", "cat"], ["users"], ["info"], ["show", "abcd"]):
        assert "persrv build -c tiny" in one_line(run(*command), 6)
    assert run("doctor").exit_code == 1
    assert not (tmp_path / "empty" / "tiny" / "catalog.db").exists()


def test_version(run) -> None:
    assert re.fullmatch(r"persrv \d+\.\d+\.\d+\n", run("--version").stdout)
