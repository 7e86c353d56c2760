"""The emoji loader: the shipped set is sound, and its simulated people pick by the taste that is told."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import emoji
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from persrv.errors import RecipeError, SourceError
from persrv.offline.loading import Loader, load
from persrv.recipe import Recipe
from persrv.records import Skipped, SourcePick, SourceSticker
from repository import ROOT

SET = ROOT / "collections" / "emoji"
Using = Callable[..., Loader]
ENTRY = {
    "file": "s/a.webp",
    "emoji": "😀",
    "style": "s",
    "pack": "S",
    "name": ["grin", "笑"],
    "tags": ["happy", "高兴"],
}


@pytest.fixture(scope="module")
def shipped() -> list[SourceSticker]:
    recipe = Recipe.read(ROOT / "collections" / "emoji.toml")
    found = list(load(recipe.stickers[0], recipe).stickers())
    assert not [item for item in found if isinstance(item, Skipped)]
    return [item for item in found if isinstance(item, SourceSticker)]


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """Five meanings in four styles; the loader does not open pictures."""
    entries = [
        ENTRY | {"file": f"{style}/{face}.webp", "emoji": face, "style": style, "pack": style.title()}
        for style in ("flat", "ink", "round", "soft")
        for face in "😀😂😢😡🥳"
    ]
    write(tmp_path, *(json.dumps(entry, ensure_ascii=False) for entry in entries))
    return tmp_path


def write(folder: Path, *lines: str) -> None:
    (folder / "stickers.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def picks_of(loader: Loader) -> list[SourcePick]:
    return [item for item in loader.interactions() if isinstance(item, SourcePick)]


def test_the_shipped_set_is_large_enough_and_small_enough(shipped: list[SourceSticker]) -> None:
    styles = defaultdict(set)
    for item in shipped:
        styles[item.semantics.emoji].add(item.style)
    assert len(shipped) >= 1_500
    assert len(styles) >= 250
    assert min(len(drawn) for drawn in styles.values()) >= 6
    assert sum(file.stat().st_size for file in SET.rglob("*") if file.is_file()) < 8_000_000


def test_every_picture_is_there_visible_and_transparent(shipped: list[SourceSticker]) -> None:
    for item in shipped[:: len(shipped) // 200]:
        assert item.path is not None
        with Image.open(item.path) as image:
            assert (image.format, image.size) == ("WEBP", (96, 96))
            alpha = image.convert("RGBA").getchannel("A")
        assert alpha.getextrema()[1] > 200, item.key
        assert alpha.histogram()[0] > 0, item.key


def test_no_file_is_left_over_and_each_stands_in_its_styles_folder(shipped: list[SourceSticker]) -> None:
    assert {item.key for item in shipped} == {file.relative_to(SET).as_posix() for file in SET.rglob("*.webp")}
    assert all(item.key.partition("/")[0] == item.style for item in shipped)


def test_every_sticker_has_an_emoji_and_texts_in_both_languages(shipped: list[SourceSticker]) -> None:
    for item in shipped:
        (character,) = item.semantics.emoji
        assert emoji.is_emoji(character), item.key
        texts = "".join((*item.semantics.name, *item.semantics.tags))
        assert any("\u4e00" <= char <= "\u9fff" for char in texts), item.key
        assert any(char.isascii() and char.isalpha() for char in texts), item.key


def test_there_are_no_flags_and_no_skin_tones(shipped: list[SourceSticker]) -> None:
    characters = "".join(character for item in shipped for character in item.semantics.emoji)
    assert not [char for char in characters if 0x1F1E6 <= ord(char) <= 0x1F1FF or 0x1F3FB <= ord(char) <= 0x1F3FF]


def test_the_notice_names_every_style_and_its_licence(shipped: list[SourceSticker]) -> None:
    notice = (SET / "NOTICE").read_text(encoding="utf-8")
    for style, pack in {(item.style, item.pack) for item in shipped}:
        _, found, paragraph = notice.partition(f"{pack} (folder {style})\n")
        assert found, style
        assert all(line in paragraph.split("\n\n")[0] for line in ("Source:", "Author:", "Licence:", "Changed:"))
    assert "CC-BY-SA-4.0 and stay so" in notice
    assert "Copyright (c) Miles Johnson" in notice


def test_every_simulated_pick_is_marked_and_means_a_shipped_sticker(shipped: list[SourceSticker]) -> None:
    recipe = Recipe.read(ROOT / "collections" / "emoji.toml")
    picks = picks_of(load(recipe.interactions[0], recipe))
    texts = {item.key: {*item.semantics.name, *item.semantics.tags} for item in shipped}
    assert Counter(pick.user for pick in picks) == dict.fromkeys(("ann", "bo", "chen", "dana", "eli", "fay"), 30)
    assert {pick.kind for pick in picks} == {"simulated"}
    assert all(pick.query in texts[pick.key] for pick in picks)


def test_people_pick_what_they_like(using: Using) -> None:
    loader = using("emoji", SET, picks=400, noise=0.15)
    liked = loader.module.tastes(SET)
    picks = picks_of(loader)
    hits = sum(pick.key.partition("/")[0] in liked[pick.user] for pick in picks)
    assert 0.85 < hits / len(picks) < 0.93  # a random pick of eight styles hits a taste of one or two by chance, too
    assert [len(styles) for styles in liked.values()] == [1, 2, 1, 2, 1, 2]
    assert loader.module.tastes(SET, seed=1) != liked
    assert len(set(liked.values())) == len(liked)


def test_people_type_their_language(using: Using) -> None:
    for pick in picks_of(using("emoji", SET)):
        chinese = any("\u4e00" <= char <= "\u9fff" for char in pick.query)
        assert chinese == (pick.user in {"bo", "chen", "fay"}), pick


def test_times_begin_at_a_fixed_day_and_increase(using: Using, small_set: Path) -> None:
    times = [pick.time for pick in picks_of(using("emoji", small_set)) if pick.time is not None]
    assert len(times) == 180
    assert times[0] == datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert times == sorted(set(times))


def test_the_same_seed_gives_the_same_picks(using: Using, small_set: Path) -> None:
    again = [picks_of(using("emoji", small_set, seed=seed)) for seed in (0, 0, 1)]
    assert again[0] == again[1] != again[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(users=st.integers(1, 20), picks=st.integers(0, 20), seed=st.integers(0, 2**32))
def test_without_noise_every_pick_is_to_taste(using: Using, small_set: Path, users: int, picks: int, seed: int) -> None:
    loader = using("emoji", small_set, users=users, picks=picks, noise=0.0, seed=seed)
    liked = loader.module.tastes(small_set, users, seed)
    found = picks_of(loader)
    assert len(liked) == users
    assert len(found) == users * picks
    assert all(pick.key.partition("/")[0] in liked[pick.user] for pick in found)


@pytest.mark.parametrize("options", [{"users": 0}, {"picks": -1}, {"noise": 1.5}, {"seed": -1}])
def test_impossible_simulations_are_refused(
    using: Using, small_set: Path, options: dict[str, str | int | float | bool]
) -> None:
    ((name, _),) = options.items()
    with pytest.raises(RecipeError, match=name):
        picks_of(using("emoji", small_set, **options))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        (json.dumps({**ENTRY, "file": "../a.webp"}), "leaves the set's folder"),
        (json.dumps({**ENTRY, "file": "/a.webp"}), "leaves the set's folder"),
        (json.dumps({key: value for key, value in ENTRY.items() if key != "style"}), "KeyError: 'style'"),
        (json.dumps({**ENTRY, "tags": [1]}), "1 is no text"),
        (json.dumps({**ENTRY, "name": "grin"}), "'grin' is no list"),
        (json.dumps({**ENTRY, "emoji": None}), "None is no text"),
    ],
)
def test_a_wrong_line_is_reported_and_the_others_come(using: Using, tmp_path: Path, line: str, reason: str) -> None:
    write(tmp_path, line, json.dumps(ENTRY))
    report, item = using("emoji", tmp_path).stickers()
    assert isinstance(report, Skipped)
    assert report.key == "stickers.jsonl line 1"
    assert reason in report.reason
    assert item.key == "s/a.webp"
    assert len(picks_of(using("emoji", tmp_path, users=1, picks=2))) == 2


def test_a_separator_that_json_allows_does_not_split_a_line(using: Using, tmp_path: Path) -> None:
    write(tmp_path, json.dumps({**ENTRY, "name": ["a\u2028b"]}, ensure_ascii=False))
    (item,) = using("emoji", tmp_path).stickers()
    assert item.semantics.name == ("a\u2028b",)


def test_a_folder_that_is_no_set_is_an_error(using: Using, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"stickers\.jsonl cannot be read"):
        list(using("emoji", tmp_path).stickers())


def test_an_empty_set_has_no_tastes(using: Using, tmp_path: Path) -> None:
    write(tmp_path)
    assert list(using("emoji", tmp_path).stickers()) == []
    with pytest.raises(SourceError, match="lists no sticker"):
        picks_of(using("emoji", tmp_path))
