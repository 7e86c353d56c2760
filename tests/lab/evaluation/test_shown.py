"""Completion, looks and quickness from what was shown, by hand and against what was simulated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.lab.evaluation.shown import Shown, completion, examination, quickness
from persrv.records import Impression, Interaction

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = {"a": 0, "b": 1, "c": 2, "d": 3}


def page(user: str, query: str, minute: float, *ids: str) -> Impression:
    return Impression("x", "", user, query, START + timedelta(minutes=minute), dict.fromkeys(ids, ""))


def pick(user: str, query: str, minute: float, sticker_id: str) -> Interaction:
    return Interaction(user, query, sticker_id, START + timedelta(minutes=minute))


PAGES = [page("ann", "cat", 0, "a", "gone", "b"), page("bo", "Cat", 1, "b", "a"), page("ann", "cat", 200, "a")]
PICKS = [
    pick("ann", "CAT ", 0.5, "b"),
    pick("ann", "cat", 0.75, "b"),
    pick("bo", "cat", 2, "b"),
    pick("bo", "cat", 70, "a"),
    pick("bo", "dog", 2, "a"),
    pick("ann", "cat", 1, "c"),
]


def test_pages_and_picks_are_joined() -> None:
    found = Shown.of(reversed(PAGES), PICKS, ROWS)
    assert found.size == 4
    assert found.sticker.tolist() == [0, 1, 1, 0, 0]
    assert found.place.tolist() == [0, 2, 0, 1, 0]
    assert found.user.tolist() == [0, 0, 1, 1, 0]
    assert found.question.tolist() == [0, 1, 1, 0, 0]
    assert found.picked.tolist() == [False, True, True, False, False]
    assert found.seconds[found.picked].tolist() == [30, 60]
    assert found.places == 3


def test_completion_by_hand() -> None:
    shown = Shown.of(PAGES, PICKS, ROWS)
    assert completion(shown, prior=0).tolist() == pytest.approx([0, 1, 0, 0])
    rate = 2 / 5
    assert completion(shown, prior=2).tolist() == pytest.approx([2 * rate / 5, (2 + 2 * rate) / 4, rate, rate])
    looks = np.array([1, 0.5, 0.25])
    rate = 2 / (1 + 0.25 + 1 + 0.5 + 1)
    expected = [rate / 3.5, (2 + rate) / 2.25, rate, rate]
    assert completion(shown, looks, prior=1).tolist() == pytest.approx(np.minimum(expected, 1).tolist())


def test_nothing_shown_says_nothing() -> None:
    nothing = Shown.of([], PICKS, ROWS)
    assert nothing.places == 0
    assert completion(nothing).tolist() == [0, 0, 0, 0]
    assert examination(nothing).tolist() == []
    assert quickness(nothing).tolist() == [0.5] * 4


def drawn(looks: np.ndarray, appeal: np.ndarray, pages: int, seed: int) -> Shown:
    """Pages of one query in random order, so that every sticker stands everywhere."""
    random = np.random.default_rng(seed)
    order = np.concatenate([random.permutation(len(appeal))[: len(looks)] for _ in range(pages)]).astype(np.int64)
    place = np.tile(np.arange(len(looks)), pages)
    picked = random.random(len(order)) < looks[place] * appeal[order]
    seconds = np.where(picked, 1.0, np.nan)
    return Shown(len(appeal), order, place, np.zeros_like(order), order, picked, seconds)


def test_looks_are_recovered_where_stickers_change_places() -> None:
    looks, appeal = np.array([1, 0.7, 0.5, 0.3, 0.2]), np.array([0.9, 0.6, 0.4, 0.2, 0.1, 0.05])
    shown = drawn(looks, appeal, 8000, 1)
    found = examination(shown)
    assert found == pytest.approx(looks, abs=0.05)
    assert completion(shown, found) == pytest.approx(appeal, abs=0.05)
    assert np.abs(completion(shown) - appeal).max() > 0.2


def test_quickness_by_hand() -> None:
    pages = [page(user, f"q{at}", 100 * at, "a", "b") for user in ("ann", "bo") for at in range(2)]
    picks = [pick("ann", "q0", 1, "a"), pick("ann", "q1", 104, "a")]
    picks += [pick("bo", "q0", 2, "a"), pick("bo", "q1", 100.5, "c")]
    shown = Shown.of(pages, picks, ROWS)
    assert quickness(shown).tolist() == pytest.approx([0.5] * 4)
    faster = [*picks[:2], pick("bo", "q0", 1, "a"), pick("bo", "q1", 104, "b")]
    found = quickness(Shown.of(pages, faster, ROWS), prior=1)
    # Place explains everything of bo's two picks, and ann's cancel out.
    assert found.tolist() == pytest.approx([0.5] * 4)


@given(st.lists(st.floats(1, 3000), min_size=6, max_size=6), st.floats(0.2, 5))
def test_a_users_pace_says_nothing(seconds: list[float], pace: float) -> None:
    def shown(factor: float) -> Shown:
        sticker, place = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 2, 2, 0, 0])
        user = np.array([0, 0, 0, 1, 1, 1])
        took = np.where(user == 1, factor, 1.0) * np.array(seconds)
        return Shown(3, sticker, place, user, sticker, np.ones(6, dtype=np.bool_), took)

    assert quickness(shown(pace)) == pytest.approx(quickness(shown(1.0)), abs=1e-9)


def test_who_is_picked_faster_is_quicker() -> None:
    sticker, place = np.tile([0, 1], 50), np.zeros(100, dtype=np.int64)
    shown = Shown(3, sticker, place, place, sticker, np.ones(100, np.bool_), np.where(sticker == 0, 2.0, 8.0))
    quick, slow, never = quickness(shown).tolist()
    assert quick > 0.6 > 0.5 == never > 0.4 > slow
    assert quick + slow == pytest.approx(1)
