"""After ``forget`` nothing of a person is left: every file is searched for what they typed and for their names."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

import pytest

from persrv.catalog import Catalog
from persrv.errors import IndexLockedError
from persrv.index.engine import Collection
from persrv.indexing.progress import Advance
from persrv.indexing.users import learn_again, remove_profiles
from persrv.offline import build_collection
from persrv.online.retriever import Retriever
from persrv.workspace import Workspace
from sparse_files import words_in_files
from tiny_collection import Tiny

WORD, ZOE, YAN = "sabrinacanary", "zoecanary", "yancanary"
QUERY = f"my ex {WORD}"


def left_in_files(tiny: Tiny, *words: str) -> list[str]:
    """Return the files of the collection's folder that hold one of the words, with the word."""
    assert len([*(tiny.home / "tiny").rglob("*")]) > 10
    return words_in_files(tiny.home / "tiny", words)


def pick_as(retriever: Retriever, *users: str) -> list[str]:
    stickers = [hit.sticker_id for hit in retriever.search("cat", limit=3)]
    for user in users:
        for sticker in stickers:
            retriever.record(user, QUERY, sticker)
    return stickers


def rebuild(tiny: Tiny) -> None:
    build_collection(tiny.file, home=tiny.home, rebuild=True)


def test_what_one_person_typed_is_public_nowhere(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE)
    rebuild(tiny)
    with tiny.open() as retriever:
        assert WORD not in retriever.search("cat")[0].payload["semantics"]
        assert retriever.search(WORD).reason == "unmatched"
    found = {file.split(": ")[0].rsplit("/", 1)[1] for file in left_in_files(tiny, WORD)}
    assert found <= {"catalog.db", "catalog.db-wal"}


def test_no_byte_is_left_with_builds_before_and_after(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE, YAN)
    for _ in range(2):
        rebuild(tiny)
    with tiny.open() as retriever:
        # Two people typed it, so that it is one of the stickers' texts.
        assert retriever.search(WORD).reason == "matched"
        assert len(left_in_files(tiny, WORD, ZOE, YAN)) > 5
        assert retriever.forget(ZOE) == 3
        assert retriever.search(WORD).reason != "matched"
        assert left_in_files(tiny, ZOE) == []
        assert retriever.forget(YAN) == 3
        assert left_in_files(tiny, WORD, ZOE, YAN) == []
    assert left_in_files(tiny, WORD, ZOE, YAN) == []
    rebuild(tiny)
    with tiny.open() as retriever:
        assert retriever.styles(ZOE) == []
        assert retriever.search(WORD).reason != "matched"
    assert left_in_files(tiny, WORD, ZOE, YAN) == []


class ForgettingDuring:
    """Forgets two people when a stage of a build has ended."""

    def __init__(self, tiny: Tiny, stage: str) -> None:
        self._tiny, self._stage = tiny, stage
        self.forgotten = 0

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        yield lambda items: None
        if name == self._stage:
            with self._tiny.open() as retriever:
                self.forgotten += retriever.forget(ZOE) + retriever.forget(YAN)


@pytest.mark.parametrize("stage", ["indexing stickers", "learning styles"])
def test_a_build_that_runs_meanwhile_does_not_bring_them_back(tiny: Tiny, stage: str) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE, YAN)
    rebuild(tiny)
    during = ForgettingDuring(tiny, stage)
    build_collection(tiny.file, home=tiny.home, progress=during, rebuild=True)
    assert during.forgotten == 6
    with tiny.open() as retriever:
        assert retriever.styles(ZOE) == retriever.styles(YAN) == []
        assert not retriever.search("rain", ZOE).personal
        assert retriever.search(WORD).reason != "matched"
        assert len(retriever.styles("ann")) > 0
    assert left_in_files(tiny, WORD, ZOE, YAN) == []


