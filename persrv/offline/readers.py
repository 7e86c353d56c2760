"""What a recipe reads pictures with: encoders and caches, opened together, and the stages that use them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from persrv.images.duplicates import PerceptualHash
from persrv.indexing.vector_sources import VectorSources, open_vectors
from persrv.offline.stage import Stage, Worker
from persrv.offline.stages.look import Looker, LookStage
from persrv.workspace import Workspace

READING = ("look", "ocr", "describe")
"""Every reading stage, in the order in which they run: what describes may use what was read before."""


@dataclass(frozen=True, slots=True)
class Readers:
    """A recipe's readers.

    Attributes:
        vectors: Its encoders and their caches.
        stages: The reading stages that the recipe asks for, in order.
    """

    vectors: VectorSources
    stages: tuple[Stage[Any], ...]


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
    with open_vectors(workspace) as vectors:
        encoders, caches = vectors.looking
        stages: list[Stage[Any]] = [LookStage(Looker(encoders), caches, recipe.image.batch)]
        if recipe.ocr.engine and "ocr" in parts:
            stages.append(_ocr(workspace))
        if recipe.describe.engine and "describe" in parts:
            stages.append(_describe(workspace))
        yield Readers(vectors, tuple(stages))


def worker(workspace: Workspace, stage: str) -> Worker[Any]:
    """Return what reads for one stage, without catalog and caches; it is made on the machine that is to work.

    Args:
        workspace: Of the collection; its folder needs not be there, except for describers that keep a model in it.
        stage: One of :data:`READING` that the recipe asks for.

    Raises:
        MissingExtraError: A package that it needs is not installed here.
        RecipeError: A model that is not there, or a setting that it does not know.
    """
    if stage == "ocr":
        return _ocr(workspace)
    if stage == "describe":
        return _describe(workspace)
    styles = [workspace.style_encoder()] if workspace.recipe.style.encoder else []
    return Looker([workspace.encoder(), PerceptualHash(), *styles])


def _ocr(workspace: Workspace) -> Stage[Any]:
    from persrv.offline.stages.ocr import OcrStage
    from persrv.reading.ocr.registry import ocr_engine

    return OcrStage(ocr_engine(workspace.ocr_settings()), workspace.recipe.ocr)


def _describe(workspace: Workspace) -> Stage[Any]:
    from persrv.offline.stages.describe import DescribeStage
    from persrv.reading.describe import describer

    made = describer(workspace.describe_settings(), folder=workspace.folder)
    return DescribeStage(made, workspace.recipe.describe.batch)
