"""What a collection is made of and how it is searched: one TOML file, its tables as frozen settings."""

from persrv.recipe.location import Catalog, Index
from persrv.recipe.recipe import (
    Compare,
    Describe,
    FieldSettings,
    Image,
    Meaning,
    Ocr,
    Ranking,
    Recipe,
    Source,
    Style,
    Text,
    UtilityWeights,
    Variant,
)

__all__ = [
    "Catalog",
    "Compare",
    "Describe",
    "FieldSettings",
    "Image",
    "Index",
    "Meaning",
    "Ocr",
    "Ranking",
    "Recipe",
    "Source",
    "Style",
    "Text",
    "UtilityWeights",
    "Variant",
]
