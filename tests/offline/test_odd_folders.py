"""Folders as people have them: each odd thing costs at most itself, and says what is to be known about it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from persrv import Retriever, build_collection
from persrv.errors import RecipeError
from persrv.offline import BuildReport
from persrv.recipe import Recipe

Colour = tuple[int, int, int]
Built = Callable[[], tuple[BuildReport, Retriever]]


def drawn(path: Path, seed: int, size: tuple[int, int] = (24, 24), **options: object) -> Path:
    """Write a picture of its own, so that no two are near-duplicates."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", size, (40 * seed % 256, 90 * seed % 256, 255 - 30 * seed % 256))
    if min(size) >= 24:
        picture.paste((255, 255, 255), (seed % 12, 3 * seed % 12, 12, 20))
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.fixture
def built(tmp_path: Path) -> Built:
    recipe = tmp_path / "odd.toml"
    recipe.write_text('name = "odd"\n[meaning]\nencoder = ""\n[stickers]\nloader = "folder"\npath = "pics"\n')

    def build() -> tuple[BuildReport, Retriever]:
        return build_collection(recipe, home=tmp_path / "home"), Retriever.open(recipe, home=tmp_path / "home")

    return build


def found(retriever: Retriever, query: str) -> list[str]:
    return [hit.path.name for hit in retriever.search(query) if hit.path]


def test_pictures_one_pixel_wide_stop_nothing(built: Built, tmp_path: Path) -> None:
    for seed, size in enumerate([(1, 1), (1, 64), (64, 1), (8, 4000), (4000, 8), (2, 2)]):
        drawn(tmp_path / f"pics/thin {'abcdef'[seed]}.png", seed, size)
    drawn(tmp_path / "pics/good.png", 7)
    report, retriever = built()
    with retriever:
        assert report.skipped == ()
        assert report.stickers == report.encoded == 7
        assert found(retriever, "good") == ["good.png"]


NAMES = {
    "สวัสดี": "สวัสดี",
    "नमस्ते": "नमस्ते",
    "Übung": "übung",
    "ガーン": "ガ",
    "مَرْحَبًا": "مرحبا",
    "don’t": "don't",
    "😭😭": "😭",
    "0_😀": "😀",
    "cat😻love": "😻",
    "pepeHands": ":pepeHands:",
    "PeepoHappy2x": "peepohappy2x",
}


def test_names_in_every_script_are_found_by_themselves(built: Built, tmp_path: Path) -> None:
    for seed, name in enumerate(NAMES):
        drawn(tmp_path / "pics" / f"{unicodedata.normalize('NFD', name)}.png", seed)
    report, retriever = built()
    with retriever:
        assert report.stickers == len(NAMES)
        for name, query in NAMES.items():
            first = found(retriever, query)[0]
            assert unicodedata.normalize("NFC", first) == f"{unicodedata.normalize('NFC', name)}.png", query
        assert next(iter(retriever.search("😭"))).title == "😭"


def test_odd_kinds_are_read_or_named(built: Built, tmp_path: Path) -> None:
    pics = tmp_path / "pics"
    for seed, (name, kind) in enumerate(
        {
            "a.jfif": "JPEG",
            "b.avif": "AVIF",
            "c.bmp": "BMP",
            "d.tiff": "TIFF",
            "nosuffix": "PNG",
            "e.webp": "PNG",
            "f.jpg!w500": "JPEG",
        }.items()
    ):
        drawn(pics / name, seed, format=kind)
    drawn(tmp_path / "elsewhere/x.png", 9)
    (pics / "linked").symlink_to(tmp_path / "elsewhere")
    (pics / "work.psd").write_bytes(b"8BPS")
    shutil.make_archive(str(pics / "more"), "zip", tmp_path / "elsewhere")
    (pics / "notes.md").write_text("nothing to see")
    report, retriever = built()
    with retriever:
        assert report.stickers == 7
        reasons = {item.key: item.reason for item in report.skipped}
    assert sorted(reasons) == ["linked", "more.zip", "work.psd"]
    assert "link to a folder outside" in reasons["linked"]
    assert "run persrv import" in reasons["more.zip"]
    assert ".psd files are not read" in reasons["work.psd"]


