"""What a collection is made of and how it is searched: one TOML file, its tables as frozen settings."""

from persrv.recipe.location import CatalogSettings, IndexSettings
from persrv.recipe.ranking import Compare, Ranking, Rating, Style, UtilityWeights, Variant
from persrv.recipe.reading import Describe, Image, Meaning, Ocr
from persrv.recipe.recipe import FieldSettings, Recipe, Source, Text

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
