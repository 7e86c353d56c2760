"""From a model's answer to a description."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.reading.describe.cleaning import one_line, shortened
from persrv.reading.describe.cut_off import completed
from persrv.reading.describe.describer import Description
from persrv.reading.describe.parsing import Unreadable, parse, written
from persrv.reading.emotions import labels

CAT = Description("A cat laughs.", ("cat", "so funny"), ("amusement", "joy"), "en")
FIELDS = {"description": "A cat laughs.", "keywords": ["cat", "so funny"], "emotions": ["lol", "happy"]}
JSON = json.dumps(FIELDS)


@pytest.mark.parametrize(
    "answer",
    [
        JSON,
        json.dumps(FIELDS, indent=2),
        f"```json\n{JSON}\n```",
        f"```\n{JSON}\n```\nI hope this helps!",
        f"Sure! Here is {{the}} answer: {JSON} Anything else?",
        f'<think>Perhaps {{"description": "a dog"}}?</think>{JSON}',
        json.dumps({"sticker": FIELDS}),
        json.dumps([FIELDS]),
        json.dumps({"Description": "A cat laughs.", "Tags": "cat, so funny", "Emotion": "lol; happy"}),
        json.dumps(
            {
                "caption": '"A cat laughs."',
                "keywords": ["1. cat", "#Cat", "- so funny."],
                "emotions": FIELDS["emotions"],
            }
        ),
        "Description: A cat laughs.\nKeywords: cat, so funny\nEmotions: lol, happy",
        "Description: A cat laughs. Keywords: cat, so funny Emotions: lol, happy",
        "**Description:** A cat laughs.\n\n**Keywords:**\n- cat\n- so funny\n\n**Emotions:** laughing / happy, joy",
        "DESCRIPTION : A cat laughs.\nTAGS : cat; so funny\nEMOTION : funny、happy",
    ],
)
def test_every_shape_gives_the_same_description(answer: str) -> None:
    assert parse(answer, "en") == CAT


@pytest.mark.parametrize(
    "answer",
    [
        "描述：一只猫在大笑。\n关键词：猫、好笑，猫\n情绪：开心",
        "描述：一只猫在大笑。关键词：猫，好笑；情绪：高兴。",
        '{"描述": "一只猫在大笑。", "关键词": ["猫", "好笑"], "情绪": ["快乐"]}',
        '{"description": "一只猫在大笑。", "keywords": "猫，好笑", "emotions": "joy"}',
    ],
)
def test_chinese_answers(answer: str) -> None:
    assert parse(answer, "zh") == Description("一只猫在大笑。", ("猫", "好笑"), ("joy",), "zh")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   \n",
        "I'm sorry, but I can't help with that.",
        "{}",
        "null",
        "[1, 2]",
        '{"description": "...", "keywords": []}',
        '{"description": null, "keywords": null}',
        '{"description": {"a": 1}, "keywords": [1, null]}',
        '{"emotions": ["joy"]}',
        "Description:\nKeywords:\n",
        "[" * 50_000,
        "{" * 50_000,
        '{"a":' * 5_000,
        "\x00\ud800",
    ],
)
def test_what_cannot_be_read_is_a_value_with_a_reason(answer: str) -> None:
    read = parse(answer)
    assert isinstance(read, Unreadable)
    assert read.reason.isprintable()
    assert len(read.reason) < 120


@pytest.mark.parametrize("length", range(len(JSON)))
def test_an_answer_cut_off_anywhere_keeps_what_was_complete(length: int) -> None:
    read = parse(JSON[:length], "en")
    if length < JSON.index('", "keywords') + 1:
        assert isinstance(read, Unreadable)
        return
    assert isinstance(read, Description)
    assert read.description == CAT.description
    assert read.keywords == CAT.keywords[: len(read.keywords)]
    assert read.emotions == CAT.emotions[: len(read.emotions)]
    if length > JSON.index('"emotions"'):
        assert read.keywords == CAT.keywords


def test_words_without_end_are_cut_to_twenty() -> None:
    loop = '{"description": "A cat", "keywords": [' + ", ".join(f'"w{i}", "w{i}"' for i in range(400))
    read = parse(loop)
    assert isinstance(read, Description)
    assert read.keywords == tuple(f"w{i}" for i in range(20))


def test_limits() -> None:
    read = parse(json.dumps({"description": "word " * 100, "keywords": ["x" * 40, "y" * 41, "X" * 40]}))
    assert isinstance(read, Description)
    assert len(read.description) <= 200
    assert read.description.endswith("word…")
    assert read.keywords == ("x" * 40,)


def test_control_characters_and_marks_of_direction_go() -> None:
    read = parse('{"description": "a\\u0000b\\u202ec\\ud800d\\n\\te", "keywords": ["k\\u0007"]}')
    assert read == Description("a b c d e", ("k",), ())


@pytest.mark.parametrize(
    ("wanted", "text", "language"),
    [
        ("zh", "一只猫", "zh"),
        ("zh", "a cat", ""),
        ("en", "a cat", "en"),
        ("en", "一只猫", "zh"),
        ("en", "ねこが笑う", "ja"),
        ("zh-Hant", "一隻貓", "zh-Hant"),
        ("", "a cat", ""),
    ],
)
def test_the_language_is_the_one_that_is_seen(wanted: str, text: str, language: str) -> None:
    read = parse(json.dumps({"description": text}), wanted)
    assert isinstance(read, Description)
    assert read.language == language


_PLAIN = (
    st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=20).map(one_line).filter(bool)
)


@given(
    _PLAIN,
    st.lists(_PLAIN, max_size=20, unique_by=lambda word: unicodedata.normalize("NFKC", word).casefold()),
    st.lists(st.sampled_from(labels()), max_size=5, unique=True),
)
def test_what_is_written_is_read(description: str, keywords: list[str], emotions: list[str]) -> None:
    expected = Description(description, tuple(keywords), tuple(emotions))
    read = parse(written(expected))
    assert isinstance(read, Description)
    assert (read.description, read.keywords, read.emotions) == (
        expected.description,
        expected.keywords,
        expected.emotions,
    )


@given(st.text() | st.text(alphabet='{}[]",:\\ \nabdescriptionkeywordsemotions描述关键词：，'))
def test_any_answer_gives_a_checked_description_or_a_reason(answer: str) -> None:
    read = parse(answer)
    if isinstance(read, Unreadable):
        return
    assert read.description or read.keywords
    assert len(read.description) <= 200
    assert len(read.keywords) <= 20
    assert all(0 < len(word) <= 40 for word in read.keywords)
    assert len({word.casefold() for word in read.keywords}) == len(read.keywords)
    assert set(read.emotions) <= set(labels())
    for text in (read.description, *read.keywords):
        assert one_line(text) == text
        text.encode()


@given(st.text())
def test_cleaning_is_idempotent_and_encodable(text: str) -> None:
    assert one_line(one_line(text)) == one_line(text)
    one_line(text).encode()


def test_joined_emoji_survive_cleaning_and_cutting() -> None:
    family = "👨‍👩‍👧"
    assert one_line(f" {family}\u200b x") == f"{family} x"
    assert shortened("abc" + family, 6) == "abc…"
    assert shortened("很" * 10, 5) == "很很很很…"


@pytest.mark.parametrize("text", ["{]", "{}", '{"a": 1}}}', "{" * 100, '{"a": ["b"]]'])
def test_completing_what_is_no_beginning_of_an_object_does_not_fail(text: str) -> None:
    assert completed(text) in (None, {}, {"a": 1})
