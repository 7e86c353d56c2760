"""A few seeded damages; ``python tests/survival damage`` tries all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from damage import KINDS, Case, Damager, cases, in_child

from tiny_collection import Tiny

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")


@pytest.fixture(scope="module")
def damager(tiny_built: Tiny, module_folder: Path) -> Damager:
    folder = module_folder
    copy = tiny_built.copied(folder / "one")
    return Damager(copy.file, copy.home, copy.home, folder / "scratch")


def test_a_damaged_file_is_told_in_a_line_and_mended_by_the_command_that_is_named(damager: Damager) -> None:
    name = "vector_storage-image/vectors/chunk_0.mmap"
    case = next(case for case in cases(damager.home, damager.name) if case.kind == "flipped" and name in str(case))
    outcome = damager.try_case(case, seed=1)
    assert outcome is not None
    assert outcome.faults == []
    assert outcome.mended
    assert "persrv" in outcome.found


def test_every_file_of_a_collection_is_damaged_in_every_way(damager: Damager) -> None:
    every = cases(damager.home, damager.name)
    names = {str(case.file) for case in every}
    assert len(every) == len(KINDS) * len(names)
    for wanted in ("catalog.db", "CURRENT", "manifest.json", ".f16", ".ids", ".crc", "chunk_0.mmap", "sha256.json"):
        assert any(wanted in name for name in names), wanted


def test_a_native_abort_is_seen() -> None:
    assert in_child(os.abort) == {"died": "SIGABRT"}
    assert "untyped" in in_child(lambda: [][0])
    assert in_child(lambda: Case(Path("a"), "gone").kind) == {"done": "gone"}
