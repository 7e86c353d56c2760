"""What an evaluation found, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from persrv.lab.evaluation.intervals import Gain, Interval


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
        retrieval: MRR@20, a sticker's queries averaged first, by what stickers' texts are made of.
        retrieval_gains: Tuned minus each of these, over stickers.
    """

    base: str
    part: str
    stickers: int
    queries: int
    named: int
    unreadable: Mapping[str, int]
    measures: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Gain]
    retrieval: Mapping[str, Interval]
    retrieval_gains: Mapping[str, Gain]

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
                f"| {name.replace('_', ' ')} | {_mean(both['base'])} | {_mean(both['tuned'])} | {_gain(gain)} "
                f"| {gain.p:.4f} |"
            )
        lines += [
            "",
            "| MRR@20, the stickers' only text being | | tuned − this | p |",
            "| --- | ---: | ---: | ---: |",
        ]
        for name, value in self.retrieval.items():
            against = self.retrieval_gains.get(name)
            told = f"{_gain(against)} | {against.p:.4f}" if against else "|"
            lines.append(f"| {name} | {_mean(value)} | {told} |")
        lines += [
            "",
            "In brackets 95 % bootstrap intervals over stickers; p from a paired, two-sided randomisation test over "
            "stickers. Each query asks for the sticker that it led to, among the held-out ones; "
            "with past queries, a sticker never has the query that is asked.",
        ]
        return "\n".join(lines)


def _mean(value: Interval) -> str:
    return f"{value.mean:.3f} ({value.low:.3f} to {value.high:.3f})"


def _gain(value: Gain) -> str:
    return f"{value.interval.mean:+.3f} ({value.interval.low:+.3f} to {value.interval.high:+.3f})"
