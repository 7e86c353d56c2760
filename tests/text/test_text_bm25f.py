"""BM25F as sparse vectors, against bm25s, against numbers worked out by hand, and by its properties."""

import math
from collections.abc import Mapping, Sequence

import bm25s
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from persrv.errors import RecipeError
from persrv.recipe import FieldSettings, Text
from persrv.text import (
    CorpusStatistics,
    collisions,
    document_vector,
    idf,
    query_tokens,
    query_vector,
    score,
    token_id,
    tokenize,
)
from persrv.text.bm25f import CountedOnce, idf_weights

COLLIDING = ("tuux", "cali")
ONE_FIELD = Text(k1=1.2, delta=0, fields={"tags": FieldSettings(weight=1.0, b=0.75)})
WORD = st.sampled_from([*"abcdefgh", "cat", "sad", "哈", "开心", "😂"])
PHRASE = st.lists(WORD, min_size=1, max_size=8).map(" ".join)
CORPUS = st.lists(st.lists(PHRASE, min_size=1, max_size=3), min_size=1, max_size=12)


def count(documents: Sequence[Mapping[str, Sequence[str]]], settings: Text) -> CorpusStatistics:
    statistics = CorpusStatistics(settings)
    for document in documents:
        statistics.add(document)
    return statistics


def value(document: Mapping[str, Sequence[str]], settings: Text, averages: Mapping[str, float], token: str) -> float:
    return dict(zip(*document_vector(document, settings, averages), strict=True))[token_id(token)]


def test_token_ids_are_blake2b() -> None:
    assert token_id("cat") == 0x6A8B12BB  # printf cat | b2sum -l 32
    assert 0 <= token_id("\ud800") < 2**32


def test_colliding_tokens_count_as_one() -> None:
    first, second = COLLIDING
    assert token_id(first) == token_id(second)
    assert collisions([*COLLIDING, "cat"]) == 2
    assert collisions(["cat", "sad"]) == 0
    both = document_vector({"tags": [f"{first} {second}"]}, ONE_FIELD, {"tags": 2.0})
    assert both == document_vector({"tags": [f"{first} {first}"]}, ONE_FIELD, {"tags": 2.0})
    assert query_vector({first: 1.0, second: 0.5}) == ([token_id(first)], [1.5])


def test_phrases_do_not_touch() -> None:
    vector = document_vector({"tags": ["开", "心"]}, ONE_FIELD, {"tags": 2.0})
    assert vector.indices == sorted([token_id("开"), token_id("心")])
    assert token_id("开心") in document_vector({"tags": ["开心"]}, ONE_FIELD, {"tags": 2.0}).indices


@settings(max_examples=100, deadline=None)
@given(CORPUS, PHRASE)
def test_one_field_is_lucene(corpus: list[list[str]], query: str) -> None:
    documents = [{"tags": phrases} for phrases in corpus]
    statistics = count(documents, ONE_FIELD)
    oracle = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    ids = [[str(token_id(t)) for phrase in phrases for t in tokenize(phrase)] for phrases in corpus]
    oracle.index(ids, show_progress=False)
    tokens = dict.fromkeys(query_tokens(query), 1.0)
    known = [str(token_id(t)) for t in tokens if statistics.document_frequencies[t]]
    assume(known)
    expected = oracle.get_scores(known)
    ours = [score(tokens, document, statistics).total for document in documents]
    assert ours == pytest.approx(list(expected), rel=1e-5, abs=1e-9)


def test_two_fields_by_hand() -> None:
    fields = {"tags": FieldSettings(weight=2.0, b=0.75), "ocr": FieldSettings(weight=0.5, b=0.5)}
    settings = Text(k1=1.2, delta=0.25, fields=fields)
    documents = [
        {"tags": ["red cat"], "ocr": ["cat cat dog x"]},
        {"tags": ["dog", "dog", "bird", "fish"]},
        {"ocr": ["bird bird"]},
    ]
    statistics = count(documents, settings)
    assert statistics.average_lengths == {"tags": 3.0, "ocr": 3.0}
    # tags: 2 · 1 / (0.25 + 0.75 · 2/3) = 8/3;  ocr: 0.5 · 2 / (0.5 + 0.5 · 4/3) = 6/7
    # delta: 0.25 · 1, since the field of the larger weight counts, and no weight for more than 1
    cat = ((8 / 3 + 6 / 7) / (1.2 + 8 / 3 + 6 / 7) + 0.25) / 1.25
    # ocr only: 0.5 · 1 / (7/6) = 3/7, and delta: 0.25 · 0.5
    dog = ((3 / 7) / (1.2 + 3 / 7) + 0.125) / 1.25
    vector = document_vector(documents[0], settings, statistics.average_lengths)
    values = dict(zip(*vector, strict=True))
    assert values[token_id("cat")] == pytest.approx(cat, rel=1e-12)
    assert values[token_id("dog")] == pytest.approx(dog, rel=1e-12)
    # cat is in 1 of 3 documents: ln(1 + 2.5/1.5); dog in 2 of 3: ln(1 + 1.5/2.5)
    found = score({"cat": 1.0, "dog": 0.5, "bird": 1.0}, documents[0], statistics)
    assert list(found.matched) == ["cat", "dog"]
    assert found.matched["cat"] == pytest.approx(math.log(8 / 3) * cat, rel=1e-12)
    assert found.matched["dog"] == pytest.approx(0.5 * math.log(1.6) * dog, rel=1e-12)
    assert found.total == pytest.approx(sum(found.matched.values()), rel=1e-12)


