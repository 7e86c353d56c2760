"""What a service's JSON says, as the objects of the Python API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from persrv.online.answer import Answer
from persrv.online.feedback import PickReceipt
from persrv.online.taste_map import TasteMap, TastePoint
from persrv.ranking.profile import StyleProfile
from persrv.records import Explanation, Hit, Interaction, Semantics, Sticker, StyleSummary


def read_answer(body: Any) -> Answer:
    """Return an answer to a search."""
    return Answer(
        hits=tuple(_hit(hit) for hit in body["hits"]),
        query=body["query"],
        user=body["user"],
        reason=body["reason"],
        note=body["note"],
        corrections=body["corrections"],
        personal=body["personal"],
        more=body["more"],
        next=body["next"],
        cut=body["cut"],
    )


def _hit(body: Any) -> Hit:
    parts = {name: value for name, value in body["explanation"].items() if name != "shares"}
    return Hit(
        rank=body["rank"],
        sticker_id=body["sticker_id"],
        score=body["score"],
        path=None,
        payload=body["payload"],
        explanation=Explanation(**parts),
        relevance=body["relevance"],
        copies=body["copies"],
    )


def read_receipt(body: Any) -> PickReceipt:
    """Return what became of a pick."""
    return PickReceipt(body["sticker_id"], read_profile(body["profile"]), body["new"], body["note"])


def read_profile(body: Any) -> StyleProfile:
    """Return a user's style profile."""
    sums = np.array(body["sums"], dtype=np.float64).reshape(-1, body["dimension"])
    return StyleProfile(sums=sums, mass=np.array(body["mass"], dtype=np.float64), day=body["day"])


def read_styles(body: Any) -> list[StyleSummary]:
    """Return a user's styles."""
    return [StyleSummary(style["share"], style["sticker_id"], style["title"]) for style in body]


def read_taste(body: Any) -> TasteMap:
    """Return a user's taste on a plane."""
    points = tuple(TastePoint(p["sticker_id"], p["title"], p["x"], p["y"], p["style"]) for p in body["points"])
    return TasteMap(points, tuple(read_styles(body["styles"])))


def read_pick(user: str, body: Any) -> Interaction:
    """Return one interaction of a user."""
    when = datetime.fromisoformat(body["time"])
    return Interaction(user, body["query"], body["sticker_id"], when, body["kind"], pick_id=body["pick_id"])


def read_export(body: Any) -> dict[str, Any]:
    """Return all that is held of a user."""
    return {
        "user": body["user"],
        "picks": len(body["picks"]),
        "styles": [{name: style[name] for name in ("share", "sticker_id", "title")} for style in body["styles"]],
        "interactions": [_dated(pick) for pick in body["picks"]],
        "impressions": [_dated(seen) for seen in body["impressions"]],
        "edits": [_dated(edit) for edit in body["edits"]],
        "marks": body["marks"],
    }


def _dated(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return something that happened, its time as Python writes it."""
    return {**body, "time": datetime.fromisoformat(body["time"]).isoformat()}


def read_sticker(body: Any) -> Sticker:
    """Return a sticker of an answer's JSON."""
    return Sticker(
        id=body["id"],
        path=None,
        format=body["format"],
        width=body["width"],
        height=body["height"],
        frames=body["frames"],
        packs=tuple(body["packs"]),
        semantics=Semantics(**{name: tuple(phrases) for name, phrases in body["texts"].items()}),
        language=body["language"],
        rating=body["rating"],
        style=body["style"],
    )
