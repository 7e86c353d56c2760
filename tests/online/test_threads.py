"""Many threads at once: eight search, two pick and one builds, and nobody gets a wrong answer."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from persrv import build_collection
from persrv.online.retriever import Retriever
from persrv.ranking.profile import StyleProfile
from persrv.workspace import Workspace
from tiny_collection import Tiny

WORD = "zebra"
SEARCHING, PICKING = 8, ("yan", "zoe")
BUILDS = 3


def edited(tiny: Tiny, number: int) -> None:
    """Give one more sticker the word."""
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        sticker = [*catalog.stickers()][number]
        catalog.edit(sticker.id, "tags", [*sticker.semantics.tags, WORD], "ann")


def found(retriever: Retriever, user: str) -> list[str]:
    answer = retriever.search(WORD, user, limit=30)
    return [hit.sticker_id for hit in answer] if answer.reason == "matched" else []


def test_searches_picks_and_builds_at_the_same_time(tiny: Tiny) -> None:
    failures: list[BaseException] = []
    answers: list[list[list[str]]] = [[] for _ in range(SEARCHING)]
    picked: dict[str, int] = dict.fromkeys(PICKING, 0)
    ended = threading.Event()

    def until_the_end(step: Callable[[], object]) -> None:
        try:
            while not ended.is_set():
                step()
        except BaseException as error:
            failures.append(error)
            ended.set()

    with tiny.open() as retriever:
        stickers = [hit.sticker_id for hit in retriever.search("", limit=30)]

        def pick(user: str) -> None:
            receipt = retriever.record(user, "a word", stickers[picked[user] % len(stickers)])
            assert (receipt.new, receipt.note) == (True, "")
            picked[user] += 1

        searches = [lambda mine=mine: mine.append(found(retriever, "ann")) for mine in answers]
        picks = [lambda user=user: pick(user) for user in PICKING]
        threads = [threading.Thread(target=until_the_end, args=(step,)) for step in (*searches, *picks)]
        for thread in threads:
            thread.start()
        try:
            for number in range(BUILDS):
                edited(tiny, number)
                # In place by whoever has the index open, and beside.
                build_collection(tiny.file, home=tiny.home, rebuild=number > 0)
                retriever.refresh()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert failures == []
        assert min(picked.values()) > BUILDS
        assert {user: len(retriever.picks(user)) for user in PICKING} == picked
        assert len(found(retriever, "ann")) == BUILDS
        for mine in answers:
            assert mine
            # Each answer is of one moment: as many stickers as had the word then, and none goes away again.
            assert all(len(answer) == len(set(answer)) <= BUILDS for answer in mine)
            assert [len(answer) for answer in mine] == sorted(len(answer) for answer in mine)
    build_collection(tiny.file, home=tiny.home)
    with tiny.open() as retriever:
        profiles = {user: retriever.profile(user) for user in PICKING}
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    with tiny.open() as retriever:
        for user in PICKING:
            same(profiles[user], retriever.profile(user))


def same(one: StyleProfile, other: StyleProfile) -> None:
    assert one.mass.shape == other.mass.shape
    assert np.allclose(one.mass, other.mass, rtol=1e-3)
    assert np.allclose(one.centroids, other.centroids, atol=1e-3)


class PicksDuring:
    """Picks as somebody new when styles are being learnt, which is after all picks were read."""

    def __init__(self, retriever: Retriever, sticker: str) -> None:
        self._retriever, self._sticker = retriever, sticker

    def stage(self, name: str, total: int | None) -> PickingStage:
        return PickingStage(self._retriever, self._sticker, name == "learning styles")


class PickingStage:
    """A stage of a build, at whose end somebody picks."""

    def __init__(self, retriever: Retriever, sticker: str, picks: bool) -> None:
        self._retriever, self._sticker, self._picks = retriever, sticker, picks

    def __enter__(self) -> Callable[[int], None]:
        return lambda items: None

    def __exit__(self, *exc: object) -> None:
        if self._picks and not self._retriever.picks("yan"):
            self._retriever.record("yan", "cat", self._sticker)


def test_a_pick_made_while_a_build_runs_is_in_its_profiles(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        build_collection(tiny.file, home=tiny.home, rebuild=True, progress=PicksDuring(retriever, sticker))
        before = retriever.manifest.build
        assert retriever.refresh()
        assert retriever.manifest.build != before
        assert retriever.profile("yan").mass.tolist() == [1.0]
        assert [style.sticker_id for style in retriever.styles("yan")] == [sticker]
