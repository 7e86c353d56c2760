"""What an image encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
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


@runtime_checkable
class TextTower(Protocol):
    """What an image encoder has besides when it was trained with texts: it puts both into one space.

    The cosine of a text and a picture says how well they fit, as long as neither has been moved: the vectors of
    :meth:`ImageEncoder.encode` are meant, not those of a :class:`~persrv.images.space.Space`.
    """

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors in the space of the pictures, shape (n_texts, dimension)."""
        ...
