"""What a recipe reads pictures with: encoders and caches, opened together, and the stages that use them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from persrv.build.stage import Stage
from persrv.build.stages.look import LookStage
from persrv.catalog import VectorCache
from persrv.duplicates import Thumbprint
from persrv.images.encoder import ImageEncoder
from persrv.meaning.encoder import TextEncoder
from persrv.workspace import Workspace

READING = ("look", "ocr", "describe")
"""Every reading stage, in the order in which they run: what describes may use what was read before."""


@dataclass(frozen=True, slots=True)
class Readers:
    """A recipe's readers.

    Attributes:
        encoder: Makes the vectors ``image``.
        images: Their cache.
        style: Makes the raw vectors of style; ``encoder`` itself where the recipe names no other.
        styles: Their cache.
        thumbprints: The cache of thumbprints, by which near-duplicates are found.
        stages: The reading stages that the recipe asks for, in order.
        meaning: Makes the vectors ``meaning``, ``None`` where recall is by words alone.
    """

    encoder: ImageEncoder
    images: VectorCache
    style: ImageEncoder
    styles: VectorCache
    thumbprints: VectorCache
    stages: tuple[Stage[Any], ...]
    meaning: TextEncoder | None


@contextmanager
def open_readers(workspace: Workspace, parts: Collection[str] = READING) -> Iterator[Readers]:
    """Open what the recipe asks for; packages are loaded only for that.

    Args:
        workspace: The recipe and its folder.
        parts: Reading stages that are wanted; others are not opened.

    Raises:
        MissingExtraError: A package that a reader needs is not installed.
        RecipeError: A model that is not there, or a setting that it does not know.
    """
    recipe = workspace.recipe
    encoder, thumbprint = workspace.encoder(), Thumbprint()
    with ExitStack() as opened:
        images = opened.enter_context(workspace.vectors(encoder))
        thumbprints = opened.enter_context(workspace.vectors(thumbprint))
        looking = [(encoder, images), (thumbprint, thumbprints)]
        style, styles = encoder, images
        if recipe.style.encoder:
            style = workspace.style_encoder()
            styles = opened.enter_context(workspace.vectors(style))
            looking.append((style, styles))
        stages: list[Stage[Any]] = [LookStage(looking, recipe.image.batch)]
        if recipe.ocr.engine and "ocr" in parts:
            from persrv.build.stages.ocr import OcrStage
            from persrv.semantics.ocr.registry import ocr_engine

            stages.append(OcrStage(ocr_engine(workspace.ocr_settings()), recipe.ocr))
        if recipe.describe.engine and "describe" in parts:
            from persrv.build.stages.describe import DescribeStage
            from persrv.semantics.describe import describer

            stages.append(
                DescribeStage(describer(workspace.describe_settings(), folder=workspace.folder), recipe.describe.batch)
            )
        yield Readers(encoder, images, style, styles, thumbprints, tuple(stages), workspace.text_encoder())