class ClockSetBack(datetime):
    """A clock that is an hour behind what it was when the build began."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) - timedelta(hours=1)


def test_a_clock_that_is_set_back_while_a_build_runs_does_not_bring_them_back(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE, YAN)
    rebuild(tiny)
    monkeypatch.setattr("persrv.catalog.forgotten.datetime", ClockSetBack)
    during = ForgettingDuring(tiny, "learning styles")
    build_collection(tiny.file, home=tiny.home, progress=during, rebuild=True)
    assert during.forgotten == 6
    with tiny.open() as retriever:
        assert retriever.styles(ZOE) == retriever.styles(YAN) == []
    assert left_in_files(tiny, WORD, ZOE, YAN) == []


class ForgettingBefore:
    """Forgets somebody between the reading of their picks and the writing of their styles."""

    def __init__(self, catalog: Catalog, users: Collection) -> None:
        self._catalog, self._users = catalog, users

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        assert self._catalog.forget(ZOE) == 3
        remove_profiles(self._users, [ZOE])
        yield lambda items: None


def test_styles_that_are_fitted_anew_meanwhile_do_not_bring_them_back(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE, YAN)
    workspace = Workspace.of(tiny.file, tiny.home)
    store = workspace.store()
    with (
        workspace.existing_catalog() as catalog,
        store.open(workspace.recipe.name) as stickers,
        store.open(workspace.users_name) as users,
    ):
        style = workspace.recipe.style
        assert learn_again(catalog, stickers, users, [ZOE, YAN], style, ForgettingBefore(catalog, users)) == 2
        assert {record.payload["user"] for record in users.scroll()} == {"ann", "bo", YAN}
    store.close()
    assert left_in_files(tiny, ZOE) == []


def test_no_styles_are_fitted_anew_while_somebody_is_forgotten(tiny: Tiny) -> None:
    workspace = Workspace.of(tiny.file, tiny.home)
    with tiny.open() as retriever, workspace.existing_catalog() as catalog, ThreadPoolExecutor(1) as forgetting:
        live = retriever._live
        forgetting.submit(live.learning.acquire).result()
        catalog.leave_profiles(True)
        live._look()
        assert catalog.profiles_left()
        forgetting.submit(live.learning.release).result()
        live._look()
        assert not catalog.profiles_left()


def test_the_next_import_of_the_same_picks_does_not_bring_them_back(tiny: Tiny) -> None:
    picks = tiny.file.parent / "picks.csv"
    rows = [f"{user},{QUERY},soft/cat.png,2026-01-05T00:00:00+00:00" for user in (ZOE, YAN)]
    picks.write_text(picks.read_text() + "\n".join(rows) + "\n")
    assert build_collection(tiny.file, home=tiny.home).picks == 2
    with tiny.open() as retriever:
        assert retriever.forget(ZOE) == retriever.forget(YAN) == 1
    # Written anew, so that all of it is read again.
    header, *others = picks.read_text().splitlines()
    picks.write_text("\n".join([header, *reversed(others)]) + "\n")
    report = build_collection(tiny.file, home=tiny.home, rebuild=True)
    assert report.picks == 0
    assert "2 picks of" in report.notes[0] and "asked to be forgotten" in report.notes[0]
    assert left_in_files(tiny, WORD, ZOE, YAN) == []


def test_styles_beyond_a_smaller_number_of_clusters_go_too(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        for style in ("soft", "line", "flat"):
            for hit in retriever.search("", filters={"style": style}, limit=4):
                retriever.record(ZOE, "", hit.sticker_id)
        assert len(retriever.styles(ZOE)) > 1
    tiny.file.write_text(tiny.file.read_text() + "[style]\nclusters = 1\n")
    with tiny.open() as retriever:
        retriever.forget(ZOE)
    workspace = Workspace.of(tiny.file, tiny.home)
    store = workspace.store()
    with store.open(workspace.users_name) as users:
        assert {record.payload["user"] for record in users.scroll()} == {"ann", "bo"}
    store.close()


def test_an_older_build_that_is_open_elsewhere_stops_it_before_anything_is_deleted(tiny: Tiny) -> None:
    with tiny.open() as stale:
        pick_as(stale, ZOE)
        rebuild(tiny)
        with tiny.open() as retriever:
            with pytest.raises(IndexLockedError):
                retriever.forget(ZOE)
            assert len(retriever.picks(ZOE)) == 3
        assert stale.refresh()
        assert stale.forget(ZOE) == 3
    assert left_in_files(tiny, ZOE) == []


def segments(tiny: Tiny) -> set[str]:
    """Return the engine's segments in every version; one that is cleaned is written anew under another name."""
    return {str(folder) for folder in (tiny.home / "tiny" / "index").rglob("segments/*")}


def test_to_forget_somebody_again_or_somebody_unknown_cleans_no_version_once_more(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE, YAN)
    rebuild(tiny)
    with tiny.open() as retriever:
        assert retriever.forget(ZOE) == 3
        before = segments(tiny)
        assert retriever.forget(ZOE) == 0
        assert retriever.forget("nobody") == retriever.forget("nobody") == 0
        assert segments(tiny) == before
        # Both count as forgotten from now on, and YAN is as before.
        assert len(retriever.styles(YAN)) > 0
    rebuild(tiny)
    with tiny.open() as retriever:
        before = segments(tiny)
        assert retriever.forget(ZOE) == 0  # a build that came since is looked through
        assert segments(tiny) == before
    assert left_in_files(tiny, ZOE) == []


def test_a_repeated_wish_moves_the_moment_up_to_which_picks_are_left_out(tiny: Tiny) -> None:
    with tiny.open() as retriever, Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        moments = []
        for _ in range(2):
            assert retriever.forget("nobody") == 0
            moments.append(catalog.forgotten_users(["nobody"])["nobody"])
        assert moments[0] < moments[1]


def test_a_forgetting_that_was_broken_off_is_finished_by_the_next(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE, YAN)
    for _ in range(2):
        rebuild(tiny)
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        # Killed when the catalog had done its part.
        assert catalog.forget(ZOE) == catalog.forget(YAN) == 3
    with tiny.open() as retriever:
        assert retriever.forget(ZOE) == retriever.forget(YAN) == 0
        assert left_in_files(tiny, WORD, ZOE, YAN) == []
        assert retriever.search(WORD).reason != "matched"


def test_who_came_back_is_forgotten_in_every_build(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        retriever.forget(ZOE)
        pick_as(retriever, ZOE)
    rebuild(tiny)
    with tiny.open() as retriever:
        assert retriever.forget(ZOE) == 3
        assert left_in_files(tiny, WORD, ZOE) == []


def test_the_version_that_a_build_replaces_meanwhile_is_cleaned_too(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tiny.open() as retriever:
        pick_as(retriever, ZOE, YAN)
        catalog = retriever._catalog
        forget = catalog.forget

        def build_meanwhile(user: str) -> int:
            monkeypatch.setattr(catalog, "forget", forget)
            deleted = forget(user)
            rebuild(tiny)
            return deleted

        monkeypatch.setattr(catalog, "forget", build_meanwhile)
        assert retriever.forget(ZOE) == 3
        assert left_in_files(tiny, ZOE) == []


def test_a_pick_that_is_forgotten_before_its_style_moves_leaves_none(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tiny.open() as retriever:
        (hit,) = retriever.search("cat", limit=1)
        monkeypatch.setattr(retriever._live, "soon", lambda sticker: retriever.forget(ZOE))
        retriever.record(ZOE, "cat", hit.sticker_id)
        assert retriever.picks(ZOE) == []
        assert retriever.styles(ZOE) == []
