"""Paging by cursor: every sticker once, in the order of the first page's ranking, whatever happens between pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from persrv import Answer, build_collection
from persrv.errors import QueryError
from persrv.online.cursor import MOST_COMING, MOST_SHOWN, Cursor, search_mark
from tiny_collection import Tiny

COUNT = 45


@pytest.fixture(scope="module")
def party(module_folder: Path) -> Tiny:
    folder = module_folder
    rows = "\n".join(f"s{number},party,p{number % 7}" for number in range(COUNT))
    (folder / "stickers.csv").write_text(f"sticker_id,tags,pack\n{rows}\n", encoding="utf-8")
    recipe = folder / "party.toml"
    recipe.write_text(
        'name = "party"\n[meaning]\nencoder = ""\n[stickers]\nloader = "table"\npath = "stickers.csv"\n',
        encoding="utf-8",
    )
    assert build_collection(recipe, home=folder / "home").stickers == COUNT
    return Tiny(recipe, folder / "home")


def ids(answer: Answer) -> list[str]:
    return [hit.sticker_id for hit in answer]


@pytest.mark.parametrize("query", ["party", ""])
def test_picks_between_pages_neither_repeat_nor_hide_a_sticker(party: Tiny, query: str) -> None:
    with party.open() as retriever:
        whole = ids(retriever.search(query, "bo", limit=COUNT))
        page = retriever.search(query, "bo", limit=10)
        found, ranks = [], []
        while True:
            found += ids(page)
            ranks += [hit.rank for hit in page]
            retriever.record("bo", query, found[-1])
            if not page.next:
                break
            page = retriever.search(query, "bo", limit=10, cursor=page.next)
        assert found == whole
        assert ranks == list(range(1, COUNT + 1))
        assert not page.more


def test_a_cursor_goes_on_in_another_program_and_with_another_size(party: Tiny) -> None:
    with party.open() as retriever:
        whole = ids(retriever.search("party", limit=COUNT))
        first = retriever.search("party", limit=3)
    with party.open() as retriever:
        second = retriever.search("party", limit=30, cursor=first.next, explain=True)
        third = retriever.search("party", limit=30, cursor=second.next)
    assert ids(first) + ids(second) + ids(third) == whole
    assert second[0].explanation.matched
    assert (second.more, third.more, third.next) == (True, False, "")


def test_a_cursor_behind_many_pages_goes_on_by_the_ranking(tiny_built: Tiny) -> None:
    with tiny_built.open() as retriever:
        whole = ids(retriever.search("", "ann", limit=30))
        page = retriever.search("", "ann", limit=2)
        found = ids(page)
        while page.next:
            page = retriever.search("", "ann", limit=2, cursor=page.next)
            found += ids(page)
    assert found == whole


def test_filters_hold_behind_a_cursor(party: Tiny) -> None:
    with party.open() as retriever:
        first = retriever.search("party", limit=2, filters={"pack": "p1"})
        second = retriever.search("party", limit=20, filters={"pack": "p1"}, cursor=first.next)
        assert {tuple(hit.payload["pack"]) for hit in (*first, *second)} == {("p1",)}
        assert len({*ids(first), *ids(second)}) == len(first) + len(second) == 7


def test_what_is_no_cursor_is_refused(party: Tiny) -> None:
    with party.open() as retriever:
        cursor = retriever.search("party", limit=5).next
        for wrong in ("", "x", cursor[:-4], cursor + "AAAA", "é", 7):
            with pytest.raises(QueryError, match="not one that a search gave"):
                retriever.search("party", cursor=wrong)  # type: ignore[arg-type]
        for other in ({"user": "bo"}, {"filters": {"pack": "p1"}}, {"gamma": 0.5}):
            with pytest.raises(QueryError, match="belongs to another search"):
                retriever.search("party", cursor=cursor, **other)  # type: ignore[arg-type]
        with pytest.raises(QueryError, match="an offset and a cursor"):
            retriever.search("party", cursor=cursor, offset=5)


def test_a_cursor_keeps_the_latest_and_stays_short() -> None:
    names = [f"{number:032x}" for number in range(400)]
    mark = search_mark("q")
    text = Cursor(mark, 400, tuple(names), tuple(names)).encode()
    assert len(text) < 5000
    assert Cursor.decode(text, mark) == Cursor(mark, 400, tuple(names[-MOST_SHOWN:]), tuple(names[:MOST_COMING]))
    assert Path(text).name == text
