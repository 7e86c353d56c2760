"""A person's own earlier picks: what they pick again comes first, for them alone, at once, and goes when forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from persrv.offline import build_collection
from persrv.online.own import STAND_INS
from persrv.online.retriever import Retriever
from persrv.present.words import why
from persrv.ranking.repeats import MOST
from persrv.records import Interaction
from persrv.workspace import Workspace
from tiny_collection import Tiny

START = datetime(2026, 2, 1, tzinfo=UTC)


def ids(retriever: Retriever, query: str, user: str | None = None, limit: int = 30) -> list[str]:
    return [hit.sticker_id for hit in retriever.search(query, user, limit=limit)]


@pytest.fixture
def opened(tiny: Tiny) -> Iterator[Retriever]:
    with tiny.open() as retriever:
        yield retriever


def test_what_somebody_picked_for_a_query_comes_first_for_them_alone(opened: Retriever) -> None:
    before = ids(opened, "coffee")
    last = before[-1]
    opened.record("zoe", "coffee", last, time=START)
    hit = opened.search("coffee", "zoe", explain=True)[0]
    assert hit.sticker_id == last
    assert hit.explanation.own_factor == pytest.approx(3.0)
    assert (hit.explanation.own_picks, hit.explanation.own_last) == (1, "2026-02-01T00:00:00+00:00")
    assert "you picked it for this in February 2026 ×3.00" in why(hit, "matched")
    assert opened.search("coffee", "bo", limit=30)[0].explanation.own_factor == 1.0
    parts = hit.explanation
    whole = parts.text * parts.pick_factor * parts.own_factor * parts.utility_factor * parts.style_factor
    assert hit.score == pytest.approx(whole, rel=1e-4)


def test_other_queries_count_less_and_repetition_more(opened: Retriever) -> None:
    one, two, three = ids(opened, "rain")[:3]
    opened.record("zoe", "rain", one, time=START)
    opened.record("zoe", "rain now", two, time=START)
    opened.record("zoe", "wet", three, time=START)
    factors = {hit.sticker_id: hit.explanation.own_factor for hit in opened.search("rain", "zoe")}
    assert factors[one] > factors[two] > factors[three] > 1.0
    opened.record("zoe", "rain", one, time=START + timedelta(minutes=1))
    assert opened.search("rain", "zoe")[0].explanation.own_factor > factors[one]


def test_where_nobody_has_a_style_own_picks_count_more(tmp_path: Path, opened: Retriever) -> None:
    one = ids(opened, "rain")[0]
    opened.record("zoe", "wet", one, time=START)
    found = {hit.sticker_id: hit.explanation.own_factor for hit in opened.search("rain", "zoe")}
    assert found[one] == pytest.approx(1.2)
    (tmp_path / "stickers.csv").write_text("key,name\na,black cat\nb,white cat\n", encoding="utf-8")
    recipe = tmp_path / "words.toml"
    recipe.write_text(
        'name = "words"\n[meaning]\nencoder = ""\n[stickers]\nloader = "table"\npath = "stickers.csv"\n',
        encoding="utf-8",
    )
    build_collection(recipe, home=tmp_path)
    with Retriever.open(recipe, home=tmp_path) as retriever:
        last = ids(retriever, "cat")[-1]
        retriever.record("zoe", "evening", last, time=START)
        first = retriever.search("cat", "zoe")[0]
        assert (first.sticker_id, first.explanation.own_factor) == (last, pytest.approx(1.2**1.5))


def test_old_picks_fade(opened: Retriever) -> None:
    one, two = ids(opened, "rain")[:2]
    opened.record("zoe", "rain", one, time=START - timedelta(days=730))
    opened.record("zoe", "rain", two, time=START)
    factors = {hit.sticker_id: hit.explanation.own_factor for hit in opened.search("rain", "zoe")}
    assert factors[two] > factors[one] > 1.0


def test_nothing_is_lost_and_pages_follow_each_other(opened: Retriever) -> None:
    everybody = set(ids(opened, "cat dog rain coffee"))
    for at, sticker_id in enumerate(sorted(everybody)[::2]):
        opened.record("zoe", "rain", sticker_id, time=START + timedelta(minutes=at))
    whole = ids(opened, "cat dog rain coffee", "zoe")
    assert everybody == set(whole) and len(whole) == len(set(whole))
    paged = [
        hit.sticker_id
        for at in range(0, len(whole), 5)
        for hit in opened.search("cat dog rain coffee", "zoe", limit=5, offset=at)
    ]
    assert paged == whole
    by_cursor, answer = [], opened.search("cat dog rain coffee", "zoe", limit=5)
    while True:
        by_cursor += [hit.sticker_id for hit in answer]
        if not answer.next:
            break
        answer = opened.search("cat dog rain coffee", "zoe", limit=5, cursor=answer.next)
    assert by_cursor == whole


def test_own_stickers_stand_in_where_nothing_matches(opened: Retriever) -> None:
    mine = ids(opened, "party")[:2]
    for at, sticker_id in enumerate(mine):
        opened.record("zoe", "party", sticker_id, time=START + timedelta(minutes=at))
    answer = opened.search("zzzzqq", "zoe", limit=5)
    assert answer.reason == "unmatched" and "you pick these often" in answer.note
    assert {hit.sticker_id for hit in answer[:2]} == set(mine)
    assert len(mine) <= STAND_INS
    # What matches is what matches for everybody.
    assert set(ids(opened, "coffee", "zoe")) == set(ids(opened, "coffee"))


def test_everybodys_order_is_asked_for_by_gamma(opened: Retriever) -> None:
    before = ids(opened, "coffee")
    opened.record("zoe", "coffee", before[-1], time=START)
    own = [hit.explanation.own_factor for hit in opened.search("coffee", "zoe", gamma=0.0)]
    assert set(own) == {1.0}


def test_pins_and_favourites_that_match_come_first(opened: Retriever, tiny: Tiny) -> None:
    matching = ids(opened, "coffee", "bo")
    favourite, pin = matching[1], matching[2]
    with Workspace.of(tiny.file, tiny.home).catalog() as catalog:
        catalog.put_marks("bo", [favourite], "favourite")
        catalog.put_marks("bo", [pin], "pin")
        hits = opened.search("coffee", "bo")
        assert [hit.sticker_id for hit in hits[:2]] == [pin, favourite]
        assert [hit.explanation.mark for hit in hits[:3]] == ["pin", "favourite", ""]
        assert "your pin" in " ".join(why(hits[0], "matched"))
        catalog.put_marks("bo", [favourite], "hidden")
        assert favourite not in ids(opened, "party", "bo", 2)


def test_forgetting_takes_everything_away(opened: Retriever) -> None:
    before = ids(opened, "coffee")
    opened.record("zoe", "coffee", before[-1], time=START)
    opened.record("zoe", "party", ids(opened, "party")[0], time=START)
    opened.forget("zoe")
    answer = opened.search("coffee", "zoe", limit=30)
    assert [hit.sticker_id for hit in answer] == before
    assert {hit.explanation.own_factor for hit in answer} == {1.0}


def habits(tiny: Tiny, twice: bool) -> tuple[float, float, float]:
    """Twelve people ask six things twice, and pick the same again or always another sticker; then they ask once more.

    Returns:
        What a build learnt of exact repetitions; MRR@30 of the third pick for the person, and for anybody.
    """
    with Workspace.of(tiny.file, tiny.home).catalog() as catalog:
        listed = sorted(sticker.id for sticker in catalog.stickers())

    def chosen(person: int, asked: int, turn: int) -> str:
        return listed[(person + 5 * asked + (0 if twice else turn * 7)) % 30]

    each = [(person, asked) for asked in range(6) for person in range(12)]
    with Workspace.of(tiny.file, tiny.home).catalog() as catalog:
        catalog.put_interactions(
            Interaction(f"p{p}", f"ask {a}", chosen(p, a, turn), START + timedelta(minutes=turn * 1000 + a * 12 + p))
            for turn in range(2)
            for p, a in each
        )
    build_collection(tiny.file, home=tiny.home, rebuild=True)

    def rank(retriever: Retriever, person: int, asked: int, user: str | None) -> float:
        found = ids(retriever, f"ask {asked}", user)
        wanted = chosen(person, asked, 2)
        return 1.0 / (1 + found.index(wanted)) if wanted in found else 0.0

    with tiny.open() as retriever:
        mine = np.mean([rank(retriever, p, a, f"p{p}") for p, a in each])
        anybodys = np.mean([rank(retriever, p, a, None) for p, a in each])
        return retriever.manifest.repeats["exact"], float(mine), float(anybodys)


def test_people_who_repeat_themselves_find_it_first(tiny: Tiny) -> None:
    exact, mine, anybodys = habits(tiny, twice=True)
    assert exact > 1.3
    # Their styles, which chance drew here, keep it from being first everywhere.
    assert mine > 0.6 and mine > 1.5 * anybodys


def test_people_who_pick_nothing_twice_are_not_harmed(tiny: Tiny) -> None:
    exact, mine, anybodys = habits(tiny, twice=False)
    assert exact < 0.6
    assert mine >= 0.95 * anybodys


def test_one_person_with_ten_thousand_picks_is_bounded(tiny: Tiny) -> None:
    """They move their own answers, and hardly those of others or what is learnt of repetition."""
    with tiny.open() as retriever:
        chosen = ids(retriever, "rain")[-1]
        before = ids(retriever, "coffee", "bo")
    with Workspace.of(tiny.file, tiny.home).catalog() as catalog:
        catalog.put_interactions(
            Interaction("mad", ("coffee", "cat")[n % 2], chosen, START + timedelta(seconds=n)) for n in range(10_000)
        )
        weights = catalog.repeat_weights(365.0)
        assert len(catalog.own_picks("mad", "coffee", ["coffe"], 365.0)) == 1
    assert 0.0 < weights.exact < np.log(10.0)
    with tiny.open() as retriever:
        hit = next(hit for hit in retriever.search("coffee", limit=30, explain=True) if hit.sticker_id == chosen)
        assert hit.explanation.people == 1 and hit.explanation.own_factor == 1.0
        assert hit.explanation.pick_factor == pytest.approx(1 + 4 * np.log(2), rel=1e-4)
        assert set(before) < set(ids(retriever, "coffee", "bo"))
        assert retriever.search("coffee", "mad")[0].explanation.own_factor <= MOST
