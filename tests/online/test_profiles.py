"""Reading and moving profiles at the same time: nobody waits for another, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from persrv.index.engine import Collection
from persrv.online.profiles import Profiles
from persrv.workspace import Workspace
from tiny_collection import Tiny

PATIENCE = 60.0
"""Seconds after which a thread that should have gone on is taken to hang."""


class Gated:
    """A real collection, one of whose methods can be held up."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self.gates: dict[str, Event] = {}
        self.reached = Event()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        if name not in self.gates:
            return method

        def held(*arguments: Any, **named: Any) -> Any:
            found = method(*arguments, **named)
            self.reached.set()
            assert self.gates[name].wait(PATIENCE)
            return found

        return held


@pytest.fixture
def users(tiny: Tiny) -> Iterator[Gated]:
    workspace = Workspace.of(tiny.file, tiny.home)
    store = workspace.store()
    with store.open(workspace.users_name) as collection:
        yield Gated(collection)
    store.close()


@pytest.fixture
def profiles(users: Gated) -> Profiles:
    return Profiles(users, users.manifest.taste_dimension, 5, None)  # type: ignore[arg-type]


def pick(profiles: Profiles, user: str, at: int = 0) -> None:
    vector = np.eye(profiles.get(user)[0].sums.shape[1])[at]
    profiles.move(user, vector, 1.0, ("0" * 32, "a", ""))


def in_time(call: Callable[[], object]) -> None:
    thread = Thread(target=call)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_no_search_waits_for_a_pick_that_is_being_written(users: Gated, profiles: Profiles) -> None:
    assert len(profiles.taste("ann")) == 1
    users.gates["upsert"] = Event()
    writer = Thread(target=pick, args=(profiles, "bo"))
    writer.start()
    try:
        assert users.reached.wait(PATIENCE)
        in_time(lambda: profiles.taste("ann"))
        in_time(lambda: profiles.taste("bo"))
        in_time(lambda: profiles.taste("nobody"))
    finally:
        users.gates["upsert"].set()
        writer.join()


def test_picks_of_one_user_at_once_lose_nothing(profiles: Profiles) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda at: pick(profiles, "cleo", at % 3), range(40)))
    assert profiles.get("cleo")[0].mass.sum() == pytest.approx(40)
    assert not profiles._turns
    assert not profiles._reads


def test_a_profile_that_was_forgotten_while_it_was_read_does_not_come_back(users: Gated, profiles: Profiles) -> None:
    users.gates["retrieve"] = Event()
    reader = Thread(target=profiles.get, args=("ann",))
    reader.start()
    assert users.reached.wait(PATIENCE)
    gate = users.gates.pop("retrieve")
    profiles.forget("ann")
    gate.set()
    reader.join()
    assert len(profiles.get("ann")[0].mass) == 0
