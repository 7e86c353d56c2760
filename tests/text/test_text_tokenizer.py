"""The rules of the tokenizer: every example of its reference page, and what holds for any text."""

import hashlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from persrv.text import TOKENIZER, normalise, pieces, query_tokens, tokenize
from persrv.text.tokenizer import PART
from repository import ROOT

PAGE = ROOT / "docs" / "reference" / "tokenizer.md"
EXAMPLES = re.findall(r"^\| `(.+?)` \| `(.+?)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

FRAGMENTS = [
    *("good", "loooool", "running", "XDDD", "orz", "zzzz", "don't", "1st", "6666", "23333", "www.", "http://", "https"),
    *(
        "😂",
        "🤷🏽\u200d♀️",
        "🇨🇳",
        "1️⃣",
        "👩🏿\u200d❤️\u200d👨🏻",
        "❤️",
        "♡",
        "🏴\U000e0067\U000e007f",
        "\u200d",
        "🫱🏼\u200d🫲🏿",
    ),
    *(":)", ":-(((", "T_T", "<3", ":3", "^^", "-_-", "!", "??", "!?", "...", "。。。", "……", "+1", ":/", "D:"),
    *(
        "哈哈哈哈",
        "貓",
        "开心",
        "すごーーい",
        "ネコ",
        "안녕",
        "ㅋㅋㅋㅋ",
        "สวัสดี",
        "नमस्ते",
        "привет",
        "é",
        "İ",
        "_",
        " ",
        " ",
    ),
]
ANY_TEXT = st.one_of(
    st.text(),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=8).map("".join),
    st.text("ashe'yig 3d:)^_", max_size=20),
)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) > 40


@pytest.mark.parametrize(("text", "tokens"), EXAMPLES)
def test_examples_of_the_page(text: str, tokens: str) -> None:
    assert tokenize(text) == tokens.split()


def test_revision_names_exactly_these_tokens() -> None:
    tokens = "\n".join(" ".join(tokenize(text)) for text in [*(text for text, _ in EXAMPLES), *FRAGMENTS])
    digest = hashlib.sha256(tokens.encode()).hexdigest()[:16]
    assert (TOKENIZER, digest) == ("2", "47b24f00e6e2cff5"), (
        "other tokens need another TOKENIZER: indexes must be rebuilt"
    )


@settings(max_examples=2000, deadline=None)
@given(ANY_TEXT)
@example("\ud800")
@example("a" * 100 + "ing")
@example("goooooding")
def test_tokens_give_themselves(text: str) -> None:
    tokens = tokenize(text)
    assert set(tokenize(" ".join(tokens))) == set(tokens)


@settings(max_examples=2000, deadline=None)
@given(ANY_TEXT)
def test_tokens_are_clean(text: str) -> None:
    for token in tokenize(text):
        assert 1 <= len(token) <= 64
        assert not any(character.isspace() for character in token)
        assert normalise(token) == token
        token.encode()


@settings(max_examples=500, deadline=None)
@given(ANY_TEXT)
def test_spelling_variants_give_the_same_tokens(text: str) -> None:
    assert tokenize(normalise(text)) == tokenize(text) == tokenize(f"  {text}\n")


@settings(max_examples=500, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_texts_apart_do_not_touch(left: str, right: str) -> None:
    assert sorted(tokenize(f"{left} x {right}")) == sorted([*tokenize(left), "x", *tokenize(right)])


@settings(max_examples=1000, deadline=None)
@given(ANY_TEXT)
def test_query_weighs_every_token_once(text: str) -> None:
    weights = query_tokens(text)
    assert list(weights) == list(dict.fromkeys(tokenize(text)))
    assert all(0 < weight <= 1 for weight in weights.values())


def test_one_emoji_counts_for_two_words_at_most() -> None:
    weights = query_tokens("😂")
    assert weights["😂"] == 1
    assert sum(weights.values()) == pytest.approx(2)
    assert len(set(weights.values())) == 2


def test_a_typed_word_keeps_its_weight_beside_an_emoji_of_that_name() -> None:
    assert query_tokens("😂 joy")["joy"] == query_tokens("joy 😂")["joy"] == 1
    assert query_tokens("😂")["joy"] < 1


def test_a_character_of_a_longer_chinese_word_says_little() -> None:
    assert query_tokens("开心") == {"开": PART, "开心": 1, "心": PART}
    assert query_tokens("困") == {"困": 1}
    assert query_tokens("开心 困 困了") == {"开": PART, "开心": 1, "心": PART, "困": 1, "困了": 1, "了": PART}


def test_pieces_tell_what_was_typed() -> None:
    found = [(piece.text, piece.kind, piece.tokens[0]) for piece in pieces("Laughing 哈哈 :-))) ……")]
    assert found == [
        ("laughing", "word", "laugh"),
        ("哈哈", "unspaced", "哈"),
        (":-)))", "emoji", "🙂"),
        ("......", "silence", "..."),
    ]


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "ha",
        "哈",
        "你好",
        "😂",
        "❤\u200d",
        ":)",
        ":",
        "!",
        "a'",
        ".",
        "^",
        "-_",
        "é",
        "🏴\U000e0067",
        "o/",
        "\ud800",
    ],
)
def test_a_long_text_is_only_long(unit: str) -> None:
    assert set(tokenize(unit * 10_000)) == set(tokenize(" ".join(tokenize(unit * 10_000))))
