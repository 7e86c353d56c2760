"""A whole build: from a folder of pictures to a published index.

The stickers are those of an emoji set, by default the one that ships with persrv, with the picks of six simulated
people; ``--size`` says how many, ``--set`` which set.

* **first build**: into an empty folder, against the bare loop that decodes and describes the same pictures one after
  the other, without catalog, texts or index. persrv decodes in two threads beside the description.
* **stages**: each stage's share of the first build.
* **build again**: nothing is new, against the first build. Pictures are not read again, the index is made anew.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.emoji_part import Part, emoji_part
from benchmarks.measure import Row, compare, seconds, take_turns
from benchmarks.options import Options
from persrv.errors import PersrvError
from persrv.images.decode import open_picture
from persrv.images.statistics import StatisticsEncoder
from persrv.indexing.progress import Advance
from persrv.offline import build_collection

SIZE, TURNS = 1_000, 3
REST = "opening, publishing, switching"


class Stopwatch:
    """Takes the time of every stage; a :class:`persrv.offline.Progress`.

    Attributes:
        seconds: Stage to its time.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Time one stage."""
        started = time.perf_counter()
        yield lambda done: None
        self.seconds[name] += time.perf_counter() - started


def run(options: Options) -> list[Row]:
    """Build and loop in turns.

    Raises:
        PersrvError: The set cannot be used, or a build took in other stickers than it was given.
    """
    with emoji_part(options.pictures_from, options.size or SIZE) as part:
        for file in part.pictures:
            file.read_bytes()  # Whoever comes first would else wait for the disk alone.
        builds, loops = take_turns(
            options.repetitions or TURNS, lambda: _build_twice(part), lambda: {"loop": seconds(lambda: _loop(part))}
        )
    per_picture = 1e3 / len(part.drawings)
    first = [per_picture * build["first"] for build in builds]
    again = [per_picture * build["again"] for build in builds]
    loop = [per_picture * turn["loop"] for turn in loops]
    of, unit = f"of {len(part.drawings):,} pictures", "ms a picture"
    stages = [stage for stage in builds[0] if stage not in ("first", "again")]
    return [
        compare(f"first build {of}", first, "bare loop: decode and describe", loop, unit),
        *(
            compare(stage, [per_picture * build[stage] for build in builds], "the whole first build", first, unit)
            for stage in stages
        ),
        compare(f"build again {of}", again, "the first build", first, unit),
    ]


def _build_twice(part: Part) -> dict[str, float]:
    """Return the seconds of a first build, of its stages, and of building again."""
    with tempfile.TemporaryDirectory() as home:
        watch = Stopwatch()
        report = build_collection(part.recipe, home=Path(home), progress=watch)
        repeated = build_collection(part.recipe, home=Path(home))
    if (report.stickers, report.encoded, repeated.encoded) != (len(part.drawings), len(part.drawings), 0):
        raise PersrvError(
            f"of {len(part.drawings)} stickers, {report.encoded} were looked at, and {repeated.encoded} once more",
            "measure a set in which every picture can be read and none is there twice",
        )
    stages = watch.seconds | {REST: report.seconds - sum(watch.seconds.values())}
    return {"first": report.seconds, **stages, "again": repeated.seconds}


def _loop(part: Part) -> None:
    encoder = StatisticsEncoder()
    for file in part.pictures:
        encoder.encode([open_picture(file)])
