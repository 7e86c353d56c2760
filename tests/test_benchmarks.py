"""Each benchmark runs at a toy size; what it reports is well formed, and its answers agree. No time is checked."""

from __future__ import annotations

import json
import math
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import NAMES, ONE_THREAD, main
from benchmarks.agreement import check_best
from benchmarks.measure import Row, Spread, compare, latencies, take_turns
from benchmarks.options import Options
from benchmarks.report import as_json, markdown, number
from benchmarks.synthetic import VOCABULARY, documents, stickers, word
from persrv.errors import PersrvError
from persrv.text import tokenize

TOY = Options(size=48, repetitions=1)
REPEATED = {"QUERIES": 12, "SEARCHES": 12, "PICKS": 10, "_STICKERS": 500}
"""How often a benchmark repeats what it measures, so that figures are steady; here nobody reads them."""


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_gives_well_formed_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = import_module(f"benchmarks.{name}")
    for constant in REPEATED.keys() & vars(benchmark).keys():
        monkeypatch.setattr(benchmark, constant, REPEATED[constant])
    rows = benchmark.run(TOY)
    assert len({(row.name, row.rival) for row in rows}) == len(rows) >= 2
    for row in rows:
        assert row.name and row.rival and row.unit
        assert row.repetitions == 1
        assert math.isfinite(row.ratio) and row.ratio > 0
        for spread in (row.ours, row.theirs):
            assert 0 < spread.least <= spread.median <= spread.most
    page = markdown(name, benchmark.__doc__, rows, {"cores": "2"}, "command")
    assert all(f"| {row.name} |" in page for row in rows)
    assert len(json.loads(as_json({name: rows}, {}))["results"][name]) == len(rows)


def test_the_command_writes_pages_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ONE_THREAD.items():  # so that the environment is put back afterwards
        monkeypatch.setenv(name, value)
    arguments = [
        "text",
        "--size",
        "20",
        "--turns",
        "1",
        "--results",
        str(tmp_path),
        "--json",
        str(tmp_path / "all.json"),
    ]
    assert main(arguments) == 0
    (page,) = tmp_path.glob("*.md")
    assert page.name == "text-size-20-turns-1.md"
    content = json.loads((tmp_path / "all.json").read_text())
    assert {"processor", "cores", "Python"} <= set(content["machine"])
    assert content["results"]["text"][0]["rival"] in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["text", "--size", "0"], ["text", "--turns", "-1"]])
def test_impossible_runs_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error" in capsys.readouterr().err


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(PersrvError, match=r"stickers\.jsonl"):
        import_module("benchmarks.pictures").run(Options(emoji_set=tmp_path))


def test_contenders_take_turns() -> None:
    called: list[str] = []
    answers = take_turns(2, lambda: called.append("a") or 1, lambda: called.append("b") or 2)
    assert (called, answers) == (["a", "b", "a", "b"], [[1, 1], [2, 2]])
    called.clear()
    taken = latencies(2, [0, 1], lambda item: called.append(f"a{item}"), lambda item: called.append(f"b{item}"))
    assert called == ["a0", "b0", "a1", "b1"] * 3
    assert taken.shape == (2, 2, 2)


def test_a_ratio_is_taken_within_each_turn() -> None:
    row = compare("n", [1.0, 10.0, 3.0], "r", [2.0, 20.0, 1.0], "s")
    assert row == Row("n", Spread(3.0, 1.0, 10.0), "r", Spread(2.0, 1.0, 20.0), 0.5, "s", 3)
    with pytest.raises(ValueError, match="turns"):
        compare("n", [1.0], "r", [1.0, 2.0], "s")
    with pytest.raises(ValueError, match="turns"):
        compare("n", [], "r", [], "s")


def test_a_ranking_is_checked_against_all_stickers() -> None:
    everything = {"a": 6.0, "b": 5.0, "c": 5.0, "d": 1.0}
    assert check_best("q", [("a", 6.0), ("b", 5.0)], everything) == (0.0, 2)
    assert check_best("q", [("a", 6.0), ("c", 5.0)], everything) == (0.0, 1)
    for wrong in ([("a", 6.1)], [("x", 6.0)]):
        with pytest.raises(PersrvError, match="disagree"):
            check_best("q", wrong, everything)


def test_made_up_stickers_are_the_same_every_time_and_follow_zipf() -> None:
    first, again = stickers(300), stickers(300)
    assert first.tokens == again.tokens
    assert first.queries(5) == again.queries(5)
    assert first.ids == sorted(set(first.ids))
    assert np.array_equal(first.images, again.images)
    assert np.linalg.norm(first.images, axis=1) == pytest.approx(1.0, abs=1e-6)
    assert len({word(rank) for rank in range(VOCABULARY)}) == VOCABULARY
    lengths = [sum(len(phrase.split()) for phrases in text.values() for phrase in phrases) for text in documents(300)]
    assert (min(lengths), max(lengths)) == (8, 30)
    spoken = [token for tokens in first.tokens for token in tokens]
    commonest, rarer = (spoken.count(tokenize(word(rank))[0]) for rank in (0, 20))
    assert commonest > 3 * rarer > 0


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.01234, "0.012"), (1.234, "1.23"), (56.78, "56.8"), (1234.5, "1,234")]
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown
