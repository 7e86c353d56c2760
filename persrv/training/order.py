"""In which order examples are seen: a pure function of the seed, so that a resumed run sees them as the first would."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def steps_per_epoch(examples: int, batch: int) -> int:
    """Return the updates of one pass; the last may see fewer examples."""
    return -(-examples // batch)


def step_examples(examples: int, batch: int, step: int, seed: int) -> list[int]:
    """Return the numbers of the examples of one update.

    Args:
        examples: How many there are, >= 1.
        batch: Of one update, >= 1.
        step: From 0; each epoch has an order of its own.
        seed: >= 0.
    """
    epoch, within = divmod(step, steps_per_epoch(examples, batch))
    order = np.random.default_rng([seed, epoch]).permutation(examples)
    return [int(number) for number in order[within * batch : (within + 1) * batch]]


def micro_batches(chosen: Sequence[int], lengths: Sequence[int], size: int) -> list[list[int]]:
    """Cut one update's examples into batches of like length, the longest first.

    The gradient of an update is a sum over its examples, so how they are cut changes padding and memory, not what is
    learnt; and memory that suffices for the first batch suffices for all.

    Args:
        chosen: Numbers of the examples.
        lengths: Tokens of each example, by number.
        size: Most examples of a batch, >= 1.
    """
    ordered = sorted(chosen, key=lambda number: (-lengths[number], number))
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]
