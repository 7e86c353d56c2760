"""The fit: everything that points take from the whole collection, as one object with a name.

Average lengths of fields, the spaces of looks, style and meaning, and the scale of utility. As long as the fit stays,
a sticker's point depends on nothing but the sticker, so that a collection that is changed point by point equals one
that is built from nothing. :mod:`persrv.indexing.drift` says when a fit has served its time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persrv.errors import IndexMismatchError
from persrv.images.space import Space
from persrv.indexing.style_fit import StyleFit
from persrv.ranking.utility import UtilityScale
from persrv.text.meaning.space import MeaningSpace
from persrv.workspace import Workspace

_VERSION = 2

_POINTS = 2
"""Another number where the same recipe makes points otherwise: the next build is one beside."""


@dataclass(frozen=True)
class Fit:
    """What points take from the collection.

    Attributes:
        name: The build that it was fitted in.
        made_for: Fingerprint of everything in the recipe that points are made by, see :func:`fingerprint`.
        stickers: Stickers that it was fitted on.
        average_lengths: Field to average length in tokens.
        space: Of looks.
        style: Of style, ``None`` where the vectors ``image`` say the style as well.
        meaning: Of meanings, ``None`` where recall is by words alone.
        utility: The scale of utility.
        clusters: Directions of the regions of the space of style, shape (k, d), k = 0 in a small collection.
        regional_words: Dimensions of the words that have one for each region, none without regions.
        newest: Time of the newest pick, in days since the Unix epoch, ``None`` without picks.
        picks: Number of the last pick that it was fitted on.
    """

    name: str
    made_for: str
    stickers: int
    average_lengths: Mapping[str, float]
    space: Space
    style: StyleFit | None
    meaning: MeaningSpace | None
    utility: UtilityScale
    newest: float | None
    picks: int
    clusters: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    regional_words: frozenset[int] = frozenset()

    def save(self, workspace: Workspace) -> dict[str, Any]:
        """Write what is large beside the vectors, and return the rest, JSON-safe."""
        if self.style is not None:
            self.style.save(workspace.folder / "fits" / self.name)
        return {
            "version": _VERSION,
            "name": self.name,
            "made_for": self.made_for,
            "stickers": self.stickers,
            "average_lengths": dict(self.average_lengths),
            "space": self.space.to_dict(),
            "style": self.style is not None,
            "meaning": self.meaning.to_dict() if self.meaning else None,
            "utility": [list(self.utility.pseudo), list(self.utility.largest)],
            "newest": self.newest,
            "picks": self.picks,
            "regions": self.clusters.tolist(),
            "regional_words": sorted(self.regional_words),
        }

    @classmethod
    def load(cls, content: object, workspace: Workspace) -> Self:
        """Return what :meth:`save` wrote.

        Raises:
            IndexMismatchError: Something is missing or impossible, or another version wrote it.
        """
        try:
            if not isinstance(content, Mapping) or content["version"] != _VERSION:
                raise ValueError("another version wrote it")
            pseudo, largest = (tuple(float(x) for x in part) for part in content["utility"])
            return cls(
                name=str(content["name"]),
                made_for=str(content["made_for"]),
                stickers=int(content["stickers"]),
                average_lengths={str(field): float(n) for field, n in content["average_lengths"].items()},
                space=Space.from_dict(content["space"]),
                style=StyleFit.load(workspace.folder / "fits" / content["name"]) if content["style"] else None,
                meaning=MeaningSpace.from_dict(content["meaning"]) if content["meaning"] else None,
                utility=UtilityScale(pseudo, largest),  # type: ignore[arg-type]  # three numbers each
                newest=content["newest"],
                picks=int(content["picks"]),
                clusters=np.array(content.get("regions") or np.zeros((0, 1)), np.float32),
                regional_words=frozenset(map(int, content.get("regional_words", ()))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise IndexMismatchError(
                f"the index's fit cannot be read: {error}", "run persrv build --rebuild"
            ) from error


def fingerprint(workspace: Workspace) -> str:
    """Return 16 hex digits that change when the recipe makes points otherwise."""
    recipe = workspace.recipe
    encoder, texts = workspace.encoder(), workspace.text_encoder()
    parts = {
        "points": _POINTS,
        "sections": recipe.fingerprint("text", "utility", "style", "meaning"),
        "encoder": f"{encoder.name}@{encoder.revision}",
        "meaning": f"{texts.name}@{texts.revision}" if texts else "",
        "style": workspace.style_name,
        "beta": recipe.ranking.beta,
        "index": [recipe.index.image_base_url, recipe.index.hnsw_m, asdict(workspace.placement)],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
