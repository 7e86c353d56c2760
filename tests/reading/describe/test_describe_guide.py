"""docs/how-to/describe-stickers.md says what works."""

from __future__ import annotations

import re
import tomllib

from persrv.recipe import Describe
from repository import ROOT

_GUIDE = ROOT / "docs" / "how-to" / "describe-stickers.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_recipe_in_the_guide_is_one() -> None:
    sections = [Describe.model_validate(tomllib.loads(block)["describe"]) for block in _blocks("toml")]
    assert {section.engine for section in sections} == {"labels", "nearest", "openai", "transformers"}
