"""Measurements side by side: contenders take turns, and ratios are taken within a turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Item = TypeVar("Item")
Floats = NDArray[np.float64]

WARM_UP = 3
"""Items that every contender answers before the clock runs: imports, compilers and caches are not the question."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What repeated measurements gave."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Return the spread of one or more numbers."""
        numbers = np.asarray(values, dtype=np.float64)
        return cls(float(np.median(numbers)), float(numbers.min()), float(numbers.max()))


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison; in every unit used here less is better.

    Attributes:
        name: What was measured.
        ours: What persrv needed.
        rival: Who or what it is compared with.
        theirs: What the rival needed.
        ratio: Median over the turns of ours / theirs, both taken in the same turn. Below 1 persrv needs less.
        unit: Of ``ours`` and ``theirs``.
        repetitions: Number of turns.
        note: Anything a reader must know to read the figures rightly.
    """

    name: str
    ours: Spread
    rival: str
    theirs: Spread
    ratio: float
    unit: str
    repetitions: int
    note: str = ""


def compare(name: str, ours: ArrayLike, rival: str, theirs: ArrayLike, unit: str, note: str = "") -> Row:
    """Return the row for measurements taken in turns.

    Args:
        name: What was measured.
        ours: Shape (turns,), >= 0.
        rival: Who or what it is compared with.
        theirs: Shape (turns,), > 0.
        unit: Of both.
        note: See :class:`Row`.

    Raises:
        ValueError: The two have different or no turns.
    """
    mine, other = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if mine.shape != other.shape or mine.ndim != 1 or not mine.size:
        raise ValueError(f"{name}: {mine.shape} and {other.shape} are no turns of two contenders")
    return Row(name, Spread.of(mine), rival, Spread.of(other), float(np.median(mine / other)), unit, mine.size, note)


def seconds(call: Callable[[], object]) -> float:
    """Return the wall-clock time of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def take_turns(turns: int, *contenders: Callable[[], Item]) -> list[list[Item]]:
    """Call the contenders A B C A B C ...; return each one's answers."""
    answers: list[list[Item]] = [[] for _ in contenders]
    for _ in range(turns):
        for answered, contender in zip(answers, contenders, strict=True):
            answered.append(contender())
    return answers


def latencies(turns: int, items: Sequence[Item], *contenders: Callable[[Item], object]) -> Floats:
    """Time each contender on each item; on every item they take turns.

    Args:
        turns: How often all items are gone through.
        items: What the contenders are called with, at least one.
        contenders: Called with one item at a time.

    Returns:
        Seconds, shape (contenders, turns, items).
    """
    for item in items[:WARM_UP]:
        for contender in contenders:
            contender(item)
    taken = np.empty((len(contenders), turns, len(items)))
    for turn in range(turns):
        for number, item in enumerate(items):
            for who, contender in enumerate(contenders):
                started = time.perf_counter()
                contender(item)
                taken[who, turn, number] = time.perf_counter() - started
    return taken


def together(items: Sequence[Item], call: Callable[[Item], object], callers: int) -> float:
    """Return the wall time of one call in ms, where several threads share the items.

    Args:
        items: What ``call`` is called with, at least one.
        call: Safe for several threads.
        callers: How many threads, >= 1.
    """

    def work(part: Sequence[Item]) -> None:
        for item in part:
            call(item)

    threads = [threading.Thread(target=work, args=(items[number::callers],)) for number in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - started) / len(items) * 1e3


def percentile_rows(
    name: str, ours: Floats, rival: str, theirs: Floats, note: str = "", percents: Sequence[int] = (50, 95)
) -> list[Row]:
    """Return one row for each percentile of latencies, in milliseconds.

    Args:
        name: What was measured.
        ours: Seconds, shape (turns, items); the percentile is taken over the items of each turn.
        rival: Who or what it is compared with.
        theirs: As ``ours``.
        note: See :class:`Row`; stands at the first row.
        percents: Which percentiles, each in [0, 100].
    """
    return [
        compare(
            f"{name}, p{percent}",
            1e3 * np.percentile(ours, percent, axis=1),
            rival,
            1e3 * np.percentile(theirs, percent, axis=1),
            "ms",
            note if percent == percents[0] else "",
        )
        for percent in percents
    ]
