"""What people are promised and a single line could break unnoticed: each test says what it protects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from crowd_collection import COUNT, NOW, PAIRS, TAG
from engines import make_store, new_name, quick_folder
from index_samples import manifest
from persrv import Retriever, build_collection
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.language import Nearest, Point, Request
from persrv.index.schema import IMAGE, point_id, sticker_schema
from persrv.online import profiles as module
from persrv.online.candidate_source import text_source
from persrv.online.page import Page, best_first
from persrv.online.profiles import Profiles
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall
from persrv.online.request import NO_TASTE
from persrv.recipe import Ranking
from persrv.text.bm25f import query_vector
from persrv.text.tokenizer import query_tokens
from persrv.workspace import Workspace
from tiny_collection import Tiny


def found(retriever: Retriever, **how: Any) -> list[str]:
    return [hit.sticker_id for hit in retriever.search(TAG, **how)]


@pytest.fixture
def users(crowd: Tiny) -> Iterator[Collection]:
    workspace = Workspace.of(crowd.file, crowd.home)
    store = workspace.store()
    with store.open(workspace.users_name) as collection:
        yield collection
    store.close()


def test_pages_of_equal_texts_hold_every_drawing_once_and_outlive_builds(crowd: Tiny) -> None:
    with crowd.open() as retriever:
        pages = [found(retriever, limit=30, offset=offset) for offset in range(0, COUNT, 30)]
        assert [len(page) for page in pages] == [30] * (COUNT // 30)
        whole = [sticker_id for page in pages for sticker_id in page]
        assert len(set(whole)) == COUNT
        assert not retriever.search(TAG, limit=30, offset=COUNT).hits
        # Those that people picked come first, one more time those with other margins, then all in the order of ids.
        picked = PAIRS + 1 + 40
        assert whole[:PAIRS] == sorted(whole[:PAIRS]) and whole[picked:] == sorted(whole[picked:])
    for _ in range(2):
        build_collection(crowd.file, home=crowd.home, only=["index"], rebuild=True)
        with crowd.open() as retriever:
            again = [i for offset in range(0, COUNT, 30) for i in found(retriever, limit=30, offset=offset)]
            assert again == whole


def test_one_request_answers_a_page_even_where_copies_take_places_away(crowd_built: Tiny) -> None:
    """Some more stickers are asked for than the page holds, so that no second request is needed."""
    workspace = Workspace.of(crowd_built.file, crowd_built.home)
    store = workspace.store()
    with store.open("crowd") as collection:
        limits: list[int] = []

        class Counted:
            def __getattr__(self, name: str) -> Any:
                return getattr(collection, name)

            def query_many(self, requests: Any) -> Any:
                limits.extend(request.limit for request in requests)
                return collection.query_many(requests)

        ranker = Ranker(Counted(), Ranking())  # type: ignore[arg-type]
        recall = Recall((text_source(query_vector(query_tokens(TAG))),))
        ranked = ranker.rank(recall, NO_TASTE, Page(0, 5))
    store.close()
    assert len(ranked.ids) > 5
    assert len(limits) == 1


def test_equal_scores_come_in_the_order_of_ids_whatever_order_the_engine_has() -> None:
    """The engine breaks ties as it likes; as many as are equal are fetched before a page is settled."""
    ids = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(300)]
    with ExitStack() as stack:
        store, name = make_store("embedded", stack.enter_context(quick_folder()), stack), new_name()
        build = store.create(name, sticker_schema(4), manifest(len(ids), dimension=4))
        build.upsert([Point(point_id(each), {IMAGE: [1.0, 0.0, 0.0, 0.0]}, {}) for each in ids])
        request = Request(Nearest([1.0, 0.0, 0.0, 0.0], IMAGE), limit=len(ids))
        found = best_first(store.publish(name, build), request, Page(20, 20))
    assert found.ids[20:40] == sorted(ids)[20:40]


def test_a_build_that_is_killed_between_its_two_switches_leaves_a_collection_that_answers(
    crowd: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The users' collection is switched first: the stickers in use still find the users of their own build."""
    with crowd.open() as retriever:
        before = found(retriever, user="ann", limit=20)
    publish = EmbeddedStore.publish
    published: list[str] = []

    def killed(self: EmbeddedStore, name: str, *rest: Any) -> Any:
        if published:
            raise KeyboardInterrupt
        published.append(name)
        return publish(self, name, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(EmbeddedStore, "publish", killed)
        build_collection(crowd.file, home=crowd.home, only=["index"], rebuild=True)
    with crowd.open() as retriever:
        answer = retriever.search(TAG, user="ann", limit=20)
        assert answer.personal
        assert [hit.sticker_id for hit in answer] == before
    workspace = Workspace.of(crowd.file, crowd.home)
    with workspace.store() as store:
        current = store.current("crowd")
        assert current
        store.open(workspace.users_name, current).close()


def test_a_pick_that_is_sent_twice_moves_the_profile_once(crowd: Tiny) -> None:
    with crowd.open() as retriever:
        sticker = found(retriever, limit=1)[0]
        first = retriever.record("new", TAG, sticker, time=NOW)
        again = retriever.record("new", TAG, sticker, time=NOW)
        assert (first.new, again.new) == (True, False)
        assert again.profile.mass.sum() == pytest.approx(1.0)
        assert retriever.profile("new").mass.sum() == pytest.approx(1.0)


def test_who_is_forgotten_is_gone_from_the_build_that_came_meanwhile(crowd: Tiny) -> None:
    with crowd.open() as retriever:
        old = retriever.manifest.build
        build_collection(crowd.file, home=crowd.home, only=["index"], rebuild=True)
        assert retriever.manifest.build == old
        assert retriever.forget("ann") == 40
    with crowd.open() as retriever:
        assert retriever.manifest.build != old
        assert len(retriever.profile("ann").mass) == 0


def test_two_rankings_that_are_mixed_never_show_two_copies_of_a_drawing(crowd: Tiny) -> None:
    """Each ranking shows a drawing once, yet they may choose different copies of it."""
    text = crowd.file.read_text(encoding="utf-8")
    crowd.file.write_text(f'{text}[compare]\nname = "useful"\nb = {{ beta = 0.0 }}\n', encoding="utf-8")
    with crowd.open() as retriever:
        for number in range(6):
            hits = retriever.search(TAG, user=f"person{number}", limit=COUNT)
            shown = [hit.payload.get("group") or hit.sticker_id for hit in hits]
            assert len(shown) == len(set(shown)) == COUNT
        groups = {hit.payload["group"] for hit in hits if hit.payload.get("group")}
        assert len(groups) == PAIRS + 1


def test_utility_fades_from_the_latest_pick_backwards(crowd: Tiny) -> None:
    text = crowd.file.read_text(encoding="utf-8")
    crowd.file.write_text(f"{text}[utility]\nhalf_life_days = 5\n", encoding="utf-8")
    build_collection(crowd.file, home=crowd.home, only=["index"], rebuild=True)
    with crowd.open() as retriever:
        names = [hit.path.stem for hit in retriever.search(TAG, limit=COUNT) if hit.path]
    # Picked once each, a day apart: the latest first.
    picked = [name for name in names if "0100" <= name < "0140"]
    assert picked == [f"{number:04d}" for number in range(139, 99, -1)]


def test_all_of_a_persons_picks_are_in_the_profile(crowd_built: Tiny) -> None:
    with crowd_built.open() as retriever:
        picks = retriever.picks("ann")
        assert len(picks) == 40 and picks[-1].time - picks[0].time == timedelta(days=39)
        half_life = crowd_built.recipe.style.half_life_days
        masses = [1.0 if half_life is None else 2.0 ** (-day / half_life) for day in range(40)]
        assert retriever.profile("ann").mass.sum() == pytest.approx(sum(masses), rel=1e-5)


def test_what_another_process_learns_is_seen_within_a_minute(
    users: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (Profiles(users, users.manifest.taste_dimension, 5, None) for _ in range(2))
    assert len(here.get("cleo")[0].mass) == 0
    there.move("cleo", np.eye(users.manifest.taste_dimension)[0], 1.0, ("0" * 32, "a", ""))
    clock = module.time.monotonic() + 60.0
    monkeypatch.setattr(module.time, "monotonic", lambda: clock)
    assert here.get("cleo")[0].mass.tolist() == [1.0]


def test_memory_holds_a_bounded_number_of_profiles(users: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED_USERS", 3)
    profiles = Profiles(users, users.manifest.taste_dimension, 5, None)
    for number in range(10):
        profiles.get(f"fan{number}")
    assert list(profiles._cache) == ["fan7", "fan8", "fan9"]


def test_a_style_is_shown_by_the_pick_that_is_most_like_it(users: Collection) -> None:
    profiles = Profiles(users, users.manifest.taste_dimension, 5, None)
    typical = np.eye(users.manifest.taste_dimension)[0]
    other = typical + 0.8 * np.eye(users.manifest.taste_dimension)[1]
    for vector, sticker in ((typical, "a"), (typical, "b"), (other, "c")):
        profiles.move("cleo", vector / np.linalg.norm(vector), 1.0, (sticker * 32, sticker, ""))
    profile, shows = profiles.get("cleo")
    assert len(profile.mass) == 1
    assert shows[0].sticker_id == "b" * 32
