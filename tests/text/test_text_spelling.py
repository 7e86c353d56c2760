"""The second guess for unknown words."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persrv.recipe import Text
from persrv.text import CorpusStatistics, Speller

VOCABULARY = {
    "laugh": 9,
    "cat": 5,
    "cap": 7,
    "car": 7,
    "pikachu": 3,
    "happi": 4,
    "haha": 2,
    "lol": 1,
    "开心": 8,
    "ghost": 0,
}


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("laugn", "laugh"),
        ("alugh", "laugh"),
        ("lugh", "laugh"),
        ("pickachu", "pikachu"),
        ("piakchuu", "pikachu"),
        ("caz", "cap"),
        ("pika", "pikachu"),
        ("pik", "pikachu"),
        ("ha", None),
        ("xyzzy", None),
        ("ghost", None),
        ("开兴", None),
        ("lau9h", None),
    ],
)
def test_nearest(token: str, expected: str | None) -> None:
    assert Speller(VOCABULARY).nearest(token) == expected


def test_a_part_of_a_longer_word_is_found_where_parts_count() -> None:
    speller = Speller({"raincoat": 1, "bed": 9})
    assert speller.nearest("coat") is None
    assert speller.nearest("coat", parts=True) == "raincoat"
    assert speller.nearest("zzzz", parts=True) is None
    # Three letters stand in the middle of too many words.
    assert speller.nearest("oat", parts=True) is None
    assert speller.nearest("rai", parts=True) == "raincoat"


def test_a_beginning_is_followed_by_any_letter() -> None:
    assert Speller({"pizza": 1}).nearest("piz") == "pizza"


def test_fewer_slips_win_over_more_documents() -> None:
    assert Speller({"kitten": 1, "sitting": 100}).nearest("kittin") == "kitten"


def test_correct_reports_only_what_it_replaces() -> None:
    assert Speller(VOCABULARY).correct(["laugn", "cat", "xyzzy"]) == {"laugn": "laugh"}
    assert Speller({}).correct(["anything"]) == {}


def test_unknown_words_are_told_as_they_were_typed() -> None:
    assert Speller({"coffe": 1}).unknown("Cofees please") == ["cofees", "please"]


def test_unknown_means_typed_words_of_which_no_reading_is_known() -> None:
    speller = Speller(VOCABULARY)
    assert speller.unknown("Laughing looool 😂 开兴 laugn, laugn!") == ["laugn"]


def test_corrections_are_shown_as_people_write_them() -> None:
    statistics = CorpusStatistics(Text())
    for phrase in ("happy", "happy cat", "happiness", "haaaappy"):
        statistics.add({"tags": [phrase]})
    speller = Speller(statistics.document_frequencies, statistics.surfaces())
    (typed,) = speller.unknown("hoppy")
    assert speller.readable(speller.correct([typed])[typed]) == "happy"
    assert speller.readable("unheard") == "unheard"


def test_slips_are_measured_in_words_not_in_stems() -> None:
    speller = Speller({"happi": 4, "laugh": 2}, {"happi": "happy", "laugh": "laughing"})
    assert speller.nearest("hapyy") == "happi"
    assert speller.nearest("laughng") == "laugh"
    assert speller.correct(["hapyy"]) == {"hapyy": "happi"}


WORDS = st.text(string.ascii_lowercase[:6], min_size=3, max_size=9)


@settings(max_examples=1000, deadline=None)
@given(st.dictionaries(WORDS, st.integers(1, 5), max_size=20), WORDS)
def test_nearest_is_the_best_of_all(vocabulary: dict[str, int], token: str) -> None:
    found = Speller(vocabulary).nearest(token)
    limit = 1 if len(token) <= 5 else 2
    distances = {known: _osa(token, known) for known in vocabulary}
    near = [known for known in vocabulary if distances[known] <= limit]
    if not near:
        longer = [known for known in vocabulary if known.startswith(token)]
        assert found == min(longer, key=lambda known: (-vocabulary[known], known), default=None)
    else:
        assert found == min(near, key=lambda known: (distances[known], -vocabulary[known], known))


def _osa(left: str, right: str) -> int:
    """Optimal string alignment by its recurrence, beside the library's."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(right) + 1)] for i in range(len(left) + 1)]
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            change = left[i - 1] != right[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + change)
            if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]
