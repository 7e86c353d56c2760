"""What callers hand in wrong is a typed error, whatever it is."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persrv.errors import NotFoundError, PersrvError, PictureError, QueryError
from persrv.offline import build_collection
from persrv.online.feedback import DATED_AHEAD, FORGOTTEN_SINCE
from persrv.online.retriever import Retriever
from tiny_collection import Tiny

ODD: tuple[Any, ...] = (
    None, "", " ", "5", "cat", "ann", "an\0n", "\ud800", "x" * 300, "x" * 1001, "猫", "e\u0301", "\n", 0, -1, 5,
    2.5, float("nan"), 10**30, True, False, b"", b"cat", b"\xff\xd8", [], [5], ["cat"], (), ("pack", "soft"), {},
    {"pack": 3},
    {3: "x"}, {"pack": "soft"}, {"pack": ["soft", None]}, {"animated": "yes"}, {"tags": "\ud800"}, {"colour": "red"},
    {"tags": []}, object(), Path("nowhere"), Path(), datetime(2026, 1, 1), datetime.max.replace(tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC), np.int64(3), np.float32(1.0), np.zeros(2), 1j, set(), range(3), print,
)  # fmt: skip

CALLS: dict[str, tuple[str, ...]] = {
    "search": ("query", "user", "by", "limit", "offset", "filters", "explain", "gamma"),
    "similar": ("sticker", "by", "limit", "offset", "filters"),
    "record": ("user", "query", "sticker_id", "kind", "time", "pick_id"),
    "profile": ("user",),
    "styles": ("user",),
    "picks": ("user",),
    "impressions": ("user",),
    "forget": ("user",),
}
REQUESTS = 3_000


def test_random_requests_meet_answers_or_typed_errors(tiny: Tiny) -> None:
    dice = random.Random(20261127)
    met: Counter[str] = Counter()
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        right: dict[str, Any] = {"user": "ann", "query": "cat", "sticker": sticker, "sticker_id": sticker}
        for number in range(REQUESTS):
            name = dice.choice(list(CALLS))
            wrong = dice.choice(CALLS[name])
            arguments = {key: dice.choice(ODD) for key in CALLS[name] if key == wrong or dice.random() < 0.2}
            arguments = {key: right[key] for key in CALLS[name] if key in right} | arguments
            try:
                getattr(retriever, name)(**arguments)
                met["answer"] += 1
            except (QueryError, NotFoundError, PictureError) as error:
                met[type(error).__name__] += 1
            except Exception as error:
                raise AssertionError(f"request {number}: {name}({arguments!r}) raised {error!r}") from error
    assert set(met) == {"answer", "QueryError", "NotFoundError", "PictureError"}
    assert met["QueryError"] > REQUESTS / 3


@pytest.mark.parametrize("user", ["", "  ", "ann\0", "an\nn", "\ud800", "x" * 201, 5, b"ann", ["ann"], 2.5])
def test_nobody_gets_at_anns_picks_by_another_name(tiny: Tiny, user: object) -> None:
    with tiny.open() as retriever:
        for call in (retriever.picks, retriever.profile, retriever.styles, retriever.impressions, retriever.forget):
            with pytest.raises(QueryError, match="user"):
                call(user)
        with pytest.raises(QueryError, match="user"):
            retriever.search("", user)
        assert len(retriever.picks("ann")) == 6


def test_one_person_is_one_id(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        retriever.record(" Zoe\u0301", "cat", sticker)
        assert [pick.query for pick in retriever.picks("Zo\u00e9")] == ["cat"]
        assert retriever.search("cat", "Zoe\u0301 ").user == "Zo\u00e9"
        assert retriever.forget("Zoe\u0301") == 1


def test_a_pick_of_the_year_2099_moves_the_profile_like_any_other(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        soft = [hit.sticker_id for hit in retriever.search("", filters={"style": "soft"}, limit=10)]
        line = [hit.sticker_id for hit in retriever.search("", filters={"style": "line"}, limit=10)]
        now = datetime.now(UTC)
        for number, sticker in enumerate(soft[:8]):
            assert retriever.record("clk", "", sticker, time=now - timedelta(days=8 - number)).note == ""
        receipt = retriever.record("clk", "", line[0], time=datetime(2099, 1, 1, tzinfo=UTC))
        assert receipt.note == DATED_AHEAD
        assert receipt.profile.shares.max() > 0.5
        assert max(pick.time for pick in retriever.picks("clk")) < now + timedelta(minutes=5)
        shares = retriever.profile("clk").shares
    build_collection(tiny.file, home=tiny.home)
    with tiny.open() as retriever:
        assert retriever.profile("clk").shares == pytest.approx(shares, abs=0.05)


def test_a_build_reports_picks_that_are_dated_ahead(tiny: Tiny) -> None:
    picks = tiny.file.parent / "picks.csv"
    picks.write_text(picks.read_text() + "cleo,cat,soft/cat.png,2099-01-01T00:00:00+00:00\n")
    report = build_collection(tiny.file, home=tiny.home)
    assert (report.picks, report.skipped) == (1, ())
    assert report.notes[0].startswith("1 picks of ")
    assert "more than a day ahead" in report.notes[0]
    # A file that did not change is not read again.
    again = build_collection(tiny.file, home=tiny.home)
    assert (again.picks, again.skipped, again.notes) == (0, (), ())


def test_a_home_may_be_a_string(tiny: Tiny) -> None:
    with Retriever.open(str(tiny.file), home=str(tiny.home)) as retriever:
        assert len(retriever.search("cat")) == 3


def test_errors_name_the_offending_value(tiny_built: Tiny) -> None:
    with tiny_built.open() as retriever:
        for arguments, text in (
            ({"limit": "5"}, "limit '5'"),
            ({"limit": True}, "limit True"),
            ({"offset": None}, "offset None"),
            ({"offset": 10**30}, "offset 1"),
            ({"filters": ["pack"]}, "filters"),
            ({"by": "smell"}, "'smell'"),
            ({"query": None}, "query None"),
            ({"query": "a\0"}, "NUL"),
        ):
            with pytest.raises(QueryError, match=text):
                retriever.search(**arguments)
        assert len(retriever.search("cat", limit=np.int64(2))) == 2


def test_every_error_is_of_our_tree(tiny_built: Tiny) -> None:
    with tiny_built.open() as retriever, pytest.raises(PersrvError):
        retriever.similar(b"")


def test_a_pick_with_an_id_may_be_repeated(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        first = retriever.record("cleo", "cat", sticker, pick_id="7")
        again = retriever.record("cleo", "cat", sticker, pick_id="7")
        assert (first.new, again.new) == (True, False)
        assert again.profile.mass.sum() == pytest.approx(first.profile.mass.sum())
        assert retriever.record("cleo", "cat", sticker, pick_id="8").new
        assert [pick.pick_id for pick in retriever.picks("cleo")] == ["7", "8"]


def test_a_pick_from_before_its_user_was_forgotten_is_not_taken(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        retriever.forget("ann")
        receipt = retriever.record("ann", "cat", sticker, time=datetime(2026, 1, 1, tzinfo=UTC))
        assert (receipt.new, receipt.note, len(receipt.profile.mass)) == (False, FORGOTTEN_SINCE, 0)
        assert retriever.record("ann", "cat", sticker).new
