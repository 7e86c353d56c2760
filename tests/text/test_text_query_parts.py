"""Words taken away and glued in a query, and texts that look private, by hand."""

from __future__ import annotations

import pytest

from persrv.text.privacy import looks_private
from persrv.text.query_forms import SHORTEST_PART, halves, joined_tokens, take_apart, unwanted_tokens


@pytest.mark.parametrize(
    ("query", "wanted", "unwanted"),
    [
        ("cat -dog", "cat  ", "dog"),
        ("-dog cat", "  cat", "dog"),
        ("cat -dog -bird", "cat    ", "dog bird"),
        ("well-known cat", "well-known cat", ""),
        ("cat -5", "cat -5", ""),
        ("cat - dog", "cat - dog", ""),
        ("cat −dog", "cat  ", "dog"),
        ("pepeHands", "pepe Hands", ""),
        ("pepeHANDS", "pepe HANDS", ""),
        ("PEPE", "PEPE", ""),
    ],
)
def test_a_query_is_taken_apart(query: str, wanted: str, unwanted: str) -> None:
    assert take_apart(query) == (wanted, unwanted)


def test_unwanted_stickers_are_known_by_what_was_typed() -> None:
    assert unwanted_tokens("dog")[0] == "dog"
    assert unwanted_tokens("") == ()
    assert "难过" in unwanted_tokens("难过")
    assert not [token for token in unwanted_tokens("难过") if len(token) == 1]
    assert unwanted_tokens("难") == ("难",)
    assert len(unwanted_tokens("😀")) == 1
    assert unwanted_tokens("dog dog") == unwanted_tokens("dog")


def test_neighbouring_words_may_stand_as_one() -> None:
    assert "pepehand" in joined_tokens("pepe hands")  # as the index has it, without its plural
    assert "helloworld" in joined_tokens("oh hello world")
    assert "ohhello" in joined_tokens("oh hello world")
    assert joined_tokens("pepe") == {}
    assert joined_tokens("") == {}


def test_a_glued_word_comes_apart_in_the_middle_first() -> None:
    assert SHORTEST_PART == 3
    assert list(halves("abcdef")) == [("abc", "def")]
    assert list(halves("abcdefg")) == [("abc", "defg"), ("abcd", "efg")]
    assert list(halves("abcdefgh")) == [("abcd", "efgh"), ("abc", "defgh"), ("abcde", "fgh")]
    for whole in ("abcde", "Abcdef", "abcdéf", "abc def", "abcdef\n", ""):
        assert list(halves(whole)) == []


@pytest.mark.parametrize(
    "text",
    [
        "write to ann@example.org",
        "@ann",
        "hi @ann",
        "https://x",
        "www.x",
        "see example.com",
        "see example.com/a",
        "a.me b",
    ],
)
def test_addresses_look_private(text: str) -> None:
    assert "address" in looks_private(text)


@pytest.mark.parametrize("text", ["1234567", "call 123 45 67", "+1 (234) 567-8900", "12-34-56-7"])
def test_long_numbers_look_private(text: str) -> None:
    assert looks_private(text) == "holds a long number"


@pytest.mark.parametrize(
    "text",
    ["good night", "123456", "233333333", "6666666", "5201314", "1314520", "ann @ home", "so.mething", "b@c"],
)
def test_plain_words_laughter_and_spoken_numbers_do_not(text: str) -> None:
    assert looks_private(text) == ""
