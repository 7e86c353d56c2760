"""What a caller may choose about a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from persrv.recipe.places import shipped


@dataclass(frozen=True, slots=True)
class Options:
    """Choices that every benchmark understands; ``None`` takes the benchmark's own default.

    Attributes:
        size: How many documents, stickers or pictures; each benchmark says in its text which.
        repetitions: How often the contenders take turns, >= 1.
        emoji_set: Folder of a set that ``scripts/make_emoji_set.py`` made.
        before: Another checkout of persrv, to be measured beside this one.
        cache: Folder of collections that are kept, see :mod:`benchmarks.large_collection`; a run that broke off goes on
            there.
    """

    size: int | None = None
    repetitions: int | None = None
    emoji_set: Path | None = None
    cache: Path | None = None
    before: Path | None = None

    @property
    def pictures_from(self) -> Path:
        """Folder of the set whose pictures are read: the chosen one, else the one that ships with persrv."""
        return self.emoji_set or shipped("collections") / "emoji"
