"""What a collection is made of and how it is searched: one TOML file, its tables as frozen settings."""

from persrv.recipe.location import CatalogSettings, IndexSettings
from persrv.recipe.recipe import (
    Compare,
    Describe,
    FieldSettings,
    Image,
    Meaning,
    Ocr,
    Ranking,
    Rating,
    Recipe,
    Source,
    Style,
    Text,
    UtilityWeights,
    Variant,
)

__all__ = [
    "CatalogSettings",
    "Compare",
    "Describe",
    "FieldSettings",
    "Image",
    "IndexSettings",
    "Meaning",
    "Ocr",
    "Ranking",
    "Rating",
    "Recipe",
    "Source",
    "Style",
    "Text",
    "UtilityWeights",
    "Variant",
]
