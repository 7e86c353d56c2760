"""What a collection's words make of a query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from persrv.online.query_parser import Lexicon
from persrv.text.bm25f import idf
from persrv.text.spelling import Speller
from persrv.text.tokenizer import PART


@dataclass(frozen=True)
class Counts:
    documents: int
    known: dict[str, int]

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        return {token: self.known[token] for token in tokens if token in self.known}


def never() -> Speller:
    raise AssertionError("a speller was made although every word is known")


def test_corrections_change_the_words_and_keep_what_was_typed() -> None:
    known = {"happi": 3, "cat": 2}
    parsed = Lexicon(Counts(10, known), lambda: Speller(known, {"happi": "happy"})).parse("Hapyy cat")
    assert (parsed.typed, parsed.query) == ("Hapyy cat", "happy cat")
    assert parsed.known == {"cat": 1.0, "happi": 1.0}
    assert parsed.token_weights == pytest.approx({"cat": idf(10, 2), "happi": idf(10, 3)})
    assert parsed.most == pytest.approx(idf(10, 2) + idf(10, 3))
    assert parsed.corrections == {"hapyy": "happy"}


def test_a_speller_is_made_only_when_a_word_is_unknown() -> None:
    assert Lexicon(Counts(5, {"cat": 1}), never).parse("cats").known == {"cat": 1.0}


def test_the_best_possible_score_counts_unknown_words_too() -> None:
    lexicon = Lexicon(Counts(10, {"cat": 1}), lambda: Speller({"cat": 1}))
    assert lexicon.parse("cat zzz").most > lexicon.parse("cat").most
    assert lexicon.parse("cat zzz").token_weights == lexicon.parse("cat").token_weights


def test_counts_are_those_of_the_moment() -> None:
    known = {"cat": 1}
    lexicon = Lexicon(Counts(10, known), never)
    before = lexicon.parse("cat").token_weights["cat"]
    known["cat"] = 5
    assert lexicon.parse("cat").token_weights["cat"] == pytest.approx(idf(10, 5))
    assert before == pytest.approx(idf(10, 1))


def lexicon(**known: int) -> Lexicon:
    return Lexicon(Counts(100, known), lambda: Speller(known))


def test_a_word_with_a_dash_before_it_is_taken_away() -> None:
    parsed = lexicon(cat=9, sad=5).parse("cat -sad -unknown")
    assert (parsed.typed.split(), parsed.known, parsed.without) == (["cat"], {"cat": 1.0}, ("sad",))
    assert lexicon(cat=9, sad=5).parse("cat-sad -5").without == ()


def test_a_glued_word_is_two_and_two_words_may_be_glued() -> None:
    words = lexicon(pepe=9, hand=5)
    for query in ("pepeHands", ":pepeHands:", "pepehands", "PepeHands"):
        assert words.parse(query).known == {"pepe": 1.0, "hand": 1.0}, query
    assert words.parse("pepehands").corrections == {"pepehands": "pepe hands"}
    assert words.parse("pepeHands").corrections == {}
    assert lexicon(pepe=9, pepehand=2).parse("pepe hands").known == {"pepe": 1.0, "pepehand": 1.0}


def test_a_part_of_a_word_is_found_where_nothing_else_is() -> None:
    assert lexicon(girafficorn=3, cat=2).parse("raffi").known == {"girafficorn": 1.0}
    assert lexicon(girafficorn=3, cat=2).parse("cat raffi").known == {"cat": 1.0}


def test_pinyin_and_its_initials_find_chinese_where_no_word_is_known() -> None:
    words = lexicon(加=3, 班=2, 加班=2, 酒=1, 吧=1, 酒吧=1, happi=5)
    parsed = words.parse("jiaban")
    assert (parsed.corrections, parsed.typed, parsed.query) == ({"jiaban": "加班"}, "加班", "加班")
    assert parsed.known == {"加": PART, "加班": 1.0, "班": PART}
    assert words.parse("jia ban").corrections == {"jiaban": "加班"}
    assert words.parse("jb").corrections == {"jb": "加班 酒吧"}
    assert words.parse("jb").known["加班"] == words.parse("jb").known["酒吧"] == 0.5


def test_pinyin_hurts_no_words_that_are_known() -> None:
    words = lexicon(women=2, happi=5, 我=1, 们=1, 我们=1)
    assert words.parse("women").known == {"women": 1.0}
    assert words.parse("happy jb").known == {"happi": 1.0}
    assert lexicon(我=1, 们=1, 我们=1).parse("women").corrections == {"women": "我们"}
