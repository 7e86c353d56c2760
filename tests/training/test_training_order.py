from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from persrv.training.order import micro_batches, step_examples, steps_per_epoch


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 3), st.integers(0, 5))
def test_each_epoch_sees_every_example_once(examples: int, batch: int, epoch: int, seed: int) -> None:
    steps = steps_per_epoch(examples, batch)
    seen = [i for s in range(steps) for i in step_examples(examples, batch, epoch * steps + s, seed)]
    assert sorted(seen) == list(range(examples))


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(step_examples(30, 30, step, seed)) for step in (0, 1) for seed in (0, 1)}
    assert len(orders) == 4


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40), st.integers(1, 9))
def test_micro_batches_hold_everything_longest_first(lengths: list[int], size: int) -> None:
    cut = micro_batches(range(len(lengths)), lengths, size)
    assert sorted(i for batch in cut for i in batch) == list(range(len(lengths)))
    assert all(len(batch) <= size for batch in cut)
    flat = [lengths[i] for batch in cut for i in batch]
    assert flat == sorted(lengths, reverse=True)


def test_micro_batches_by_hand() -> None:
    assert micro_batches([4, 0, 2, 1], [5, 9, 5, 100, 7], 2) == [[1, 4], [0, 2]]
