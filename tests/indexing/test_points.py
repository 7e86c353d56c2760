"""The payload of a sticker's point."""

from __future__ import annotations

from pathlib import Path

from persrv.catalog.affinity import PickedFor
from persrv.indexing.points import PointMaker
from persrv.recipe import Text
from persrv.records import Semantics, Sticker, Utility
from persrv.text import Terms

CAT = Sticker(
    id="0123456789abcdef" * 2,
    path=Path("cat.webp"),
    format="webp",
    width=10,
    height=10,
    frames=1,
    packs=("cats",),
    semantics=Semantics(name=("happy cat",), tags=("a", "b"), emoji=("😺",), emotions=("joy",)),
    language="en",
    rating="safe",
    style="flat",
)


def test_a_person_reads_the_payload_from_the_top_and_tags_come_last() -> None:
    maker = PointMaker(Text(), 0.5, {}, "http://127.0.0.1:8000/")
    utility = Utility(0.1, 0.2, 0.3, 0.25)
    payload = maker.point(CAT, Terms.of({}), utility, 7, None, None, "group", None, PickedFor(), None).payload
    assert list(payload)[:7] == ["image_url", "title", "emoji", "pack", "style", "utility", "semantics"]
    assert list(payload)[-1] == "tags"
    assert payload["image_url"] == f"http://127.0.0.1:8000/{CAT.id}.webp"
    assert payload["utility"] == 0.25
