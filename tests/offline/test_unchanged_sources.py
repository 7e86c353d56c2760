"""What did not change is not read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from exports import picture, sticker_exif

from opened_files import opened_below
from persrv.catalog import Catalog
from persrv.images import decode
from persrv.offline import BuildReport, build_collection
from persrv.workspace import Workspace
from tiny_collection import Tiny

HEADER = "uid,query,docid,time\n"


def build(tiny: Tiny) -> BuildReport:
    return build_collection(tiny.file, home=tiny.home, only=["ingest"])


def catalog_of(tiny: Tiny) -> Catalog:
    return Workspace.of(tiny.file, tiny.home).existing_catalog()


def picks_file(tiny: Tiny) -> Path:
    return tiny.file.parent / "picks.csv"


def append(tiny: Tiny, *rows: str) -> None:
    with picks_file(tiny).open("a", encoding="utf-8") as file:
        file.write("".join(f"{row}\n" for row in rows))


def row(user: str, day: int, key: str = "flat/cat.png") -> str:
    return f"{user},cat,{key},2026-02-{day:02}T00:00:00Z"


def test_pictures_that_did_not_change_are_not_opened(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tiny)
    opened: list[Path] = []
    read = decode._read

    def count(path: Path, most: int) -> bytes:
        opened.append(path)
        return read(path, most)

    monkeypatch.setattr(decode, "_read", count)
    assert build(tiny).stickers == 30
    assert opened == []
    changed = tiny.file.parent / "stickers" / "flat" / "cat.png"
    changed.write_bytes(changed.read_bytes() + b"\0")
    build(tiny)
    assert set(opened) == {changed}


def test_a_log_that_only_grew_is_read_from_where_it_ended(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tiny, row("ann", 1), "broken")
    first = build(tiny)
    assert first.picks == 1
    seen: list[int] = []
    put = Catalog.put_picks

    def count(self, loaders, picks, **named):
        found = [*picks]
        seen.append(len(found))
        return put(self, loaders, found, **named)

    monkeypatch.setattr(Catalog, "put_picks", count)
    assert (build(tiny).picks, seen) == (0, [])
    append(tiny, row("ann", 2), row("bo", 2), "broken again")
    second = build(tiny)
    assert (second.picks, seen) == (2, [2])
    assert len(first.skipped) == 1
    assert second.skipped[: len(first.skipped)] == first.skipped
    assert len(second.skipped) == 2
    assert build(tiny).skipped == second.skipped


@pytest.mark.parametrize("what", ["rewritten", "shorter", "middle", "untimed", "unknown", "moved"])
def test_everything_else_is_read_whole(tiny: Tiny, what: str) -> None:
    append(tiny, row("ann", 1), f"ann,cat,flat/cat.png,{'' if what == 'untimed' else '2026-02-03T00:00:00Z'}")
    if what == "unknown":
        append(tiny, row("ann", 4, "flat/new.png"))
    build(tiny)
    file = picks_file(tiny)
    if what == "rewritten":
        file.write_text(HEADER + row("cleo", 5) + "\n" + file.read_text().removeprefix(HEADER))
        expected = 1
    elif what == "shorter":
        file.write_text(HEADER + row("cleo", 5) + "\n")
        expected = 1
    elif what == "middle":
        text = file.read_text()
        file.write_text(text.replace("ann,happy", "dora,happy") + row("cleo", 5) + "\n")
        expected = 2
    elif what == "untimed":
        append(tiny, "ann,cat,flat/cat.png,")
        expected = 1
    elif what == "unknown":
        flat = file.parent / "stickers" / "flat"
        (flat / "new.png").write_bytes((flat / "cat.png").read_bytes() + b"\0")
        expected = 1
    else:
        cat = file.parent / "stickers" / "flat" / "cat.png"
        cat.write_bytes(cat.read_bytes() + b"\0")
        expected = 0  # the same pixels at the same place: the picks went along
    assert build(tiny).picks == expected


def test_a_line_that_was_still_being_written_is_read_when_it_is_whole(tiny: Tiny) -> None:
    with picks_file(tiny).open("a", encoding="utf-8") as file:
        file.write(row("ann", 1)[:-12])
    build(tiny)
    with picks_file(tiny).open("a", encoding="utf-8") as file:
        file.write(row("ann", 1)[-12:] + "\n" + row("ann", 2) + "\n")
    assert build(tiny).picks == 2


def write_all_kinds(tiny: Tiny) -> Path:
    """Put a file of every kind that is read into a folder of its own; return it."""
    folder = tiny.file.parent / "stickers" / "pack"
    folder.mkdir()
    exif = sticker_exif(**{"sticker-pack-name": "Frogs"}, emojis=["🐸"])
    (folder / "frog.webp").write_bytes(picture(1, exif=exif))
    (folder / "frog.txt").write_text("green\n", encoding="utf-8")
    (folder / "cover.webp").write_bytes(picture(2))
    (folder / "emoji.txt").write_text('{"frog": "🐸"}', encoding="utf-8")
    (folder / "toad!w500").write_bytes(picture(3))
    (folder / "README").write_text("no picture", encoding="utf-8")
    return folder


def sources(tiny: Tiny) -> tuple[Path, Path]:
    return tiny.file.parent / "stickers", picks_file(tiny)


def test_a_build_in_which_nothing_changed_opens_no_file_of_its_sources(tiny: Tiny) -> None:
    write_all_kinds(tiny)
    first = build(tiny)
    with opened_below(*sources(tiny)) as opened:
        again = build(tiny)
    assert opened == set()
    assert (again.stickers, again.removed, again.skipped) == (32, 0, first.skipped)


@pytest.mark.parametrize("name", ["frog.webp", "frog.txt", "frog.json", "README", "toad!w500", "cover.webp"])
def test_a_file_that_changed_is_read_and_no_other_picture(tiny: Tiny, name: str) -> None:
    folder = write_all_kinds(tiny)
    build(tiny)
    (folder / name).write_bytes((folder / name).read_bytes() + b"\n" if name != "frog.json" else b'{"name": "kermit"}')
    with opened_below(folder.parent) as opened:
        build(tiny)
    also = {"README": [], "toad!w500": ["emoji.txt"], "cover.webp": ["emoji.txt"]}.get(name, ["emoji.txt", "frog.txt"])
    itself = "emoji.txt" if name == "cover.webp" else name  # to know it for a cover, its name and the pack's files do
    frog = ["frog.webp"] if name.startswith("frog") else []
    assert opened == {folder / each for each in (itself, *also, *frog)}


def test_a_changed_side_car_a_new_one_and_one_that_is_gone_are_seen(tiny: Tiny) -> None:
    folder = write_all_kinds(tiny)
    build(tiny)

    def tags() -> tuple[str, ...]:
        build(tiny)
        with catalog_of(tiny) as catalog:
            (frog,) = (sticker for sticker in catalog.stickers() if sticker.path == folder / "frog.webp")
        return (*frog.semantics.name, *frog.semantics.tags)

    assert tags() == ("frog", "green")
    (folder / "frog.txt").write_text("green\nwet\n", encoding="utf-8")
    assert tags() == ("frog", "green", "wet")
    (folder / "frog.json").write_text('{"name": "kermit"}', encoding="utf-8")
    assert tags() == ("kermit", "green", "wet")
    (folder / "frog.txt").unlink()
    (folder / "frog.json").unlink()
    assert tags() == ("frog",)


def test_what_is_wrong_is_told_at_each_build_and_mended_by_a_change(tiny: Tiny) -> None:
    folder = write_all_kinds(tiny)
    (folder / "frog.json").write_text("{", encoding="utf-8")
    reports = [[item.key for item in build(tiny).skipped] for _ in range(3)]
    assert reports == [["pack/frog.json"]] * 3
    (folder / "frog.json").write_text("{}", encoding="utf-8")
    (folder / "title.txt").write_bytes(b"\xff\xff")
    reports = [[item.key for item in build(tiny).skipped] for _ in range(3)]
    assert reports == [["pack/title.txt"]] * 3
    (folder / "title.txt").write_text("Frogs", encoding="utf-8")
    assert build(tiny).skipped == ()


def test_a_sticker_that_a_person_removed_is_not_opened_and_comes_back_when_it_may(tiny: Tiny) -> None:
    cat = tiny.file.parent / "stickers" / "flat" / "cat.png"
    build(tiny)
    with catalog_of(tiny) as catalog:
        (sticker,) = (each for each in catalog.stickers() if each.path == cat)
        catalog.remove(sticker.id)
    build(tiny)
    with opened_below(*sources(tiny)) as opened:
        assert build(tiny).stickers == 29
    assert opened == set()
    with catalog_of(tiny) as catalog:
        catalog.add_again([sticker.id])
    assert build(tiny).stickers == 30


def test_other_options_of_the_loader_read_everything_again(tiny: Tiny) -> None:
    build(tiny)
    recipe = tiny.file.read_text(encoding="utf-8")
    tiny.file.write_text(recipe.replace('path = "stickers"', 'path = "stickers"\noptions = { language = "de" }'))
    build(tiny)
    with catalog_of(tiny) as catalog:
        assert {sticker.language for sticker in catalog.stickers()} == {"de"}
