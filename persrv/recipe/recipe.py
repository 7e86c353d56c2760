"""What a recipe (``collections/*.toml``) may say.

A recipe names one sticker collection: where its stickers come from, how they are read, how the answer is ranked,
and where the catalog and the index live. Unknown keys are errors, so a misspelt setting cannot be silently ignored.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from persrv.errors import RecipeError
from persrv.recipe.location import CatalogSettings, IndexSettings
from persrv.recipe.ranking import Compare, Ranking, Rating, Style, UtilityWeights
from persrv.recipe.reading import Describe, Image, Meaning, Ocr
from persrv.recipe.section import Fraction, Name, NotNegative, Positive, Section
from persrv.records import FIELDS


class Source(Section):
    """Where stickers or interactions come from: a loader, what it reads, and its options.

    ``name`` tells two sources of one loader apart in the catalog; without it the second and later ones are called by
    their paths too.
    """

    loader: str = Field(min_length=1)
    name: Literal[""] | Name = ""
    path: Path | None = None
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)


class FieldSettings(Section):
    """One BM25F field: its weight (0 leaves it out) and its length normalisation ``b``."""

    weight: NotNegative = 1.0
    b: Fraction = 0.75


def _default_fields() -> dict[str, FieldSettings]:
    weights = {
        "name": 1.0,
        "tags": 1.0,
        "emoji": 1.0,
        "ocr": 1.0,
        "description": 0.6,
        "keywords": 0.8,
        "emotions": 0.5,
        "queries": 1.0,
        "pack": 0.3,
    }
    return {name: FieldSettings(weight=weights[name]) for name in FIELDS}


class Text(Section):
    """BM25F over the semantics (Robertson, Zaragoza & Taylor 2004), bounded from below (Lv & Zhai 2011).

    ``delta`` is what a word's presence counts beside its saturated frequency, which is below 1: the larger it is, the
    less does a long text lower the score of a word that stands in it. 0 is plain BM25F.

    What people typed before they picked a sticker answers others when ``min_users`` different people typed it; it is
    shown when it does not look private either.
    """

    k1: Positive = 1.2
    delta: NotNegative = 1.0
    min_users: int = Field(default=2, ge=1)
    fields: dict[str, FieldSettings] = Field(default_factory=_default_fields)

    @model_validator(mode="before")
    @classmethod
    def _known_fields_over_defaults(cls, value: Any) -> Any:
        given = value.get("fields") if isinstance(value, dict) else None
        if not isinstance(given, dict):
            return value
        unknown = sorted(set(given) - set(FIELDS))
        if unknown:
            raise ValueError(f"unknown field {unknown[0]!r}, known are {', '.join(FIELDS)}")
        merged: dict[str, Any] = {name: settings.model_dump() for name, settings in _default_fields().items()}
        for name, settings in given.items():
            merged[name] = merged[name] | settings if isinstance(settings, dict) else settings
        return value | {"fields": merged}


def _several(given: Any) -> Any:
    """Return one source as a tuple of it."""
    return given if isinstance(given, list | tuple) else (given,)


class Serve(Section):
    """What ``persrv serve`` does with the collection.

    With ``hash_users`` the service stores users as keyed hashes, by the key in ``PERSRV_USER_KEY``.
    ``dashboard`` is where browsers find Qdrant's dashboard, ``""`` for the server's own address.
    """

    hash_users: bool = False
    dashboard: Annotated[str, StringConstraints(pattern=r"^(https?://[^\s\"'<>]+)?$", max_length=500)] = ""


class Recipe(Section):
    """One sticker collection, as its TOML file describes it.

    Attributes:
        name: Lower-case letters, digits, ``-`` and ``_``; names the data directory and the Qdrant collection.
        title: One line for people.
        stickers: Where stickers come from: ``[stickers]``, or several ``[[stickers]]``, in order.
        interactions: Where picks come from, in order.
        file: The TOML file, ``None`` for a recipe made in code. Relative paths in it start at its folder.
    """

    name: Name
    title: str = ""
    stickers: Annotated[tuple[Source, ...], BeforeValidator(_several), Field(min_length=1)]
    interactions: tuple[Source, ...] = ()
    catalog: CatalogSettings = CatalogSettings()
    text: Text = Text()
    image: Image = Image()
    ocr: Ocr = Ocr()
    describe: Describe = Describe()
    meaning: Meaning = Meaning()
    utility: UtilityWeights = UtilityWeights()
    style: Style = Style()
    ranking: Ranking = Ranking()
    rating: Rating = Rating()
    compare: Compare = Compare()
    serve: Serve = Serve()
    index: IndexSettings = IndexSettings()
    file: Path | None = Field(default=None, exclude=True)

    @classmethod
    def read(cls, file: str | Path) -> Self:
        """Read and check a recipe.

        Raises:
            RecipeError: The file is missing, is not TOML, or says something that no recipe may say; the text names
                the file and the key.
        """
        file = Path(file)
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RecipeError(f"there is no recipe {file}", "give the path of a .toml file that exists") from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RecipeError(f"{file} cannot be read as TOML: {error}", "correct the file") from error
        return cls.from_dict(content, file)

    @classmethod
    def from_dict(cls, content: dict[str, Any], file: str | Path | None = None) -> Self:
        """Check a recipe given as a dictionary of the TOML file's shape.

        Raises:
            RecipeError: As :meth:`read`.
        """
        try:
            return cls.model_validate(content | {"file": file})
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "the recipe"
            what = {"extra_forbidden": "is no known key", "missing": "is missing"}.get(first["type"], first["msg"])
            raise RecipeError(
                f"{file or 'recipe'}: {key}: {what}", "see docs/reference/recipe.md for every key"
            ) from error

    @property
    def users_name(self) -> str:
        """Name of the index's collection of style centroids."""
        return f"{self.name}_users"

    def resolve(self, path: Path) -> Path:
        """Return ``path`` made absolute: relative paths start at the recipe's folder, ``~`` is the home."""
        path = path.expanduser()
        base = self.file.resolve().parent if self.file else Path.cwd()
        return path if path.is_absolute() else base / path

    @property
    def variant(self) -> Ranking:
        """The ranking weights of the comparison's other side."""
        return Ranking.model_validate(self.ranking.model_dump() | self.compare.b.model_dump(exclude_none=True))

    def fingerprint(self, *sections: str) -> str:
        """Return 16 hex digits that change when one of the named sections changes."""
        content = self.model_dump(mode="json", include=set(sections))
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
