"""docs/how-to/describe-stickers.md says what works."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from persrv.images.decode import open_picture
from persrv.places import home
from persrv.recipe import Describe
from persrv.semantics.describe import describer
from persrv.semantics.describe.describer import Description, Subject
from persrv.semantics.describe.nearest_file import FILE
from tiny_collection import Tiny

_GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "describe-stickers.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_recipe_in_the_guide_is_one() -> None:
    sections = [Describe.model_validate(tomllib.loads(block)["describe"]) for block in _blocks("toml")]
    assert {section.engine for section in sections} == {"labels", "nearest", "openai", "transformers"}


def test_the_guides_training_trains(tiny_built: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = _blocks("python")
    monkeypatch.setenv("PERSRV_HOME", str(shutil.copytree(tiny_built.home, tmp_path / "home")))
    names: dict[str, object] = {}
    exec(code.replace('"emoji"', repr(str(tiny_built.file))).replace("efficientnet-lite0", "statistics"), names)
    (trained,) = home().glob(f"*/{FILE}")
    made = describer(Describe(engine="nearest"), folder=trained.parent)
    picture = next(path for path in sorted(tiny_built.file.parent.rglob("*")) if path.suffix in (".png", ".webp"))
    (said,) = made.describe([Subject("x", open_picture(picture))])
    assert isinstance(said, Description)
