"""The layout of the two collections: stickers, and users' style centroids.

Every payload key that a filter or formula reads is declared here with its index: servers in strict mode refuse
the others. Utility is indexed as FLOAT, since an integer index under a float breaks formulas (qdrant#10240).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from uuid import UUID, uuid5

PayloadType = Literal["keyword", "float", "integer", "bool", "datetime"]

TRENDING = "trending"
"""Payload key: utility with a trace of the id, so that every engine orders equal ones alike."""

STYLE_CLUSTER = "style_cluster"
"""Payload key: number of the region of the space of style, in collections that are large enough to have some."""

GROUP = "group"
"""Payload key: the group of near-duplicates, of which a page shows one."""

TEXT, PICKED, REGIONAL = "text", "picked", "regional"
"""Names of the sparse vectors; the last one is that of :mod:`persrv.ranking.regional`."""

IMAGE, STYLE, MEANING = "image", "style", "meaning"
"""Names of the two dense vectors, and of the dense multivector."""

MEANING_LINKS = 16
"""Links per node of the graph over ``meaning``: it recalls among all stickers, where ``image`` only rescores."""

_STICKER_ID = re.compile("[0-9a-f]{32}")

_NAMESPACE = UUID("7f4c8e2a-51b0-5d0c-9a1e-2f6b5a0c9d31")


NOBODY = str(UUID(int=0))
"""Id of a point that is never there for long: deleting it changes nothing, and asks for the right to write."""


def point_id(sticker_id: str) -> str:
    """Return a sticker's Qdrant point id: its 32 hex digits written as a UUID, so that both sort alike.

    Raises:
        ValueError: ``sticker_id`` is not 32 lower-case hex digits.
    """
    if _STICKER_ID.fullmatch(sticker_id) is None:
        raise ValueError(f"{sticker_id!r} is not 32 lower-case hex digits")
    return f"{sticker_id[:8]}-{sticker_id[8:12]}-{sticker_id[12:16]}-{sticker_id[16:20]}-{sticker_id[20:]}"


def sticker_id_of(point: str) -> str:
    """Return the sticker id of a point id, the inverse of :func:`point_id`."""
    return point.replace("-", "")


def centroid_id(user: str, number: int) -> str:
    """Return the point id (UUID version 5) of a user's style centroid ``number``, from 0."""
    return str(uuid5(_NAMESPACE, f"{number}:{user}"))


@dataclass(frozen=True, slots=True)
class Placement:
    """How a server keeps a collection; an embedded index is one shard in memory-mapped files whatever this says.

    Attributes:
        shards: Parts that are spread over the nodes of a cluster; a page does not depend on how many there are.
        replication_factor: Copies of each part, on different nodes.
        write_consistency_factor: Copies that must have a change before it counts as made.
        on_disk: Whether vectors, words and payload are read from disk when they are asked for, in place of memory.
    """

    shards: int = 1
    replication_factor: int = 1
    write_consistency_factor: int = 1
    on_disk: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """One collection's layout.

    Attributes:
        dimension: Length of the dense vector ``image`` (unit vectors by inner product), >= 1.
        sparse: Whether points carry the sparse vectors ``text`` and ``picked`` (without an IDF: the query carries it).
        payload: Payload key to its index type; only indexed keys are listed.
        hnsw_m: Links per node of the graph over ``image``, 0 for none.
        placement: How a server keeps it.
        meaning: Length of the rows of the multivector ``meaning`` (cosine, best row), 0 where there is none.
        style: Length of the dense vector ``style`` (as ``image``), 0 where ``image`` says the style as well.
        regions: Whether points carry the sparse vector ``regional``.
    """

    dimension: int
    sparse: bool
    payload: Mapping[str, PayloadType]
    hnsw_m: int = 0
    placement: Placement = Placement()
    meaning: int = 0
    style: int = 0
    regions: bool = False

    @property
    def dense(self) -> Mapping[str, int]:
        """Name of each ordinary dense vector to its length."""
        return {IMAGE: self.dimension} | ({STYLE: self.style} if self.style else {})

    @property
    def vectors(self) -> tuple[str, ...]:
        """Names of all vectors that points may carry."""
        return (*self.dense, *self.sparse_vectors, *((MEANING,) if self.meaning else ()))

    @property
    def sparse_vectors(self) -> tuple[str, ...]:
        """Names of the sparse vectors that points may carry."""
        if not self.sparse:
            return ()
        return (TEXT, PICKED, REGIONAL) if self.regions else (TEXT, PICKED)


STICKER_PAYLOAD: Mapping[str, PayloadType] = MappingProxyType(
    {
        "sticker_id": "keyword",
        "pack": "keyword",
        "tags": "keyword",
        "language": "keyword",
        "animated": "bool",
        "rating": "keyword",
        "style": "keyword",
        "utility": "float",
        "trending": "float",
        "style_cluster": "integer",
        "bucket": "integer",
    }
)

USER_PAYLOAD: Mapping[str, PayloadType] = MappingProxyType({"user": "keyword", "share": "float"})

FILTERS = ("pack", "tags", "language", "animated", "rating", "style")
"""Payload keys that a search may filter on."""


def sticker_schema(
    dimension: int,
    hnsw_m: int = 0,
    placement: Placement = Placement(),
    meaning: int = 0,
    style: int = 0,
    *,
    regions: bool = False,
) -> Schema:
    """Return the layout of a sticker collection."""
    return Schema(dimension, True, STICKER_PAYLOAD, hnsw_m, placement, meaning, style, regions)


def user_schema(dimension: int, placement: Placement = Placement()) -> Schema:
    """Return the layout of the collection that holds one point for each user's style centroid."""
    return Schema(dimension, False, USER_PAYLOAD, 0, placement)
