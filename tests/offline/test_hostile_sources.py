"""Some dozens of the archives and side-cars of ``python -m benchmarks.hostile``; the long form makes ten thousand."""

from __future__ import annotations

from pathlib import Path

from benchmarks.hostile import run

MOST_MB = 400


def test_nothing_hostile_stops_a_batch_or_leaves_its_folder(tmp_path: Path) -> None:
    outcome = run(60, 7, tmp_path)
    assert outcome.failures == []
    assert outcome.count == 60
    assert outcome.read >= 10
    assert outcome.refused.total() >= 5
    assert outcome.peak_mb < MOST_MB
