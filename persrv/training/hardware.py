"""Where training runs: one device of each process, and how processes work together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

from persrv.reading.describe.machine import Machine
from persrv.reading.describe.setting_names import training_key
from persrv.reading.describe.transformers_model import check_four_bit
from persrv.recipe import Describe
from persrv.training.settings import TrainingSettings

_PATIENCE = timedelta(hours=2)
"""How long processes wait for the slowest one."""
_MOST_THREADS = 4
_BUNDLE = 2**24
"""Numbers that travel between processes at once: 64 MiB in float32."""


class Hardware:
    """This process's device, its number format, and the other processes of ``accelerate launch``.

    Args:
        settings: ``device``, ``precision`` and ``four_bit`` are used.

    Raises:
        RecipeError: The device is not there.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.machine = Machine.choose(Describe(device=settings.device, dtype=settings.precision), training_key)
        if settings.precision == "auto" and self.machine.device == "mps":
            # Small gradients vanish in float16.
            self.machine = Machine("mps", torch.float32)
        on_cpu = self.machine.device == "cpu"
        self._state: Any = PartialState(cpu=on_cpu, timeout=_PATIENCE) if _launched() else None
        self.device = self._state.device if self._state else torch.device(self.machine.device)
        if settings.four_bit:
            check_four_bit(self.machine, training_key)

        self._threads = settings.collating

    @property
    def collating(self) -> int:
        """Threads of this process that make batches: as set, else one a core that this process has to itself, to 4."""
        if self._threads is not None:
            return self._threads
        return min(_MOST_THREADS, (os.cpu_count() or 1) // self.processes)

    @property
    def processes(self) -> int:
        """How many processes work together."""
        return int(self._state.num_processes) if self._state else 1

    @property
    def rank(self) -> int:
        """This process's number, from 0; number 0 writes."""
        return int(self._state.process_index) if self._state else 0

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in the machine's format what may be, and the rest in float32."""
        half = self.machine.dtype is not torch.float32
        return torch.autocast(self.device.type, self.machine.dtype if half else torch.bfloat16, enabled=half)

    def to_device(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return a batch on this process's device, pictures in the machine's format."""
        return {
            name: tensor.to(self.device, self.machine.dtype) if tensor.is_floating_point() else tensor.to(self.device)
            for name, tensor in batch.items()
        }

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor, in place, by its sum over all processes.

        Args:
            tensors: On this process's device, all of one dtype. They travel together: an adapter has hundreds.
        """
        if self.processes == 1 or not tensors:
            return
        for start, end in bundles([tensor.numel() for tensor in tensors]):
            bundle = torch.cat([tensor.flatten() for tensor in tensors[start:end]])
            torch.distributed.all_reduce(bundle)
            parts = torch.split(bundle, [tensor.numel() for tensor in tensors[start:end]])
            for tensor, total in zip(tensors[start:end], parts, strict=True):
                tensor.copy_(total.view_as(tensor))

    def from_first(self, value: Any) -> Any:
        """Return what the first process gave to this call, in every process; the others' values do not matter."""
        return broadcast_object_list([value])[0] if self.processes > 1 else value

    def wait(self) -> None:
        """Wait for all processes."""
        if self._state:
            self._state.wait_for_everyone()

    def seed(self, *numbers: int, apart: bool = False) -> None:
        """Seed torch's generators from numbers.

        Done before every update, so that what is random in it depends on nothing that a checkpoint would have to keep.

        Args:
            numbers: >= 0.
            apart: Whether each process gets a seed of its own. What all processes begin with must not depend on them.
        """
        seed = 0
        for number in (*numbers, *((self.rank,) if apart else ())):
            seed = (seed * 1_000_003 + number) % 2**63
        torch.manual_seed(seed)


def bundles(sizes: Sequence[int], most: int = _BUNDLE) -> Iterator[tuple[int, int]]:
    """Yield where runs of sizes begin and end that together hold at most ``most``, or are one.

    Args:
        sizes: At least one.
        most: >= 1.
    """
    start, held = 0, 0
    for number, size in enumerate(sizes):
        if number > start and held + size > most:
            yield start, number
            start, held = number, 0
        held += size
    yield start, len(sizes)


def _launched() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1
