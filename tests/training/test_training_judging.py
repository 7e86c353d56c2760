"""Measures, tests and tables, against hand-computed cases and independent oracles."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_data import Prepared

from persrv.errors import QueryError, RecipeError, SourceError
from persrv.images.registry import encoder
from persrv.indexing.progress import Silent
from persrv.reading.describe.describer import Description
from persrv.training import evaluate_adapter
from persrv.training.evaluating import Answers, commonest, judge_answers
from persrv.training.examples import Example, read_examples
from persrv.training.measures import Measures, measure
from persrv.training.neighbours import neighbour_words, picture_vectors
from persrv.training.queries import TrainingQuery
from persrv.training.retrieval import document, reciprocal_ranks, without_query
from persrv.training.side_by_side import side_by_side


def described(*keywords: str, description: str = "") -> Description:
    return Description(description, keywords, ())


def example(sticker: str, *queries: str, image: str = "images/x.png") -> Example:
    return Example(sticker, image, "?", "!", tuple(TrainingQuery(query, 1) for query in queries))


def test_measures_by_hand() -> None:
    queries = (TrainingQuery("happy cat", 3), TrainingQuery("笑", 1))
    # "ＨＡＰＰＹ  Cat" is found; its words are 2 of the 3 typed; one of the two keywords was typed.
    assert measure(described("ＨＡＰＰＹ  Cat", "dog"), queries) == Measures(0.75, 0.5, pytest.approx(2 / 3))
    assert measure(described(description="a cat"), queries) == Measures(0.0, 0.0, pytest.approx(1 / 3))
    assert measure(None, queries) == Measures(0.0, 0.0, 0.0)


def test_a_sticker_is_found_by_what_was_said_of_it() -> None:
    examples = [example("a", "cat"), example("b", "dog", "bird"), example("c", "cat")]
    texts = [document(described("cat")), document(described("dog", "fish")), document(described("cat"))]
    # The two cats are alike, so their order is that of their ids; nothing says bird.
    assert reciprocal_ranks(examples, texts).tolist() == [1.0, 1.0, 0.0, 0.5]
    assert reciprocal_ranks(examples, [{}, {}, {}]).tolist() == [0.0] * 4


def test_a_query_does_not_find_its_sticker_by_itself() -> None:
    examples = [example("a", "cat", "pet"), example("b", "cat")]
    texts = [document(None, queries=["cat", "pet"]), document(None, queries=["cat"])]
    assert reciprocal_ranks(examples, texts).tolist() == [0.0, 0.0, 0.0]
    assert without_query(texts[0], "cat") == {"queries": ["pet"]}
    assert without_query(texts[1], "cat") == {}


def test_the_commonest_queries_as_one_answer() -> None:
    train = [example("a", "x", "b"), example("b", "x"), example("c", "a")]
    assert commonest(train).keywords == ("x", "a", "b")


def test_a_judgement_has_every_row_and_a_readable_table() -> None:
    examples = [example(f"s{i:02d}", f"word{i}") for i in range(20)]
    plain = [described("a picture") for _ in examples]
    tuned = [described(f"word{i}") if i % 4 else None for i in range(20)]
    nearest = [described("word0")] * 20
    found = judge_answers(examples, Answers(plain, tuned, nearest, commonest(examples)), base="b", encoder="e")
    assert found.unreadable == {"base": 0, "tuned": 5}
    assert found.measures["keyword_recall"]["tuned"].mean == 0.75
    assert found.retrieval["tuned"].mean == 0.75
    assert found.retrieval["nothing (labels removed)"].mean == 0.0
    assert found.retrieval_gains["nothing (labels removed)"].p < 0.01
    assert "| tuned | 0.750" in found.as_markdown()
    rows = [line for line in found.as_markdown().splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {5, 9}
    assert found.measures["keyword_recall"]["nearest"].mean == 0.05
    assert found.gains["keyword_recall"]["nearest"].p < 0.01
    assert found.retrieval["nearest"].mean == 0.05
    assert "most alike to e" in found.as_markdown()
    assert json.loads(json.dumps(found.as_dict()))["stickers"] == 20


def test_the_words_of_neighbours_by_hand() -> None:
    known = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    queries = [
        (TrainingQuery("cat", 2), TrainingQuery("pet", 1)),
        (TrainingQuery("pet", 1),),
        (TrainingQuery("dog", 9),),
    ]
    first, second = neighbour_words(np.array([[1, 0], [0, 1]], np.float32), known, queries, neighbours=2)
    # pet 1 + .6, cat 1; the third is no neighbour. Then dog 1, pet .8.
    assert first.keywords == ("pet", "cat")
    assert second.keywords == ("dog", "pet")
    (everything,) = neighbour_words(np.array([[0, -1]], np.float32), known, queries)
    assert everything.keywords == ("cat", "dog", "pet")


def test_neighbours_of_a_known_drawing_in_another_style_know_its_words(prepared: Prepared, tmp_path: Path) -> None:
    """In the drawn collection each meaning has a sticker in another style, often among the training stickers."""
    train, test = (read_examples(prepared.data, part) for part in ("train", "test"))
    sees = encoder("statistics")
    done: list[int] = []
    known = picture_vectors(train, prepared.data, sees, done.append)
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1, atol=1e-5)
    assert sum(done) == len(train)
    (own,) = neighbour_words(known[:1], known, [example.queries for example in train], neighbours=1)
    assert own.keywords == tuple(query.text for query in train[0].queries)
    (tmp_path / "broken.png").write_bytes(b"junk")
    broken = replace(test[0], image="broken.png")
    with pytest.raises(SourceError, match=r"persrv train prepare into this folder again"):
        picture_vectors([broken], tmp_path, sees, done.append)


def test_queries_of_one_sticker_count_as_one_observation() -> None:
    examples = [example("a", "cat", "bird"), example("b", "dog")]
    answers = Answers(
        [None, None], [described("cat"), described("dog")], [described(), described()], commonest(examples)
    )
    found = judge_answers(examples, answers)
    assert (found.queries, found.retrieval["tuned"].groups, found.retrieval["tuned"].mean) == (3, 2, 0.75)


def test_the_page_escapes_everything(prepared: Prepared) -> None:
    known = read_examples(prepared.data, "test")[0]
    evil = "<script>alert(1)</script>"
    hostile = Example(known.id, known.image, "?", "!", (TrainingQuery(evil, 2),))
    page = side_by_side([hostile], [described(evil, description=f'"{evil}')], [None], prepared.data)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 3
    assert "no answer that can be read" in page
    assert re.search(r"default-src 'none'|default-src &#39;none&#39;", page)
    assert re.findall(r'<img src="data:image/webp;base64,', page) == ['<img src="data:image/webp;base64,']


def test_evaluate_goes_on_and_refuses_what_does_not_fit(prepared: Prepared, tmp_path: Path) -> None:
    from persrv.training import train
    from persrv.training.settings import TrainingSettings

    adapter = tmp_path / "adapter"
    train(prepared.data, adapter, TrainingSettings(model=str(prepared.base), max_steps=1, validation_answers=0))
    found = evaluate_adapter(prepared.data, adapter, tmp_path / "judged", max_tokens=8, progress=Silent())
    assert found.stickers == prepared.card.stickers["test"]
    files = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "judged").iterdir()}
    assert {"report.json", "report.md", "side-by-side.html"} < set(files)
    answers = max((tmp_path / "judged").glob("answers-*.jsonl"))
    answers.write_text(answers.read_text().splitlines()[0] + '\n{"id": "cut o')
    again = evaluate_adapter(prepared.data, adapter, tmp_path / "judged", max_tokens=8)
    assert again == found
    assert answers.read_text() == files[answers.name]
    with pytest.raises(QueryError, match="limit = 0"):
        evaluate_adapter(prepared.data, adapter, tmp_path / "judged", limit=0)
    with pytest.raises(RecipeError, match="holds no adapter"):
        evaluate_adapter(prepared.data, prepared.base, tmp_path / "judged")
    with pytest.raises(RecipeError, match="there is no folder"):
        evaluate_adapter(prepared.data, adapter, tmp_path / "judged", model="/no/such/model")
    other = Path(shutil.copytree(prepared.data, tmp_path / "other"))
    (other / "card.json").write_text(prepared.card.model_copy(update={"fingerprint": "x"}).model_dump_json())
    with pytest.raises(RecipeError, match="was trained on other data"):
        evaluate_adapter(other, adapter, tmp_path / "judged")
    (other / "test.jsonl").write_text("{}\n")
    with pytest.raises(SourceError, match=r"test\.jsonl line 1 is no example"):
        evaluate_adapter(other, adapter, tmp_path / "judged")
