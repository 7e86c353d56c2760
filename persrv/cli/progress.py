"""Progress bars on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from persrv.indexing.progress import Advance

stderr = Console(stderr=True)


class _Rate(ProgressColumn):
    """Shows how many items a second are done."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class Bars:
    """Draws one bar for each stage; prints a line for each finished stage where stderr is no terminal."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Show one stage, see :class:`persrv.offline.Progress`."""
        done = 0
        if not stderr.is_terminal:

            def count(items: int) -> None:
                nonlocal done
                done += items

            yield count
            stderr.print(f"{name}: {done}", highlight=False)
            return
        bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=stderr,
        )
        with bars:
            task = bars.add_task(name, total=total)
            yield lambda items: bars.advance(task, items)
            bars.update(task, total=bars.tasks[0].completed)
