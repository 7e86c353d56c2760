"""Columns beside a real engine say what the engine says, after any changes and any end."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from column_samples import IDS, drawn_point, drawn_points, said_by_columns, said_by_points
from engines import quick_folder
from index_samples import SCHEMA, manifest
from persrv.index.columns import filling, live
from persrv.index.columns.generations import newest
from persrv.index.columns.store import ColumnCollection, ColumnStore
from persrv.index.embedded import EmbeddedStore
from persrv.index.schema import GROUP, STYLE_CLUSTER, TRENDING, point_id
from sparse_files import copy_sparse

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

NUMBERS = st.lists(st.integers(0, len(IDS) - 1), min_size=1, max_size=6, unique=True)
SEEDS = st.integers(0, 1 << 20)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_CHANGED", 12)
    monkeypatch.setattr(live, "MOST_ANNOUNCED", 40)
    monkeypatch.setattr(live, "MOST_SEGMENTS", 3)
    monkeypatch.setattr(live, "_TOGETHER", 5)
    monkeypatch.setattr(filling, "_TOGETHER", 5)


class AnyWrites(RuleBasedStateMachine):
    """Writes to a collection in every way, ends in every way, and opens what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(quick_folder()))
        self.store = ColumnStore(EmbeddedStore(self.folder / "0"), self.folder / "0", least=0)
        self.copies = 0

    @initialize(count=st.integers(0, 30), seed=SEEDS)
    def build(self, count: int, seed: int) -> None:
        build = self.store.create("stickers", SCHEMA, manifest(count))
        points = drawn_points(count, seed)
        for at in range(0, count, 7):
            build.upsert(points[at : at + 7])
        if points:
            build.set_payload([(points[0].id, {"utility": 0.75}), (point_id(IDS[39]), {"utility": 0.5})])
            build.delete([points[-1].id, point_id(IDS[38])])
        self._take(self.store.publish("stickers", build, max(count - 1, 0)))

    def _take(self, opened: object) -> None:
        assert isinstance(opened, ColumnCollection)
        self.opened = opened

    @rule(numbers=NUMBERS, seed=SEEDS)
    def upsert(self, numbers: list[int], seed: int) -> None:
        chance = random.Random(seed)
        points = [drawn_point(IDS[number], chance) for number in numbers]
        self.opened.upsert([*points, points[0]])

    @rule(numbers=NUMBERS)
    def delete(self, numbers: list[int]) -> None:
        self.opened.delete([point_id(IDS[number]) for number in (*numbers, numbers[0])])

    @rule(numbers=NUMBERS, utility=st.sampled_from([0.1, 0.9]))
    def set_payload(self, numbers: list[int], utility: float) -> None:
        change = {"utility": utility, TRENDING: utility, "pack": "frogs", STYLE_CLUSTER: 5, GROUP: IDS[7]}
        self.opened.set_payload([(point_id(IDS[number]), change) for number in numbers])

    @rule()
    def flush(self) -> None:
        self.opened.flush()
        columns = self.opened.columns
        assert columns is not None
        assert columns.rows - len(columns.segments[0]) <= live.MOST_CHANGED

    @rule()
    def purge(self) -> None:
        self.opened.purge()
        assert len(self._changed().read_bytes()) == 0
        assert len([*self._columns().iterdir()]) == 1

    @rule()
    def open_again(self) -> None:
        self.opened.close()
        self._take(self.store.open("stickers"))

    @rule(draft=st.booleans(), torn=st.integers(0, 15))
    def killed(self, draft: bool, torn: int) -> None:
        """Go on with a copy of the files as they are, with a torn record, and a generation that is not whole."""
        self._copy()
        with self._changed().open("ab") as changed:
            changed.write(os.urandom(torn))
        if draft:
            number = newest(self._columns())
            shutil.copytree(self._columns() / str(number), self._columns() / f"{(number or 0) + 1}.part")
        self._take(self.store.open("stickers"))

    @rule(numbers=NUMBERS, written=st.booleans(), seed=SEEDS)
    def killed_while_writing(self, numbers: list[int], written: bool, seed: int) -> None:
        """Go on with a copy whose columns announce what the engine took or did not take."""
        chance = random.Random(seed)
        before = self.opened.points
        opened_live = self.opened._live
        assert opened_live is not None
        points = [drawn_point(IDS[number], chance) for number in numbers]
        opened_live._announce([IDS[number] for number in numbers])
        if written:
            before.upsert(points)
        self._copy()
        self._take(self.store.open("stickers"))

    def _copy(self) -> None:
        was, self.copies = self.folder / str(self.copies), self.copies + 1
        shutil.copytree(was, self.folder / str(self.copies), copy_function=copy_sparse)
        self.store.close()
        shutil.rmtree(was)
        folder = self.folder / str(self.copies)
        self.store = ColumnStore(EmbeddedStore(folder), folder, least=0)

    def _columns(self) -> Path:
        return self.store.folder / "stickers" / self.store.engine.kept("stickers")[0] / "columns"

    def _changed(self) -> Path:
        return self._columns() / str(newest(self._columns())) / "changed"

    @invariant()
    def columns_say_what_the_engine_says(self) -> None:
        if not hasattr(self, "opened"):
            return
        columns = self.opened.columns
        assert columns is not None
        records = self.opened.scroll(None, tuple(SCHEMA.vectors))
        assert said_by_columns(columns) == said_by_points(records)
        assert len(columns.segments) <= live.MOST_SEGMENTS

    def teardown(self) -> None:
        self.store.close()
        self.stack.close()


def test_columns_say_what_the_engine_says_whatever_is_written() -> None:
    run_state_machine_as_test(
        AnyWrites,
        settings=settings(
            max_examples=int(os.environ.get("PERSRV_TEST_EXAMPLES", "5")),
            stateful_step_count=12,
            deadline=None,
            derandomize="PERSRV_TEST_EXAMPLES" not in os.environ,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
