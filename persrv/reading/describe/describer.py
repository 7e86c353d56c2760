"""What a describer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from persrv.images.decode import Picture
from persrv.records import Semantics, Skipped


@dataclass(frozen=True, slots=True)
class Subject:
    """A sticker that is to be described.

    Attributes:
        sticker_id: Its id.
        picture: The decoded picture, ``None`` for a sticker without one.
        semantics: What is known of it already: what the source says, and the text read in it.
    """

    sticker_id: str
    picture: Picture | None
    semantics: Semantics = field(default_factory=Semantics)


@dataclass(frozen=True, slots=True)
class Description:
    """What a sticker means, checked.

    Attributes:
        description: One or two sentences, ``""`` for none.
        keywords: What people would type for it, most fitting first, no repeats.
        emotions: Words of the fixed vocabulary (:mod:`persrv.reading.emotions`), strongest first, no repeats.
        language: BCP 47 tag of description and keywords, ``""`` when unknown.
        confidence: In [0, 1] where the describer has one.
    """

    description: str
    keywords: tuple[str, ...]
    emotions: tuple[str, ...]
    language: str = ""
    confidence: float | None = None


class Describer(Protocol):
    """Says what stickers mean.

    Attributes:
        name: What a recipe calls it.
        revision: Identity of model, adapter, prompt and settings: changes whenever the answer may.
    """

    @property
    def name(self) -> str:
        """What a recipe calls it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of everything that decides what is said."""
        ...

    def describe(self, subjects: Sequence[Subject]) -> list[Description | Skipped]:
        """Return one description a subject, in their order; a subject that failed gets :class:`Skipped`."""
        ...
