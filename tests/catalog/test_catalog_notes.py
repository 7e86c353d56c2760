from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persrv.catalog import Catalog
from persrv.catalog.columns import Json
from persrv.catalog.vocabulary import KEPT
from persrv.errors import CatalogError, NotFoundError

characters = st.characters(exclude_categories=["Cs"])
contents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(characters), inner),
    max_leaves=8,
)


@given(contents)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_noted_comes_back(catalog: Catalog, content: Json) -> None:
    catalog.note("key", content)
    assert catalog.noted("key") == content


def test_notes_are_kept_by_key(catalog: Catalog) -> None:
    assert catalog.noted("stage") is None
    catalog.note("stage", {"done": ["ocr"]})
    catalog.note("other", 1)
    catalog.note("stage", {"done": ["ocr", "embed"]})
    assert catalog.noted("stage") == {"done": ["ocr", "embed"]}
    assert catalog.noted("other") == 1


@pytest.mark.parametrize("content", [math.nan, {"a": math.inf}, object(), {1, 2}])
def test_what_json_cannot_say(catalog: Catalog, content: Json) -> None:
    with pytest.raises(CatalogError):
        catalog.note("key", content)
    assert catalog.noted("key") is None


def test_the_newest_vocabularies_are_kept(catalog: Catalog) -> None:
    catalog.put_vocabulary("b9", {"猫": 3, "cat": 2})
    for number in range(KEPT - 1):
        assert catalog.vocabulary("b9") == {"cat": 2, "猫": 3}
        catalog.put_vocabulary(f"a{number}", {})
    assert catalog.vocabulary("a0") == {}
    catalog.put_vocabulary("b1", {"dog": 1})
    assert catalog.vocabulary("b1") == {"dog": 1}
    with pytest.raises(NotFoundError, match="'b9'"):
        catalog.vocabulary("b9")


def test_a_vocabulary_put_again_replaces_itself(catalog: Catalog) -> None:
    catalog.put_vocabulary("b1", {"cat": 1})
    catalog.put_vocabulary("b2", {"cat": 2})
    catalog.put_vocabulary("b1", {"x" * 5000: 1})
    assert catalog.vocabulary("b1") == {"x" * 5000: 1}
    assert catalog.surfaces("b1") == {}
    assert catalog.vocabulary("b2") == {"cat": 2}


def test_readable_spellings_of_tokens(catalog: Catalog) -> None:
    catalog.put_vocabulary(
        "b1", {"happi": 3, "cat": 2}, {("happi", "Happy"): 2, ("happi", "happy"): 1, ("gone", "Gone"): 1}
    )
    assert catalog.surfaces("b1") == {"happi": "Happy"}
    assert catalog.vocabulary("b1") == {"cat": 2, "happi": 3}
    with pytest.raises(NotFoundError, match="'b2'"):
        catalog.surfaces("b2")
