from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persrv import AsyncRetriever, Retriever
from persrv.errors import IndexMismatchError, NotFoundError, PictureError, QueryError
from persrv.index.embedded_collection import EmbeddedCollection
from persrv.index.language import Record, Request, ScoredPoint
from persrv.index.schema import STYLE, point_id
from persrv.online.answer import Answer
from persrv.ranking.formula import final_scores
from tiny_collection import MEANINGS, Tiny


def styles(answer: Answer) -> list[str]:
    return [hit.payload["style"] for hit in answer]


def ids(answer: Answer) -> list[str]:
    return [hit.sticker_id for hit in answer]


@pytest.fixture(scope="module")
def retriever(tiny_built: Tiny):
    with tiny_built.open() as opened:
        yield opened


def test_two_people_get_their_own_style_of_an_unseen_meaning(retriever: Retriever) -> None:
    ann, bo = retriever.search("rain", "ann", limit=3), retriever.search("rain", "bo", limit=3)
    assert styles(ann)[0] == "line"
    assert styles(bo)[0] == "flat"
    assert ann.personal
    assert {hit.sticker_id for hit in ann} == {hit.sticker_id for hit in bo}


def test_chinese_and_emoji_find_the_same_stickers(retriever: Retriever) -> None:
    english, chinese, emoji = (
        {hit.sticker_id for hit in retriever.search(query, limit=3)} for query in ("cat", "猫", "🐱")
    )
    assert english == chinese == emoji


def test_a_hit_explains_its_score(retriever: Retriever) -> None:
    answer = retriever.search("happy 开心", "ann", explain=True)
    for hit in answer:
        explanation = hit.explanation
        assert hit.score == pytest.approx(
            explanation.text
            * explanation.pick_factor
            * explanation.own_factor
            * explanation.utility_factor
            * explanation.style_factor,
            rel=1e-4,
        )
        assert sum(explanation.matched.values()) + explanation.picks == pytest.approx(explanation.text, rel=1e-4)
        assert hit.path is not None and hit.path.is_file()
    assert set(answer[0].explanation.matched) == {"happi", "开", "心", "开心"}
    assert [hit.rank for hit in answer] == list(range(1, len(answer) + 1))


def test_a_stranger_is_ranked_by_text_and_utility(retriever: Retriever) -> None:
    answer = retriever.search("happy", "stranger")
    assert not answer.personal
    assert all(hit.explanation.style == 0 and hit.explanation.centroid is None for hit in answer)
    picked = [hit.payload.get("picks", 0) for hit in answer]
    assert picked == sorted(picked, reverse=True)


def test_an_empty_query_shows_own_stickers_first_then_popular_ones(retriever: Retriever) -> None:
    answer = retriever.search("", "ann", limit=30)
    assert answer.reason == "trending"
    latest = [f"{meaning}.png" for meaning in reversed(list(MEANINGS)[:6])]
    assert [hit.path.name for hit in answer[:6] if hit.path] == latest
    assert len({hit.sticker_id for hit in answer}) == 30
    assert retriever.search("  ", limit=5).reason == "trending"


def test_a_slip_of_the_finger_is_corrected_and_said(retriever: Retriever) -> None:
    answer = retriever.search("cofee")
    assert answer.reason == "corrected"
    assert answer[0].payload["tags"][0] == "coffee"
    assert answer.corrections == {"cofee": "coffee"}
    assert "coffee" in answer.note


def test_small_words_beside_known_ones_are_left_alone(retriever: Retriever) -> None:
    assert retriever.search("sat cat").corrections == {}
    assert retriever.search("dgo").corrections == {"dgo": "dog"}
    assert retriever.search("cofee cat").corrections == {"cofee": "coffee"}


def test_an_unmatched_query_gets_popular_stickers_and_a_reason(retriever: Retriever) -> None:
    for query in ("xylophonist", "†", "Ω"):
        answer = retriever.search(query, limit=4)
        assert answer.reason == "unmatched"
        assert len(answer) == 4
        assert query in answer.note


def test_filters_narrow_and_say_when_nothing_passes(retriever: Retriever) -> None:
    assert styles(retriever.search("cat", filters={"pack": "soft"})) == ["soft"]
    assert set(styles(retriever.search("", filters={"style": ["soft", "flat"]}, limit=30))) == {"soft", "flat"}
    assert len(retriever.search("cat", filters={"animated": False})) == 3
    assert set(styles(retriever.search("", "ann", filters={"style": "flat"}))) == {"flat"}
    nothing = retriever.search("cat", filters={"animated": True})
    assert (len(nothing), nothing.reason) == (0, "filtered")
    assert "filters" in nothing.note


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"filters": {"colour": "red"}}, "colour"),
        ({"filters": {"animated": "yes"}}, "animated"),
        ({"filters": {"pack": 3}}, "pack"),
        ({"limit": 0}, "limit 0"),
        ({"limit": 1001}, "limit 1001"),
        ({"offset": -1}, "offset -1"),
    ],
)
def test_impossible_searches_are_refused(retriever: Retriever, arguments: dict, text: str) -> None:
    with pytest.raises(QueryError, match=text):
        retriever.search("cat", **arguments)


