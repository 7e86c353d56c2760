"""Painting drawings, and putting a whole set together from small packages made here."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from test_emoji_set_matching import pack

pytest.importorskip("resvg_py", reason="the extra emoji-set is not installed")

from scripts.emoji_set import build as building
from scripts.emoji_set.__main__ import main
from scripts.emoji_set.build import LISTING, OccupiedError, build
from scripts.emoji_set.draw import SIDE, UndrawableError, check_moving, paint
from scripts.emoji_set.styles import Style

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
LEFT_HALF = '<path d="M1 1h4v8h-4z" fill="{}"/>'


def painted(body: str, *, mirrored: bool = False, ink: str = "") -> Image.Image:
    return Image.open(io.BytesIO(paint(f"{HEAD}{body}</svg>", mirrored=mirrored, ink=ink))).convert("RGBA")


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return pixel[3] > 250 and all(abs(a - b) < 24 for a, b in zip(pixel, colour, strict=False))


def test_colours_and_transparency_stay() -> None:
    image = painted(LEFT_HALF.format("#f00"))
    assert image.size == (SIDE, SIDE)
    assert near(image.getpixel((24, 48)), (255, 0, 0))
    assert image.getchannel("A").getpixel((80, 48)) == 0


def test_a_mirrored_drawing_is_flipped() -> None:
    image = painted(LEFT_HALF.format("#f00"), mirrored=True)
    assert near(image.getpixel((72, 48)), (255, 0, 0))


def test_one_ink_gets_a_pale_edge() -> None:
    image = painted(LEFT_HALF.format("currentColor"), ink="#23315f")
    assert near(image.getpixel((28, 48)), (0x23, 0x31, 0x5F))
    row = [image.getpixel((x, 48)) for x in range(SIDE)]
    assert any(near(pixel, (255, 255, 255)) for pixel in row)
    assert near(row[48 + 1], (255, 255, 255)) or near(row[48 + 2], (255, 255, 255))


def test_a_wide_picture_is_centred_not_stretched() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (200, 100), (0, 0, 255, 255)).save(file, "WEBP", lossless=True)
    image = Image.open(io.BytesIO(paint(file.getvalue(), mirrored=False, ink=""))).convert("RGBA")
    assert image.getchannel("A").getbbox() == (0, SIDE // 4, SIDE, 3 * SIDE // 4)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (f"{HEAD}</svg>", "it is blank"),
        (f'{HEAD}<path d="M1 1h4v8z" opacity="0.01"/></svg>', "it is blank"),
        (f"{HEAD}<text>hi</text></svg>", "it has text"),
        (f"{HEAD}<path", "never closed"),
        (b"no picture", "cannot identify image"),
    ],
)
def test_what_cannot_be_painted_is_told(picture: str | bytes, reason: str) -> None:
    with pytest.raises(UndrawableError, match=reason):
        paint(picture, mirrored=False, ink="")


def test_only_animations_move() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    moving, still = io.BytesIO(), io.BytesIO()
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    frames[0].save(still, "WEBP")
    assert check_moving(moving.getvalue()) == moving.getvalue()
    with pytest.raises(UndrawableError, match="does not move"):
        check_moving(still.getvalue())


def icon_set(**colours: str) -> dict[str, object]:
    return {"width": 10, "height": 10, "icons": {n: {"body": LEFT_HALF.format(c)} for n, c in colours.items()}}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two styles of three meanings; one drawing is blank, one is the same as another."""
    folder = tmp_path / "npm"
    folder.mkdir()
    labels = {"😀": "grin", "😂": "joy", "😢": "cry"}
    english = [
        {"hexcode": f"{ord(e):X}", "emoji": e, "type": 1, "label": label, "tags": [], "order": n, "group": 0}
        for n, (e, label) in enumerate(labels.items())
    ]
    pack(
        folder,
        "emojibase-data",
        {"en/data.json": english, "zh/data.json": english}
        | {f"en/shortcodes/{name}.json": {} for name in ("github", "emojibase")},
        version="17.0.0",
    )
    pack(folder, "@x/one", {"icons.json": icon_set(grin="#f00", joy="#0f0", cry="none"), "chars.json": {}})
    pack(folder, "@x/two", {"icons.json": icon_set(grin="#f00", joy="#00f", extra="#123"), "chars.json": {}})
    styles = tuple(
        Style(name, name.title(), f"@x/{name}", "1.0.0", "Me", "https://example.org", licence, small=True)
        for name, licence in (("one", "MIT"), ("two", "CC-BY-SA-4.0"))
    )
    monkeypatch.setattr(building, "STYLES", styles)
    return folder


def test_a_set_is_put_together_and_remade_byte_for_byte(tmp_path: Path, cache: Path) -> None:
    out = tmp_path / "set"
    report = build(out, cache, small=False, processes=1)
    assert report.pictures == {"one": 2, "two": 1}
    assert report.meanings == 2
    assert report.skipped == {"one/1f622": "it is blank", "two/1f600": "it is the same picture as another one"}
    assert report.unmatched == {"one": 0, "two": 1}
    assert report.rare == {"😀": 1, "😂": 2, "😢": 0}
    lines = [json.loads(line) for line in (out / LISTING).read_text(encoding="utf-8").splitlines()]
    assert [line["file"] for line in lines] == ["one/1f600.webp", "one/1f602.webp", "two/1f602.webp"]
    assert all((out / line["file"]).is_file() for line in lines)
    assert "pictures of Two are under CC-BY-SA-4.0" in (out / "NOTICE").read_text(encoding="utf-8")
    before = {file.relative_to(out): file.read_bytes() for file in out.rglob("*") if file.is_file()}
    assert report.size == sum(map(len, before.values()))
    (out / "one" / "stale.webp").write_bytes(b"old")
    build(out, cache, small=False, processes=2)
    assert {file.relative_to(out): file.read_bytes() for file in out.rglob("*") if file.is_file()} == before


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OccupiedError, match=f"no {LISTING}"):
        build(tmp_path, cache, small=False, processes=1)
    assert main(["large", str(tmp_path), "--cache", str(cache)]) == 2
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_the_command_says_what_it_made_and_skipped(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["large", str(tmp_path / "set"), "--cache", str(cache), "--processes", "1"]) == 0
    message = capsys.readouterr()
    assert "3 pictures of 2 meanings" in message.out
    assert "skipped 1: it is blank: one/1f622" in message.err
    assert "3 meanings have fewer than 6 styles: 😀 1 😂 2 😢 0" in message.err


def test_a_small_set_with_too_few_styles_fails(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "everyday", list)
    assert main(["small", str(tmp_path / "set"), "--cache", str(cache), "--processes", "1"]) == 1
