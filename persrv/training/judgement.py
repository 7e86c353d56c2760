"""What an evaluation found, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from persrv.training.comparison import Difference, Mean


@dataclass(frozen=True, slots=True)
class Judgement:
    """Base against tuned model on held-out stickers.

    Attributes:
        base: Name of the base model.
        part: Part of the data that was used.
        stickers: How many.
        queries: Queries that were asked.
        named: Stickers whose question told their name: there, words may be copied from it.
        unreadable: Answers that could not be read, of ``base`` and ``tuned``; they count as saying nothing.
        measures: Measure to the means of ``base`` and ``tuned``.
        gains: Measure to tuned minus base, over stickers.
        retrieval: MRR@20 over queries, by what stickers' texts are made of.
        retrieval_gains: Tuned minus each of these, over queries.
    """

    base: str
    part: str
    stickers: int
    queries: int
    named: int
    unreadable: Mapping[str, int]
    measures: Mapping[str, Mapping[str, Mean]]
    gains: Mapping[str, Difference]
    retrieval: Mapping[str, Mean]
    retrieval_gains: Mapping[str, Difference]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)

    def as_markdown(self) -> str:
        """Return the tables."""
        lines = [
            f"{self.stickers} held-out stickers ({self.part}), {self.queries} queries. Base: {self.base}. "
            f"Answers that could not be read: {self.unreadable['base']} of the base, {self.unreadable['tuned']} of the "
            f"tuned model. The question told the name of {self.named} stickers.",
            "",
            "| against what people typed | base | tuned | tuned − base | p |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for name, both in self.measures.items():
            gain = self.gains[name]
            lines.append(
                f"| {name.replace('_', ' ')} | {_mean(both['base'])} | {_mean(both['tuned'])} | {_difference(gain)} "
                f"| {gain.p:.4f} |"
            )
        lines += [
            "",
            "| MRR@20, the stickers' only text being | | tuned − this | p |",
            "| --- | ---: | ---: | ---: |",
        ]
        for name, value in self.retrieval.items():
            against = self.retrieval_gains.get(name)
            told = f"{_difference(against)} | {against.p:.4f}" if against else "|"
            lines.append(f"| {name} | {_mean(value)} | {told} |")
        lines += [
            "",
            "In brackets 95 % bootstrap intervals, over stickers above and over queries below; p from a paired, "
            "two-sided randomisation test. Each query asks for the sticker that it led to, among the held-out ones; "
            "with past queries, a sticker never has the query that is asked.",
        ]
        return "\n".join(lines)


def _mean(value: Mean) -> str:
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def _difference(value: Difference) -> str:
    return f"{value.value:+.3f} ({value.low:+.3f} to {value.high:+.3f})"
