"""Several encoders over the same pictures, without doing the same work twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from persrv.images.decode import Picture
from persrv.images.encoder import ImageEncoder


class Pass(Protocol):
    """One look at pictures, from which several encoders take their vectors."""

    def look(self, pictures: Sequence[Picture]) -> Any:
        """Return what :meth:`FromPass.vectors` needs."""
        ...


@runtime_checkable
class FromPass(Protocol):
    """An image encoder that takes its vectors from a pass that others may use too."""

    @property
    def shared(self) -> Pass:
        """The pass; the same object in every encoder that can share it."""
        ...

    def vectors(self, pictures: Sequence[Picture], seen: Any) -> NDArray[np.float32]:
        """Return what :meth:`~persrv.images.encoder.ImageEncoder.encode` would.

        Args:
            pictures: The pictures.
            seen: What the pass saw in them.
        """
        ...


def encode_together(encoders: Sequence[ImageEncoder], pictures: Sequence[Picture]) -> list[NDArray[np.float32]]:
    """Return each encoder's vectors, exactly as its own ``encode`` gives them, running every shared pass once.

    Returns:
        One array an encoder, shape (n_pictures, dimension of that encoder).
    """
    seen: dict[int, Any] = {}
    answers = []
    for encoder in encoders:
        if not isinstance(encoder, FromPass):
            answers.append(encoder.encode(pictures))
            continue
        key = id(encoder.shared)
        if key not in seen:
            seen[key] = encoder.shared.look(pictures)
        answers.append(encoder.vectors(pictures, seen[key]))
    return answers
