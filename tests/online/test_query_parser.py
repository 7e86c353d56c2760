"""What a collection's words make of a query."""

from persrv.online.query_parser import Lexicon


def never() -> dict[str, str]:
    raise AssertionError("spellings were asked for although every word is known")


def test_corrections_change_the_words_and_keep_what_was_typed() -> None:
    understood = Lexicon({"happi": 3, "cat": 2}, lambda: {"happi": "happy"}).understand("Hapyy cat")
    assert (understood.typed, understood.query) == ("Hapyy cat", "happy cat")
    assert understood.known == {"cat": 1.0, "happi": 1.0}
    assert understood.corrections == {"hapyy": "happy"}


def test_spellings_are_asked_for_only_when_a_word_is_unknown() -> None:
    assert Lexicon({"cat": 1}, never).understand("cats").known == {"cat": 1.0}


def test_the_ceiling_counts_unknown_words_too() -> None:
    lexicon = Lexicon({"cat": 1}, dict)
    assert lexicon.ceiling(lexicon.understand("cat zzz"), 10) > lexicon.ceiling(lexicon.understand("cat"), 10)
