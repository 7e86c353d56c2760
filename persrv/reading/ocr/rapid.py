"""The OCR engine ``rapidocr``: PaddleOCR's models on ONNX Runtime, small and fast on a CPU."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np
import rapidocr
from numpy.typing import NDArray
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec import TextRecognizer
from rapidocr.utils.output import RapidOCROutput
from rapidocr.utils.typings import ModelType, OCRVersion

from persrv.errors import PictureError, RecipeError
from persrv.reading.ocr.engine import Line, reason
from persrv.reading.ocr.lines import line, reading_order
from persrv.reading.ocr.rapid_models import DETECTOR_FILE, Recogniser, recogniser
from persrv.reading.ocr.rapid_spaces import ODDS, EagerSpaces
from persrv.recipe import places

_SHIPPED = Path(rapidocr.__file__).parent / "models"


class RapidOcrEngine:
    """Reads text with RapidOCR, on one thread.

    Text is not turned upside down: stickers are upright, and asking about each line costs time and makes mistakes.

    Args:
        languages: Codes that :mod:`persrv.reading.ocr.rapid_models` lists; one model must read them all.
        max_side: The side, in pixels, to which a larger frame is reduced while text is sought; >= 32.
        model_folder: Holds model files that are used before those of RapidOCR's wheel; ``None`` for the folder
            ``models/rapidocr`` in persrv's home.
        download: Whether a model that is in neither place is downloaded into that folder.

    Raises:
        RecipeError: A language is unknown, languages do not go together, or a model file is missing or unusable.
    """

    name: Final = "rapidocr"

    def __init__(
        self,
        languages: Sequence[str],
        *,
        max_side: int = 320,
        model_folder: Path | None = None,
        download: bool = False,
    ) -> None:
        model = recogniser(languages)
        folder = model_folder or places.home() / "models" / "rapidocr"
        self._reader = _load(model, folder, max_side, download)
        marks = ", ".join(_mark(_find(file, folder)) for file in (DETECTOR_FILE, model.file))
        self._revision = f"{importlib.metadata.version('rapidocr')}: {marks}; side {max_side}; spaces {ODDS:g}"

    @property
    def revision(self) -> str:
        """Version of the package, names and digests of both models, and the settings."""
        return self._revision

    def read(self, frame: NDArray[np.uint8]) -> list[Line]:
        """Return the lines of one frame in reading order, however unsure.

        Args:
            frame: RGB, shape (h, w, 3).

        Raises:
            PictureError: RapidOCR failed.
        """
        height, width = frame.shape[:2]
        try:
            answer = self._reader(np.ascontiguousarray(frame[..., ::-1]))
        # OpenCV, Shapely and ONNX Runtime each have errors of their own, with Exception as the only common base.
        except Exception as error:
            raise PictureError(
                f"RapidOCR failed on a frame of {width} × {height} pixels: {reason(error)}", "leave the picture out"
            ) from error
        if not isinstance(answer, RapidOCROutput) or answer.boxes is None or not answer.txts or not answer.scores:
            return []
        found = zip(answer.txts, answer.scores, answer.boxes, strict=True)
        lines = [line(text, score, corners, width, height) for text, score, corners in found]
        return reading_order([each for each in lines if each is not None])


def _load(model: Recogniser, folder: Path, max_side: int, download: bool) -> RapidOCR:
    files = {"Det": _find(DETECTOR_FILE, folder), "Rec": _find(model.file, folder)}
    if not download and None in files.values():
        file = DETECTOR_FILE if files["Det"] is None else model.file
        raise RecipeError(
            f"ocr: RapidOCR's model {file} is neither in {folder} nor in its package",
            "set download = true, or put the file there",
        )
    settings = {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        "Global.text_score": 0.0,
        "Global.model_root_dir": str(folder),
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.limit_type": "max",
        "Det.limit_side_len": max_side,
        "Rec.ocr_version": OCRVersion(model.version),
        "Rec.model_type": ModelType(model.size),
        "Rec.lang_type": model.language,
    }
    settings |= {f"{part}.model_path": str(path) for part, path in files.items() if path is not None}
    blank = np.full((64, 64, 3), 128, np.uint8)
    try:
        reader = RapidOCR(params=settings)
        # Models are loaded at their first use: a damaged one is an error of the recipe, not of the first picture.
        reader(blank, use_det=False)
        reader(blank, use_det=True)
        recognition = cast("TextRecognizer", reader.text_rec)
        recognition.postprocess_op = EagerSpaces(recognition.postprocess_op)
    # As in read; and a download adds the errors of the network.
    except Exception as error:
        raise RecipeError(
            f"ocr: RapidOCR's models {DETECTOR_FILE} and {model.file} cannot be loaded: {reason(error)}",
            f"remove damaged files from {folder}, and check the network where they are to be downloaded",
        ) from error
    return reader


def _find(file: str, folder: Path) -> Path | None:
    return next((place / file for place in (folder, _SHIPPED) if (place / file).is_file()), None)


def _mark(path: Path | None) -> str:
    """Return the file's name with a digest: a file of the same name in the model folder may be another model."""
    if path is None:
        return "none"
    with path.open("rb") as file:
        return f"{path.stem} {hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"
