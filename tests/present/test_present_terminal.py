from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from persrv.online.answer import Answer
from persrv.present.terminal import print_answer, print_side_by_side
from persrv.records import Hit

MakeHit = Callable[..., Hit]


def shown(answer: Answer, width: int = 100, **options: bool) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    print_answer(answer, console, **options)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def answer_of(*hits: Hit, note: str = "", more: bool = False) -> Answer:
    return Answer(hits, "q", "mina", "matched", note, more=more)


def test_table_names_what_people_need(make_hit: MakeHit, still: Path) -> None:
    lines = shown(answer_of(make_hit(rank=0xAB, path=still), note="a note", more=True))
    assert lines[0] == "a note"
    assert lines[1].split() == ["#", "title", "emoji", "score", "id", "pack", "file"]
    assert lines[2].split() == ["171", "joy", "😂", "2.00", "ba000000", "Noto", "Emoji", "still.png"]
    assert lines[3] == "… and more"


def test_explanation_stands_under_its_hit(make_hit: MakeHit) -> None:
    hits = [make_hit(rank=n, matched={"joy": 2.0}, utility=1.21, style_factor=1.64, centroid=1) for n in (1, 2)]
    lines = shown(answer_of(*hits), explain=True)
    assert [line.strip() for line in (lines[2], lines[4])] == ["joy 2.00; useful ×1.21; your style 2 ×1.64"] * 2
    assert not any("useful" in line for line in shown(answer_of(*hits)))


@pytest.mark.parametrize(
    ("title", "seen"),
    [
        ("[red]x[/red] [/]", "[red]x[/red] [/]"),
        (":smile: [link=http://a]b", ":smile: [link=http://a]b"),
        ("\x1b[31mred\x1b]0;t\x07\n2\r3", "[31mred ]0;t 2 3"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a" + "\u0301" * 5000, "a\u0301"),
        ("\ud800x", "x"),
        ("世" * 300, "世世世"),
    ],
)
def test_odd_titles_are_shown_literally_and_safely(make_hit: MakeHit, title: str, seen: str) -> None:
    for width in (100, 30, 5, 1):
        lines = shown(answer_of(make_hit(title=title)), width, explain=True)
        assert all(cell_len(line) <= width for line in lines)
        assert not {"\x1b", "\r", "\x07", "\u202e"} & set("".join(lines))
    assert seen in shown(answer_of(make_hit(title=title)))[1]


def test_zero_hits_say_why() -> None:
    assert shown(Answer((), "x", None, "unmatched", "no sticker matches 'x'")) == ["no sticker matches 'x'"]
    assert shown(Answer((), "x", None, "matched")) == ["no stickers"]


def test_forty_hits_are_forty_lines(make_hit: MakeHit) -> None:
    lines = shown(answer_of(*(make_hit(rank=n) for n in range(1, 41))))
    assert [int(line.split()[0]) for line in lines[1:]] == list(range(1, 41))


def side_by_side(answers: list[tuple[str, Answer]], width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    print_side_by_side(answers, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_people_stand_next_to_each_other(make_hit: MakeHit) -> None:
    answers = [("[b]mina", answer_of(make_hit())), ("jonas", answer_of(make_hit(title="kiss"), make_hit(rank=2)))]
    lines = side_by_side(answers, 78)
    assert lines[0] == f"{'[b]mina':40}jonas"
    # The emoji is one character in two cells.
    assert lines[1] == f"{'1. 😂 joy — Noto Emoji':39}1. 😂 kiss — Noto Emoji"
    assert lines[2] == f"{'':40}2. 😂 joy — Noto Emoji"


def test_people_stand_under_each_other_where_it_is_narrow(make_hit: MakeHit) -> None:
    answers = [("mina", answer_of(make_hit(title="a title too long"))), ("jonas", Answer((), "", None, "matched"))]
    lines = [line for line in side_by_side(answers, 30) if line]
    assert lines == ["mina", "1. 😂 a title to… — Noto Emoji", "jonas", "no stickers"]
    assert side_by_side([], 30) == []
