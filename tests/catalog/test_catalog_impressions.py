from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from persrv.catalog import Catalog
from persrv.catalog.tables import impressions
from persrv.errors import CatalogError
from persrv.records import Impression

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Not in the order of the ids: the order of the page must come back.
SEEN = Impression("style", "0" * 16, "ann", "猫 Cat", NOON, {"z" * 32: "b", "a" * 32: "", "k" * 32: "a"})


def test_impressions_come_back_as_they_were_by_time(catalog: Catalog) -> None:
    later = replace(SEEN, user="bo", time=NOON + timedelta(hours=1))
    other = replace(SEEN, experiment="other")
    for one in (later, SEEN, other):
        catalog.put_impressions([one])
    assert list(catalog.impressions()) == [SEEN, other, later]
    assert list(catalog.impressions("style")) == [SEEN, later]
    assert list(catalog.impressions(user="bo")) == [later]
    assert [list(one.shown) for one in catalog.impressions("other")] == [list(SEEN.shown)]


def test_more_than_a_page_of_one_moment(catalog: Catalog) -> None:
    with catalog.transaction():
        for number in range(1003):
            catalog.put_impressions([replace(SEEN, query=str(number))])
    assert [one.query for one in catalog.impressions()] == [str(number) for number in range(1003)]


def test_forgetting_takes_impressions_along(catalog: Catalog) -> None:
    catalog.put_impressions([SEEN])
    catalog.put_impressions([replace(SEEN, user="bo")])
    assert catalog.forget("ann") == 0
    assert [one.user for one in catalog.impressions()] == ["bo"]


def test_a_time_without_a_zone_is_refused(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match="zone"):
        catalog.put_impressions([replace(SEEN, time=datetime(2026, 3, 1))])


@pytest.mark.parametrize("content", [{"a": "b"}, [["a", "c"]], [["a"]], ["ab"], None])
def test_what_somebody_else_wrote_is_refused(catalog: Catalog, content: object) -> None:
    catalog.put_impressions([SEEN])
    with catalog._database.write() as connection:
        connection.execute(update(impressions).values(shown=content if content is not None else "x"))
    with pytest.raises(CatalogError, match="impression"):
        list(catalog.impressions())
