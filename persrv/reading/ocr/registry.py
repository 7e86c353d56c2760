"""Which OCR engines a recipe can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from persrv.errors import MissingExtraError, RecipeError
from persrv.reading.ocr.engine import OcrEngine
from persrv.recipe import Ocr


def _rapidocr(settings: Ocr) -> OcrEngine:
    try:
        from persrv.reading.ocr.rapid import RapidOcrEngine
    except ImportError as error:
        raise MissingExtraError("reading text with RapidOCR", "ocr") from error
    return RapidOcrEngine(
        settings.languages,
        max_side=settings.max_side,
        model_folder=settings.model_folder,
        download=settings.download,
    )


def _easyocr(settings: Ocr) -> OcrEngine:
    try:
        from persrv.reading.ocr.easy import EasyOcrEngine
    except ImportError as error:
        raise MissingExtraError("reading text with EasyOCR", "easyocr") from error
    return EasyOcrEngine(
        settings.languages,
        max_side=settings.max_side,
        model_folder=settings.model_folder,
        download=settings.download,
    )


ENGINES: Mapping[str, Callable[[Ocr], OcrEngine]] = MappingProxyType({"easyocr": _easyocr, "rapidocr": _rapidocr})
"""Name to factory; a factory imports what it needs, so that one engine's packages are no burden to another."""


def ocr_engine(settings: Ocr) -> OcrEngine:
    """Return the OCR engine that a recipe names, with its models loaded.

    Args:
        settings: With ``model_folder`` absolute, or relative to the current folder.

    Raises:
        RecipeError: No engine is named, a language is unknown (the text lists the known ones), languages do not go
            together, or a model is missing or damaged.
        MissingExtraError: The engine's packages are not installed.
    """
    try:
        make = ENGINES[settings.engine]
    except KeyError:
        raise RecipeError(
            f"ocr.engine: there is no OCR engine {settings.engine!r}", f"use one of {', '.join(sorted(ENGINES))}"
        ) from None
    return make(settings)
