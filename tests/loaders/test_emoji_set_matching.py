"""Finding each emoji's drawing in packages that tell code points, and in packages that only have names."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.emoji_set.glyphs import find_glyphs, learn_names, squash
from scripts.emoji_set.meanings import Meaning, code_points, everyday, hexcode, read_meanings
from scripts.emoji_set.packages import Package, PackageError, fetch
from scripts.emoji_set.styles import STYLES, Style


def meaning(emoji: str, label: str) -> Meaning:
    return Meaning(emoji=emoji, code=hexcode(emoji), label=label, name=(label,), tags=())


def pack(folder: Path, name: str, files: Mapping[str, object], version: str = "1.0.0") -> Package:
    """Write an npm archive as ``npm pack`` names it."""
    archive = folder / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    with tarfile.open(archive, "w:gz") as out:
        for place, content in ({"package.json": {"name": name, "version": version}} | dict(files)).items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            entry = tarfile.TarInfo(f"package/{place}")
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))
    return Package(name, version, archive)


def style(name: str) -> Style:
    return Style(name, name, f"@x/{name}", "1.0.0", "me", "https://example.org", "MIT")


GRIN, JOY, HEART, UP = (
    meaning("😀", "grinning face"),
    meaning("😂", "face with tears of joy"),
    meaning("❤️", "red heart"),
    meaning("🆙", "UP! button"),
)
LEFT, RIGHT = meaning("👈", "backhand index pointing left"), meaning("👉", "backhand index pointing right")
ALL = [GRIN, JOY, HEART, UP, LEFT, RIGHT]
ICON = {"body": "<g/>"}


def icons(*names: str, **aliases: dict[str, object]) -> dict[str, object]:
    return {"width": 32, "height": 16, "icons": {name: {"body": f"<{name}/>"} for name in names}, "aliases": aliases}


def found(package: Package, of: str = "any", names: Mapping[str, str] | None = None) -> dict[str, str]:
    glyphs, _ = find_glyphs(style(of), package, ALL, learn_names(ALL, [package]) if names is None else names)
    return {glyph.code: str(glyph.picture) for glyph in glyphs}


@pytest.mark.parametrize(
    ("code", "normal"), [("2764-FE0F", "2764"), ("1F441-FE0F-200D-1F5E8-FE0F", "1f441-200d-1f5e8"), ("1f602", "1f602")]
)
def test_code_points_are_written_in_one_way(code: str, normal: str) -> None:
    assert code_points(code) == normal


def test_names_meet_whatever_their_spelling() -> None:
    assert squash("Flag: Côte d’Ivoire") == squash("flag-cote-d-ivoire") == "flagcotedivoire"


def test_code_points_lead_to_the_drawing(tmp_path: Path) -> None:
    package = pack(tmp_path, "@x/a", {"icons.json": icons("a", "b"), "chars.json": {"1f600": "a", "2764-fe0f": "b"}})
    assert {code: "<a/>" in svg or "<b/>" in svg for code, svg in found(package).items()} == {
        "1f600": True,
        "2764": True,
    }
    assert 'viewBox="0 0 32 16"' in found(package)["1f600"]


def test_names_lead_to_the_drawing_where_code_points_are_missing(tmp_path: Path) -> None:
    package = pack(
        tmp_path, "@x/a", {"icons.json": icons("grinning-face", "heavy-black-heart", "other"), "chars.json": {}}
    )
    assert set(found(package)) == {"1f600", "2764"}


def test_one_package_teaches_another_its_names(tmp_path: Path) -> None:
    teacher = pack(
        tmp_path,
        "@x/t",
        {"icons.json": icons("joy", lol={"parent": "joy"}), "chars.json": {"1f602": "joy"}},
    )
    names = learn_names(ALL, [teacher])
    pupil = pack(tmp_path, "@x/p", {"icons.json": icons("lol"), "chars.json": {}})
    assert set(found(pupil, names=names)) == {"1f602"}


def test_a_name_that_means_two_emoji_means_none(tmp_path: Path) -> None:
    teachers = [
        pack(tmp_path, f"@x/{n}", {"icons.json": icons("laugh"), "chars.json": {code: "laugh"}})
        for n, code in (("a", "1f602"), ("b", "1f600"))
    ]
    assert "laugh" not in learn_names(ALL, teachers)


def test_a_label_means_its_own_emoji_whatever_a_package_says(tmp_path: Path) -> None:
    teacher = pack(tmp_path, "@x/a", {"icons.json": icons("red-heart"), "chars.json": {"1f602": "red-heart"}})
    assert learn_names(ALL, [teacher])["redheart"] == "2764"


def test_a_mirrored_alias_is_followed(tmp_path: Path) -> None:
    left = "backhand-index-pointing-left"
    alias = {"backhand-index-pointing-right": {"parent": left, "hFlip": True}}
    package = pack(tmp_path, "@x/a", {"icons.json": icons(left, **alias), "chars.json": {"1f448": left}})
    glyphs, unmatched = find_glyphs(style("a"), package, ALL, learn_names(ALL, []))
    assert [(glyph.code, glyph.mirrored) for glyph in glyphs] == [("1f448", False), ("1f449", True)]
    assert glyphs[0].picture == glyphs[1].picture
    assert unmatched == 0


def test_exceptions_go_before_names(tmp_path: Path) -> None:
    package = pack(
        tmp_path, "@x/a", {"icons.json": icons("grin", "red-heart", "window", "up-button"), "chars.json": {}}
    )
    assert set(found(package, "fxemoji")) == {"1f600", "2764", "1f199"}
    assert set(found(package, "emojione")) == {"2764"}


def test_pictures_are_found_by_their_file_name(tmp_path: Path) -> None:
    files = {
        "assets/1f602.webp": b"joy",
        "assets/2764-fe0f.webp": b"heart",
        "assets/1f9ff.webp": b"",
        "assets/.keep": b"",
    }
    package = pack(tmp_path, "@x/a", files)
    glyphs, unmatched = find_glyphs(style("a"), package, ALL, {})
    assert [(glyph.code, glyph.picture) for glyph in glyphs] == [("1f602", b"joy"), ("2764", b"heart")]
    assert unmatched == 1


def test_texts_are_english_then_chinese_and_components_are_left_out(tmp_path: Path) -> None:
    english = [
        {"hexcode": "2764", "emoji": "❤️", "type": 0, "label": "red heart", "tags": ["love"], "order": 2, "group": 0},
        {
            "hexcode": "1F449",
            "emoji": "👉\ufe0f",
            "type": 1,
            "label": "right",
            "tags": ["point"],
            "order": 1,
            "group": 1,
        },
        {"hexcode": "1F6B6-200D-27A1-FE0F", "emoji": "🚶‍➡️", "type": 1, "label": "go", "order": 4, "group": 1},
        {"hexcode": "1F3FB", "emoji": "🏻", "type": 1, "label": "light skin tone", "order": 3, "group": 2},
        {"hexcode": "1F1E6", "emoji": "🇦", "type": 1, "label": "regional indicator A"},
    ]
    chinese = [entry | {"label": f"中{entry['hexcode']}", "tags": ["爱", "love"]} for entry in english]
    package = pack(
        tmp_path,
        "emojibase-data",
        {
            "en/data.json": english,
            "zh/data.json": chinese,
            "en/shortcodes/github.json": {"2764": "heart"},
            "en/shortcodes/emojibase.json": {"2764": ["heart", "red_heart"]},
        },
    )
    assert read_meanings(package) == [
        Meaning("👉", "1f449", "right", ("right", "中1F449"), ("point", "爱", "love")),
        Meaning("❤️", "2764", "red heart", ("red heart", "中2764"), ("love", "heart", "爱")),
        Meaning("🚶‍➡️", "1f6b6-200d-27a1", "go", ("go", "中1F6B6-200D-27A1-FE0F"), ("爱", "love")),
    ]


def test_everyday_meanings_must_be_emoji() -> None:
    with pytest.raises(ValueError, match=r"everyday\.txt lists"):
        everyday([GRIN])


def test_a_package_in_the_cache_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    package = pack(tmp_path, "@x/a", {})
    assert fetch("@x/a", "1.0.0", tmp_path) == package


def test_an_archive_of_another_version_is_refused(tmp_path: Path) -> None:
    archive = pack(tmp_path, "@x/a", {}, version="1.0.1").archive
    archive.rename(tmp_path / "x-a-1.0.0.tgz")
    with pytest.raises(PackageError, match=r"is @x/a 1\.0\.1, not @x/a 1\.0\.0"):
        fetch("@x/a", "1.0.0", tmp_path)


def test_without_npm_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PackageError, match="npm is not installed"):
        fetch("@x/a", "1.0.0", tmp_path)


def test_styles_are_pinned_named_once_and_openly_licensed() -> None:
    assert [each.name for each in STYLES] == sorted({each.name for each in STYLES})
    assert {each.licence for each in STYLES} <= {"Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "MIT"}
    assert sum(each.small for each in STYLES) == 8
