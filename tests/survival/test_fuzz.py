"""A short seeded run; ``python tests/survival fuzz --inputs 100000`` is the long one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import fuzz as fuzzing
import pytest
from fuzz import TARGETS, Report, fuzz
from hostile_inputs import changed, seeds

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")

QUICK = sorted(set(TARGETS) - {"http", "archives and loaders"})


def test_nothing_hostile_brings_an_untyped_error_or_takes_long(tmp_path: Path) -> None:
    report = Report()
    for name in QUICK:
        fuzz(name, 60, 5, tmp_path, report)
    assert report.faults == []
    assert report.inputs.total() == 60 * len(QUICK)
    assert report.kinds["pictures"] > 5
    assert report.kinds["recipes"] > 5


def test_a_fault_an_abort_and_a_file_outside_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")

    def aborting(data: bytes, folder: Path) -> None:
        os.abort()

    def writing(data: bytes, folder: Path) -> None:
        outside.write_text("theirs")

    def hungry(data: bytes, folder: Path) -> int:
        return len(bytes(4 << 30))

    for number, (target, fault) in enumerate(((aborting, "SIGABRT"), (writing, "Error"), (hungry, "MemoryError"))):
        monkeypatch.setitem(TARGETS, "texts", target)
        report = Report()
        fuzz("texts", 3, number, tmp_path, report)
        if target is not writing or os.getuid() == 0:
            assert fault in report.faults[0]
    assert os.getuid() != 0 or outside.read_text() == "mine"


def test_an_input_that_works_or_waits_too_long_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def working(data: bytes, folder: Path) -> None:
        begun = time.process_time()
        while time.process_time() < begun + 0.2:
            pass

    def waiting(data: bytes, folder: Path) -> None:
        time.sleep(20)

    monkeypatch.setattr(fuzzing, "SLOW_SECONDS", 0.1)
    monkeypatch.setattr(fuzzing, "PATIENCE_SECONDS", 1)
    for target, fault in ((working, "took 0."), (waiting, "SIGALRM")):
        monkeypatch.setitem(TARGETS, "texts", target)
        report = Report()
        fuzz("texts", 1, 1, tmp_path, report)
        assert fault in report.faults[0]


def test_inputs_are_decided_by_the_seed() -> None:
    import random

    begun = seeds("texts")
    assert changed(begun[0], begun, random.Random(1)) == changed(begun[0], begun, random.Random(1))
    assert changed(begun[0], begun, random.Random(1)) != changed(begun[0], begun, random.Random(2))
