"""What would give stickers words, where a collection has too few to be searched."""

from __future__ import annotations

import importlib.util
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from persrv.catalog import Catalog
from persrv.recipe import Recipe
from persrv.workspace import Workspace

_WORDLESS = 0.5
"""Share of stickers without words from which advice is worth a line."""
_LABELLED = 30
"""Stickers with words from which the others can be called after their likes."""
_SECONDS_BY_NEIGHBOURS = 0.02
_SAMPLE = 4
"""Pictures on which a reader is timed."""
_SECONDS_A_PICTURE = 0.1
"""What reading a picture takes where it cannot be tried, see benchmarks/results/captions.md."""


def advice_on_words(workspace: Workspace, catalog: Catalog) -> list[str]:
    """Return what would help, each with the line to type; nothing where most stickers have words.

    A reader that is installed is timed on a few pictures, so the time is that of this machine.
    """
    recipe = workspace.recipe
    pictured = catalog.pictured()
    silent = sorted(pictured - catalog.worded())
    if not silent or len(silent) < _WORDLESS * len(pictured):
        return []
    name = shlex.quote(str(recipe.file) if recipe.file else recipe.name)
    found = [f"{len(silent)} of {len(pictured)} stickers have no words: no search finds them by what they mean"]
    if not recipe.ocr.engine:
        duration = _shown_time(_ocr_seconds(workspace, catalog, silent) * len(silent))
        install = "" if _installed("rapidocr", "onnxruntime") else 'pip install "persrv[ocr]" && '
        add = _add(recipe, name, "[ocr]", ('engine = "rapidocr"',))
        found.append(f"to read the words drawn in, about {duration} here: {install}{add}persrv build -c {name}")
    if not recipe.describe.engine and len(pictured) - len(silent) >= _LABELLED:
        duration = _shown_time(_SECONDS_BY_NEIGHBOURS * len(silent))
        add = _add(recipe, name, "[describe]", ('engine = "nearest"',))
        found.append(
            f"to call them like those with words, about {duration}: {add}persrv learn -c {name} && "
            f"persrv build -c {name}"
        )
    elif not recipe.describe.engine:
        model = ('engine = "openai"', 'base_url = "http://127.0.0.1:11434/v1"', 'model = "MODEL"')
        add = _add(recipe, name, "[describe]", model)
        found.append(f"to have a model of yours say what they show, some seconds each: {add}persrv build -c {name}")
    return found


def _ocr_seconds(workspace: Workspace, catalog: Catalog, silent: list[str]) -> float:
    """Return seconds a picture, tried on some where the reader is installed."""
    if not _installed("rapidocr", "onnxruntime"):
        return _SECONDS_A_PICTURE
    from persrv.offline.stages.ocr import OcrStage
    from persrv.offline.working import outcomes
    from persrv.reading.ocr.registry import ocr_engine

    settings = workspace.ocr_settings().model_copy(update={"engine": "rapidocr"})
    stage = OcrStage(ocr_engine(settings), settings)
    sample = list(catalog.stickers(silent[:_SAMPLE]))
    started = time.monotonic()
    for _ in outcomes(stage, [(0, sample)]):
        pass
    return (time.monotonic() - started) / len(sample)


def _add(recipe: Recipe, name: str, section: str, settings: Sequence[str]) -> str:
    """Return the command that adds a section to the recipe's file, for a recipe that has none of this name."""
    if recipe.file is None or _has(recipe.file, section):
        return f"write {', '.join(settings)} into {section} of the recipe, then "
    return f"printf '\\n{section}\\n{_lines(settings)}' >> {name} && "


def _lines(settings: Sequence[str]) -> str:
    return "".join(f"{setting}\\n" for setting in settings)


def _has(file: Path, section: str) -> bool:
    return any(line.strip() == section for line in file.read_text(encoding="utf-8").splitlines())


def _installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in packages)


def _shown_time(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
