"""Which describers a recipe can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from persrv.errors import MissingExtraError, RecipeError
from persrv.reading.describe.describer import Describer
from persrv.recipe import Describe


def _transformers(settings: Describe, folder: Path) -> Describer:
    needed = ["torch", "transformers"] + (["peft"] if settings.adapter else [])
    if any(find_spec(package) is None for package in needed):
        raise MissingExtraError("the describer transformers", "vlm")
    from persrv.reading.describe.asking import AskingDescriber
    from persrv.reading.describe.prompts import Prompts
    from persrv.reading.describe.provenance import check_prompts
    from persrv.reading.describe.transformers_model import TransformersModel

    model, prompts = TransformersModel(settings), Prompts.of(settings)
    check_prompts(model.trained, prompts, settings.language)
    return AskingDescriber(model, prompts, settings.language)


def _openai(settings: Describe, folder: Path) -> Describer:
    from persrv.reading.describe.asking import AskingDescriber
    from persrv.reading.describe.openai_model import OpenAIModel
    from persrv.reading.describe.prompts import Prompts

    return AskingDescriber(OpenAIModel(settings), Prompts.of(settings), settings.language)


def _nearest(settings: Describe, folder: Path) -> Describer:
    from persrv.reading.describe.nearest import NearestDescriber

    return NearestDescriber.load(folder)


def _labels(settings: Describe, folder: Path) -> Describer:
    from persrv.reading.describe.labels import LabelsDescriber

    return LabelsDescriber()


DESCRIBERS: Mapping[str, Callable[[Describe, Path], Describer]] = MappingProxyType(
    {"transformers": _transformers, "openai": _openai, "nearest": _nearest, "labels": _labels}
)
"""Engine to factory; a factory imports what it needs, so that one engine's packages are no burden to another."""


def describer(settings: Describe, *, folder: Path) -> Describer:
    """Return the describer that a recipe names.

    Args:
        settings: Relative paths in them start at the current folder.
        folder: The collection's data folder, where a trained ``nearest`` model lies.

    Raises:
        RecipeError: No engine is named, or it cannot be used as the settings say.
        MissingExtraError: Its packages are not installed.
    """
    if not settings.engine:
        raise RecipeError("describe.engine is empty", f"set it to one of {', '.join(sorted(DESCRIBERS))}")
    return DESCRIBERS[settings.engine](settings, folder)
