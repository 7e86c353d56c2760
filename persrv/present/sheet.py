"""Answers as one HTML page that needs nothing beside it: no script, no font, no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from persrv.online.answer import Answer
from persrv.present import words
from persrv.present.embedding import Embedded, embedded
from persrv.records import Hit

_TEMPLATES = Environment(
    loader=PackageLoader("persrv.present"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of the bar, in percent of its length; ``part`` is also its CSS class."""

    part: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class _Card:
    rank: int
    title: str
    language: str
    emoji: str
    origin: str
    style: str
    score: str
    sticker_id: str
    picture: Embedded | None
    bar: list[_Segment]
    why: list[str]


@dataclass(frozen=True, slots=True)
class _Panel:
    label: str
    query: str
    about: str
    remarks: list[str]
    cards: list[_Card]


def contact_sheet(answers: Sequence[tuple[str, Answer]], *, title: str) -> str:
    """Return a page that shows answers side by side, with every picture inside it.

    Files of at most 200 kB are embedded as they are, so that animations move; larger ones as stills. Bars of answers
    to the same query have the same scale. All text is escaped, and a content security policy allows nothing but this
    page's own style and pictures.

    Args:
        answers: Label, usually a user's name, and answer.
        title: The page's heading.

    Returns:
        A whole HTML document; write it as UTF-8.
    """
    style = _style()
    # Stickers recur from user to user; each is read once a page.
    picture = cache(embedded)
    longest = _longest_bars(answers)
    panels = [_panel(label, answer, longest[answer.query], picture) for label, answer in answers]
    queries = {panel.query for panel in panels}
    return _TEMPLATES.get_template("sheet.html").render(
        title=words.clean(title) or "Stickers",
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=b64encode(sha256(style.encode()).digest()).decode("ascii"),
        query=queries.pop() if len(queries) == 1 else None,
        panels=panels,
    )


def _style() -> str:
    source, _, _ = PackageLoader("persrv.present").get_source(_TEMPLATES, "sheet.css")
    return source


def _longest_bars(answers: Sequence[tuple[str, Answer]]) -> dict[str, float]:
    longest: dict[str, float] = {}
    for _, answer in answers:
        reach = max((words.shares(hit).reach for hit in answer), default=0.0)
        longest[answer.query] = max(reach, longest.get(answer.query, 0.0))
    return longest


def _panel(label: str, answer: Answer, longest: float, picture: Callable[[Path | None], Embedded | None]) -> _Panel:
    how_many = "1 sticker" if len(answer) == 1 else f"{len(answer)} stickers"
    return _Panel(
        label=words.clean(label) or "—",
        query=words.clean(answer.query),
        about=f"{how_many}{' and more' if answer.more else ''} · {words.audience(answer)}",
        remarks=words.remarks(answer),
        cards=[
            _Card(
                rank=hit.rank,
                title=words.title(hit),
                language=words.language(hit),
                emoji=words.emoji(hit),
                origin=words.origin(hit),
                style=words.style(hit),
                score=words.figure(hit.score),
                sticker_id=words.clean(hit.sticker_id),
                picture=picture(hit.path),
                bar=list(_bar(hit, longest)),
                why=words.why(hit, answer.reason),
            )
            for hit in answer
        ],
    )


def _bar(hit: Hit, longest: float) -> Iterator[_Segment]:
    """Yield the parts of the score one behind the other; what style took away covers the end of the others."""
    if longest <= 0:
        return
    shares = words.shares(hit)
    start = 0.0
    for part, share in (("words", shares.words), ("utility", shares.utility), ("style", shares.style)):
        length = abs(share) / longest * 100
        if share < 0:
            yield _Segment("lost", round(start - length, 2), round(length, 2))
        elif share > 0:
            yield _Segment(part, round(start, 2), round(length, 2))
        start += length