def test_an_endless_query_is_refused(retriever: Retriever) -> None:
    with pytest.raises(QueryError, match="1001 characters"):
        retriever.search("a" * 1001)


@pytest.mark.parametrize("query", ["", "safe cat dog happy sad"])
@pytest.mark.parametrize("user", [None, "ann"])
def test_pages_are_stable_and_complete(retriever: Retriever, query: str, user: str | None) -> None:
    whole = [hit.sticker_id for hit in retriever.search(query, user, limit=30)]
    pages = [retriever.search(query, user, limit=4, offset=offset) for offset in range(0, 32, 4)]
    assert [hit.sticker_id for page in pages for hit in page] == whole
    assert [hit.rank for page in pages for hit in page] == list(range(1, len(whole) + 1))
    assert [page.more for page in pages] == [4 * (i + 1) < len(whole) for i in range(8)]


def test_the_engines_scores_are_those_of_the_reference(retriever: Retriever, monkeypatch: pytest.MonkeyPatch) -> None:
    # What others picked counts otherwise for somebody with styles than for nobody.
    without_picks = retriever.recipe.ranking.model_copy(update={"omega": 0.0, "delta": 0.0, "own": 0.0})
    monkeypatch.setattr(retriever, "recipe", retriever.recipe.model_copy(update={"ranking": without_picks}))
    answer = retriever.search("happy cat", "ann", limit=30)
    profile = retriever.profile("ann")
    plain = {hit.sticker_id: hit.score for hit in retriever.search("happy cat", limit=30)}
    utility = np.array([hit.payload["utility"] for hit in answer])
    ranking = retriever.recipe.ranking
    text = np.array([plain[hit.sticker_id] for hit in answer]) / (1 + ranking.beta * utility)
    records = retriever._newest.version.stickers.retrieve(
        [point_id(hit.sticker_id) for hit in answer], with_vectors=(STYLE,)
    )
    images = np.array([record.dense(STYLE) for record in records])
    expected = final_scores(text, utility, images, profile.centroids, profile.weights, ranking.beta, ranking.gamma)
    assert [hit.score for hit in answer] == pytest.approx(expected.tolist(), rel=1e-5)


