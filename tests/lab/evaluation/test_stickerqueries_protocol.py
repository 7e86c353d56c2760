"""Leave one query out, against numbers worked out by hand, bm25s, and indexes that really lack the phrase."""

import csv
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv import Retriever, build_collection
from persrv.errors import QueryError, SourceError
from persrv.lab.stickerqueries.dataset import (
    Dataset,
    LabelledSticker,
    chosen_stickers,
    read_dataset,
    read_ids,
    searches,
)
from persrv.lab.stickerqueries.evaluate import recipe_for
from persrv.lab.stickerqueries.meanings import FOLDS, HeldOutMeanings, fold_of
from persrv.lab.stickerqueries.measures import MEASURES, estimate, ratio
from persrv.lab.stickerqueries.systems import plain_bm25, plain_tokens, product, rank
from persrv.lab.stickerqueries.words import HeldOutWords
from persrv.recipe import Text
from persrv.text.meaning.registry import text_encoder
from persrv.text.meaning.space import MeaningSpace

STICKERS = {
    "a.png": ["good night", "sleepy cat", "tired", "going to bed"],
    "b.png": ["happy cat", "so happy", "yay", "dancing"],
    "c.png": ["crying", "so sad", "sad cat", "tears"],
    "d.png": ["good job", "thumbs up", "very nice", "well done"],
    "e.png": ["angry", "mad dog", "so angry", "furious"],
    "f.png": ["hello", "waving", "hapyy doggo"],
}


def write(file: Path, rows: dict[str, list[str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(["sticker_id", "labeled_queries"])
        table.writerows([key, ", ".join(queries)] for key, queries in rows.items())
    return file


def dataset(*queries: Sequence[str]) -> Dataset:
    stickers = tuple(LabelledSticker(f"{n:032x}", f"{n}.png", tuple(phrases)) for n, phrases in enumerate(queries))
    return Dataset(stickers, ())


def test_each_different_query_is_asked_once_and_left_out_with_its_look_alikes() -> None:
    found = searches(dataset(["Hi", "ｈｉ ", "bye", "yo"], ["a", "b"], ["c", "C", "d"]))
    assert [(search.sticker, search.query, search.kept) for search in found] == [
        (0, "Hi", ("bye", "yo")),
        (0, "bye", ("Hi", "ｈｉ ", "yo")),
        (0, "yo", ("Hi", "ｈｉ ", "bye")),
    ]


def test_only_the_chosen_stickers_are_asked_for() -> None:
    data = dataset(["a", "b", "c"], ["d", "e", "f"], ["g"])
    numbers, warnings = chosen_stickers(data, ["1.png", "nobody.png"])
    assert numbers == {1}
    assert "nobody.png" in warnings[0]
    assert {search.sticker for search in searches(data, numbers)} == {1}
    with pytest.raises(QueryError, match="3 or more"):
        searches(data, frozenset({2}))
    with pytest.raises(QueryError, match="nobody"):
        chosen_stickers(data, ["nobody.png"])


def test_plain_tokens_are_words_and_single_characters() -> None:
    assert plain_tokens("OK啦, I'm 开心!") == ["ok", "啦", "i", "m", "开", "心"]


WORDS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4).map(" ".join)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=2, max_size=6), st.integers(0, 4), WORDS)
def test_words_held_out_score_as_if_they_had_never_been_there(
    documents: list[list[str]], left: int, query: str
) -> None:
    kept = documents[0][:left]
    weights = dict.fromkeys(query.split(), 1.0)
    held_out = HeldOutWords(documents, str.split).scores(weights, 0, kept)
    never = HeldOutWords([kept, *documents[1:]], str.split).scores(weights, 0, kept)
    assert held_out == pytest.approx(never)
    lengths = [len(phrase.split()) for phrase in kept]
    if lengths:
        engine = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        corpus = [[word for phrase in message for word in phrase.split()] for message in (kept, *documents[1:])]
        engine.index(corpus, show_progress=False)
        in_corpus = [word for word in weights if any(word in message for message in corpus)]
        expected = engine.get_scores(in_corpus) if in_corpus else np.zeros(len(corpus))
        assert held_out == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_ranks_break_ties_by_id_and_never_count_what_does_not_answer() -> None:
    scores = np.array([1.0, 2.0, 1.0, 0.0])
    assert [rank(scores, number) for number in range(4)] == [2.0, 1.0, 3.0, float("inf")]
    assert rank(np.array([1.0, 1.0 + 1e-9]), 1) == 2.0


