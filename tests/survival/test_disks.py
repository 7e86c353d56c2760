"""A full and a read-only disk: every act is done, or refused in our words; nothing acknowledged is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from disks import ACTS, on_a_full_disk, on_a_read_only_disk

from tiny_collection import Tiny

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")


def test_on_a_read_only_disk_everything_is_refused_in_our_words(tiny: Tiny, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    outcome = on_a_read_only_disk(tiny.file, tiny.home, place)["done"]
    assert outcome.keys() == ACTS.keys()
    for name, answer in outcome.items():
        assert "done" in answer or "typed" in answer, (name, answer)
    for name in ("record", "edit", "build", "backup"):
        assert "typed" in outcome[name], (name, outcome[name])


def test_on_a_full_disk_nothing_acknowledged_is_lost(tiny: Tiny, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    outcome = on_a_full_disk(tiny.file, tiny.home, place)["done"]
    for name, answer in outcome.items():
        assert "done" in answer or "typed" in answer, (name, answer)
    assert outcome["picks afterwards"]["done"] == int("done" in outcome["record"])
    assert outcome["afterwards"] == {"done": []}
