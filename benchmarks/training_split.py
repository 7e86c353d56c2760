"""How many stickers each part of the training data gets, from 100 to 1,000,000 picks, beside a split by time alone.

    python -m benchmarks.training_split [--most N]

Histories are drawn with a seed: about half of the picks go to a tenth of the stickers, and some stickers appear one
after the other while people pick. Asked for are 72 % to train, 8 % to validate and 20 % to test. The rival takes the
stickers that are new among the newest 20 % of the picks, however few they are, and loses the later picks of the others.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks import machine
from persrv.records import Interaction
from persrv.training.labelled import labelled_stickers
from persrv.training.queries import PickTimes
from persrv.training.split import PARTS, asked_shares, split_by_time, too_small

RESULTS = Path(__file__).parent / "results"
START = datetime(2026, 1, 1, tzinfo=UTC)
VALIDATION, TEST = 0.1, 0.2
SIZES = ((100, 50), (1_000, 300), (10_000, 2_000), (60_000, 2_485), (1_000_000, 20_000))
NEW = (0.0, 0.02, 0.3, 1.0)


@dataclass(frozen=True)
class Picks:
    """A history of picks in the order of their times, read as the catalog's is."""

    rows: list[Interaction]

    def interactions(
        self, user: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Interaction]:
        """Walk through the picks; ``user`` is not used."""
        return (
            row for row in self.rows if (since is None or row.time >= since) and (until is None or row.time < until)
        )


def history(picks: int, stickers: int, *, new: float = 0.0, timed: bool = True, seed: int = 0) -> Picks:
    """Draw a history.

    Args:
        picks: How many.
        stickers: How many there are in the end; about half of the picks go to a tenth of them.
        new: Share of the stickers that appear one after the other; the others are there from the start.
        timed: Whether picks have times: spread over 300 days, else all the same.
        seed: Of everything.
    """
    random = np.random.default_rng(seed)
    born = np.where(np.arange(stickers) < stickers * (1 - new), 0.0, np.linspace(0, 0.95, stickers))
    when = np.sort(random.random(picks))
    drawn = (stickers * random.random(picks) ** 3).astype(int)
    # A sticker that is not there yet is drawn again.
    while len(late := np.flatnonzero(born[drawn] > when)):
        drawn[late] = (stickers * random.random(len(late)) ** 3).astype(int)
    users, words = random.integers(0, 50, picks), random.integers(0, 3, picks)
    times = [START + timedelta(days=days) for days in (when * 300 if timed else np.zeros(picks)).tolist()]
    rows = zip(users, words, drawn, times, strict=True)
    return Picks([Interaction(f"u{u}", f"word {s} {w}", f"s{s:06d}", time, "pick") for u, w, s, time in rows])


def main() -> int:
    """Draw and split every history, write the page, and return 1 if a part is too small."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_split")
    parser.add_argument("--most", type=int, default=1_000_000, metavar="N", help="largest number of picks")
    parser.add_argument("--results", type=Path, metavar="FOLDER", default=RESULTS, help="default %(default)s")
    chosen = parser.parse_args()
    before = machine.describe()
    lines = ["# The split of the training data", "", (__doc__ or "").strip(), ""]
    lines += [
        "| picks | stickers picked | appear later | split | train | validation | test | picks used | rival's test |"
    ]
    lines += ["| ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"]
    bad = 0
    for picks, stickers in SIZES:
        for new in NEW if picks <= chosen.most else ():
            line, small = _row(history(picks, stickers, new=new), new)
            lines.append(line)
            bad += small
    lines += ["", f"Parts with less than half of their share: {bad}.", "", "## The machine", ""]
    lines += [*(f"* {key}: {value}" for key, value in before.items()), ""]
    page = "\n".join(lines)
    chosen.results.mkdir(parents=True, exist_ok=True)
    (chosen.results / "training-split.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return int(bad > 0)


def _row(picks: Picks, new: float) -> tuple[str, int]:
    everything = {row.sticker_id for row in picks.rows}
    found = labelled_stickers(
        picks, "drawn", everything, lambda ids: {}, min_users=1, validation=VALIDATION, test=TEST, seed=0
    )
    counts = Counter(found.parts.values())
    times = PickTimes.of(picks.interactions())
    cut = times.newest(TEST)
    rival = cut and split_by_time(times.first, cut, {}, VALIDATION, 0)
    rival_test = sum(part == "test" for part in rival.values()) if rival else "none"
    cells = [f"{found.picks:,}", f"{len(everything):,}", f"{new:.0%}", "by time" if found.cut else "by sticker"]
    cells += [f"{counts[part]:,}" for part in PARTS]
    cells += [f"{sum(found.used.values()) / found.picks:.0%}", str(rival_test)]
    small = too_small({part: counts[part] for part in PARTS}, asked_shares(VALIDATION, TEST))
    return "| " + " | ".join(cells) + " |", len(small)


if __name__ == "__main__":
    sys.exit(main())
