"""What all text encoders share: models that load on first use, clean texts, unit rows, remembered queries."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from persrv.errors import PersrvError, RecipeError
from persrv.text.emoji_names import spoken
from persrv.text.meaning.rows import unit_rows

LONGEST = 512
"""Characters of a text that are read; a sticker's meaning stands at the beginning of a longer one."""

_NOT_TEXT = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class TextModel(Protocol):
    """A loaded model. Texts are clean and not empty; vectors need not have unit length."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def documents(self, texts: list[str]) -> NDArray[np.floating[Any]]:
        """Return vectors of phrases, shape (n, dimension), n >= 1."""
        ...

    def query(self, text: str) -> NDArray[np.floating[Any]]:
        """Return the vector of a search, shape (dimension,)."""
        ...


def encoder_input(text: str) -> str:
    """Return a text in lower case, with single spaces, without control characters and lone surrogates, not too long.

    Both encoders tell upper from lower case; people who search mean the same by both. An emoji is read by its name.
    """
    return " ".join(_NOT_TEXT.sub(" ", spoken(text[: 4 * LONGEST])).lower().split())[:LONGEST].rstrip()


class LazyEncoder:
    """A :class:`persrv.text.meaning.encoder.TextEncoder` whose model is loaded when it is first needed.

    Safe for several threads; the model itself is asked by one at a time. A text without anything to read has the zero
    vector, whose cosine with everything counts as 0.

    Args:
        name: What a recipe calls it.
        revision: Changes whenever the same text would get another vector.
        licence: SPDX expression of code and weights.
        load: Loads the model.
        remembered: How many queries' vectors are kept, >= 0.
        dimension: Length of a vector, where it is known before the model is loaded.
        symmetric: Whether a text has the same vector as a phrase and as a search.
    """

    def __init__(
        self,
        name: str,
        revision: str,
        licence: str,
        load: Callable[[], TextModel],
        remembered: int = 4096,
        *,
        dimension: int | None = None,
        symmetric: bool = False,
    ) -> None:
        self.name = name
        self.revision = revision
        self.licence = licence
        self.symmetric = symmetric
        self._load = load
        self._dimension = dimension
        self._loaded: TextModel | None = None
        self._lock = threading.RLock()
        self._remembered = lru_cache(maxsize=remembered)(self._query)

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the model where it is not known before.

        Raises:
            RecipeError: The model cannot be loaded.
        """
        return self._model().dimension if self._dimension is None else self._dimension

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors of phrases, shape (n, dimension); equal texts are computed once.

        They are rounded to what float16 can hold, so that a vector that was kept is the vector that is computed.

        Raises:
            RecipeError: The model cannot be loaded.
        """
        cleaned = [encoder_input(text) for text in texts]
        distinct = sorted({text for text in cleaned if text})
        model = self._model()
        vectors = np.zeros((len(distinct) + 1, model.dimension), np.float32)
        if distinct:
            with self._lock:
                vectors[:-1] = unit_rows(model.documents(distinct)).astype(np.float16)
        row = {text: number for number, text in enumerate(distinct)}
        return vectors[[row.get(text, len(distinct)) for text in cleaned]]

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of what somebody typed, shape (dimension,), read-only: it may be handed out again.

        Raises:
            RecipeError: The model cannot be loaded.
        """
        return self._remembered(encoder_input(text))

    def _query(self, cleaned: str) -> NDArray[np.float32]:
        model = self._model()
        vector = np.zeros(model.dimension, np.float32)
        if cleaned:
            with self._lock:
                vector = unit_rows(model.query(cleaned)[None, :])[0].astype(np.float32)
        vector.setflags(write=False)
        return vector

    def _model(self) -> TextModel:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._try_to_load()
            return self._loaded

    def _try_to_load(self) -> TextModel:
        try:
            return self._load()
        except PersrvError:
            raise
        except Exception as error:  # whatever a model's own package raises
            raise RecipeError(
                f"the text encoder {self.name!r} cannot be loaded: {type(error).__name__}: {error}",
                "check its name, its files, and that its package is installed whole",
            ) from error
