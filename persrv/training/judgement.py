"""What an evaluation found, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from persrv.lab.evaluation.intervals import Gain, Interval


@dataclass(frozen=True, slots=True)
class Judgement:
    """Base and tuned model and neighbours on held-out stickers.

    Attributes:
        base: Name of the base model.
        encoder: Name of the image encoder by which neighbours were found.
        part: Part of the data that was used.
        stickers: How many.
        queries: Queries that were asked.
        named: Stickers whose question holds their name: there, words may be copied from it.
        unreadable: Answers that could not be read, of ``base`` and ``tuned``; they count as saying nothing.
        measures: Measure to the means of ``base``, ``tuned`` and ``nearest``.
        gains: Measure to tuned minus each of the others, over stickers.
        retrieval: MRR@20, a sticker's queries averaged first, by what stickers' texts are made of.
        retrieval_gains: Tuned minus each of these, over stickers.
    """

    base: str
    encoder: str
    part: str
    stickers: int
    queries: int
    named: int
    unreadable: Mapping[str, int]
    measures: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Mapping[str, Gain]]
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
            f"tuned model. The question holds the name of {self.named} stickers. Nearest: the words of the eight "
            f"training stickers that look most alike to {self.encoder}.",
            "",
            "| against what people typed | base | tuned | nearest | tuned − base | p | tuned − nearest | p |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, means in self.measures.items():
            cells = [name.replace("_", " "), *(_mean(means[contender]) for contender in ("base", "tuned", "nearest"))]
            for rival in ("base", "nearest"):
                gain = self.gains[name][rival]
                cells += [_gain(gain), f"{gain.p:.4f}"]
            lines.append("| " + " | ".join(cells) + " |")
        lines += [
            "",
            "| MRR@20, the stickers' only text being | | tuned − this | p |",
            "| --- | ---: | ---: | ---: |",
        ]
        for name, value in self.retrieval.items():
            against = self.retrieval_gains.get(name)
            gained = f"{_gain(against)} | {against.p:.4f}" if against else "|"
            lines.append(f"| {name} | {_mean(value)} | {gained} |")
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
