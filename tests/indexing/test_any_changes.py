"""After any changes, in any order, killed anywhere, the index is the one that a build from nothing makes."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from engines import make_store
from persrv.catalog import Catalog, Entry, vocabulary
from persrv.errors import NotFoundError
from persrv.index.engine import Collection, Store
from persrv.indexing import beside
from persrv.indexing.beside import build_beside
from persrv.indexing.fit import Fit
from persrv.indexing.in_place import PublishedIndex
from persrv.indexing.progress import Silent
from persrv.indexing.update import update_index
from persrv.indexing.users import remove_profiles
from persrv.indexing.vector_sources import open_vectors
from persrv.recipe import Recipe
from persrv.records import Interaction, Semantics, SourceSticker
from persrv.text import CorpusStatistics
from persrv.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

STICKERS = 8
IDS = [f"{number:08x}" * 4 for number in range(1, STICKERS + 1)]
NUMBERS = st.integers(0, STICKERS - 1)
TAGS = st.lists(st.sampled_from(["cat", "cats", "dog", "happy", "猫", "😀"]), max_size=3)
USERS, QUERIES = ["ann", "bo", "cleo"], ["cat", "so happy", ""]
START = datetime(2026, 1, 1, tzinfo=UTC)
RECIPE = {"name": "persrvtest-any", "stickers": {"loader": "folder", "path": "nowhere"}}


class KilledError(Exception):
    """Stands for the moment in which a process is killed."""


class AnyChanges(RuleBasedStateMachine):
    """Changes a collection in every way, and brings its index up to it in every way."""

    engine = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.workspace = Workspace(Recipe.from_dict(RECIPE), folder)
        self.catalog: Catalog = self.stack.enter_context(self.workspace.catalog())
        self.sources = self.stack.enter_context(open_vectors(self.workspace))
        looks = np.random.default_rng(0).normal(size=(STICKERS, self.sources.encoder.dimension))
        self.sources.images.append(IDS, looks)
        self.store: Store = make_store(self.engine, folder / "index", self.stack)
        self.oracle: Store = make_store("memory", folder / "oracle", self.stack)
        self.open: PublishedIndex | None = None
        self.opened: tuple[Collection, Collection] | None = None
        self.behind = False

    @initialize()
    def first_build(self) -> None:
        self._put(range(STICKERS - 2), ["cat"])
        self.catalog.record(Interaction("ann", "cat", IDS[0], START))
        update_index(self.workspace, self.catalog, self.sources, self.store, Silent())

    def _put(self, numbers: Any, tags: list[str]) -> None:
        texts = Semantics(tags=tuple(tags))
        self.catalog.add_again(IDS[number] for number in numbers)
        self.catalog.put(
            [
                Entry(
                    IDS[number],
                    "folder",
                    SourceSticker(str(number), Path(f"{number}.png"), f"pack {number % 2}", texts),
                    "png",
                    8,
                    8,
                    1,
                )
                for number in numbers
            ]
        )
        self.behind = True

    @rule(number=NUMBERS, tags=TAGS)
    def source_says(self, number: int, tags: list[str]) -> None:
        self._put([number], tags)

    @rule(number=NUMBERS, tags=TAGS)
    def edit(self, number: int, tags: list[str]) -> None:
        try:
            self.catalog.edit(IDS[number], "tags", tags, "somebody")
        except NotFoundError:
            return
        self.behind = True

    @rule(number=NUMBERS)
    def remove(self, number: int) -> None:
        try:
            self.catalog.remove(IDS[number])
        except NotFoundError:
            return
        self.behind = True

    @rule(user=st.sampled_from(USERS), query=st.sampled_from(QUERIES), number=NUMBERS)
    def record(self, user: str, query: str, number: int) -> None:
        try:
            # Now, since what somebody did before they were forgotten is left out.
            self.catalog.record(Interaction(user, query, IDS[number], datetime.now(UTC)))
        except NotFoundError:
            return
        self.behind = True

    @rule(user=st.sampled_from(USERS))
    def forget(self, user: str) -> None:
        """As a retriever does it: the catalog, then the points that they touched, then their profile in every build."""
        index, name = self._live(), self.workspace.users_name
        touched = self.catalog.picked([user])
        self.catalog.forget(user)
        index.refresh(touched)
        assert self.opened is not None
        own = self.opened[1]
        remove_profiles(own, [user])
        for build in self.store.kept(name):
            if build != own.manifest.build:
                with self.store.open(name, build) as kept:
                    remove_profiles(kept, [user])
        self.behind = True

    @rule(number=NUMBERS)
    def refresh_one(self, number: int) -> None:
        self._live().refresh([IDS[number]])

    @rule()
    def catch_up(self) -> None:
        self._live().catch_up()

    @rule()
    def killed_between_points_and_catalog(self) -> None:
        index = self._live()
        real = self.catalog.change_indexed

        def dies(*_: Any) -> None:
            raise KilledError

        self.catalog.change_indexed = dies  # type: ignore[method-assign]
        try:
            index.refresh(IDS)
        except KilledError:
            self._close()
        finally:
            self.catalog.change_indexed = real  # type: ignore[method-assign]

    @rule()
    def close(self) -> None:
        self._close()

    @rule()
    def settle_and_close(self) -> None:
        self._live().settle()
        self._close()

    @rule()
    def rebuild(self) -> None:
        self._close()
        update_index(self.workspace, self.catalog, self.sources, self.store, Silent(), rebuild=True)

    @rule()
    def rollback(self) -> None:
        self._close()
        try:
            for name in (self.workspace.users_name, self.workspace.recipe.name):
                self.store.rollback(name)
        except NotFoundError:
            return
        self.behind = True

    @rule()
    def build(self) -> None:
        self._close()
        update_index(self.workspace, self.catalog, self.sources, self.store, Silent())
        self.behind = False
        self._check()

    def _live(self) -> PublishedIndex:
        if self.open is None:
            name, users = self.workspace.recipe.name, self.workspace.users_name
            stickers = self.store.open(name)
            self.opened = stickers, self.store.open(users, stickers.manifest.build)
            self.open = PublishedIndex(self.workspace, self.catalog, self.sources, *self.opened)
        return self.open

    def _close(self) -> None:
        if self.opened is not None:
            for collection in self.opened:
                collection.close()
        self.open = self.opened = None

    def _check(self) -> None:
        """Compare with an index that is built from nothing with the same fit."""
        manifest = self.store.manifest(self.workspace.recipe.name)
        assert manifest is not None
        build = manifest.vocabulary
        fit = Fit.load(self.catalog.index_fit(build), self.workspace)
        build_beside(self.workspace, self.catalog, self.sources, self.oracle, Silent(), fit)
        for name in (self.workspace.recipe.name, self.workspace.users_name):
            here, there = (_points(store, name) for store in (self.store, self.oracle))
            assert here.keys() == there.keys()
            for point, (payload, vectors) in there.items():
                assert here[point][0].keys() == payload.keys()
                for key, value in payload.items():
                    if key == "title" and "share" in payload:
                        continue  # how a sticker that shows a style is called is written when the style is
                    near = pytest.approx(value, abs=1e-5) if isinstance(value, float) else value
                    assert here[point][0][key] == near, key
                assert here[point][1].keys() == vectors.keys()
                for key, vector in vectors.items():
                    assert np.allclose(here[point][1][key], vector, atol=1e-4)
        afresh = CorpusStatistics(self.workspace.recipe.text)
        for sticker in self.catalog.stickers():
            afresh.add(dict(sticker.semantics.items()))
        counts = self.catalog.word_counts(build)
        assert counts.documents == afresh.documents
        assert self.catalog.vocabulary(build) == dict(sorted(afresh.document_frequencies.items()))
        assert self.catalog.surfaces(build) == dict(sorted(afresh.surfaces().items()))

    def teardown(self) -> None:
        self._close()
        update_index(self.workspace, self.catalog, self.sources, self.store, Silent())
        self._check()
        self.stack.close()


def _points(store: Store, name: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    with store.open(name) as collection:
        found = {}
        for record in collection.scroll(with_vectors=collection.schema.vectors):
            vectors = {}
            for key, vector in record.vectors.items():
                if key == "text":
                    indices, values = vector
                    vectors[key] = [*indices, *values]
                else:
                    vectors[key] = vector
            found[record.id] = dict(record.payload), vectors
        return found


@pytest.mark.parametrize(("engine", "examples"), [("memory", 8), ("embedded", 3), ("rest", 3)])
def test_any_changes_end_where_a_build_from_nothing_does(
    engine: str, examples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every comparison builds an index, and must not push the compared one out of the catalog.
    monkeypatch.setattr(beside, "keep_words", lambda *_: None)
    monkeypatch.setattr(vocabulary, "KEPT", 10_000)
    machine = type("Machine", (AnyChanges,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),  # to shrink an example of builds takes longer than to read it
            suppress_health_check=list(HealthCheck),
        ),
    )