def test_only_words_that_documents_hold_have_a_frequency() -> None:
    statistics = count([{"tags": ["cat"]}, {"tags": ["cat dog"]}], Text())
    assert statistics.frequencies(["cat", "bird", "dog"]) == {"cat": 2, "dog": 1}
    once = CountedOnce(statistics)
    assert once.frequencies(["cat", "bird"]) == {"cat": 2}
    assert once.frequencies(["bird", "dog", "cat"]) == {"cat": 2, "dog": 1}


def test_a_word_that_no_document_holds_weighs_most() -> None:
    statistics = count([{"tags": ["cat"]}, {"tags": ["cat dog"]}], Text())
    weights = idf_weights({"cat": 1.0, "bird": 0.5}, statistics)
    assert weights["cat"] == pytest.approx(math.log(1 + 0.5 / 2.5), rel=1e-12)
    assert weights["bird"] == pytest.approx(0.5 * math.log(1 + 2.5 / 0.5), rel=1e-12)
    assert weights == {"cat": statistics.idf("cat"), "bird": 0.5 * statistics.idf("bird")}


@pytest.mark.parametrize("delta", [0.0, Text().delta])
def test_two_words_in_a_long_text_are_above_one_of_them_in_a_short_one(delta: float) -> None:
    others = [{"tags": [f"thing{number} other"]} for number in range(40)]
    both = {"tags": ["emt guy shaking head don't do that again please"]}
    one = {"tags": ["guy"]}
    statistics = count([both, one, {"tags": ["guy emt"]}, *others], Text(delta=delta))
    query = query_tokens("emt guy")
    first, second = (score(query, document, statistics).total for document in (both, one))
    assert (first > second) == (delta > 0)  # plain BM25 puts the short text first


def test_averages_are_over_the_documents_that_have_the_field() -> None:
    statistics = count(
        [{"tags": ["a b"]}, {"tags": ["a b c d"], "ocr": ["a"]}, {}, {"tags": [], "ocr": ["?.,"]}], Text()
    )
    assert statistics.average_lengths == {"tags": 3.0, "ocr": 1.0}
    assert statistics.documents == 4
    assert statistics.document_frequencies["a"] == 2


def test_a_field_without_average_is_taken_as_average() -> None:
    document = {"tags": ["a a b"]}
    assert document_vector(document, ONE_FIELD, {}) == document_vector(document, ONE_FIELD, {"tags": 3.0})


def test_weight_zero_leaves_a_field_out_everywhere() -> None:
    settings = Text(fields={"pack": FieldSettings(weight=0.0)})
    document = {"tags": ["cat"], "pack": ["bluebird"]}
    statistics = count([document], settings)
    assert document_vector(document, settings, statistics.average_lengths).indices == [token_id("cat")]
    assert "bluebird" not in statistics.document_frequencies
    assert "pack" not in statistics.average_lengths


def test_an_unknown_field_is_refused_and_not_counted() -> None:
    statistics = CorpusStatistics(Text())
    with pytest.raises(RecipeError, match="'colour'; use one of name, tags"):
        statistics.add({"tags": ["cat"], "colour": ["red"]})
    assert statistics.documents == 0
    assert not statistics.document_frequencies
    with pytest.raises(RecipeError, match="colour"):
        document_vector({"colour": ["red"]}, Text(), {})


