"""Text to picture: an encoder with a text tower, a real tiny one, from the recipe to the answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from persrv.cli import app
from persrv.errors import QueryError
from persrv.images.decode import open_picture
from persrv.images.encoder import TextTower
from persrv.images.space import Space
from persrv.offline import build_collection
from persrv.online.asynchronous import AsyncRetriever
from persrv.workspace import Workspace
from tiny_collection import Tiny


@pytest.fixture(scope="module")
def clip(module_folder: Path) -> Path:
    models = pytest.importorskip("tiny_clip_models")
    folder: Path = models.write_openclip(module_folder / "model", seed=3)
    return folder


@pytest.fixture
def pictured(tiny: Tiny, clip: Path) -> Tiny:
    settings = f'[image]\nencoder = "open_clip:{clip}"\n[style]\nencoder = "statistics"\n'
    tiny.file.write_text(tiny.file.read_text() + settings)
    build_collection(tiny.file, home=tiny.home)
    return tiny


def test_a_text_is_compared_with_the_pictures_themselves(pictured: Tiny) -> None:
    tower = Workspace.of(pictured.file, pictured.home).encoder()
    assert isinstance(tower, TextTower)
    with pictured.open() as retriever:
        answer = retriever.search("a cat that dances", by="picture", limit=30)
        assert answer.reason == "pictured"
        pictures = tower.encode([open_picture(hit.path) for hit in answer if hit.path])
        cosines = pictures @ tower.encode_text(["a cat that dances"])[0]
        factors = np.array([hit.explanation.utility_factor for hit in answer])
        assert [hit.score for hit in answer] == pytest.approx((cosines * factors).tolist(), abs=2e-4)
        assert all(cosines > 0)
        mine = retriever.search("a cat that dances", "ann", by="picture", limit=30)
        assert mine.personal
        assert mine[0].payload["style"] == "line"
        assert [hit.explanation.centroid for hit in mine] == [0] * len(mine)


def test_words_that_nobody_wrote_fall_back_to_pictures(pictured: Tiny) -> None:
    with pictured.open() as retriever:
        assert retriever.search("cat").reason == "matched"
        answer = retriever.search("xylophone", limit=3)
        assert (answer.reason, len(answer)) == ("pictured", 3)
        assert "look like it" in answer.note
        only = retriever.search("xylophone", filters={"style": "soft"}, limit=30)
        assert {hit.payload["style"] for hit in only} == {"soft"}


def test_an_encoder_without_a_text_tower_says_so(tiny_built: Tiny) -> None:
    with tiny_built.open() as retriever, pytest.raises(QueryError, match="statistics cannot compare"):
        retriever.search("cat", by="picture")
    result = CliRunner().invoke(app, ["search", "cat", "--by", "picture", "-c", str(tiny_built.file)])
    assert result.exit_code != 0


def test_it_can_be_awaited(pictured: Tiny) -> None:
    async def ask() -> str:
        async with AsyncRetriever.open(pictured.file, home=pictured.home) as retriever:
            return (await retriever.search("cat", by="picture")).reason

    assert asyncio.run(ask()) == "pictured"


def test_the_space_as_it_is_moves_nothing() -> None:
    raw = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    space = Space.from_dict(Space.as_it_is(8).to_dict())
    assert space.project(np.vstack([raw, np.zeros((1, 8))])) == pytest.approx(
        np.vstack([raw, np.zeros((1, 8))]), abs=1e-6
    )
