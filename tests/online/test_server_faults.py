"""A server that fails all the time: no change is lost or made twice, and every answer is whole or an error of ours."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from fake_qdrant import FakeQdrant, Fault
from persrv import Recipe, Retriever, build_collection
from persrv.errors import PersrvError
from persrv.indexing.progress import Silent
from persrv.indexing.soundness import look_at_index_contents
from persrv.recipe.location import IndexSettings
from persrv.workspace import Workspace
from tiny_collection import Tiny

DEADLINE_SECONDS = 30.0

PASSING = (
    Fault(503),
    Fault(500),
    Fault(429, {"Retry-After": "0"}),
    Fault(502, body=b"<html>bad gateway</html>"),
    Fault(cut=True),
    Fault(body=b'{"result": {"poi'),
    Fault(503, lost=True),
    Fault(503, delay_s=0.05),
)
LASTING = [Fault(503, lost=True)] * 40


def on(tiny: Tiny, url: str) -> Recipe:
    return tiny.recipe.model_copy(update={"index": IndexSettings(location=url, timeout_s=2.0)})


@pytest.mark.parametrize("seed", [1])
def test_what_was_acknowledged_is_there_once_whatever_the_server_does(tiny: Tiny, seed: int) -> None:
    chance = random.Random(seed)
    with FakeQdrant() as server:
        recipe = on(tiny, server.url)
        build_collection(recipe, home=tiny.home)
        acknowledged: Counter[tuple[str, str]] = Counter()
        tags: dict[str, tuple[str, ...]] = {}
        refused = 0
        with Retriever.open(recipe, home=tiny.home) as retriever:
            ids = sorted(hit.sticker_id for hit in retriever.search("", limit=30))
            for number in range(40):
                server.faults.extend(LASTING if number == 20 else [chance.choice(PASSING)] * chance.randrange(3))
                user, sticker = chance.choice(("cleo", "dan")), chance.choice(ids)
                began = time.monotonic()
                try:
                    if number % 3 == 0:
                        retriever.edit(sticker, "tags", [f"tag{number}"], editor="ann")
                        tags[sticker] = (f"tag{number}",)
                    elif number % 3 == 1:
                        retriever.record(user, "cat", sticker, pick_id=f"{number}")
                        acknowledged[user, f"{number}"] += 1
                    else:
                        found = [hit.sticker_id for hit in retriever.search("", user, limit=30)]
                        assert sorted(found) == ids, "half an answer"
                except PersrvError:
                    refused += 1
                    if number % 3 == 0:
                        tags[sticker] = (f"tag{number}",)  # the catalog has it, as the error says
                assert time.monotonic() - began < DEADLINE_SECONDS
                if number == 20:
                    server.faults.clear()
            server.faults.clear()
        build_collection(recipe, home=tiny.home)
        with Workspace.of(recipe, tiny.home).existing_catalog() as catalog:
            picks = Counter((p.user, p.pick_id) for p in catalog.interactions() if p.user in ("cleo", "dan"))
            assert picks == acknowledged
            assert {s.id: s.semantics.tags for s in catalog.stickers(tags)} == tags
        assert look_at_index_contents(Workspace.of(recipe, tiny.home), Silent()).startswith("30 points")
        assert refused <= 3
