"""Puts the phrases of one field in order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from persrv.catalog.columns import Json, storable
from persrv.errors import CatalogError
from persrv.records import FIELDS, Semantics
from persrv.text.folding import normalise

_BETWEEN_LETTERS = re.compile(r"[\W_]+")


def tidy(phrases: Iterable[str]) -> tuple[str, ...]:
    """Return the phrases stripped, without empty ones, each once whatever its case; the first spelling stays."""
    found: dict[str, str] = {}
    for phrase in phrases:
        if stripped := storable(phrase).strip():
            found.setdefault(stripped.casefold(), stripped)
    return tuple(found.values())


def read_anew(captions: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return those captions that no known text of the sticker holds already, so that a text counts once.

    People name a picture by the words drawn in it; what OCR then reads would be counted a second time. Case, space,
    punctuation and traditional characters do not matter. A caption of a single character is held by any text that
    has it as a word of its own only.

    Args:
        captions: What was read in the picture.
        known: Names, tags and descriptions.
    """
    there = [_bare(text) for text in known]
    return tuple(
        caption
        for caption in captions
        if not any(bare == text or (len(bare) > 1 and bare in text) for bare in (_bare(caption),) for text in there)
    )


def _bare(text: str) -> str:
    return _BETWEEN_LETTERS.sub("", normalise(text))


def fold_query(query: str) -> str:
    """Return what makes two typed queries the same: NFKC, case folded, runs of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", storable(query)).casefold().split())


def texts_of(semantics: Semantics) -> dict[str, Json]:
    """Return the non-empty fields, tidied, as the catalog stores them."""
    tidied = ((name, tidy(phrases)) for name, phrases in semantics.items())
    return {name: list(phrases) for name, phrases in tidied if phrases}


def semantics_of(texts: Json) -> Semantics:
    """Return what :func:`texts_of` made; fields that this version does not know are left out.

    Raises:
        CatalogError: Somebody stored something else there.
    """
    if not isinstance(texts, Mapping):
        raise CatalogError(f"the catalog holds {texts!r} where a reading's texts should be", "restore a backup")
    return Semantics(**{name: strings(texts[name]) for name in FIELDS if name in texts})


def strings(content: Json) -> tuple[str, ...]:
    """Return a stored list of strings.

    Raises:
        CatalogError: It is something else.
    """
    if not isinstance(content, list):
        raise CatalogError(f"the catalog holds {content!r} where phrases should be", "restore a backup")
    return tuple(str(phrase) for phrase in content)
