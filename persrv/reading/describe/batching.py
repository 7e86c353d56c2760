"""Batches that shrink when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from persrv.reading.describe.asking import NoAnswer

Item = TypeVar("Item")


class Batches(Generic[Item]):
    """Runs a function over items in batches of a size that fits.

    Args:
        size: Items at once, >= 1.
        run: One answer an item. May raise anything.
        out_of_memory: Whether an error of ``run`` says that memory ran out.
        release: Called before a smaller batch is tried.
    """

    def __init__(
        self,
        size: int,
        run: Callable[[Sequence[Item]], list[str]],
        out_of_memory: Callable[[BaseException], bool],
        release: Callable[[], None],
    ) -> None:
        self.size = size
        self._run = run
        self._out_of_memory = out_of_memory
        self._release = release

    def __call__(self, items: Sequence[Item]) -> list[str | NoAnswer]:
        """Return one answer an item, in their order.

        A batch that fails is run again in halves. Where memory ran out, later batches are no larger than half of it
        either; an item that fails alone gets :class:`NoAnswer`.
        """
        answers: list[str | NoAnswer] = []
        while len(answers) < len(items):
            answers.extend(self._some(items[len(answers) : len(answers) + self.size]))
        return answers

    def _some(self, items: Sequence[Item]) -> list[str | NoAnswer]:
        try:
            return list(self._run(items))
        # Processors and models of many makers run here, and each fails in its own way.
        except Exception as error:
            memory = self._out_of_memory(error)
            # Only the text is kept: the error's traceback would hold the tensors of the failed batch.
            reason = "not enough memory for one sticker" if memory else f"the model failed: {_first_line(error)}"
        self._release()
        if len(items) == 1:
            return [NoAnswer(reason)]
        half = (len(items) + 1) // 2
        if memory:
            self.size = min(self.size, half)
        return self._some(items[:half]) + self._some(items[half:])


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
