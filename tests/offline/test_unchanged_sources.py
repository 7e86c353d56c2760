"""What did not change is not read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from persrv.catalog import Catalog
from persrv.images import decode
from persrv.offline import BuildReport, build_collection
from tiny_collection import Tiny

HEADER = "uid,query,docid,time\n"


def build(tiny: Tiny) -> BuildReport:
    return build_collection(tiny.file, home=tiny.home, only=["ingest"])


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
