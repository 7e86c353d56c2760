"""Suggestions of a large collection are learnt in a process of their own."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from persrv.errors import ServiceError
from persrv.serve import served
from persrv.serve.learning import suggestions_of, suggestions_of_process
from persrv.workspace import Workspace
from served_tiny import serving
from tiny_collection import Tiny
from waiting import until


def test_a_process_learns_what_a_thread_does(tiny: Tiny) -> None:
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.existing_catalog() as catalog:
        here = suggestions_of(catalog)
    there = suggestions_of_process(workspace, Event())
    assert there is not None
    assert there.most(50) == here.most(50) != []
    assert there.complete("ha") == here.complete("ha") != []


def test_a_process_that_is_no_longer_wanted_is_ended(tiny: Tiny) -> None:
    stop = Event()
    stop.set()
    assert suggestions_of_process(Workspace.of(tiny.file, tiny.home), stop) is None


def test_a_process_that_fails_is_reported(tiny: Tiny, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ServiceError, match="ended with 1"):
        suggestions_of_process(Workspace.of(tiny.file, tmp_path), Event())
    assert "persrv build" in capfd.readouterr().err


def test_a_large_collection_is_learnt_beside(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "_LARGE", 1)
    with serving(tiny) as client:
        until(lambda: bool(client.get("/v1/suggest", params={"q": "hap"}).json()["suggestions"]))
