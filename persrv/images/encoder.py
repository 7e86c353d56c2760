"""What an image encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from persrv.images.decode import Picture


@runtime_checkable
class ImageEncoder(Protocol):
    """Turns pictures into vectors.

    Attributes:
        name: What a recipe calls it.
        revision: Changes whenever the same picture would get another vector; part of the vector cache's key.
        dimension: Length of a vector.
        purpose: ``"style"`` (how it is drawn) or ``"content"`` (what it shows).
        licence: SPDX expression of code and weights.
    """

    @property
    def name(self) -> str:
        """What a recipe calls it."""
        ...

    @property
    def revision(self) -> str:
        """Changes whenever the same picture would get another vector."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def purpose(self) -> Literal["style", "content"]:
        """Whether a vector says how a picture is drawn, or what it shows."""
        ...

    @property
    def licence(self) -> str:
        """SPDX expression of code and weights."""
        ...

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return raw vectors, shape (n_pictures, dimension), finite, |x| <= 60,000 (they are cached as float16)."""
        ...
