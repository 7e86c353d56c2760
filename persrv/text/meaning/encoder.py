"""What a text encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class TextEncoder(Protocol):
    """Turns texts into vectors.

    Attributes:
        name: What a recipe calls it.
        revision: Changes whenever the same text would get another vector.
        dimension: Length of a vector.
        licence: SPDX expression of code and weights.
        symmetric: Whether a text has the same vector as a phrase and as a search.
    """

    @property
    def name(self) -> str:
        """What a recipe calls it."""
        ...

    @property
    def revision(self) -> str:
        """Part of the key of everything cached."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def licence(self) -> str:
        """SPDX expression."""
        ...

    @property
    def symmetric(self) -> bool:
        """Whether a phrase's vector is a search's too."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors of phrases that stickers carry, shape (n, dimension)."""
        ...

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of what somebody typed, shape (dimension,)."""
        ...
