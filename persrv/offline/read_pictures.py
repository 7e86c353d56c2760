"""What the readers make of a picture, without a catalog: the quickest way to judge a model, or a broken file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from persrv.errors import PictureError
from persrv.images.decode import Picture, open_picture
from persrv.recipe import Recipe
from persrv.records import Semantics, Skipped
from persrv.workspace import Workspace

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PictureReading:
    """Everything that the readers say about one picture.

    Attributes:
        file: The picture.
        problem: Why it cannot be used, ``""`` when it can; then nothing else is known.
        format: Pillow's name of the format in lower case.
        width: Pixels.
        height: Pixels.
        frames: Frames in the file.
        text: Lines read with confidence: text, confidence in [0, 1], box relative to the picture.
        uncertain: Lines read without.
        description: What it shows and means; empty where the recipe has no describer.
        keywords: What people would type for it.
        emotions: Of the fixed vocabulary.
        undescribed: Why the describer said nothing, ``""`` when it did or there is none.
        vectors: Encoder ``name@revision`` to the length of its vector.
        seconds: Step to the wall-clock time that it took.
    """

    file: str
    problem: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    frames: int = 0
    text: list[dict[str, Any]] = field(default_factory=list)
    uncertain: list[dict[str, Any]] = field(default_factory=list)
    description: str = ""
    keywords: tuple[str, ...] = ()
    emotions: tuple[str, ...] = ()
    undescribed: str = ""
    vectors: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def read_pictures(recipe: str | Path | Recipe, files: Sequence[str | Path]) -> Iterator[PictureReading]:
    """Run a recipe's readers over pictures, one at a time; nothing is stored.

    A file that cannot be used gives a reading with a ``problem``; the others go on.

    Raises:
        RecipeError: There is no such recipe, or it is wrong.
        MissingExtraError: A reader's packages are not installed.
    """
    readers = _Readers(Workspace.of(recipe))
    for file in files:
        try:
            yield readers.read(Path(file))
        except PictureError as error:
            yield PictureReading(str(file), problem=error.problem)


class _Readers:
    def __init__(self, workspace: Workspace) -> None:
        recipe = workspace.recipe
        self._ocr = recipe.ocr
        self._encoder = workspace.encoder()
        self._engine, self._describer = None, None
        if recipe.ocr.engine:
            from persrv.reading.ocr.registry import ocr_engine

            self._engine = ocr_engine(workspace.ocr_settings())
        if recipe.describe.engine:
            from persrv.reading.describe import describer

            self._describer = describer(workspace.describe_settings(), folder=workspace.folder)

    def read(self, file: Path) -> PictureReading:
        seconds: dict[str, float] = {}

        def timed(step: str, work: Callable[[], Result]) -> Result:
            started = time.perf_counter()
            result = work()
            seconds[step] = round(time.perf_counter() - started, 4)
            return result

        picture = timed("decode", lambda: open_picture(file))
        timed("look", lambda: self._encoder.encode([picture]))
        found: dict[str, Any] = timed("ocr", lambda: self._text(file, picture)) if self._engine else {}
        lines = tuple(line["text"] for line in found.get("text", ()))
        found |= timed("describe", lambda: self._meaning(file, picture, lines)) if self._describer else {}
        return PictureReading(
            file=str(file),
            format=picture.format,
            width=picture.width,
            height=picture.height,
            frames=picture.n_frames,
            vectors={f"{self._encoder.name}@{self._encoder.revision}": self._encoder.dimension},
            seconds=seconds,
            **found,
        )

    def _text(self, file: Path, picture: Picture) -> dict[str, Any]:
        from dataclasses import asdict

        from persrv.reading.ocr.picture_text import MORE_FRAMES, read_picture

        if self._engine is None:
            return {}
        read = read_picture(
            self._engine,
            picture,
            min_confidence=self._ocr.min_confidence,
            max_side=self._ocr.max_side,
            more=lambda: open_picture(file, max_frames=MORE_FRAMES),
        )
        return {"text": [asdict(line) for line in read.lines], "uncertain": [asdict(line) for line in read.uncertain]}

    def _meaning(self, file: Path, picture: Picture, text: tuple[str, ...]) -> dict[str, Any]:
        from persrv.reading.describe.describer import Subject

        if self._describer is None:
            return {}
        (description,) = self._describer.describe([Subject(str(file), picture, Semantics(ocr=text))])
        if isinstance(description, Skipped):
            return {"undescribed": description.reason}
        return {
            "description": description.description,
            "keywords": description.keywords,
            "emotions": description.emotions,
        }
