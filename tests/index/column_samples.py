"""Stickers with all that columns are made of, and what columns say of each, one by one."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import numpy as np

from index_samples import DIMENSION, unit
from persrv.index.columns.columns import Columns
from persrv.index.columns.segment import FACETS, LISTED, TABLES, facet
from persrv.index.language import Point, Record, StoredVector
from persrv.index.schema import GROUP, IMAGE, PICKED, STYLE_CLUSTER, TEXT, TRENDING, point_id, sticker_id_of
from persrv.text.bm25f import SparseVector

IDS = [f"{number % 3:016x}{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(1, 41)]
"""Many are equal in their first eight bytes."""

Said = dict[str, tuple[Any, ...]]


def drawn_point(sticker_id: str, chance: random.Random) -> Point:
    """Return a sticker that may lack anything."""
    vectors: dict[str, StoredVector] = {}
    if chance.random() < 0.8:
        style = unit(np.random.default_rng(chance.randrange(1 << 30)), 1)[0]
        vectors[IMAGE] = style.astype(np.float32).tolist()
    for name, share in ((TEXT, 0.9), (PICKED, 0.5)):
        if chance.random() < share:
            tokens = sorted(chance.sample(range(12), chance.randrange(1, 6)))
            vectors[name] = SparseVector(tokens, [float(np.float32(chance.uniform(0.1, 2))) for _ in tokens])
    payload: dict[str, Any] = {"sticker_id": sticker_id, "utility": chance.choice([0.0, 0.25, 0.5])}
    payload[TRENDING] = payload["utility"] + chance.randrange(100) / 1024
    if chance.random() < 0.7:
        payload[STYLE_CLUSTER] = chance.randrange(4)
    if chance.random() < 0.3:
        payload[GROUP] = chance.choice(IDS)
    if chance.random() < 0.8:
        payload["pack"] = chance.choice(["cats", "dogs", "猫 & \U0001f600"])
    if chance.random() < 0.8:
        payload["tags"] = [chance.choice("abc") for _ in range(chance.randrange(4))]
    payload["animated"] = chance.random() < 0.5
    return Point(point_id(sticker_id), vectors, payload)


def drawn_points(count: int, seed: int) -> list[Point]:
    chance = random.Random(seed)
    return [drawn_point(sticker_id, chance) for sticker_id in IDS[:count]]


def said_by_points(points: Iterable[Point | Record]) -> Said:
    """Return what columns must say of points, by sticker id; the last point of an id counts."""
    return {sticker_id_of(point.id): _said_by(point) for point in points}


def _said_by(point: Point | Record) -> tuple[Any, ...]:
    payload = point.payload
    sparse = []
    for name in (TEXT, PICKED):
        vector = point.vectors.get(name)
        sparse.append(dict(zip(*vector, strict=True)) if isinstance(vector, SparseVector) else {})
    values = {
        (key, each)
        for key in LISTED
        for each in (payload[key] if isinstance(payload.get(key), list) else [payload.get(key)])
        if each is not None
    }
    return (
        payload.get(GROUP, ""),
        payload.get("utility", 0.0),
        payload.get(TRENDING, 0.0),
        payload.get(STYLE_CLUSTER, -1),
        tuple(np.float32(point.vectors.get(IMAGE, [0.0] * DIMENSION)).tolist()),
        *({token: float(np.float32(value)) for token, value in bag.items()} for bag in sparse),
        {facet(key, value) for key, value in values},
    )


def said_by_columns(columns: Columns) -> Said:
    """Return what columns say of each sticker, by its id, read as a search reads them."""
    rows = columns.alive(np.arange(columns.rows, dtype=np.uint32))
    ids = columns.ids(rows)
    assert len(ids) == len({*ids}) == columns.count
    assert columns.rows_of(ids).tolist() == rows.tolist()
    bags: dict[str, dict[int, dict[int, float]]] = {table: {row: {} for row in range(columns.rows)} for table in TABLES}
    for table, bag in bags.items():
        dimensions = {int(each) for segment in columns.segments for each in segment.tables[table].dimensions}
        for dimension in dimensions:
            for found, values in columns.postings(table, dimension):
                assert np.all(np.diff(found.astype(np.int64)) > 0)
                for row, value in zip(found.tolist(), values.tolist() or [1.0] * len(found), strict=True):
                    bag[row][dimension] = value
    popular = columns.popular(columns.count)
    assert sorted(popular.tolist()) == rows.tolist()
    assert np.all(np.diff(columns.column("trending", popular)) <= 0)
    said = {}
    for sticker_id, row in zip(ids, rows.tolist(), strict=True):
        one = np.array([row], np.uint32)
        said[sticker_id] = (
            columns.groups(one)[0],
            *(columns.column(name, one)[0].item() for name in ("utility", "trending", "regions")),
            tuple(columns.column("styles", one)[0].tolist()),
            bags[TEXT][row],
            bags[PICKED][row],
            {*bags[FACETS][row]},
        )
    return said
