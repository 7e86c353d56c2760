"""What people picked for a query answers it: by itself, in near queries, for others only what several people typed."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from persrv.cli import app
from persrv.offline import build_collection
from persrv.online.retriever import Retriever
from persrv.present.words import shares, why
from persrv.records import Explanation
from tiny_collection import Tiny
from waiting import until

START = datetime(2026, 2, 1, tzinfo=UTC)


def record(tiny: Tiny, *picks: tuple[str, str, str, int]) -> None:
    """Record picks of (user, query, sticker, minute); a collection that is closed has written what was waiting."""
    with tiny.open() as retriever:
        for user, query, sticker_id, minute in picks:
            retriever.record(user, query, sticker_id, time=START + timedelta(minutes=minute))


def first(retriever: Retriever, query: str, user: str | None = None) -> str:
    return retriever.search(query, user, limit=1)[0].sticker_id


@pytest.fixture
def rain(tiny: Tiny) -> str:
    """A sticker whose own texts say nothing of what people will pick it for."""
    with tiny.open() as retriever:
        return retriever.search("rain", limit=3)[2].sticker_id


def test_a_sticker_that_people_picked_for_a_word_answers_it(tiny: Tiny, rain: str) -> None:
    with tiny.open() as retriever:
        assert retriever.search("brb").reason == "unmatched"
    record(tiny, ("cy", "brb", rain, 0), ("di", "BRB", rain, 1))
    with tiny.open() as retriever:
        answer = retriever.search("brb", explain=True)
        assert (answer.reason, [hit.sticker_id for hit in answer]) == ("matched", [rain])
        assert "people picked these" in answer.note
        explanation = answer[0].explanation
        assert (explanation.people, explanation.matched) == (2, {})
        assert explanation.pick_factor == pytest.approx(1 + 4 * math.log(3), rel=1e-4)
        assert explanation.text == pytest.approx(explanation.picks, rel=1e-4)
        # Other words in another order, and part of it.
        assert first(retriever, "sorry brb now") == rain
    # A collection that is built from nothing answers alike.
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    with tiny.open() as retriever:
        again = retriever.search("brb", explain=True)[0].explanation
        assert (again.picks, again.people) == (pytest.approx(explanation.picks, rel=1e-5), 2)


def test_what_people_picked_for_a_query_comes_before_what_says_it(tiny: Tiny, rain: str) -> None:
    with tiny.open() as retriever:
        before = retriever.search("coffee", limit=30)
        assert rain not in [hit.sticker_id for hit in before]
    record(tiny, *((user, "coffee", rain, number) for number, user in enumerate(("cy", "di", "ed"))))
    with tiny.open() as retriever:
        after = retriever.search("coffee", limit=30, explain=True)
        assert after[0].sticker_id == rain
        assert after[0].explanation.people == 3
        assert {hit.sticker_id for hit in before} < {hit.sticker_id for hit in after}


def test_one_person_cannot_push_a_sticker_by_repeating(tiny: Tiny, rain: str) -> None:
    def parts() -> tuple[float, float]:
        with tiny.open() as retriever:
            hit = next(hit for hit in retriever.search("coffee", limit=30, explain=True) if hit.sticker_id == rain)
            return hit.explanation.pick_factor, hit.explanation.picks

    record(tiny, ("cy", "coffee", rain, 0), ("di", "coffee", rain, 1))
    once = parts()
    record(tiny, *(("cy", "coffee", rain, 10 + minute) for minute in range(20)))
    assert parts() == pytest.approx(once, rel=1e-4)


def test_what_one_person_typed_answers_them_alone(tiny: Tiny, rain: str) -> None:
    secret = "my ex sabrina"
    record(tiny, ("zoe", secret, rain, 0))
    with tiny.open() as retriever:
        for user in (None, "bo"):
            for query in (secret, "sabrina"):
                answer = retriever.search(query, user, limit=30)
                assert answer.reason == "unmatched", (user, query)
                assert all("sabrina" not in str(hit.payload) for hit in answer)
        assert first(retriever, secret, "zoe") == rain
        assert first(retriever, "sabrina", "zoe") == rain
        retriever.forget("zoe")
        assert retriever.search(secret, "zoe").reason == "unmatched"


def test_forgetting_takes_out_just_one_share(tiny: Tiny, rain: str) -> None:
    def people() -> int:
        with tiny.open() as retriever:
            return retriever.search("brb", explain=True)[0].explanation.people

    record(tiny, ("cy", "brb", rain, 0), ("di", "brb", rain, 1))
    two = people()
    record(tiny, ("ed", "brb", rain, 2))
    three = people()
    with tiny.open() as retriever:
        retriever.forget("ed")
    assert (two, three, people()) == (2, 3, 2)


def test_people_see_what_a_sticker_was_picked_for(tiny: Tiny, rain: str) -> None:
    record(tiny, ("cy", "Good Night", rain, 0), ("di", "good night", rain, 1), ("zoe", "my ex sabrina", rain, 2))
    with tiny.open() as retriever:
        answer = retriever.search("good night", explain=True)
        assert answer[0].payload["picked_for"] == ["good night"]
        assert "2 people picked it" in " ".join(why(answer[0], answer.reason))
        parts = shares(answer[0])
        assert parts.words + parts.utility + parts.style == pytest.approx(answer[0].score, rel=1e-4)
    shown = CliRunner().invoke(app, ["show", rain, "--recipe", str(tiny.file)], env={"PERSRV_HOME": str(tiny.home)})
    assert "picked for: good night (2 people)" in shown.stdout
    assert "sabrina" not in shown.stdout


def test_a_hundred_made_up_people_are_bounded(tiny: Tiny, rain: str) -> None:
    """Each further person counts less: a hundred of them move a sticker by the logarithm, not a hundredfold."""
    with tiny.open() as retriever:
        honest = retriever.search("coffee", limit=1)[0].sticker_id
    record(tiny, *((f"real{n}", "coffee", honest, n) for n in range(10)))
    record(tiny, *((f"bot{n}", "coffee", rain, n) for n in range(100)))
    with tiny.open() as retriever:
        hits = {hit.sticker_id: hit.explanation for hit in retriever.search("coffee", limit=30, explain=True)}
        assert (hits[honest].people, hits[rain].people) == (10, 100)
        assert hits[rain].pick_factor < 2 * hits[honest].pick_factor
        # For words that they did not type, they count nothing but their utility, which is bounded by 1 + beta.
        assert rain not in [hit.sticker_id for hit in retriever.search("party", limit=30)]
        assert hits[rain].utility_factor <= 1.5


def test_a_burst_moves_no_more_than_the_same_people_in_a_year(tiny: Tiny, rain: str) -> None:
    """Ten picks each by twenty made-up people within a minute, for every query: they count as twenty people."""
    queries = ("coffee", "party", "love")
    with tiny.open() as retriever:
        other = retriever.search("coffee", limit=1)[0].sticker_id
    record(tiny, *((f"calm{n}", "coffee", other, n * 26_000) for n in range(20)))
    # The times differ by less than a minute in all.
    with tiny.open() as retriever:
        for n in range(20):
            for query in queries * 3:
                retriever.record(f"bot{n}", query, rain, time=START + timedelta(days=400, seconds=n))

        def explained() -> dict[str, Explanation]:
            return {hit.sticker_id: hit.explanation for hit in retriever.search("coffee", limit=30, explain=True)}

        # Others see a pick within a second or so.
        until(lambda: rain in (hits := explained()) and hits[rain].people == 20)
        hits = explained()
        assert hits[other].people == 20
        assert hits[rain].pick_factor == pytest.approx(hits[other].pick_factor, rel=1e-6)
        assert hits[rain].utility_factor <= 1.5
        # What a person picked themselves still comes first for them.
        assert retriever.search("coffee", "calm1", limit=1)[0].sticker_id == other


def test_others_picks_do_not_show_somebody_drawings_in_a_style_that_is_not_theirs(tiny: Tiny) -> None:
    """Of the drawings that mean a query, others picked one; who likes another style still sees that style first."""
    with tiny.open() as retriever:
        hits = retriever.search("coffee", limit=30)
        styles = {hit.sticker_id: hit.payload["style"] for hit in hits}
        mine, theirs = next((a, b) for a in styles for b in styles if styles[a] != styles[b])
        liked = [hit.sticker_id for hit in retriever.search("", limit=100) if hit.payload.get("style") == styles[mine]][
            :8
        ]
    record(tiny, *(("ann", "x" + "y" * n, one, n) for n, one in enumerate(liked)))
    record(tiny, *((user, "coffee", theirs, 100) for user in ("cy", "di", "ed")))
    with tiny.open() as retriever:
        assert first(retriever, "coffee") == theirs
        found = retriever.search("coffee", "ann", limit=30, explain=True)
        assert styles[found[0].sticker_id] == styles[mine]
        other = next(hit.explanation for hit in found if hit.sticker_id == theirs)
        assert other.people == 3 and 1.0 < other.pick_factor < 1.5
