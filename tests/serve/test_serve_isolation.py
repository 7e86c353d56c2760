"""Two tenants, two users each: whatever happens in whatever order, nobody sees what is another's."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from persrv.serve.keys import add_key
from served_tiny import bearer, second, serving
from tiny_collection import MEANINGS, Tiny
from waiting import until

TENANTS = ("tiny", "other")
USERS = ("amy", "ben")


@pytest.fixture(scope="module")
def keys(own_tiny: Tiny) -> dict[str, dict[str, str]]:
    file = own_tiny.home / "keys.json"
    return {tenant: bearer(add_key(file, tenant, "write", (tenant,))) for tenant in TENANTS}


@pytest.fixture(scope="module")
def service(own_tiny: Tiny, keys: dict[str, dict[str, str]]) -> Iterator[TestClient]:
    with serving(own_tiny, second(own_tiny), rate=0) as opened:
        yield opened


@pytest.mark.parametrize("seed", range(3))
def test_nobody_sees_what_is_anothers(service: TestClient, keys: dict[str, dict[str, str]], seed: int) -> None:
    draw = random.Random(seed)
    picked: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    loved: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for tenant in TENANTS:
        for user in USERS:
            service.delete(f"/v1/users/{user}", headers=keys[tenant])
    for step in range(30):
        tenant, user = draw.choice(TENANTS), draw.choice(USERS)
        mine = {"headers": keys[tenant]}
        query = draw.choice(list(MEANINGS))
        found = service.get("/v1/search", params={"q": query, "user": user}, **mine).json()
        assert found["personal"] == bool(picked[tenant, user])
        if draw.random() < 0.1:
            gone = service.delete(f"/v1/users/{user}", **mine).json()
            assert gone["picks"] == len(picked.pop((tenant, user), []))
            loved.pop((tenant, user), None)
        elif draw.random() < 0.25:
            hit = draw.choice(found["hits"])["sticker_id"]
            assert service.put(f"/v1/users/{user}/marks/favourite/{hit}", **mine).status_code == 204
            if hit not in loved[tenant, user]:
                picked[tenant, user].append(("", hit))  # a new favourite is a pick, too
            loved[tenant, user].add(hit)
        else:
            hit = draw.choice(found["hits"])["sticker_id"]
            body = {"user": user, "query": f"{query} {step}", "sticker_id": hit}
            assert service.post("/v1/share", json=body, **mine).status_code == 201
            picked[tenant, user].append((body["query"], hit))
        for owner in TENANTS:
            for person in USERS:
                own = picked[owner, person]
                kept = service.get(f"/v1/users/{person}/export", headers=keys[owner]).json()
                assert [(p["query"], p["sticker_id"]) for p in kept["picks"]] == own
                named = {"params": {"user": person}, "headers": keys[owner]}
                assert service.get("/v1/user/export", **named).json() == kept
                assert bool(kept["styles"]) == bool(own)
                assert {*kept["marks"].get("favourite", [])} == loved[owner, person]
                stars = service.get(f"/v1/users/{person}/stickers?kind=favourite", headers=keys[owner]).json()
                assert {sticker["id"] for sticker in stars["stickers"]} == loved[owner, person]
                recent = service.get(f"/v1/users/{person}/stickers", headers=keys[owner]).json()["stickers"]
                assert {sticker["id"] for sticker in recent} == {sticker_id for _, sticker_id in own}
                taste = service.get(f"/v1/users/{person}/taste", headers=keys[owner]).json()["points"]
                assert {point["sticker_id"] for point in taste} == {sticker_id for _, sticker_id in own}


def test_at_the_same_time_everybody_sees_their_own(service: TestClient, keys: dict[str, dict[str, str]]) -> None:
    def lives(tenant: str, user: str) -> None:
        draw, mine = random.Random(f"{tenant} {user}"), {"headers": keys[tenant]}
        picked: list[tuple[str, str]] = []
        service.delete(f"/v1/users/{user}", **mine)
        for step in range(12):
            query = draw.choice(list(MEANINGS))
            found = service.get("/v1/search", params={"q": query, "user": user}, **mine).json()
            assert (found["user"], found["personal"]) == (user, bool(picked))
            body = {"user": user, "query": f"{query} {step} of {user} at {tenant}"}
            body["sticker_id"] = draw.choice(found["hits"])["sticker_id"]
            assert service.post("/v1/share", json=body, **mine).status_code == 201
            picked.append((body["query"], body["sticker_id"]))
            kept = service.get(f"/v1/users/{user}/export", **mine).json()
            assert [(pick["query"], pick["sticker_id"]) for pick in kept["picks"]] == picked

    with ThreadPoolExecutor(len(TENANTS) * len(USERS)) as pool:
        everybody = [pool.submit(lives, tenant, user) for tenant in TENANTS for user in USERS]
        for one in everybody:
            one.result()


def test_what_one_tenant_picks_changes_no_answer_of_the_other(
    service: TestClient, keys: dict[str, dict[str, str]]
) -> None:
    def answers() -> list[list[tuple[str, float]]]:
        asked = [{"q": query, "user": user} for query in ("happy", "cat", "") for user in ("amy", "stranger")]
        found = [service.get("/v1/search", params=one, headers=keys["other"]).json()["hits"] for one in asked]
        return [[(hit["sticker_id"], hit["score"]) for hit in hits] for hits in found]

    found = [answers()]

    def nothing_changes() -> bool:
        """Whether all that earlier tests picked is written: others see a pick within a second."""
        time.sleep(1.5)
        found.append(answers())
        return found[-1] == found[-2]

    until(nothing_changes)
    before = found[-1]
    last = before[0][-1][0]
    for user in ("amy", "stranger", "third"):
        body = {"user": user, "query": "happy", "sticker_id": last}
        assert service.post("/v1/share", json=body, headers=keys["tiny"]).status_code == 201
    assert answers() == before
    assert service.post("/v1/share", json=body | {"user": "amy"}, headers=keys["other"]).status_code == 201
    assert answers() != before


def test_a_tenants_key_opens_nothing_of_the_other(service: TestClient, keys: dict[str, dict[str, str]]) -> None:
    for path in (
        "users/amy",
        "users/amy/export",
        "users/amy/stickers",
        "users/amy/taste",
        "users/amy/profile",
        "user",
        "user/export",
        "user/stickers",
        "user/taste",
        "user/profile",
        "search",
    ):
        theirs = {"params": {"collection": "other", "user": "amy"}, "headers": keys["tiny"]}
        assert service.get(f"/v1/{path}", **theirs).status_code == 403, path
