from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from picture_copies import COPIES, EMOJI, given, names, picture, printed, saved, scaled, whitened, with_margin
from PIL import Image, ImageDraw

from persrv.catalog import content_id
from persrv.images.duplicates import PerceptualHash, duplicate_groups
from persrv.images.duplicates.alike import alike
from persrv.offline import build_collection
from tiny_collection import Tiny

SAMPLE = names(60)
SIDE = 96


@pytest.fixture(scope="module")
def originals() -> np.ndarray:
    return printed(*(saved(picture(name)) for name in SAMPLE))


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_grouped_with_their_originals_whatever_their_format_and_size(
    kind: str, originals: np.ndarray
) -> None:
    copy, least = COPIES[kind]
    copies = printed(*(copy(picture(name)) for name in SAMPLE))
    ids = [f"{i:03d}" for i in range(2 * len(SAMPLE))]
    groups = duplicate_groups(ids, given(ids, np.concatenate([originals, copies])))
    found = [groups.get(ids[i]) is not None and groups.get(ids[i]) == groups.get(ids[i + 60]) for i in range(60)]
    assert np.mean(found) >= least


def test_no_two_drawings_of_the_shipped_set_are_linked() -> None:
    ids = [json.loads(line)["file"] for line in (EMOJI / "stickers.jsonl").read_text("utf-8").splitlines()]
    assert len(ids) == 2485
    assert duplicate_groups(ids, given(ids, printed(*((EMOJI / name).read_bytes() for name in ids)))) == {}


def test_recoloured_mirrored_and_turned_drawings_are_not_linked() -> None:
    arrow, thumb = picture("noto/1f449.webp"), picture("twemoji/1f44d.webp")
    for image in (arrow, thumb):
        others = [image.transpose(way) for way in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90)]
        red, green, blue, alpha = image.split()
        others += [Image.merge("RGBA", (green, red, blue, alpha)), Image.merge("RGBA", (red, blue, green, alpha))]
        others += [
            Image.merge("RGBA", (*(band.point(lambda value: value * 0.8) for band in (red, green, blue)), alpha))
        ]
        rows = printed(saved(image), *(saved(other) for other in others))
        assert not alike(np.repeat(rows[:1], len(others), axis=0), rows[1:]).any()


def test_hearts_of_other_colours_and_faces_with_other_mouths_are_not_linked() -> None:
    ids = ["2764", "1f49a", "1f49b", "1f499", "1f642", "1f641", "1f610", "1f609"]
    for style in ("twemoji", "noto", "fluent-emoji-flat"):
        files = [file for file in (EMOJI / style / f"{name}.webp" for name in ids) if file.exists()]
        assert len(files) >= 6
        rows = printed(*(file.read_bytes() for file in files))
        for size in (1.0, 0.5):
            small = printed(*(saved(scaled(size, Image.Resampling.LANCZOS)(Image.open(file))) for file in files))
            for i in range(len(files)):
                assert alike(np.repeat(rows[i : i + 1], len(files), axis=0), small).tolist() == [
                    i == j for j in range(len(files))
                ]


