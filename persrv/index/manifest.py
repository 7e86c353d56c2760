"""What an index was built from, kept beside it, so that a mismatch is noticed before it gives wrong answers."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from persrv.errors import IndexMismatchError
from persrv.index.schema import IMAGE, STYLE

SCHEMA_VERSION = 3
"""Raised whenever the points' layout changes."""

BUILD_PATTERN = r"\d{8}T\d{6}Z-[0-9a-f]{6}"
"""Regular expression of a build id: strict, since a server's collections are recognised by it."""


def new_build() -> str:
    """Return a new build id, such as ``20261104T121314Z-5ae0b7``: ids sort by the second in which they were made."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Manifest(BaseModel):
    """Provenance of one built collection.

    Attributes:
        schema_version: :data:`SCHEMA_VERSION` at build time.
        build: Identifies the build, see :func:`new_build`.
        recipe: The recipe's name.
        origin: The build that this one is a copy of, ``""`` for none.
        vocabulary: The build under which the catalog keeps the words; a copy keeps that of its original.
        tokenizer: Revision of the tokenizer.
        text: Fingerprint of the recipe's ``[text]`` section.
        encoder: ``name@revision`` of the image encoder.
        dimension: Length of the vector ``image``.
        beta: Weight of the utility that stands in the vectors ``text``.
        avg_length: Field to its average length in tokens, as used for the document weights.
        stickers: Number of points at the time of publication.
        collisions: Number of tokens that share their 32-bit id with another one.
        space: Mean and scale of the image space, see :mod:`persrv.images.space`.
        meaning: ``name@revision`` of the text encoder, ``""`` where recall is by words alone.
        meaning_space: The collection's meaning space, see :mod:`persrv.text.meaning.space`.
        style: What made the vectors ``style``, see :attr:`persrv.workspace.Workspace.style_name`; ``""`` where the
            vectors ``image`` say the style as well.
        style_dimension: Length of the vector ``style``, 0 where there is none.
        regions: Directions of the regions of the space of style, see :mod:`persrv.ranking.style_clusters`; none in a
            small collection.
        regional_words: Dimensions of the words that have one for each region, see :mod:`persrv.ranking.regional`.
        style_space: Projects raw style vectors of pictures that have no words, see :mod:`persrv.ranking.style_space`.
        repeats: What own earlier picks are worth, see :class:`persrv.ranking.repeats.RepeatWeights`; empty for what is
            assumed in advance.
        borne_out: How far the collection's picks bear meaning out, see :func:`persrv.text.meaning.fusion.borne_out`.
        created: ISO 8601 UTC time.
        persrv: Version that built it.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    build: str = Field(pattern=f"^{BUILD_PATTERN}$")
    recipe: str
    origin: str = ""
    vocabulary: str = ""
    tokenizer: str
    text: str
    encoder: str
    dimension: int
    beta: float = 0.0
    avg_length: dict[str, float] = {}
    stickers: int = Field(default=0, ge=0)
    collisions: int = 0
    space: dict[str, Any] = {}
    meaning: str = ""
    meaning_space: dict[str, Any] = {}
    style: str = ""
    style_dimension: int = Field(default=0, ge=0)
    regions: list[list[float]] = []
    regional_words: list[int] = []
    style_space: dict[str, Any] = {}
    repeats: dict[str, float] = {}
    borne_out: float = Field(default=1.0, gt=0, le=1)
    created: str
    persrv: str

    @property
    def taste_vector(self) -> str:
        """Name of the vector in whose space users' style centroids lie."""
        return STYLE if self.style_dimension else IMAGE

    @property
    def taste_dimension(self) -> int:
        """Length of :attr:`taste_vector`."""
        return self.style_dimension or self.dimension

    @cached_property
    def clusters(self) -> NDArray[np.float32]:
        """:attr:`regions` as an array, shape (k, d)."""
        return np.array(self.regions or np.zeros((0, 1)), np.float32)

    def facts(self) -> dict[str, Any]:
        """Return what is short enough for people to read, JSON-safe: everything but the spaces' numbers."""
        return self.model_dump(
            mode="json", exclude={"space", "meaning_space", "style_space", "regions", "regional_words"}
        )

    def check(self, *, tokenizer: str, text: str, encoder: str, meaning: str = "", style: str = "") -> None:
        """Refuse an index that other code or another recipe built.

        Raises:
            IndexMismatchError: Naming the first difference and the command that mends it.
        """
        expected = {
            "schema_version": SCHEMA_VERSION,
            "tokenizer": tokenizer,
            "text": text,
            "encoder": encoder,
            "meaning": meaning,
            "style": style,
        }
        for key, wanted in expected.items():
            found = getattr(self, key)
            if found != wanted:
                raise IndexMismatchError(
                    f"the index of {self.recipe} was built with {key} {found}, but {wanted} is asked for",
                    f"run persrv build -c {self.recipe}",
                )