def test_empty_things_are_empty() -> None:
    assert document_vector({}, Text(), {}) == ([], [])
    assert document_vector({"tags": ["", "…,"[1:]]}, Text(), {}) == ([], [])
    assert query_vector({}) == ([], [])
    assert score({}, {"tags": ["cat"]}, count([{"tags": ["cat"]}], Text())).total == 0
    assert CorpusStatistics(Text()).average_lengths == {}


DOCUMENT = st.dictionaries(st.sampled_from(["name", "tags", "ocr", "queries"]), st.lists(PHRASE, max_size=3))


@settings(max_examples=150, deadline=None)
@given(st.lists(DOCUMENT, min_size=1, max_size=8), PHRASE)
def test_score_is_the_inner_product_that_an_index_computes(documents: list[dict[str, list[str]]], query: str) -> None:
    statistics = count(documents, Text())
    tokens = query_tokens(query)
    wanted = dict(zip(*query_vector(tokens), strict=True))
    frequency = {token_id(t): n for t, n in statistics.document_frequencies.items()}
    for document in documents:
        vector = document_vector(document, Text(), statistics.average_lengths)
        assert vector.indices == sorted(set(vector.indices))
        assert all(0 < v < 1 for v in vector.values)
        product = sum(
            wanted[i] * v * idf(len(documents), frequency[i]) for i, v in zip(*vector, strict=True) if i in wanted
        )
        found = score(tokens, document, statistics)
        assert found.total == pytest.approx(product, rel=1e-12)
        assert list(found.matched.values()) == sorted(found.matched.values(), reverse=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(DOCUMENT, max_size=6), st.lists(DOCUMENT, max_size=6))
def test_merged_counts_are_the_counts_of_all(
    left: list[dict[str, list[str]]], right: list[dict[str, list[str]]]
) -> None:
    merged, whole = count(left, Text()), count([*left, *right], Text())
    merged.merge(count(right, Text()))
    assert merged.documents == whole.documents
    assert merged.document_frequencies == whole.document_frequencies
    assert merged.average_lengths == whole.average_lengths
    assert merged.surfaces() == whole.surfaces()


def test_counts_under_other_settings_do_not_merge() -> None:
    with pytest.raises(RecipeError, match="counted under other"):
        CorpusStatistics(Text()).merge(CorpusStatistics(Text(k1=2.0)))


def test_the_most_frequent_spelling_is_kept() -> None:
    statistics = count([{"tags": ["laughing", "laughing cats", "laughs", "don't", "gooood"]}], Text())
    assert statistics.surfaces() == {"laugh": "laughing", "cat": "cats", "dont": "don't"}


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 20), st.integers(0, 20), st.floats(0.1, 5), st.floats(0, 1), st.floats(0.1, 30))
def test_more_of_a_word_counts_more_and_more_words_count_less(
    repeats: int, others: int, weight: float, b: float, average: float
) -> None:
    settings = Text(fields={"tags": FieldSettings(weight=weight, b=b)})
    heavier = Text(fields={"tags": FieldSettings(weight=weight * 1.5, b=b)})
    averages = {"tags": average}
    base = value({"tags": ["cat " * repeats, "dog " * others]}, settings, averages, "cat")
    assert value({"tags": ["cat " * repeats, "dog " * others]}, heavier, averages, "cat") > base
    assert value({"tags": ["cat " * repeats, "dog " * (others + 1)]}, settings, averages, "cat") <= base
    assert value({"tags": ["cat " * repeats, "dog " * others], "ocr": ["cat"]}, settings, averages, "cat") > base
    if others:
        assert value({"tags": ["cat " * (repeats + 1), "dog " * (others - 1)]}, settings, averages, "cat") > base


@given(st.integers(1, 10_000), st.integers(0, 9_999))
def test_rarer_words_count_more(documents: int, frequency: int) -> None:
    assume(frequency < documents)
    assert idf(documents, frequency) > idf(documents, frequency + 1) > 0


def test_idf_by_hand() -> None:
    assert idf(10, 3) == pytest.approx(math.log(1 + 7.5 / 3.5), rel=1e-12)


@given(CORPUS, st.lists(PHRASE, max_size=3))
def test_removing_a_document_undoes_adding_it(corpus: list[list[str]], gone: list[str]) -> None:
    documents = [{"tags": phrases} for phrases in corpus]
    never, undone = count(documents, ONE_FIELD), count([*documents, {"tags": gone}], ONE_FIELD)
    undone.remove({"tags": gone})
    assert undone.documents == never.documents
    assert dict(undone.document_frequencies) == dict(never.document_frequencies)
    assert undone.average_lengths == never.average_lengths
    assert undone.surfaces() == never.surfaces()
