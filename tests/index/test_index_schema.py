"""The one list of indexed payload keys, point ids and the manifest."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from index_samples import SCHEMA, manifest
from persrv.errors import IndexMismatchError
from persrv.index.description import description_of, read_description
from persrv.index.manifest import BUILD_PATTERN, Manifest, new_build
from persrv.index.schema import (
    FILTERS,
    STICKER_PAYLOAD,
    USER_PAYLOAD,
    centroid_id,
    point_id,
    sticker_id_of,
    sticker_schema,
    user_schema,
)


def test_every_key_that_is_filtered_or_scored_is_indexed() -> None:
    assert set(FILTERS) | {"utility", "bucket", "sticker_id"} <= set(STICKER_PAYLOAD)
    assert STICKER_PAYLOAD["utility"] == "float"
    assert set(USER_PAYLOAD) == {"user", "share"}
    assert sticker_schema(4).payload is STICKER_PAYLOAD
    assert user_schema(4).payload is USER_PAYLOAD
    assert not user_schema(4).sparse


@given(st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex), min_size=2, max_size=5))
def test_point_ids_sort_as_sticker_ids_do_and_lead_back(ids: list[str]) -> None:
    assert [sticker_id_of(p) for p in sorted(map(point_id, ids))] == sorted(ids)


def test_a_sticker_id_is_32_hex_digits() -> None:
    assert point_id("00112233445566778899aabbccddeeff") == "00112233-4455-6677-8899-aabbccddeeff"
    with pytest.raises(ValueError, match="hex"):
        point_id("cat")


@given(st.text(), st.text(), st.integers(0, 40), st.integers(0, 40))
def test_centroid_ids_are_one_per_user_and_number(one: str, other: str, first: int, second: int) -> None:
    assert (centroid_id(one, first) == centroid_id(other, second)) == ((one, first) == (other, second))


def test_builds_have_the_strict_form_that_they_are_recognised_by() -> None:
    builds = {new_build() for _ in range(50)}
    assert len(builds) == 50
    assert all(re.fullmatch(BUILD_PATTERN, build) for build in builds)
    with pytest.raises(ValidationError, match="build"):
        manifest(1, build="today")


def test_description_round_trip() -> None:
    made = manifest(3, space={"mean": [0.1, 0.2], "name": "中文"})
    schema, read = read_description(description_of(SCHEMA, made), "here")
    assert (schema, read) == (SCHEMA, made)
    assert isinstance(read, Manifest)


@pytest.mark.parametrize("broken", [None, [], {}, {"schema": {}, "manifest": {}}, {"schema": 1, "manifest": 2}])
def test_a_strange_description_is_a_mismatch(broken: object) -> None:
    with pytest.raises(IndexMismatchError, match="collection x does not say how it was built"):
        read_description(broken, "collection x")


@pytest.mark.parametrize("key", ["tokenizer", "text", "encoder"])
def test_a_manifest_names_what_differs(key: str) -> None:
    built = manifest(1)
    same = {"tokenizer": built.tokenizer, "text": built.text, "encoder": built.encoder}
    built.check(**same)
    with pytest.raises(IndexMismatchError, match=f"built with {key} .*persrv build -c sample"):
        built.check(**(same | {key: "other"}))


def test_a_manifest_of_another_layout_is_refused() -> None:
    old = manifest(1, schema_version=0)
    with pytest.raises(IndexMismatchError, match="schema_version 0"):
        old.check(tokenizer=old.tokenizer, text=old.text, encoder=old.encoder)
