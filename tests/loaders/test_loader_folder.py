"""A folder of pictures: packs, side-cars, names, and what is passed over or reported."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persrv.errors import RecipeError, SourceError
from persrv.offline.loading import Loader
from persrv.records import Semantics, Skipped, SourceSticker

Put = Callable[[str], Path]
Using = Callable[..., Loader]


@pytest.fixture
def found(using: Using, tmp_path: Path) -> Callable[..., list[SourceSticker | Skipped]]:
    return lambda **options: list(using("folder", tmp_path, **options).stickers())


def test_pictures_come_in_the_order_of_their_paths_with_their_folder_as_pack(
    picture: Put, found: Callable[..., list[SourceSticker]], tmp_path: Path
) -> None:
    for place in ("cats/happyCat.PNG", "b.webp", "cats/old/sad_cat-2.jpeg", "a.gif", "a.apng", "z.jpg"):
        picture(place)
    (tmp_path / "notes.md").write_text("no picture")
    assert [(item.key, item.pack, item.semantics.name) for item in found()] == [
        ("a.apng", "", ("a",)),
        ("a.gif", "", ("a",)),
        ("b.webp", "", ("b",)),
        ("cats/happyCat.PNG", "cats", ("happy Cat",)),
        ("cats/old/sad_cat-2.jpeg", "cats/old", ("sad cat",)),
        ("z.jpg", "", ("z",)),
    ]
    assert all(item.path == tmp_path / item.key for item in found())


def test_moving_stickers_are_found_like_pictures(
    picture: Put, found: Callable[..., list[SourceSticker]], tmp_path: Path
) -> None:
    for place in ("wave.tgs", "jump.WEBM", "run.mp4"):
        picture(place)
    (tmp_path / "wave.json").write_text(json.dumps({"name": "Waving"}))
    (tmp_path / "draft.json").write_text("{}")
    assert [(item.key, item.semantics.name) for item in found()] == [
        ("jump.WEBM", ("jump",)),
        ("run.mp4", ("run",)),
        ("wave.tgs", ("Waving",)),
    ]


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("12345", ()),
        ("IMG-20260101", ()),
        ("d41d8cd98f00b204e9800998ecf8427e", ()),
        ("1001242763158618196", ()),
        ("123e4567-e89b-12d3-a456-426614174000", ()),
        ("___", ()),
        ("deadbeef", ("deadbeef",)),
        ("decade", ("decade",)),
        ("开心_猫", ("开心 猫",)),
        ("good.morning", ("good morning",)),
    ],
)
def test_a_file_name_that_says_nothing_is_no_name(
    picture: Put, found: Callable[..., list[SourceSticker]], stem: str, name: tuple[str, ...]
) -> None:
    picture(f"{stem}.png")
    assert [item.semantics.name for item in found()] == [name]


def test_side_cars_say_what_a_picture_means(
    picture: Put, found: Callable[..., list[SourceSticker]], tmp_path: Path
) -> None:
    picture("hug.png")
    (tmp_path / "hug.json").write_text(
        json.dumps(
            {
                "name": "Big hug",
                "tags": ["love", " "],
                "ocr": "抱抱",
                "language": "zh",
                "rating": "safe",
                "style": "ink",
            }
        ),
        encoding="utf-8-sig",
    )
    (tmp_path / "hug.txt").write_text("warm\n\n  cosy \r\n", encoding="utf-8")
    assert found(language="en", rating="unsafe") == [
        SourceSticker(
            key="hug.png",
            path=tmp_path / "hug.png",
            semantics=Semantics(name=("Big hug",), tags=("love", "warm", "cosy"), ocr=("抱抱",)),
            language="zh",
            rating="safe",
            style="ink",
        )
    ]


def test_options_fill_in_what_no_side_car_says(picture: Put, found: Callable[..., list[SourceSticker]]) -> None:
    picture("a.png")
    assert [(item.language, item.rating) for item in found(language="ja", rating="safe")] == [("ja", "safe")]
    with pytest.raises(RecipeError, match="rating = 'nice'"):
        found(rating="nice")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "cannot be read"),
        (b"\xff\xfe{", "cannot be read"),
        (b"[1]", "no JSON object"),
        (b'{"tgas": "love", "ocr": "hi"}', "unknown key 'tgas'"),
        (b'{"tags": 3, "ocr": "hi"}', "tags is neither a text nor a list of texts"),
        (b'{"tags": ["a", 3]}', "tags is neither"),
        (b'{"rating": "nice"}', "rating = 'nice' is not possible"),
        (b'{"language": ["en"]}', "not possible"),
        (b"[" * 100_000, "cannot be read"),
        (b" " * 1_000_001, "larger than"),
    ],
)
def test_a_broken_side_car_is_reported_and_costs_no_sticker(
    picture: Put, found: Callable[..., list[SourceSticker | Skipped]], tmp_path: Path, content: bytes, reason: str
) -> None:
    picture("pack/hug.png")
    (tmp_path / "pack/hug.json").write_bytes(content)
    report, sticker = found()
    assert isinstance(report, Skipped)
    assert report.key == "pack/hug.json"
    assert reason in report.reason
    assert isinstance(sticker, SourceSticker)
    assert sticker.semantics.name == ("hug",)
    assert sticker.semantics.ocr == (("hi",) if b"hi" in content else ())


def test_hidden_files_and_folders_are_passed_over(picture: Put, found: Callable[..., list[SourceSticker]]) -> None:
    for place in (".a.png", ".git/b.png", "c/.d/e.png", "c/f.png"):
        picture(place)
    assert [item.key for item in found()] == ["c/f.png"]


def test_links_are_followed_only_inside(using: Using, picture: Put, tmp_path: Path) -> None:
    root = tmp_path / "set"
    inside, outside = picture("set/pack/real.png"), picture("elsewhere/secret.png")
    (root / "alias.png").symlink_to(inside)
    (root / "broken.png").symlink_to(root / "nothing.png")
    (root / "itself.png").symlink_to(root / "itself.png")
    (root / "stolen.png").symlink_to(outside)
    (root / "linked").symlink_to(outside.parent)
    (root / "loop").symlink_to(root)
    (root / "pack" / "real.json").symlink_to(tmp_path / "elsewhere" / "secret.json")
    (tmp_path / "elsewhere" / "secret.json").write_text('{"tags": "secret"}')
    found = list(using("folder", root).stickers())
    assert [item.key for item in found if isinstance(item, SourceSticker)] == ["alias.png", "pack/real.png"]
    assert [item.key for item in found if isinstance(item, Skipped)] == [
        "linked",
        "broken.png",
        "itself.png",
        "pack/real.json",
        "stolen.png",
    ]
    assert all(not item.semantics.tags for item in found if isinstance(item, SourceSticker))


def test_a_name_that_is_no_text_is_reported(
    picture: Put, found: Callable[..., list[SourceSticker | Skipped]], tmp_path: Path
) -> None:
    source = picture("ok.png")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.png")).write_bytes(source.read_bytes())
    report, sticker = found()
    assert report == Skipped("'b\\udcff.png'", "its path is not valid UTF-8")
    assert sticker.key == "ok.png"


def test_a_folder_that_cannot_be_listed_is_reported(
    picture: Put, found: Callable[..., list[SourceSticker | Skipped]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture("open/a.png")
    picture("shut/b.png")
    refuse(tmp_path / "shut", monkeypatch)
    report, sticker = found()
    assert report == Skipped("shut", "cannot be listed: Permission denied")
    assert sticker.key == "open/a.png"


def test_a_source_that_cannot_be_listed_is_an_error(
    found: Callable[..., list[SourceSticker]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(tmp_path, monkeypatch)
    with pytest.raises(SourceError, match="cannot be listed: Permission denied"):
        found()


def test_a_source_that_is_a_file_is_an_error(using: Using, picture: Put) -> None:
    with pytest.raises(SourceError, match="is no folder"):
        list(using("folder", picture("a.png")).stickers())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.binary(max_size=60))
def test_no_side_car_stops_a_batch(using: Using, picture: Put, tmp_path: Path, content: bytes) -> None:
    picture("set/a.png")
    for name in ("a.json", "a.txt"):
        (tmp_path / "set" / name).write_bytes(content)
    found = list(using("folder", tmp_path / "set").stickers())
    assert [item.key for item in found if isinstance(item, SourceSticker)] == ["a.png"]


def refuse(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one folder unreadable, also for root, whom rights do not stop."""
    real = os.scandir

    def scandir(path: str | Path) -> Iterator[os.DirEntry[str]]:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
