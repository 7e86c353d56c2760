"""What an index was built from, kept beside it, so that a mismatch is noticed before it gives wrong answers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from persrv.errors import IndexMismatchError

SCHEMA_VERSION = 1
"""Raised whenever the points' layout changes."""


class Manifest(BaseModel):
    """Provenance of one built collection.

    Attributes:
        schema_version: :data:`SCHEMA_VERSION` at build time.
        build: Identifies the build: a UTC time stamp and a random part.
        recipe: The recipe's name.
        tokenizer: Revision of the tokenizer.
        text: Fingerprint of the recipe's ``[text]`` section.
        encoder: ``name@revision`` of the image encoder.
        dimension: Length of the vector ``image``.
        avg_length: Field to its average length in tokens, as used for the document weights.
        stickers: Number of points.
        collisions: Number of tokens that share their 32-bit id with another one.
        space: Mean and scale of the image space, see :mod:`persrv.images.space`.
        created: ISO 8601 UTC time.
        persrv: Version that built it.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    build: str
    recipe: str
    tokenizer: str
    text: str
    encoder: str
    dimension: int
    avg_length: dict[str, float] = {}
    stickers: int = 0
    collisions: int = 0
    space: dict[str, Any] = {}
    created: str
    persrv: str

    def check(self, *, tokenizer: str, text: str, encoder: str) -> None:
        """Refuse an index that other code or another recipe built.

        Raises:
            IndexMismatchError: Naming the first difference and the command that mends it.
        """
        expected = {"schema_version": SCHEMA_VERSION, "tokenizer": tokenizer, "text": text, "encoder": encoder}
        for key, wanted in expected.items():
            found = getattr(self, key)
            if found != wanted:
                raise IndexMismatchError(
                    f"the index of {self.recipe} was built with {key} {found}, but {wanted} is asked for",
                    f"run persrv build {self.recipe}",
                )