def test_measures_of_one_right_sticker() -> None:
    ranks = np.array([1.0, 3.0, 20.0, 21.0, np.inf])
    assert MEASURES["MRR@20"](ranks) == pytest.approx([1, 1 / 3, 1 / 20, 0, 0])
    assert MEASURES["nDCG@10"](ranks) == pytest.approx([1, 0.5, 0, 0, 0])
    assert MEASURES["Recall@20"](ranks).tolist() == [1, 1, 1, 0, 0]
    assert MEASURES["MRR@1"](ranks).tolist() == [1, 0, 0, 0, 0]


def test_intervals_are_drawn_over_stickers_with_all_their_searches() -> None:
    values, owners = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1])
    found = estimate(values, owners)
    assert (found.value, found.low, found.high) == (0.75, 0.0, 1.0)
    assert estimate(values, np.zeros(4, np.int64)).low == 0.75
    twice = ratio(2 * values, values, owners)
    assert (twice.value, twice.low, twice.high) == (2.0, 1.0, 2.0)  # where both have 0 nobody is better
    same = ratio(values, values, owners)
    assert (same.value, same.p) == (1.0, 1.0)
    assert ratio(values, np.zeros(4), owners).value == float("inf")


@pytest.mark.parametrize("query", ["sleepy cat", "hapyy doggo"])
def test_the_search_engine_agrees_where_the_phrase_was_never_indexed(tmp_path: Path, query: str) -> None:
    data = read_dataset(recipe_for(write(tmp_path / "all.csv", STICKERS), "en"))
    (search,) = (search for search in searches(data) if search.query == query)
    key = data.stickers[search.sticker].key
    recipe = recipe_for(write(tmp_path / "left.csv", STICKERS | {key: list(search.kept)}), "en")
    build_collection(recipe, home=tmp_path)
    with Retriever.open(recipe, home=tmp_path) as retriever:
        answer = retriever.search(query, limit=len(STICKERS))
        assert answer.corrections == ({"hapyy": "happy"} if query == "hapyy doggo" else {})
        space = MeaningSpace.from_dict(retriever.manifest.meaning_space)
        factor = answer[0].explanation.utility_factor
    meanings = HeldOutMeanings(data, text_encoder(recipe.meaning.encoder), dict.fromkeys(range(FOLDS), space))
    (scores,) = product(data, [search], recipe, meanings)
    expected = {
        sticker.id: score for sticker, score in zip(data.stickers, scores.total.tolist(), strict=True) if score > 0
    }
    # A search's vector is rounded to half precision there.
    assert {hit.sticker_id: hit.score / factor for hit in answer} == pytest.approx(expected, rel=2e-4)
    own = data.stickers[search.sticker].id
    assert rank(scores.total, search.sticker) == next(
        (hit.rank for hit in answer if hit.sticker_id == own), float("inf")
    )


def test_without_an_encoder_words_alone_rank(tmp_path: Path) -> None:
    recipe = recipe_for(write(tmp_path / "all.csv", STICKERS), "en")
    recipe = recipe.model_copy(update={"text": Text(delta=0)})
    data = read_dataset(recipe)
    wanted = searches(data)
    for mine, plainly, search in zip(
        product(data, wanted, recipe, None), plain_bm25(data, wanted), wanted, strict=True
    ):
        if search.query in ("happy cat", "sad cat"):  # no stems differ here: both are BM25
            assert mine.total == pytest.approx(plainly)
            assert mine.words is mine.total


def test_folds_do_not_depend_on_the_file() -> None:
    assert [fold_of(f"{n}.png") for n in range(8)] == [fold_of(f"{n}.png") for n in range(8)]
    assert {fold_of(f"{n}.png") for n in range(50)} == set(range(FOLDS))


def test_ids_are_read_without_marks_and_repeats(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"\xef\xbb\xbfa.png\r\n\r\n b.png \r\na.png")
    assert read_ids(file) == ("a.png", "b.png")
    file.write_text("\n")
    with pytest.raises(SourceError, match="names no sticker"):
        read_ids(file)
    file.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SourceError, match=r"ids\.txt"):
        read_ids(file)


def test_rows_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes(
        '\ufeffsticker_id,labeled_queries\r\na,"x, y, z"\r\na,"again, and, again"\r\n,"no id"\r\nb,\r\n'.encode()
    )
    data = read_dataset(recipe_for(file, "en"))
    assert {sticker.key: sticker.queries for sticker in data.stickers} == {
        "a": ("x", "y", "z", "again", "and"),
        "b": (),
    }
    assert any(warning.startswith("1 rows") for warning in data.warnings)
    assert any(warning.startswith("1 stickers") for warning in data.warnings)


@pytest.mark.parametrize("content", ["", "sticker_id,labeled_queries\n", "sticker_id,what\na,b\n"])
def test_files_without_queries_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content)
    with pytest.raises(SourceError, match=r"bad\.csv"):
        read_dataset(recipe_for(file, "en"))
