"""A sticker that has a small part of a query is no answer: meaning answers then, or the answer says what matched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from persrv import Answer, Retriever, build_collection
from persrv.online.parsed_query import WEAK

STICKERS = {
    "hand": ["person raising hand", "增加", "举手"],
    "tired": ["exhausted", "work late", "疲惫", "工作到深夜"],
    "bed": ["sleep well", "bedtime"],
    "no": ["no good", "stop"],
    "cake": ["birthday", "生日"],
    "cat": ["cat", "猫"],
    "both": ["emt guy shaking head over what he has seen today"],
    "one": ["guy"],
}


NAMES = {tags[0]: name for name, tags in STICKERS.items()}


def names(answer: Answer) -> list[str]:
    return [NAMES[hit.payload["tags"][0]] for hit in answer]


def written(folder: Path, meaning: str = "") -> Path:
    for number, tags in enumerate(STICKERS.values()):
        picture = folder / "stickers" / f"_{number}.png"
        picture.parent.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), (30 * number, 255 - 30 * number, 90)).save(picture)
        picture.with_suffix(".json").write_text(json.dumps({"tags": tags}), encoding="utf-8")
    recipe = folder / "small.toml"
    recipe.write_text(
        f'name = "small"\n[stickers]\nloader = "folder"\npath = "stickers"\n[meaning]\nencoder = "{meaning}"\n',
        encoding="utf-8",
    )
    build_collection(recipe, home=folder / "home")
    return recipe


@pytest.fixture
def by_words(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture
def by_meaning(tmp_path: Path) -> Path:
    return written(tmp_path, "use")


def test_words_alone_say_what_was_matched(by_words: Path) -> None:
    with Retriever.open(by_words, home=by_words.parent / "home") as retriever:
        answer = retriever.search("加班")
        assert (answer.reason, names(answer)) == ("partial", ["hand"])
        assert answer.note == "no sticker has much of '加班'; the nearest have 加"
        assert answer[0].relevance < WEAK
        assert retriever.search("增加").reason == "matched"
        assert retriever.search("增加")[0].relevance > 2 * WEAK
        assert retriever.search("good nite my darling one").reason == "partial"


def test_meaning_answers_in_the_place_of_a_small_part(by_meaning: Path) -> None:
    with Retriever.open(by_meaning, home=by_meaning.parent / "home") as retriever:
        overtime = retriever.search("加班", explain=True)
        assert overtime.reason == "meaning"
        assert overtime.note == "no sticker has much of '加班', only 加; these are near in meaning"
        assert all(hit.explanation.matched == {} for hit in overtime)
        assert "tired" in names(overtime)
        assert names(retriever.search("overtime at work"))[0] == "tired"
        assert retriever.search("good nite my darling one").reason == "meaning"
        assert retriever.search("birthday").reason == "matched"


def test_a_small_part_answers_where_nothing_is_near_in_meaning(by_meaning: Path) -> None:
    strict = by_meaning.read_text(encoding="utf-8") + "reach = 50.0\n"
    by_meaning.write_text(strict, encoding="utf-8")
    with Retriever.open(by_meaning, home=by_meaning.parent / "home") as retriever:
        answer = retriever.search("加班", explain=True)
        assert names(answer) == ["hand"]
        assert set(answer[0].explanation.matched) == {"加"}


def test_two_words_of_the_query_are_above_one_of_them(by_words: Path) -> None:
    with Retriever.open(by_words, home=by_words.parent / "home") as retriever:
        assert names(retriever.search("emt guy"))[:2] == ["both", "one"]


@pytest.mark.parametrize("query", ["加班", "kitten"])
def test_behind_the_last_answer_by_meaning_nothing_else_comes(by_meaning: Path, query: str) -> None:
    generous = by_meaning.read_text(encoding="utf-8") + "reach = 0.2\n"
    by_meaning.write_text(generous, encoding="utf-8")
    with Retriever.open(by_meaning, home=by_meaning.parent / "home") as retriever:
        ids = [hit.sticker_id for hit in retriever.search(query, limit=20)]
        assert 1 < len(ids) < len(STICKERS)
        page = retriever.search(query, limit=1)
        walked = [hit.sticker_id for hit in page]
        while page.next:
            page = retriever.search(query, limit=1, cursor=page.next)
            walked += [hit.sticker_id for hit in page]
        assert walked == ids


@pytest.mark.parametrize("meaning", ["", "use"])
def test_pages_of_a_doubtful_answer_are_parts_of_one_ranking(tmp_path: Path, meaning: str) -> None:
    recipe = written(tmp_path, meaning)
    with Retriever.open(recipe, home=tmp_path / "home") as retriever:
        whole = retriever.search("good nite my darling one guy", limit=20)
        ids = [hit.sticker_id for hit in whole]
        pages = [retriever.search(whole.query, limit=1, offset=at) for at in range(len(ids))]
        assert [hit.sticker_id for page in pages for hit in page] == ids
        walked, page = [], retriever.search(whole.query, limit=1)
        while page:
            walked += [hit.sticker_id for hit in page]
            if not page.next:
                break
            page = retriever.search(whole.query, limit=1, cursor=page.next)
        assert walked == ids


def test_what_is_taken_away_is_taken_from_what_meaning_finds_too(by_meaning: Path) -> None:
    with Retriever.open(by_meaning, home=by_meaning.parent / "home") as retriever:
        assert names(retriever.search("kitten"))[0] == "cat"
        without = retriever.search("kitten -cat")
        assert "cat" not in names(without)
        assert without or (without.reason, without.note[:15]) == ("unmatched", "nothing is left")
        assert "cake" not in names(retriever.search("party for a year more -birthday"))
