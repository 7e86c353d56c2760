"""Emoji as tokens, their names, and emoticons."""

import re

import emoji
import pytest

from persrv.text import emoji_names, emoticons, normalise, tokenize
from persrv.text.characters import EMOJI, FLAG_LETTER

SKIN_TONES = [chr(code) for code in range(0x1F3FB, 0x1F400)]


def test_every_emoji_is_one_token_with_names() -> None:
    for sequence in emoji.EMOJI_DATA:
        tokens = tokenize(sequence)
        if sequence in SKIN_TONES:
            assert tokens == []
            continue
        assert re.match(f"[{EMOJI}{FLAG_LETTER}]|.\u20e3", tokens[0]), sequence
        assert len(tokens) > 1, sequence
        assert set(tokenize(" ".join(tokens))) == set(tokens), sequence


def test_every_single_emoji_is_in_the_class() -> None:
    single = {key for key in emoji.EMOJI_DATA if len(key) == 1} - set(SKIN_TONES)
    assert {key for key in single if not re.fullmatch(f"[{EMOJI}]", key)} == set()


def test_names_in_two_languages_find_it() -> None:
    tokens = tokenize("😂")
    assert tokens[0] == "😂"
    assert {"joy", "笑哭"} <= set(tokens)
    assert "with" not in tokens


def test_skin_and_presentation_do_not_count() -> None:
    assert tokenize("👍🏽") == tokenize("👍")
    assert tokenize("❤️") == tokenize("❤") == tokenize("♡")
    assert tokenize("🫱🏼\u200d🫲🏿") == tokenize("🤝")
    assert tokenize("👩🏿\u200d🤝\u200d👨🏻") == tokenize("👫")


def test_a_gendered_emoji_is_also_the_neutral_one() -> None:
    woman = tokenize("🤷🏽\u200d♀️")
    assert woman[:2] == ["🤷\u200d♀", "🤷"]
    assert set(tokenize("🤷")) < set(woman)
    assert tokenize("👩\u200d🍳")[:2] == ["👩\u200d🍳", "🧑\u200d🍳"]


def test_unknown_sequences_are_taken_apart() -> None:
    assert set(tokenize("😂\u200d❤️")) == set(tokenize("😂 ❤️"))


def test_a_row_of_one_emoji_is_one() -> None:
    assert tokenize("😂😂😂😂") == tokenize("😂")
    assert tokenize("😂 😂") == tokenize("😂") * 2


def test_flags_and_keycaps_are_whole() -> None:
    assert tokenize("🇨🇳")[0] == "🇨🇳"
    assert tokenize("🇨🇳🇯🇵").count("🇯🇵") == 1
    assert [token for token in tokenize("1️⃣2️⃣") if "\u20e3" in token] == ["1\u20e3", "2\u20e3"]
    assert "england" in tokenize("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (":)", "🙂"),
        ("：）", "🙂"),
        ("hi:-)))", "🙂"),
        ("(T_T)", "😭"),
        ("哈哈QAQ", "😭"),
        ("XDDDD", "😆"),
        ("I <3 u", "❤"),
        ("^_^", "😊"),
        ("^^^^", "😊"),
        ("orz", "🙇"),
        ("¯\\_(ツ)_/¯", "🤷"),
        ("zzzzzz", "💤"),
        ("+1", "👍"),
        ("what??", "❓"),
        ("！", "❗"),
        ("!?!?", "⁉"),
        ("‼", "‼"),
    ],
)
def test_emoticons(text: str, found: str) -> None:
    assert found in tokenize(text)
    assert set(tokenize(found)) <= set(tokenize(text))


@pytest.mark.parametrize(
    "text", ["10:30", "1:3", "http://x", "c:/dir", "cat_t_t", "what?", "stop! now", "1+1", "abcd:"]
)
def test_no_emoticons(text: str) -> None:
    assert all(re.fullmatch(r"\w+", token) for token in tokenize(text))


def test_every_emoticon_is_normalised_and_known() -> None:
    faces = [*emoticons.WORDS, *emoticons._SIGNS]
    assert [face for face in faces if normalise(face) != face] == []
    for face in faces:
        assert emoticons._EMOJI[face] in tokenize(face), face
        assert emoticons._EMOJI[face] in emoji.EMOJI_DATA or f"{emoticons._EMOJI[face]}\ufe0f" in emoji.EMOJI_DATA


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("cat", "cat"),
        ("猫", "猫"),
        ("😂", "face with tears of joy"),
        ("so sad😭", "so sad loudly crying face"),
        ("🇨🇳 hi", "China hi"),
        ("❤️", "red heart"),
    ],
)
def test_text_encoders_read_emoji_by_their_names(text: str, spoken: str) -> None:
    assert " ".join(emoji_names.spoken(text).split()) == spoken
    assert emoji_names.spoken(emoji_names.spoken(text)) == emoji_names.spoken(text)
