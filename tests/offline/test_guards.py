"""What would lose a collection by mistake stops with what to type, and what went wrong can be taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fake_qdrant import FakeQdrant
from persrv import Retriever, build_collection
from persrv.catalog import Catalog
from persrv.catalog.vocabulary import KEPT
from persrv.cli import app
from persrv.errors import BuildGoneError, NotFoundError, SourceError
from persrv.offline.publish import push_collection
from persrv.offline.rollback import rollback_collection
from persrv.recipe.location import IndexSettings
from persrv.workspace import Workspace
from tiny_collection import MEANINGS, Tiny


def drop(tiny: Tiny, styles: tuple[str, ...], most: int = len(MEANINGS)) -> None:
    for style in styles:
        for meaning in list(MEANINGS)[:most]:
            (tiny.file.parent / "stickers" / style / f"{meaning}.png").unlink()


def test_a_folder_that_is_not_mounted_stops_the_build(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(tiny.file.parent / "stickers")
    (tiny.file.parent / "stickers").mkdir()
    with pytest.raises(SourceError, match=r"lost 30 of its 30 stickers.*--allow-removal"):
        build_collection(tiny.file, home=tiny.home)
    with tiny.open() as retriever:
        assert len(retriever.search("cat")) == 3
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    result = CliRunner().invoke(app, ["build", str(tiny.file), "--allow-removal"])
    assert result.exit_code == 0, result.output
    assert "30 removed" in result.stdout


def test_more_than_half_stops_it_and_half_does_not(tiny: Tiny) -> None:
    drop(tiny, ("soft",))
    drop(tiny, ("line",), most=5)
    assert build_collection(tiny.file, home=tiny.home).removed == 15
    drop(tiny, ("flat",), most=8)
    with pytest.raises(SourceError, match="lost 8 of its 15"):
        build_collection(tiny.file, home=tiny.home)


def test_rollback_takes_stickers_and_users_back_together(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        before = retriever.manifest.build
        styles = retriever.styles("ann")
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    assert rollback_collection(tiny.file, home=str(tiny.home)).build == before
    with tiny.open() as retriever:
        assert retriever._newest.version.builds == (before, before)
        assert retriever.styles("ann") == styles
        assert len(retriever.search("cat")) == 3
    assert rollback_collection(tiny.file, home=tiny.home).build != before


def test_there_is_nothing_before_the_first_build(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_collection(tiny.file, home=tmp_path / "new")
    monkeypatch.setenv("PERSRV_HOME", str(tmp_path / "new"))
    with pytest.raises(NotFoundError, match="no previous build"):
        rollback_collection(tiny.file, home=tmp_path / "new")
    assert CliRunner().invoke(app, ["rollback", "-c", str(tiny.file)]).exit_code == 6


def test_words_live_as_long_as_a_version_that_answers_with_them(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        catalog.put_vocabulary("pushed", {"cat": 1})
        catalog.keep_builds("http://server tiny", ["pushed"])
        for number in range(2 * KEPT):
            catalog.put_vocabulary(f"b{number}", {"dog": number})
            catalog.keep_builds("embedded:", [f"b{number}"])
        assert catalog.vocabulary("pushed") == {"cat": 1}
        with pytest.raises(BuildGoneError):
            catalog.vocabulary(f"b{2 * KEPT - 2}")
        catalog.keep_builds("http://server tiny", ["another"])
        with pytest.raises(BuildGoneError):
            catalog.vocabulary("pushed")


def test_a_second_machine_is_told_that_it_lacks_the_catalog(tiny: Tiny, tmp_path: Path) -> None:
    with FakeQdrant() as server:
        push_collection(tiny.file, server.url, home=tiny.home)
        remote = tiny.recipe.model_copy(update={"index": IndexSettings(location=server.url)})
        held = server.local.get_aliases().aliases
        for attempt in (
            lambda: Retriever.open(remote, home=tmp_path / "other"),
            lambda: build_collection(remote, home=tmp_path / "other"),
            lambda: Retriever.open(remote, home=tmp_path / "other"),
        ):
            with pytest.raises(NotFoundError, match=r"not on this machine.*\[catalog\] url.*--allow-removal"):
                attempt()
        assert server.local.get_aliases().aliases == held
        with Retriever.open(remote, home=tiny.home) as retriever:
            assert len(retriever.search("cat")) == 3


def test_more_like_a_sticker_is_never_the_sticker_itself_in_another_size(tiny: Tiny) -> None:
    from PIL import Image

    big = tiny.file.parent / "stickers" / "big"
    big.mkdir()
    for meaning in list(MEANINGS)[:6]:
        drawn = Image.open(tiny.file.parent / "stickers" / "line" / f"{meaning}.png")
        drawn.resize((128, 128)).save(big / f"{meaning}.png")
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    workspace = Workspace.of(tiny.file, tiny.home)
    with tiny.open() as retriever, workspace.existing_catalog() as catalog:
        copies = [sticker for sticker in catalog.stickers() if sticker.width == 128]
        linked = 0
        for copy in copies:
            answers = [retriever.similar(copy.id, by=by, limit=5) for by in ("look", "both")]
            group = retriever._newest.version.stickers.retrieve([_point(copy.id)])[0].payload["group"]
            linked += bool(group)
            for answer in answers:
                assert len(answer) == 5
                assert all(hit.payload["group"] != group or not group for hit in answer)
        assert linked > 3


def _point(sticker_id: str) -> str:
    from persrv.index.schema import point_id

    return point_id(sticker_id)


def test_the_same_pixels_saved_anew_keep_edits_and_picks(tiny: Tiny) -> None:
    from PIL import Image

    file = tiny.file.parent / "stickers" / "line" / "cat.png"
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.existing_catalog() as catalog, tiny.open() as retriever:
        (old,) = [sticker for sticker in catalog.stickers() if sticker.path == file]
        catalog.edit(old.id, "name", ["Carlo"], "ann")
        retriever.record("cleo", "my cat", old.id, pick_id="1")
        picks = len(retriever.picks("ann"))
    Image.open(file).save(file, compress_level=1)
    other = tiny.file.parent / "stickers" / "line" / "dog.png"
    Image.new("RGB", (64, 64), "red").save(other)
    report = build_collection(tiny.file, home=tiny.home)
    assert (report.picks, report.removed) == (1, 0)
    with workspace.existing_catalog() as catalog, tiny.open() as retriever:
        (new,) = [sticker for sticker in catalog.stickers() if sticker.path == file]
        assert new.id != old.id
        assert new.semantics.name == ("Carlo",)
        assert [pick.sticker_id for pick in retriever.picks("cleo")] == [new.id]
        assert len(retriever.picks("ann")) == picks + 1  # the dog's picture is another one, so its pick is read again
        assert catalog.picked_for([old.id]) == {}
        assert catalog.picked_for([new.id])[new.id].queries["my cat"] == 1
    assert build_collection(tiny.file, home=tiny.home).picks == 0
