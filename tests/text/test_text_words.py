"""Stretched words, number memes and stems."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persrv.text.words import MAX_LENGTH, forms


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("good", ("good",)),
        ("goooood", ("god", "good")),
        ("loooool", ("lol", "lool")),
        ("soooo", ("so", "soo")),
        ("nooooo", ("no", "noo")),
        ("hellooo", ("hello", "helloo")),
        ("hahahahaha", ("haha",)),
        ("haha", ("haha",)),
        ("хахахаха", ("хаха",)),
        ("www", ("www",)),
        ("wwwwww", ("www",)),
        ("zzzzz", ("zzz",)),
        ("666", ("666",)),
        ("66666", ("666",)),
        ("88", ("88",)),
        ("2333333", ("233",)),
        ("1000000", ("1000000",)),
        ("2000", ("2000",)),
        ("1st", ("1st",)),
        ("laughing", ("laugh",)),
        ("cats", ("cat",)),
        ("running", ("run",)),
        ("is", ("is",)),
    ],
)
def test_forms(word: str, expected: tuple[str, ...]) -> None:
    assert forms(word) == expected


def test_a_long_laugh_is_a_laugh() -> None:
    assert forms("ha" * 5000) == ("haha",)
    assert forms("l" + "o" * 5000 + "l") == ("lol", "lool")


@settings(max_examples=2000, deadline=None)
@given(st.one_of(st.text("aeiouysingedtl", min_size=1), st.text(string.ascii_lowercase + string.digits, min_size=1)))
def test_forms_of_forms_are_forms(word: str) -> None:
    found = forms(word)
    assert found
    assert all(len(form) <= MAX_LENGTH for form in found)
    assert {again for form in found for again in forms(form)} == set(found)