def face(mouth: Callable[[ImageDraw.ImageDraw], object], right_eye: bool = True) -> Image.Image:
    image = Image.new("RGBA", (4 * SIDE, 4 * SIDE))
    draw = ImageDraw.Draw(image)
    draw.ellipse((8, 8, 376, 376), fill="#ffcc4d")
    draw.ellipse((110, 120, 150, 180), fill="#664500")
    draw.ellipse((234, 120, 274, 180), fill="#664500") if right_eye else draw.line((234, 150, 274, 150), "#664500", 12)
    mouth(draw)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def flag(*stripes: str) -> Image.Image:
    image = Image.new("RGBA", (SIDE, 64))
    for i, stripe in enumerate(stripes):
        image.paste(stripe, (i * SIDE // len(stripes), 0, (i + 1) * SIDE // len(stripes), 64))
    return image


def clock(minutes: int) -> Image.Image:
    image = Image.new("RGBA", (4 * SIDE, 4 * SIDE))
    draw = ImageDraw.Draw(image)
    draw.ellipse((8, 8, 376, 376), fill="#e1e8ed", outline="#8899a6", width=36)
    for angle, reach in ((minutes / 60, 140), (minutes / 720, 90)):
        turn = 2 * np.pi * angle
        draw.line((192, 192, 192 + reach * np.sin(turn), 192 - reach * np.cos(turn)), "#67757f", 18)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def smile(draw: ImageDraw.ImageDraw) -> None:
    draw.arc((120, 180, 264, 300), 30, 150, "#664500", 14)


def frown(draw: ImageDraw.ImageDraw) -> None:
    draw.arc((120, 240, 264, 360), 210, 330, "#664500", 14)


HARD = {
    "mouth turned": (face(smile), face(frown)),
    "one eye closed": (face(smile), face(smile, right_eye=False)),
    "another stripe": (flag("#0055a4", "white", "#ef4135"), flag("#009246", "white", "#ef4135")),
    "a stripe of the same brightness": (flag("#b00000", "white", "#0055a4"), flag("#006a00", "white", "#0055a4")),
    "half an hour later": (clock(60), clock(90)),
    "an hour later": (clock(60), clock(120)),
}


@pytest.mark.parametrize("pair", HARD)
@pytest.mark.parametrize("factor", [1.0, 0.5, 1 / 3])
def test_small_changes_are_another_sticker_at_any_size(pair: str, factor: float) -> None:
    first, second = HARD[pair]
    shrink = scaled(factor, Image.Resampling.LANCZOS)
    for ground in (lambda image: image, whitened):
        one, copy, other = printed(saved(first), saved(ground(shrink(first))), saved(ground(shrink(second))))
        assert alike(np.stack([one, one]), np.stack([copy, other])).tolist() == [True, False]


def test_what_cannot_be_seen_is_no_copy_of_anything() -> None:
    nothing = saved(Image.new("RGBA", (50, 50)))
    blank = saved(Image.new("RGB", (50, 50), "white"))
    rows = printed(nothing, nothing, blank, blank)
    assert np.isfinite(rows).all()
    assert duplicate_groups(list("abcd"), given("abcd", rows)) == {}


def test_two_white_drawings_are_told_apart_by_their_alpha() -> None:
    ring, disc = Image.new("RGBA", (SIDE, SIDE)), Image.new("RGBA", (SIDE, SIDE))
    ImageDraw.Draw(ring).ellipse((4, 4, 92, 92), outline="white", width=20)
    ImageDraw.Draw(disc).ellipse((4, 4, 92, 92), fill="white")
    rows = printed(saved(ring), saved(disc), saved(ring.resize((48, 48))))
    assert duplicate_groups(list("abc"), given("abc", rows)) == {"a": "a", "c": "a"}


def test_a_still_is_no_copy_of_an_animation_that_shows_it() -> None:
    still = face(smile)
    moved = Image.new("RGBA", (SIDE, 2 * SIDE))
    moved.paste(still, (0, SIDE))
    start = Image.new("RGBA", (SIDE, 2 * SIDE))
    start.paste(still, (0, 0))
    for frames in ([still, face(frown)], [start, moved]):
        animation = saved(frames[0], save_all=True, append_images=frames[1:], format="WEBP", lossless=True)
        small = [frame.resize((frame.width // 2, frame.height // 2), Image.Resampling.BOX) for frame in frames]
        copy = saved(small[0], save_all=True, append_images=small[1:], format="WEBP", lossless=True)
        rows = printed(animation, saved(frames[0]), saved(frames[1]), copy)
        assert alike(np.repeat(rows[:1], 3, axis=0), rows[1:]).tolist() == [False, False, True]


def test_nothing_to_compare() -> None:
    width = PerceptualHash.dimension
    assert duplicate_groups([], given("", np.zeros((0, width), np.float32))) == {}
    assert duplicate_groups(["a"], given("a", np.ones((1, width), np.float32))) == {}
    assert PerceptualHash().encode([]).shape == (0, width)


def test_a_crowd_of_copies_is_one_group(originals: np.ndarray) -> None:
    ids = [f"{i:03d}" for i in range(150)]
    rows = np.concatenate([np.repeat(originals[:1], 100, axis=0), originals[1:51]])
    groups = duplicate_groups(ids, given(ids, rows))
    assert {name for name, group in groups.items() if group == "000"} == set(ids[:100])


def test_links_are_followed_and_named_by_the_smallest_id() -> None:
    grey = [Image.new("RGBA", (40, 40), (level, level, level, 255)) for level in (90, 97, 104)]
    rows = printed(*(saved(with_margin(image)) for image in grey))
    assert alike(rows[[0, 1, 0]], rows[[1, 2, 2]]).tolist() == [True, True, False]
    assert duplicate_groups(["z", "y", "x"], given("zyx", rows)) == {"x": "x", "y": "x", "z": "x"}


@settings(max_examples=15, deadline=None)
@for_all(st.permutations(range(24)))
def test_neither_the_order_of_ids_nor_of_a_pair_matters(originals: np.ndarray, order: list[int]) -> None:
    half = printed(*(saved(scaled(0.5, Image.Resampling.BICUBIC)(picture(name))) for name in SAMPLE[:4]))
    rows = np.concatenate([originals[:20], half])
    ids = [f"{i:02d}" for i in range(24)]
    expected = {f"{i:02d}": f"{i % 20:02d}" for i in (0, 1, 2, 3, 20, 21, 22, 23)}
    assert duplicate_groups([ids[i] for i in order], given(ids, rows)) == expected
    assert (alike(rows, rows[order]) == alike(rows[order], rows)).all()


def test_a_search_shows_near_duplicates_once(tiny: Tiny) -> None:
    original = tiny.file.parent / "stickers" / "flat" / "cat.png"
    copy = original.with_name("copy.webp")
    Image.open(original).save(copy, lossless=True)
    copy.with_suffix(".json").write_text('{"tags": ["cat"], "style": "flat"}')
    assert build_collection(tiny.file, home=tiny.home).stickers == 31
    with tiny.open() as retriever:
        answer = retriever.search("cat", limit=30)
        shown = {hit.sticker_id for hit in answer}
        assert len(shown & {content_id(original), content_id(copy)}) == 1
        assert len(answer) == 3
        pages = [hit.sticker_id for offset in range(4) for hit in retriever.search("cat", limit=1, offset=offset)]
        assert pages == [hit.sticker_id for hit in answer]
