"""Simulated readers of pages: the click model does what it says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.errors import QueryError
from persrv.lab.comparison.credit import WINDOW
from persrv.lab.evaluation.clicks import ClickLog, ExaminationModel, likings, read_pages
from persrv.lab.evaluation.simulation import LANGUAGES, Population, chances, simulate
from persrv.records import Interaction, Semantics, Sticker

START = datetime(2026, 1, 1, tzinfo=UTC)
STYLES = ("flat", "line", "soft", "wild")


def drawn(meaning: str, style: str) -> Sticker:
    semantics = Semantics(emoji=(meaning,))
    return Sticker(f"{style}-{meaning}", None, "", 0, 0, 0, (style,), semantics, "", "safe", style)


STICKERS = [drawn(meaning, style) for meaning in ("😀", "🐱") for style in STYLES]
CATS = {sticker.style: sticker for sticker in STICKERS if sticker.semantics.emoji == ("🐱",)}
WORDS = {language: {"😀": ["happy", "glad"], "🐱": ["cat", "kitty"]} for language in LANGUAGES}
PAGE = ["wild-😀", "flat-🐱", "line-🐱", "soft-🐱"]
LIKING = {"ann": {"wild-😀": 1.0, "flat-🐱": 0.1, "line-🐱": 0.8, "soft-🐱": 0.4}}


def searches(count: int) -> list[Interaction]:
    return [Interaction("ann", "cat", "flat-🐱", START + timedelta(hours=2 * hour)) for hour in range(count)]


def read(reading: ExaminationModel, count: int = 4000, page: Sequence[str] = PAGE) -> ClickLog:
    return read_pages(searches(count), lambda query: page, STICKERS, LIKING, reading)


def test_looks_fall_from_place_to_place() -> None:
    assert ExaminationModel(steepness=1.0, places=4).examination.tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert ExaminationModel(steepness=0.0, places=3).examination.tolist() == [1, 1, 1]


@pytest.mark.parametrize("steepness", [0.0, 0.5, 1.5])
def test_a_pick_is_a_look_times_the_liking(steepness: float) -> None:
    log = read(ExaminationModel(steepness=steepness))
    picked = Counter(pick.sticker_id for pick in log.picks)
    for place, sticker_id in enumerate(PAGE):
        expected = (place + 1) ** -steepness * LIKING["ann"][sticker_id] if place else 0.0
        spread = (expected * (1 - expected) / 4000) ** 0.5
        assert picked[sticker_id] / 4000 == pytest.approx(expected, abs=4 * spread + 1e-12)


def test_every_pick_is_of_a_page_and_can_be_credited_to_it() -> None:
    log = read(ExaminationModel(), 300)
    assert len(log.impressions) == 300
    shown = {page.time: page for page in log.impressions}
    for pick in log.picks:
        page = max((time for time in shown if time <= pick.time), default=START)
        assert pick.sticker_id in shown[page].shown
        assert timedelta(0) < pick.time - page < WINDOW
    assert list(log.picks) == sorted(log.picks, key=lambda pick: pick.time)
    assert read(ExaminationModel(places=2), 5).impressions[0].shown == dict.fromkeys(PAGE[:2], "")
    assert read(ExaminationModel(), 5, []) == ClickLog((), ())


def test_the_seed_decides_and_hesitation_changes_nothing_but_times() -> None:
    assert read(ExaminationModel(seed=3), 200) == read(ExaminationModel(seed=3), 200)
    assert read(ExaminationModel(seed=3), 200) != read(ExaminationModel(seed=4), 200)
    slow, even = (
        read(ExaminationModel(hesitation=3.0, steepness=0.0)),
        read(ExaminationModel(hesitation=0.0, steepness=0.0)),
    )
    assert Counter(p.sticker_id for p in slow.picks) == Counter(p.sticker_id for p in even.picks)
    times = defaultdict(list)
    for name, log in (("slow", slow), ("even", even)):
        for pick in log.picks:
            seconds = (pick.time - START) % timedelta(hours=2) / timedelta(seconds=1)
            times[name, pick.sticker_id].append(np.log(seconds))
    ratios = {i: float(np.mean(times["slow", i]) - np.mean(times["even", i])) for i in PAGE[1:]}
    for sticker_id, ratio in ratios.items():
        assert ratio == pytest.approx(-3.0 * LIKING["ann"][sticker_id], abs=1e-6)


@given(
    st.lists(st.sampled_from(STYLES), min_size=1, max_size=2, unique=True),
    st.floats(0, 1),
    st.floats(0, 3),
    st.sets(st.sampled_from(STYLES), min_size=1),
)
def test_chances_add_up_to_one(liked: list[str], noise: float, weight: float, there: set[str]) -> None:
    drawings = {style: CATS[style] for style in there}
    appeal = {sticker.id: float(at) for at, sticker in enumerate(CATS.values())}
    found = chances(drawings, liked, appeal, Population(noise=noise, appeal_weight=weight))
    assert found.keys() == drawings.keys()
    assert sum(found.values()) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in found.values())


def test_likings_are_the_frequencies_of_the_simulation() -> None:
    people = Population(users=3, picks=6000, noise=0.3, appeal_weight=1.0, seed=2)
    simulation = simulate(STICKERS, WORDS, people)
    truth = likings(STICKERS, simulation, people)
    for user in simulation.tastes:
        picks = Counter(pick.sticker_id for pick in simulation.picks if pick.user == user)
        for meaning in ("😀", "🐱"):
            ids = [f"{style}-{meaning}" for style in STYLES]
            total = sum(picks[one] for one in ids)
            assert [picks[one] / total for one in ids] == pytest.approx([truth[user][one] for one in ids], abs=0.04)


@pytest.mark.parametrize("wrong", [{"steepness": -1.0}, {"hesitation": -0.1}, {"places": 0}, {"seed": -1}])
def test_impossible_readers_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(QueryError, match=next(iter(wrong))):
        ExaminationModel(**wrong)  # type: ignore[arg-type]