def test_what_a_pack_says_about_itself_is_read(built: Built, tmp_path: Path) -> None:
    pack = tmp_path / "pics/pack1"
    for number in range(3):
        drawn(pack / f"00{number}.webp", number)
    drawn(pack / "cover.png", 5)
    (pack / "title.txt").write_text("Sleepy Foxes\n")
    (pack / "author.txt").write_text("somebody")
    (pack / "emoji.txt").write_text(json.dumps({"000": "😴💤", "001": "😀"}))
    report, retriever = built()
    with retriever:
        assert report.stickers == 3
        assert found(retriever, "😴")[0] == found(retriever, "💤")[0] == "000.webp"
        assert sorted(found(retriever, "foxes")) == ["000.webp", "001.webp", "002.webp"]
        assert next(iter(retriever.search("😀"))).payload["pack"] == ["Sleepy Foxes"]


def test_a_telegram_folder_without_its_table_shows_each_sticker_once(built: Built, tmp_path: Path) -> None:
    for number, name in enumerate(["sticker.webp", "sticker (1).webp", "sticker (2).webp"]):
        drawn(tmp_path / "pics/stickers" / name, number)
        drawn(tmp_path / "pics/stickers" / f"{name}_thumb.jpg", number + 3)
    report, retriever = built()
    with retriever:
        assert report.stickers == 3
        assert not any("thumb" in hit.title for hit in retriever.search(""))


def test_a_sentence_in_the_name_and_in_the_picture_counts_once(tmp_path: Path) -> None:
    from persrv.catalog.phrases import read_anew

    assert read_anew(["我不听", "別的"], ["你说得对，但是我不聽"]) == ("別的",)
    assert read_anew(["GOOD  NIGHT!"], ["good night"]) == ()
    assert read_anew(["a", "cat"], ["a cat nap", "A"]) == ()
    assert read_anew(["a"], ["cat"]) == ("a",)


def test_several_sources_stand_in_one_recipe(tmp_path: Path) -> None:
    drawn(tmp_path / "one/a cat.png", 1)
    drawn(tmp_path / "two/a cat.png", 2)
    drawn(tmp_path / "three/a dog.png", 3)
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "three")
    (tmp_path / "picks.csv").write_text("user,query,key\nann,pet,a cat.png\nann,pet,a dog.png\n")
    recipe = tmp_path / "odd.toml"
    sources = "".join(f'[[stickers]]\nloader = "folder"\npath = "{path}"\n' for path in ("one", "two", "packed.zip"))
    picks = '[[interactions]]\nloader = "table"\npath = "picks.csv"\n'
    recipe.write_text(f'name = "odd"\n{sources}{picks}')
    home = tmp_path / "home"
    report = build_collection(recipe, home=home)
    assert (report.stickers, report.picks, report.skipped) == (3, 2, ())
    with Retriever.open(recipe, home=home) as retriever:
        assert len(found(retriever, "cat")) == 2
        (dog,) = retriever.search("dog")
        assert dog.path is not None
        assert dog.path.is_relative_to(home / "odd" / "archives")
        assert dog.payload["picks"] == 1
    recipe.write_text('name = "odd"\n[stickers]\nloader = "folder"\npath = "two"\n')
    build_collection(recipe, home=home)
    with Retriever.open(recipe, home=home) as retriever:
        assert found(retriever, "cat") == ["a cat.png"]
        assert len(retriever.search("")) == 1


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    drawn(tmp_path / "one/a.png", 1)
    recipe = tmp_path / "odd.toml"
    recipe.write_text('name = "odd"\n' + '[[stickers]]\nloader = "folder"\npath = "one"\nname = "same"\n' * 2)
    with pytest.raises(RecipeError, match=r"two \[\[stickers\]\] are called same"):
        build_collection(recipe, home=tmp_path / "home")


def test_a_first_build_without_words_says_what_would_help(built: Built, tmp_path: Path) -> None:
    for number in range(4):
        drawn(tmp_path / f"pics/IMG_{number:04}.png", number)
    drawn(tmp_path / "pics/cat.png", 9)
    report, retriever = built()
    retriever.close()
    first, ocr, describe = report.notes
    recipe = tmp_path / "odd.toml"
    assert first == "4 of 5 stickers have no words: no search finds them by what they mean"
    assert re.fullmatch(r"to read the words drawn in, about \d+ s here: printf .* && persrv build -c \S+", ocr)
    assert "some seconds each" in describe
    again, retriever = built()
    retriever.close()
    assert again.notes == ()
    command = ocr.partition("here: ")[2].partition(" && persrv")[0]
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert Recipe.read(recipe).ocr.engine == "rapidocr"


def test_a_build_with_words_gives_no_advice(built: Built, tmp_path: Path) -> None:
    drawn(tmp_path / "pics/cat.png", 1)
    report, retriever = built()
    retriever.close()
    assert report.notes == ()
