from __future__ import annotations

import numpy as np
import pytest

from persrv.errors import QueryError
from persrv.online.taste_map import flattened
from tiny_collection import Tiny


def test_what_is_drawn_alike_lies_together(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        for style in ("flat", "line"):
            for query in ("cat", "dog", "rain", "sleep"):
                retriever.record("zoe", query, retriever.search(query, filters={"style": style})[0].sticker_id)
        found = retriever.taste_map("zoe")
        assert len(found.points) == 8 and len(found.styles) >= 2
        drawn = {
            hit.sticker_id: hit.payload["style"] for q in ("cat", "dog", "rain", "sleep") for hit in retriever.search(q)
        }
        assert retriever.taste_map("zoe", most=2).points[0].sticker_id == found.points[0].sticker_id
        with pytest.raises(QueryError, match="most"):
            retriever.taste_map("zoe", most=0)
        assert retriever.taste_map("nobody").points == ()
    places = {style: [(p.x, p.y) for p in found.points if drawn[p.sticker_id] == style] for style in ("flat", "line")}
    apart = np.linalg.norm(np.mean(places["flat"], axis=0) - np.mean(places["line"], axis=0))
    spread = max(np.linalg.norm(np.array(p) - np.mean(p, axis=0), axis=1).mean() for p in places.values())
    assert apart > spread
    assert all(0 <= value <= 1 for point in found.points for value in (point.x, point.y))
    assert {p.style for p in found.points} <= set(range(len(found.styles)))


def test_a_plane_by_hand() -> None:
    corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 2, 0], [4, 2, 0]])
    assert flattened(corners) == pytest.approx(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]))
    assert flattened(corners[:1]).tolist() == [[0.5, 0.5]]
    assert flattened(corners[:2]).tolist() == [[0.0, 0.5], [1.0, 0.5]]
