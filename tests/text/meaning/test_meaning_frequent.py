"""Vectors of frequent phrases: looked up without a model, and the same as the model's."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from persrv.errors import RecipeError
from persrv.text.meaning.frequent import FrequentEncoder, keep_frequent, most_frequent
from persrv.text.meaning.lazy import LazyEncoder
from persrv.text.meaning.registry import text_encoder

PHRASES = ["love", "happy birthday", "笑哭", "cat face"]


def unloadable(name: str = "use", revision: str = "") -> LazyEncoder:
    def load() -> NoReturn:
        raise AssertionError("the model was loaded")

    real = text_encoder("use")
    return LazyEncoder(name, revision or real.revision, "MIT", load, dimension=real.dimension, symmetric=True)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    keep_frequent(tmp_path, text_encoder("use"), PHRASES)
    return tmp_path


def test_the_phrases_of_most_stickers_come_first() -> None:
    stickers = [["cat", "a"], ["cat", "b"], ["dog", "b"], ["c"]]
    assert most_frequent(stickers) == ["b", "cat", "a", "c", "dog"]
    assert most_frequent(stickers, 1) == ["b"]
    assert most_frequent([]) == []


def test_a_frequent_phrase_needs_no_model(kept: Path) -> None:
    quick, real = FrequentEncoder(unloadable(), kept), text_encoder("use")
    for typed in ("love", "  Happy   BIRTHDAY ", "笑哭"):
        assert np.abs(quick.encode_query(typed) - real.encode_query(typed)).max() < 1e-3
    with pytest.raises(RecipeError, match="was loaded"):
        quick.encode_query("something else")


def test_a_vector_is_the_same_whether_looked_up_or_computed(kept: Path, tmp_path: Path) -> None:
    with_file = FrequentEncoder(text_encoder("use"), kept)
    without = FrequentEncoder(text_encoder("use"), tmp_path / "elsewhere")
    for typed in (*PHRASES, "something else"):
        assert with_file.encode_query(typed) == pytest.approx(without.encode_query(typed), abs=1e-3)
        assert (without.encode_query(typed) == without.encode_query(typed).astype(np.float16)).all()


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY nonsense", b"PK\x03\x04"])
def test_a_damaged_file_costs_only_time(kept: Path, damage: bytes) -> None:
    (file,) = kept.glob("frequent-*.npy")
    want = FrequentEncoder(text_encoder("use"), kept).encode_query("love")
    file.write_bytes(damage)
    assert FrequentEncoder(text_encoder("use"), kept).encode_query("love") == pytest.approx(want, abs=1e-3)


def test_a_vector_with_a_wrong_bit_is_computed_anew(kept: Path) -> None:
    (file,) = kept.glob("frequent-*.npy")
    want = FrequentEncoder(text_encoder("use"), kept).encode_query("love")
    content = bytearray(file.read_bytes())
    for at in range(len(content) - 4 * 1024, len(content), 64):
        content[at] ^= 64
    file.write_bytes(content)
    assert FrequentEncoder(text_encoder("use"), kept).encode_query("love") == pytest.approx(want, abs=1e-3)


def test_another_encoder_has_a_file_of_its_own(kept: Path) -> None:
    with pytest.raises(RecipeError, match="was loaded"):
        FrequentEncoder(unloadable(revision="another"), kept).encode_query("love")


def test_where_searches_have_vectors_of_their_own_nothing_is_kept(tmp_path: Path) -> None:
    uneven = LazyEncoder("uneven", "1", "MIT", lambda: pytest.fail("loaded"), dimension=8)
    keep_frequent(tmp_path, uneven, PHRASES)
    assert list(tmp_path.iterdir()) == []


def test_one_model_serves_a_whole_process() -> None:
    assert text_encoder("use") is text_encoder("use")
    assert text_encoder("use") is not text_encoder("use", {"remembered": 7})
