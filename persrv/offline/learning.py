"""Learning from a collection's labelled stickers what the others may be called, see the describer ``nearest``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from persrv.images.registry import encoder
from persrv.offline import Progress, Silent, build_collection
from persrv.offline.stages.describe import SOURCE
from persrv.reading.describe.nearest_file import save_nearest
from persrv.reading.describe.nearest_training import train_nearest
from persrv.recipe import Recipe
from persrv.records import Skipped
from persrv.workspace import Workspace

ENCODER = "efficientnet-lite0"
"""Sees what a picture shows, offline, in 11 ms."""


@dataclass(frozen=True, slots=True)
class LearningReport:
    """What was learnt.

    Attributes:
        file: The model.
        encoder: The image encoder that it needs.
        stickers: Labelled stickers that it was fitted on.
        labels: Words that it can give.
        emotions: Emotions that it can give.
        skipped: Stickers whose pictures could not be read.
    """

    file: Path
    encoder: str
    stickers: int
    labels: int
    emotions: int
    skipped: tuple[Skipped, ...]


def learn_labels(
    recipe: str | Path | Recipe,
    *,
    home: str | Path | None = None,
    image_encoder: str = ENCODER,
    progress: Progress | None = None,
) -> LearningReport:
    """Fit the model of the describer ``nearest`` on the stickers that have a name or tag.

    It is kept in the collection's folder, and the next build describes with it. A collection that was never built is
    read in first.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        home: Holds every collection's folder; default ``PERSRV_HOME``, else the user's data folder.
        image_encoder: Makes the vectors; one that sees what a picture shows.
        progress: Shows how far it is.

    Raises:
        RecipeError: There is no such recipe or encoder.
        SourceError: No sticker has both a picture and a label.
        MissingExtraError: The encoder's packages are not installed.
    """
    shown = progress or Silent()
    workspace = Workspace.of(recipe, home)
    sees = encoder(image_encoder)
    if not workspace.recipe.catalog.url and not (workspace.folder / "catalog.db").is_file():
        build_collection(workspace.recipe, home=home, progress=progress, only=["ingest"])
    with workspace.existing_catalog() as catalog, shown.stage("learning labels", catalog.count()) as advance:
        model, skipped = train_nearest(catalog.stickers(typed=0, without=(SOURCE,)), sees, advance)
    file = save_nearest(model, workspace.folder)
    return LearningReport(file, image_encoder, len(model.ids), len(model.words), len(model.emotions), skipped)
