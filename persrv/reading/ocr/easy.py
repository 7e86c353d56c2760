"""The OCR engine ``easyocr``: slower, for languages and GPUs that the other one does not serve."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from persrv.errors import PictureError, RecipeError
from persrv.images.encoders.torchvision_shim import ensure_torchvision
from persrv.reading.ocr.engine import Line, reason
from persrv.reading.ocr.lines import line, reading_order
from persrv.recipe import places

_Found = tuple[Sequence[Sequence[float]], str, float]


class _Reader(Protocol):
    """What is used of ``easyocr.Reader``."""

    def readtext(self, image: NDArray[np.uint8], *, canvas_size: int) -> list[_Found]: ...


ensure_torchvision()
_EASYOCR = importlib.import_module("easyocr")
_LANGUAGES: tuple[str, ...] = tuple(sorted(importlib.import_module("easyocr.config").all_lang_list))


class EasyOcrEngine:
    """Reads text with EasyOCR, on the GPU where the machine has one.

    Args:
        languages: EasyOCR's codes; most scripts go together with English only.
        max_side: The side, in pixels, to which a larger frame is reduced while text is sought; >= 32.
        model_folder: Holds EasyOCR's model files; ``None`` for the folder ``models/easyocr`` in persrv's home.
        download: Whether missing models are downloaded into that folder.

    Raises:
        RecipeError: A language is unknown, languages do not go together, or a model file is missing or damaged.
    """

    name: Final = "easyocr"

    def __init__(
        self,
        languages: Sequence[str],
        *,
        max_side: int = 320,
        model_folder: Path | None = None,
        download: bool = False,
    ) -> None:
        _check(languages)
        self._reader = _load(languages, model_folder or places.home() / "models" / "easyocr", download)
        self._max_side = max_side
        # EasyOCR checks its files against digests, so its version and the languages say which models are used.
        version = importlib.metadata.version("easyocr")
        self._revision = f"{version}: {', '.join(languages)}; side {max_side}"
        self._one_at_a_time = threading.Lock()

    @property
    def revision(self) -> str:
        """Version of the package, languages, and the side at which text is sought."""
        return self._revision

    def read(self, frame: NDArray[np.uint8]) -> list[Line]:
        """Return the lines of one frame in reading order, however unsure.

        Args:
            frame: RGB, shape (h, w, 3).

        Raises:
            PictureError: EasyOCR failed.
        """
        height, width = frame.shape[:2]
        try:
            # Filters of warnings belong to the process, so one thread must not restore them under another.
            with self._one_at_a_time, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self._reader.readtext(np.ascontiguousarray(frame[..., ::-1]), canvas_size=self._max_side)
        # OpenCV, SciPy and torch each have errors of their own, with Exception as the only common base.
        except Exception as error:
            raise PictureError(
                f"EasyOCR failed on a frame of {width} × {height} pixels: {reason(error)}", "leave the picture out"
            ) from error
        lines = [line(text, confidence, corners, width, height) for corners, text, confidence in found]
        return reading_order([each for each in lines if each is not None])


def _check(languages: Sequence[str]) -> None:
    known = ", ".join(_LANGUAGES)
    if not languages:
        raise RecipeError("ocr.languages is empty", f"name at least one of {known}")
    for language in languages:
        if language not in _LANGUAGES:
            raise RecipeError(f"ocr.languages: EasyOCR knows no language {language!r}", f"use one of {known}")


def _load(languages: Sequence[str], folder: Path, download: bool) -> _Reader:
    if not download and not folder.is_dir():
        raise RecipeError(
            f"ocr.model_folder: there is no folder {folder}", "set download = true, or name EasyOCR's model folder"
        )
    search_path = list(sys.path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = _EASYOCR.Reader(
                list(languages),
                gpu=True,  # EasyOCR itself falls back to the CPU where there is none
                model_storage_directory=str(folder),
                user_network_directory=str(folder),
                download_enabled=download,
                verbose=False,
            )
    # A damaged file can raise anything from pickle, zipfile or torch; a download adds the errors of the network.
    except Exception as error:
        raise RecipeError(
            f"ocr: EasyOCR cannot read {', '.join(languages)} with the models in {folder}: {reason(error)}",
            "choose languages that go together, set download = true, or put the missing model there",
        ) from error
    finally:
        # EasyOCR adds its folder for networks of one's own to the import path.
        sys.path[:] = search_path
    return cast("_Reader", reader)
