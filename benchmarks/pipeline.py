"""What the build's reading stages cost beyond their models.

The pictures are those of an emoji set, by default the one that ships with persrv; ``--size`` says how many, ``--set``
which set. The contenders take turns; models are loaded before the clock runs.

* **OCR stage**: from the question what is missing to the last stored text, with opening, checking and decoding each
  file, against RapidOCR alone, reading the same pictures, decoded beforehand, one after the other. It takes a quarter
  of the pictures, since it is ten times slower.
* **CNN stage**: the same with the image encoder ``efficientnet-lite0``, against the encoder alone on the same decoded
  pictures in batches of the same size. Both make the perceptual hash too, by which near-duplicates are found.
* **memory**: of a process that runs the look stage over many pictures, at its end against after the first tenth.
  The note has every tenth. A ratio of 1 means that nothing is kept.

The reciprocal of a ratio is the stage's share of the bare model's speed: 1.11 is 90 %. Decoding runs in threads beside
the model, so it costs little where a second core is free.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.emoji_part import Part, emoji_part, listing
from benchmarks.measure import Row, compare, seconds, take_turns
from benchmarks.options import Options
from benchmarks.processes import MEMORY_KNOWN, in_fresh_process, resident_mib
from persrv.catalog import Entry
from persrv.catalog.batches import chunks
from persrv.errors import PersrvError
from persrv.images.decode import Picture, open_picture
from persrv.images.duplicates import PerceptualHash
from persrv.images.registry import encoder
from persrv.indexing.progress import Advance
from persrv.offline import build_collection
from persrv.offline.engines import LocalEngine
from persrv.offline.runner import run_stage
from persrv.offline.stages.look import Looker, LookStage
from persrv.reading.ocr.picture_text import read_picture
from persrv.reading.ocr.registry import ocr_engine
from persrv.recipe import Image, Ocr, Recipe
from persrv.records import SourceSticker
from persrv.workspace import Workspace

SIZE, TURNS, WALKED = 200, 5, 10_000
CNN = "efficientnet-lite0"

Bare = Callable[[Sequence[Picture]], None]
"""A model's own loop over decoded pictures."""


class Samples:
    """Notes the memory that is held after every tenth of a stage; a :class:`persrv.offline.Progress`.

    Attributes:
        mib: Memory after each tenth.
    """

    def __init__(self) -> None:
        self.mib: list[float] = []

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Watch one stage."""
        done = 0

        def count(items: int) -> None:
            nonlocal done
            done += items
            while total and len(self.mib) < 10 * done // total:
                self.mib.append(resident_mib())

        yield count


def run(options: Options) -> list[Row]:
    """Run stages and bare models in turns.

    Raises:
        PersrvError: The set cannot be used, or a stage read other pictures than it was given.
        MissingExtraError: RapidOCR or ONNX is not installed.
    """
    source, size, turns = options.pictures_from, options.size or SIZE, options.repetitions or TURNS
    with emoji_part(source, max(1, size // 4)) as part:
        ocr = _stage_row("OCR stage", "RapidOCR alone", part, "ocr", turns, _bare_ocr())
    with emoji_part(source, size) as part:
        cnn = _stage_row("CNN stage", f"{CNN} alone", part, "look", turns, _bare_cnn(part.recipe.image.batch))
    rows = [ocr, cnn]
    return [*rows, _memory(source, options.size or WALKED)] if MEMORY_KNOWN else rows


def _stage_row(name: str, rival: str, part: Part, stage: str, turns: int, bare: Bare) -> Row:
    recipe = part.recipe.model_copy(update={"ocr": Ocr(engine="rapidocr"), "image": Image(encoder=CNN)})
    pictures = [open_picture(file) for file in part.pictures]
    bare(pictures[:1])
    ours, theirs = take_turns(
        turns, lambda: _stage_seconds(recipe, stage, len(pictures)), lambda: seconds(lambda: bare(pictures))
    )
    each, shares = 1e3 / len(part.drawings), np.divide(theirs, ours)
    note = f"{100 * float(np.median(shares)):.0f} % of the bare model's speed"
    return compare(
        f"{name}, {len(part.drawings):,} pictures",
        [each * turn for turn in ours],
        rival,
        [each * turn for turn in theirs],
        "ms a picture",
        note,
    )


def _stage_seconds(recipe: Recipe, stage: str, size: int) -> float:
    with tempfile.TemporaryDirectory() as home:
        build_collection(recipe.model_copy(update={"ocr": Ocr()}), home=Path(home), only=["ingest"])
        (report,) = build_collection(recipe, home=Path(home), only=[stage]).stages
    if report.done != size:
        raise PersrvError(
            f"the stage {stage} read {report.done} of {size} pictures",
            "measure a set in which every picture can be read and none is there twice",
        )
    return report.seconds


def _bare_ocr() -> Bare:
    settings = Ocr(engine="rapidocr")
    engine = ocr_engine(settings)

    def read(pictures: Sequence[Picture]) -> None:
        for picture in pictures:
            read_picture(engine, picture, min_confidence=settings.min_confidence, max_side=settings.max_side)

    return read


def _bare_cnn(batch: int) -> Bare:
    encoders = (encoder(CNN), PerceptualHash())

    def look(pictures: Sequence[Picture]) -> None:
        for group in chunks(pictures, batch):
            for each in encoders:
                each.encode(group)

    return look


def _memory(source: Path, size: int) -> Row:
    held = in_fresh_process(_walk, source, size)
    note = "MiB after each tenth: " + ", ".join(f"{mib:.0f}" for mib in held)
    return compare(f"memory after {size:,} pictures", held[-1:], "after the first tenth", held[:1], "MiB", note)


def _walk(source: Path, size: int) -> list[float]:
    """Run the look stage over ``size`` stickers, whose pictures repeat where the set has fewer."""
    files = [source / drawing["file"] for drawing in listing(source)]
    recipe = Recipe.from_dict({"name": "walk", "stickers": {"loader": "folder", "path": str(source)}})
    samples, perceptual_hash = Samples(), PerceptualHash()
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace.of(recipe, Path(home))
        looking = workspace.encoder()
        with (
            workspace.catalog() as catalog,
            workspace.vectors(looking) as images,
            workspace.vectors(perceptual_hash) as perceptual_hashes,
        ):
            for numbers in chunks(range(size), 1_000):
                catalog.put(
                    [Entry(f"{n:032x}", "walk", SourceSticker(str(n), files[n % len(files)]), "webp") for n in numbers]
                )
            stage = LookStage(Looker([looking, perceptual_hash]), [images, perceptual_hashes], recipe.image.batch)
            run_stage(stage, workspace, catalog, LocalEngine(), samples)
    return samples.mib
