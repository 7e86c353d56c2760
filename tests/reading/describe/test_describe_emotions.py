"""The vocabulary of emotions."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.reading.emotions import canonical, chinese_names, emotions_revision, labels
from persrv.text.tokenizer import tokenize
from repository import ROOT

_WORDS = tomllib.loads((files("persrv.reading") / "data" / "emotions.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["happy"], ("joy",)),
        (["HAPPINESS", "glad"], ("joy",)),
        (["开心"], ("joy",)),
        (["高興"], ("joy",)),
        (["嬉しい"], ("joy",)),
        (["¡Qué alegría!"], ("joy",)),
        (["LOL"], ("amusement",)),
        (["loooool"], ("amusement",)),
        (["哈哈哈哈哈"], ("amusement",)),
        (["😂", ":)"], ("amusement", "joy")),
        (["🤦‍♀️"], ("embarrassment",)),
        (["好累了"], ("tiredness",)),
        (["我好难过啊"], ("sadness",)),
        (["face with tears of joy"], ("joy",)),
        (["a scared, angry cat"], ("fear", "anger")),
        (["生气的脸"], ("anger",)),
        (["cat", "", "  ", "脸", "可爱"], ()),
    ],
)
def test_free_words_find_their_label(words: list[str], expected: tuple[str, ...]) -> None:
    assert canonical(words) == expected


@pytest.mark.parametrize("denied", ["not happy", "no fear", "don't worry", "没有害怕", "不是很害怕而是没生气"])
def test_what_is_denied_is_not_found(denied: str) -> None:
    assert not {"joy", "anxiety", "anger"} & set(canonical([denied]))


def test_a_denial_that_is_a_word_of_its_own_counts() -> None:
    assert canonical(["不开心"]) == ("sadness",)
    assert canonical(["不高兴"]) == ("annoyance",)
    assert canonical(["don't care"]) == ("indifference",)


def test_every_spelling_of_the_data_gives_its_label_and_no_other() -> None:
    owners = defaultdict(set)
    for label, groups in _WORDS.items():
        for words in groups.values():
            for word in words:
                owners[" ".join(tokenize(word))].add(label)
                assert canonical([word]) == (label,), word
    assert {spelling: found for spelling, found in owners.items() if len(found) > 1 or not spelling} == {}


def test_labels_are_canonical_themselves() -> None:
    assert canonical(labels()) == labels()
    assert 30 <= len(labels()) <= 40
    assert set(chinese_names()) == set(labels())
    assert canonical(chinese_names().values()) == labels()
    assert len(emotions_revision()) == 8


def test_the_emotions_of_goemotions_are_all_taken_in() -> None:
    goemotions = (
        "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
        "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
        "remorse sadness surprise neutral"
    )
    assert [word for word in goemotions.split() if len(canonical([word])) != 1] == []


def test_the_reference_lists_every_label_with_its_chinese_name() -> None:
    page = (ROOT / "docs" / "reference" / "emotions.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    assert [(row[1].strip(" `"), row[2].strip()) for row in rows] == list(chinese_names().items())


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_gives_labels_without_repeats(words: list[str]) -> None:
    found = canonical(words)
    assert set(found) <= set(labels())
    assert len(set(found)) == len(found)
    assert canonical([word.upper() for word in found]) == found
