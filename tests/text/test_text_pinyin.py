"""Chinese by how it sounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from persrv.text import tokenize
from persrv.text.pinyin import GUESSES, PinyinWords

PHRASES = ("加班", "晚安", "开心", "生日快乐", "音乐", "绿色", "好耶", "好喝", "笑哭", "加油", "惊讶", "酒吧")


@pytest.fixture(scope="module")
def words() -> PinyinWords:
    vocabulary = {token: 1 for phrase in PHRASES for token in tokenize(phrase)}
    return PinyinWords(vocabulary | {"加班": 5, "happi": 3, "カラ": 2})


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("jiaban", "加班"),
        ("wanan", "晚安"),
        ("kaixin", "开心"),
        ("shengrikuaile", "生日快乐"),
        ("yinyue", "音乐"),
        ("lvse", "绿色"),
        ("haoye", "好耶"),
    ],
)
def test_whole_pinyin_spells_a_word(words: PinyinWords, typed: str, word: str) -> None:
    assert words.spelt(typed) == word


@pytest.mark.parametrize("typed", ["happy", "jia", "jiabanx", "yinle", "haoyo", "", "加班", "j1aban", "a" * 40])
def test_what_is_no_pinyin_of_a_known_word_spells_none(words: PinyinWords, typed: str) -> None:
    assert words.spelt(typed) is None


def test_initials_stand_for_the_words_of_most_stickers(words: PinyinWords) -> None:
    assert words.abbreviated("jb") == ("加班", "酒吧")
    assert words.abbreviated("srkl") == ("生日快乐",)
    assert words.abbreviated("jy") == ("加油", "惊讶")


@pytest.mark.parametrize("typed", ["wa", "bye", "j", "srklx", "zz", ""])
def test_words_with_vowels_and_single_letters_are_no_initials(words: PinyinWords, typed: str) -> None:
    assert words.abbreviated(typed) == ()


def test_guesses_are_few() -> None:
    vocabulary = {first + second: 1 for first in "加家佳假价" for second in "班帮包北"}
    assert len(PinyinWords(vocabulary).abbreviated("jb")) == GUESSES


def test_without_chinese_nothing_sounds() -> None:
    assert PinyinWords({"cat": 2}).spelt("kaixin") is None
    assert PinyinWords({}).abbreviated("kx") == ()


HAN = st.text(st.sampled_from("加班晚安开心生日快乐音绿色好耶"), min_size=2, max_size=6)


@settings(max_examples=80, deadline=None)
@given(HAN)
def test_every_word_without_repeats_is_found_by_its_pinyin(phrase: str) -> None:
    vocabulary = dict.fromkeys(tokenize(phrase), 1)
    typed = "".join(lazy_pinyin(phrase))
    found = PinyinWords(vocabulary).spelt(typed)
    if found is None:  # three of one character are folded into two
        assert any(
            first == second == third for first, second, third in zip(phrase, phrase[1:], phrase[2:], strict=False)
        )
    else:
        assert "".join(lazy_pinyin(found)) == typed
