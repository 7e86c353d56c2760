"""Does ranking by a user's style help? Measured on simulated users whose taste is known.

The users' picks of held-out meanings are kept from the build, so that neither profiles, nor utility, nor historical
queries have seen them. Then every user asks for every held-out meaning, once with and once without their profile; a
hit is right when it shows the meaning in one of the styles that the user prefers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from persrv.lab.evaluation.intervals import bootstrap_mean
from persrv.offline import Progress, build_collection
from persrv.offline.loading import load
from persrv.online.retriever import Retriever
from persrv.recipe import Recipe
from persrv.records import Hit, SourcePick, SourceSticker

DEPTH = 50
"""Hits looked at; a first right hit beyond counts 0."""


@dataclass(frozen=True, slots=True)
class PersonalReport:
    """Mean reciprocal rank of the first hit in a preferred style, averaged per user, then over users.

    Attributes:
        users: Number of simulated users.
        meanings: Number of held-out meanings that each of them asked for.
        plain: MRR@50 without the user's profile.
        personal: MRR@50 with it.
        gain_low: Lower end of the 95 % bootstrap interval of the gain, over users.
        gain_high: Upper end.
    """

    users: int
    meanings: int
    plain: float
    personal: float
    gain_low: float
    gain_high: float

    @property
    def gain(self) -> float:
        """Absolute gain of personal over plain."""
        return self.personal - self.plain


def held_out(meaning: str, share: float = 0.3) -> bool:
    """Whether a meaning is kept for asking; decided by its hash, so the same on every machine."""
    return int.from_bytes(hashlib.sha256(meaning.encode()).digest()[:4]) < share * 2**32


def evaluate_personal(
    recipe: Recipe, tastes: Mapping[str, Sequence[str]], *, progress: Progress | None = None, seed: int = 0
) -> PersonalReport:
    """Build the recipe's collection in a temporary folder without the held-out picks, ask, and measure.

    Args:
        recipe: Its stickers say what they mean by their first ``emoji``, and how they are drawn by ``style``.
        tastes: User to the styles that they prefer; these users must occur in the recipe's interactions.
        progress: Shows how far it is.
        seed: Seeds the bootstrap.
    """
    found = [
        s for s in load(recipe.stickers[0], recipe).stickers() if isinstance(s, SourceSticker) and s.semantics.emoji
    ]
    meaning_of = {sticker.key: sticker.semantics.emoji[0] for sticker in found}
    queries = {s.semantics.emoji[0]: s.semantics.name[0] for s in reversed(found) if s.semantics.name}
    meanings = sorted(meaning for meaning in queries if held_out(meaning))

    def keep(pick: SourcePick) -> bool:
        return not held_out(meaning_of.get(pick.key, ""))

    with TemporaryDirectory(prefix="persrv-evaluate-") as folder:
        home = Path(folder)
        build_collection(recipe, home=home, progress=progress, keep_pick=keep)
        with Retriever.open(recipe, home=home) as retriever:
            anybody = {m: retriever.search(queries[m], limit=DEPTH).hits for m in meanings}
            plain, personal = [], []
            for user, styles in sorted(tastes.items()):
                own = {m: retriever.search(queries[m], user, limit=DEPTH).hits for m in meanings}
                plain.append(np.mean([_reciprocal_rank(anybody[m], m, styles) for m in meanings]))
                personal.append(np.mean([_reciprocal_rank(own[m], m, styles) for m in meanings]))
    gain = bootstrap_mean(np.array(personal) - np.array(plain), seed=seed)
    return PersonalReport(
        gain.groups, len(meanings), float(np.mean(plain)), float(np.mean(personal)), gain.low, gain.high
    )


def _reciprocal_rank(hits: Sequence[Hit], meaning: str, styles: Sequence[str]) -> float:
    for hit in hits:
        if hit.payload.get("style") in styles and meaning in hit.payload.get("emoji", ()):
            return 1.0 / hit.rank
    return 0.0