def test_only_the_hits_shown_are_read_whole(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    retrieve, query = EmbeddedCollection.retrieve, EmbeddedCollection.query

    def counted(self: EmbeddedCollection, ids: Sequence[str], *args: Any, **kwargs: Any) -> list[Record]:
        read.append(len(ids))
        return retrieve(self, ids, *args, **kwargs)

    def slim(self: EmbeddedCollection, request: Request) -> list[ScoredPoint]:
        found = query(self, request)
        assert all(set(point.payload) <= {"group"} and not point.vectors for point in found)
        return found

    with tiny.open() as retriever:
        retriever.record("ann", "", retriever.search("cat")[0].sticker_id)
        monkeypatch.setattr(EmbeddedCollection, "retrieve", counted)
        monkeypatch.setattr(EmbeddedCollection, "query", slim)
        assert len(retriever.search("happy cat", "ann", limit=5, explain=True)) == 5
    assert read == [5]


def test_more_like_this(retriever: Retriever, tiny_built: Tiny) -> None:
    cat = retriever.search("cat", filters={"style": "line"})[0]
    look = retriever.similar(cat.sticker_id, by="look", limit=5)
    assert set(styles(look)) == {"line"}
    meaning = retriever.similar(cat.sticker_id[:12], by="meaning", limit=2)
    assert all("cat" in hit.payload["tags"] for hit in meaning)
    both = retriever.similar(cat.sticker_id, limit=30)
    assert cat.sticker_id not in {hit.sticker_id for hit in both}
    assert both[0].score <= 2
    picture = tiny_built.file.parent / "stickers" / "soft" / "dog.png"
    assert retriever.similar(picture, limit=1)[0].path == picture
    assert retriever.similar(picture.read_bytes(), limit=1)[0].score == pytest.approx(1.0, abs=1e-3)


def test_more_like_what_is_not_there(retriever: Retriever, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        retriever.similar("0123456789abcdef")
    with pytest.raises(PictureError):
        retriever.similar(tmp_path / "gone.png")
    with pytest.raises(PictureError):
        retriever.similar(b"no picture")


def test_picks_move_the_profile_at_once(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        assert len(retriever.profile("cleo").mass) == 0
        for meaning in ("cat", "dog", "love"):
            liked = retriever.search(meaning, filters={"style": "soft"})[0]
            retriever.record("cleo", meaning, liked.sticker_id)
        assert styles(retriever.search("rain", "cleo"))[0] == "soft"
        assert retriever.search("", "cleo")[0].payload["tags"][0] == "love"
        assert [pick.query for pick in retriever.picks("cleo")] == ["cat", "dog", "love"]
    with tiny.open() as reopened:
        assert styles(reopened.search("rain", "cleo"))[0] == "soft"
        assert sum(style.share for style in reopened.styles("cleo")) == pytest.approx(1.0)


def test_forgetting_a_user(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        assert retriever.forget("ann") == 6
        assert len(retriever.profile("ann").mass) == 0
        assert not retriever.search("rain", "ann").personal
    with tiny.open() as reopened:
        assert reopened.picks("ann") == []
        assert len(reopened.profile("ann").mass) == 0


def test_impossible_picks_are_refused(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        for user in ("", "  ", "x" * 201):
            with pytest.raises(QueryError, match="user"):
                retriever.record(user, "cat", sticker)
        with pytest.raises(QueryError, match="time zone"):
            retriever.record("ann", "cat", sticker, time=datetime(2026, 1, 1))
        with pytest.raises(NotFoundError):
            retriever.record("ann", "cat", "ffffffffffffffffffffffffffffffff")
        assert len(retriever.picks("ann")) == 6


def test_the_weight_of_style_can_be_chosen_for_one_search(retriever: Retriever) -> None:
    everybody, bo = retriever.search("sleep"), retriever.search("sleep", "bo")
    assert ids(retriever.search("sleep", "bo", gamma=0)) == ids(everybody)
    assert ids(retriever.search("sleep", "bo", gamma=1)) == ids(bo) != ids(everybody)
    half = retriever.search("sleep", "bo", gamma=0.5)[0].explanation
    assert half.style_factor == pytest.approx(1 + 0.5 * half.style)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(QueryError, match="gamma"):
            retriever.search("sleep", "ann", gamma=wrong)


def test_searching_what_was_never_built(tiny_built: Tiny, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="persrv build -c tiny"):
        Retriever.open(tiny_built.file, home=tmp_path)


def test_another_text_section_is_refused(tiny: Tiny) -> None:
    tiny.file.write_text(tiny.file.read_text() + "[text]\nk1 = 2.0\n")
    with pytest.raises(IndexMismatchError, match="persrv build -c tiny"):
        tiny.open()


def test_async(tiny: Tiny) -> None:
    async def both() -> tuple[Answer, Answer]:
        async with AsyncRetriever.open(tiny.file, home=tiny.home) as retriever:
            ann, bo = await asyncio.gather(retriever.search("rain", "ann"), retriever.search("rain", "bo"))
            await retriever.record("ann", "rain", ann[0].sticker_id)
            assert len(await retriever.similar(ann[0].sticker_id)) > 0
            return ann, bo

    ann, bo = asyncio.run(both())
    assert (styles(ann)[0], styles(bo)[0]) == ("line", "flat")


def test_an_engine_in_a_process_of_its_own_gives_the_same_answers(tiny: Tiny) -> None:
    with tiny.open() as here:
        want = [here.search(query, "ann", explain=True) for query in ("happy cat", "", "rain")]
    with Retriever.open(tiny.file, home=tiny.home, engine="process") as there:
        assert [there.search(query, "ann", explain=True) for query in ("happy cat", "", "rain")] == want
        there.record("ann", "", want[0][0].sticker_id)
    with pytest.raises(QueryError, match="engine 'elsewhere' is unknown"):
        Retriever.open(tiny.file, home=tiny.home, engine="elsewhere")  # type: ignore[arg-type]


@pytest.mark.parametrize("user", [None, "ann"])
def test_a_word_taken_away_is_in_no_answer(retriever: Retriever, user: str | None) -> None:
    assert {tag for hit in retriever.search("cat dog", user) for tag in hit.payload["tags"]} >= {"cat", "dog"}
    answer = retriever.search("cat dog -dog", user, explain=True)
    assert answer
    assert {hit.payload["tags"][0] for hit in answer} == {"cat"}
    assert all(value > 0 for hit in answer for value in hit.explanation.matched.values())
    assert {hit.payload["tags"][0] for hit in retriever.search("-猫 cat dog", user)} == {"dog"}


def test_relevance_is_comparable_and_a_small_part_is_said_to_be_one(retriever: Retriever) -> None:
    whole = retriever.search("cat")
    assert 0.3 < whole[0].relevance <= 1
    assert whole.reason == "matched"
    part = retriever.search("cat opossum yodelling quietly underneath breakfast tables xylophone zebras")
    assert part.reason == "partial"
    assert part[0].relevance < whole[0].relevance / 3
    assert "cat" in part.note
    assert retriever.search("")[0].relevance == 1.0
    assert part.as_dict()["hits"][0]["relevance"] == part[0].relevance
