from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from persrv.offline.loading import Loader, load
from persrv.recipe import Recipe, Source

Using = Callable[..., Loader]


@pytest.fixture
def using(tmp_path: Path) -> Using:
    """Load a shipped loader by name, or a file's text, over ``tmp_path``."""

    def make(loader: str, path: Path | None = None, **options: str | int | float | bool) -> Loader:
        recipe = Recipe(
            name="test", stickers=Source(loader=loader, path=path, options=options), file=tmp_path / "test.toml"
        )
        return load(recipe.stickers[0], recipe)

    return make


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[str], Path]:
    """Put a real one-colour picture at a path below ``tmp_path``."""

    def put(place: str) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2), "red").save(path, format="PNG")
        return path

    return put
