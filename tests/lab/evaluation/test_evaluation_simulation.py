from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from persrv.errors import QueryError, SourceError
from persrv.lab.evaluation.simulation import LANGUAGES, Population, emoji_words, simulate
from persrv.records import Semantics, Sticker
from repository import ROOT

MEANINGS = ("😀", "🐱", "🌧️", "❤️", "🎉")
STYLES = ("flat", "line", "soft", "wild")
WORDS = {
    language: {meaning: [f"{language}{n}{word}" for word in "abc"] for n, meaning in enumerate(MEANINGS)}
    for language in LANGUAGES
}


def drawn(meaning: str, style: str) -> Sticker:
    semantics = Semantics(emoji=(meaning,))
    return Sticker(f"{style}-{meaning}", None, "", 0, 0, 0, (style,), semantics, "", "safe", style)


STICKERS = [drawn(meaning, style) for meaning in MEANINGS for style in STYLES]
STYLE = {sticker.id: sticker.style for sticker in STICKERS}


def test_people_pick_in_their_styles_as_often_as_the_model_says() -> None:
    people = Population(users=16, picks=200, noise=0.2, appeal_weight=0.0, seed=3)
    found = simulate(STICKERS, WORDS, people)
    assert len(found.picks) == 16 * 200
    liked = [STYLE[pick.sticker_id] in found.tastes[pick.user] for pick in found.picks]
    styles = [len(found.tastes[pick.user]) for pick in found.picks]
    expected = sum(0.8 + 0.2 * count / len(STYLES) for count in styles) / len(styles)
    assert sum(liked) / len(liked) == pytest.approx(expected, abs=0.02)
    assert {len(styles) for styles in found.tastes.values()} == {1, 2}
    assert {len(found.tastes[user]) for user, language in found.languages.items() if language == "zh"} == {1, 2}


def test_words_are_those_of_the_persons_language_and_mostly_their_favourite() -> None:
    found = simulate(STICKERS, WORDS, Population(users=4, picks=200, habit=1.0, seed=1))
    found_text = {(pick.user, pick.sticker_id.partition("-")[2], pick.query) for pick in found.picks}
    assert all(query.startswith(found.languages[user]) for user, _, query in found_text)
    assert max(Counter((user, meaning) for user, meaning, _ in found_text).values()) == 1
    free = simulate(STICKERS, WORDS, Population(users=4, picks=200, habit=0.5, seed=1))
    assert len({(pick.user, pick.sticker_id.partition("-")[2], pick.query) for pick in free.picks}) > 4 * len(MEANINGS)


def test_drift_changes_styles_in_the_middle() -> None:
    people = Population(users=8, picks=100, noise=0.0, drift=1.0, seed=2)
    found = simulate(STICKERS, WORDS, people)
    still = simulate(STICKERS, WORDS, replace(people, drift=0.0))
    assert found.drifted == frozenset(found.tastes)
    assert not still.drifted
    middle = found.picks[0].time.replace(month=4, day=1)
    for pick in found.picks:
        styles = found.tastes if pick.time >= middle else still.tastes
        assert STYLE[pick.sticker_id] in styles[pick.user]


def test_the_seed_decides_everything() -> None:
    assert simulate(STICKERS, WORDS, Population(seed=4)) == simulate(
        list(reversed(STICKERS)), WORDS, Population(seed=4)
    )
    assert simulate(STICKERS, WORDS, Population(seed=4)).picks != simulate(STICKERS, WORDS, Population(seed=5)).picks


def test_the_shipped_words_come_from_other_people() -> None:
    words = emoji_words()
    lines = (ROOT / "collections" / "emoji" / "stickers.jsonl").read_text(encoding="utf-8").splitlines()
    names = {entry["emoji"]: entry["name"] for entry in map(json.loads, lines)}
    assert words["en"].keys() <= names.keys()
    assert words["zh"].keys() <= names.keys()
    assert len(words["en"]) == 320
    assert len(words["zh"]) == 284
    indexed = {text for line in lines for text in (*json.loads(line)["name"], *json.loads(line)["tags"])}
    for language, least in (("en", 0.2), ("zh", 0.5)):
        foreign = [word not in indexed for message in words[language].values() for word in message]
        assert sum(foreign) / len(foreign) > least
    assert "LGPL-3.0" in (ROOT / "collections" / "emoji-queries" / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "wrong", [{"users": 0}, {"picks": 0}, {"noise": 1.5}, {"drift": -0.1}, {"seed": -1}, {"appeal_weight": -1.0}]
)
def test_impossible_people_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(QueryError, match=next(iter(wrong))):
        Population(**wrong)  # type: ignore[arg-type]


def test_stickers_without_styles_or_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="words in each language"):
        simulate([replace(sticker, style="") for sticker in STICKERS], WORDS, Population())
    with pytest.raises(QueryError, match="words in each language"):
        simulate(STICKERS, {"en": WORDS["en"]}, Population())
    with pytest.raises(SourceError, match=r"en\.tsv cannot be read"):
        emoji_words(tmp_path)
