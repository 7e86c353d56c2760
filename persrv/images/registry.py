"""Which image encoders a recipe can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from persrv.errors import RecipeError
from persrv.images.encoder import ImageEncoder
from persrv.images.encoders.options import Option, Options, needs

Maker = Callable[[str, Mapping[str, Option], Path | None], ImageEncoder]
"""From the rest of the name, the options and the folder of models to an encoder."""


def _statistics(name: str, options: Mapping[str, Option], model_folder: Path | None) -> ImageEncoder:
    from persrv.images.statistics import StatisticsEncoder

    Options(name, options, ())
    return StatisticsEncoder()


def _efficientnet(name: str, options: Mapping[str, Option], model_folder: Path | None) -> ImageEncoder:
    with needs("cnn", f"the image encoder {name}"):
        from persrv.images.encoders import cnn

        weights = cnn.packaged_weights() if model_folder is None else model_folder / cnn.WEIGHTS_FILE
    side = Options(name, options, ("size",)).integer("size", cnn.SIDE, 32, 1024)
    kinds = (cnn.ContentEncoder, cnn.StyleEncoder, cnn.MixEncoder)
    make: type[cnn.ContentEncoder | cnn.StyleEncoder | cnn.MixEncoder] = next(k for k in kinds if k.name == name)
    return make(cnn.shared_look(weights, side))


def _openclip(name: str, options: Mapping[str, Option], model_folder: Path | None) -> ImageEncoder:
    from persrv.images.encoders.openclip import openclip_encoder

    return openclip_encoder(name, options, model_folder)


def _chinese_clip(name: str, options: Mapping[str, Option], model_folder: Path | None) -> ImageEncoder:
    from persrv.images.encoders.chinese_clip import chinese_clip_encoder

    return chinese_clip_encoder(name, options, model_folder)


def _sentence_clip(name: str, options: Mapping[str, Option], model_folder: Path | None) -> ImageEncoder:
    from persrv.images.encoders.sentence_clip import sentence_clip_encoder

    return sentence_clip_encoder(name, options, model_folder)


ENCODERS: Mapping[str, Maker] = MappingProxyType(
    {
        "statistics": _statistics,
        "efficientnet-lite0": _efficientnet,
        "efficientnet-lite0-style": _efficientnet,
        "style-mix": _efficientnet,
    }
)
"""Name to factory; a factory imports what it needs, so that one encoder's packages are no burden to another."""

FAMILIES: Mapping[str, Maker] = MappingProxyType(
    {"open_clip": _openclip, "chinese-clip": _chinese_clip, "sentence-transformers": _sentence_clip}
)
"""What stands before the colon in ``family:model``, to factory; these have a text tower too."""


def encoder(
    name: str, options: Mapping[str, Option] = MappingProxyType({}), model_folder: Path | None = None
) -> ImageEncoder:
    """Return the image encoder that a recipe names; what is large is loaded when it is first used.

    Args:
        name: One of :data:`ENCODERS`, or ``family:model`` with one of :data:`FAMILIES`.
        options: What the encoder lets a recipe choose; docs/reference/encoders.md lists it.
        model_folder: Where weights are taken from instead of an installed package or a hub.

    Raises:
        RecipeError: There is none of this name, or an option is wrong.
        MissingExtraError: Packages that it needs are not installed.
        SourceError: There is no such model.
    """
    family, colon, model = name.partition(":")
    if name in ENCODERS:
        return ENCODERS[name](name, options, model_folder)
    if colon and family in FAMILIES:
        return FAMILIES[family](model, options, model_folder)
    known = (*sorted(ENCODERS), *(f"{family}:<model>" for family in FAMILIES))
    raise RecipeError(f"image.encoder: there is no image encoder {name!r}", f"use one of {', '.join(known)}")
