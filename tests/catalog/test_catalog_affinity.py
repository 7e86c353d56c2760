from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from persrv.catalog import Catalog, Entry
from persrv.catalog.affinity import COUNTED_BY, PickedFor, TypedQuery
from persrv.catalog.phrases import fold_query
from persrv.catalog.tables import forgotten, notes, picked_queries, picked_words, query_words, typed_words
from persrv.records import Interaction
from persrv.text import tokenize

MakeEntry = Callable[..., Entry]
START = datetime(2024, 3, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


@pytest.fixture
def ids(catalog: Catalog, entry: MakeEntry) -> list[str]:
    made = [entry(name) for name in ("cat", "dog", "owl")]
    catalog.put(made)
    return sorted(one.sticker_id for one in made)


def test_people_are_counted_once_for_a_query_and_once_for_a_word(catalog: Catalog, ids: list[str]) -> None:
    cat, dog, _ = ids
    catalog.put_interactions(
        [
            Interaction("ann", "Good Night", cat, at(1)),
            Interaction("ann", "good  night", cat, at(2)),
            Interaction("ann", "night", cat, at(3)),
            Interaction("bo", "good night", cat, at(4)),
            Interaction("bo", "", cat, at(5)),
            Interaction("bo", "brb", dog, at(6)),
        ]
    )
    assert catalog.picked_for(ids) == {
        cat: PickedFor({"good night": 2, "night": 1}, {"good": 2, "night": 2}),
        dog: PickedFor({"brb": 1}, {"brb": 1}),
    }
    assert catalog.picked_for([dog]) == {dog: PickedFor({"brb": 1}, {"brb": 1})}
    # What comes later is counted as what came together.
    catalog.record(Interaction("ann", "GOOD night", cat, at(7)))
    catalog.record(Interaction("cy", "night owl", cat, at(8)))
    assert catalog.picked_for([cat])[cat].words == {"good": 2, "night": 3, "owl": 1}


def test_what_one_person_typed_answers_nobody_else(catalog: Catalog, catalog_url: str, ids: list[str]) -> None:
    cat, dog, owl = ids
    catalog.put_interactions(
        [
            Interaction("zoe", "my sabrina", cat, at(1)),
            Interaction("ann", "my dog", dog, at(2)),
            Interaction("bo", "my dog", owl, at(3)),
        ]
    )
    secret, words = "my sabrina", ["my", "sabrina"]
    assert catalog.typed_query(secret, words) == TypedQuery(False, {"my": 3})
    assert catalog.typed_query(secret, words, user="ann") == TypedQuery(False, {"my": 3})
    assert catalog.typed_query(secret, words, user="zoe") == TypedQuery(True, {"my": 3, "sabrina": 1})
    assert catalog.typed_query("my dog", ["my", "dog"]) == TypedQuery(True, {"my": 3, "dog": 2})
    with Catalog.open(catalog_url, min_users=1) as open_to_all:
        assert open_to_all.typed_query(secret, words) == TypedQuery(True, {"my": 3, "sabrina": 1})
    # A simulated pick gives nobody away.
    catalog.record(Interaction("robot", "beep", cat, at(8), "simulated"))
    assert catalog.typed_query("beep", ["beep"]) == TypedQuery(True, {"beep": 1})
    # A word of a sticker's own text is nobody's secret, nor is a short query of such words; a sentence may be one.
    assert catalog.typed_query(secret, words, known={"sabrina"}) == TypedQuery(True, {"my": 3, "sabrina": 1})
    sentence = ["my", "dog", "is", "sabrina"]
    catalog.record(Interaction("zoe", " ".join(sentence), cat, at(9)))
    assert not catalog.typed_query(" ".join(sentence), sentence, known=set(sentence)).exact
    assert not catalog.typed_query("dog my", ["dog", "my"]).exact
    assert catalog.typed_query("hello\0", ["hello\0", "x"]) == TypedQuery(False, {})
    assert catalog.typed_query("", [], user="zoe") == TypedQuery(False, {})


def test_forgetting_takes_out_just_one_share(catalog: Catalog, ids: list[str]) -> None:
    cat, dog, _ = ids
    catalog.put_interactions([Interaction("ann", "good night", cat, at(1)), Interaction("bo", "night", cat, at(2))])
    before = catalog.picked_for(ids), catalog.typed_query("night", ["good", "night"], known={"good", "night"})
    catalog.put_interactions([Interaction("zoe", "good night canary", one, at(3)) for one in (cat, dog)])
    catalog.forget("zoe")
    assert (catalog.picked_for(ids), catalog.typed_query("night", ["good", "night"], known={"good", "night"})) == before
    with catalog._database.read() as connection:
        for table in (picked_queries, picked_words, query_words, typed_words):
            assert not [row for row in connection.execute(table.select()) if "canary" in str(tuple(row))]


def test_picks_from_before_are_counted_when_the_tokenizer_changes(catalog: Catalog, ids: list[str]) -> None:
    picks = [Interaction(f"u{n % 7}", f"word{n % 11} more{n % 3}", ids[n % 3], at(n)) for n in range(60)]
    catalog.put_interactions(picks)
    catalog.count_anew()
    counted = catalog.picked_for(ids)
    assert counted and not catalog.count_anew()
    with catalog._database.write() as connection:
        for table in (picked_queries, picked_words, query_words, typed_words):
            connection.execute(delete(table))
        connection.execute(delete(notes).where(notes.c.key == COUNTED_BY))
    assert catalog.picked_for(ids) == {}
    assert catalog.count_anew()
    assert catalog.picked_for(ids) == counted == expected(picks)
    assert catalog.typed_query("", ["word1", "more1"]).words == {"word1": 3, "more1": 1}


def expected(picks: list[Interaction]) -> dict[str, PickedFor]:
    queries: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    words: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for pick in picks:
        if query := fold_query(pick.query):
            queries[pick.sticker_id][query].add(pick.user)
            for word in tokenize(query):
                words[pick.sticker_id][word].add(pick.user)
    return {
        one: PickedFor({q: len(u) for q, u in queries[one].items()}, {w: len(u) for w, u in words[one].items()})
        for one in queries
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_sequence_ends_with_the_counts_of_what_is_left(
    catalog: Catalog, ids: list[str], data: st.DataObject
) -> None:
    catalog.clear_picks()
    left: dict[Interaction, None] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            text = st.sampled_from(["good night", "Night", "good", "", "晚安", "x y"])
            pick = st.builds(
                Interaction, st.sampled_from("abc"), text, st.sampled_from(ids), st.builds(at, st.integers(0, 9))
            )
            batch = data.draw(st.lists(pick, max_size=8))
            catalog.put_interactions(batch)
            left |= dict.fromkeys(batch)
        else:
            user = data.draw(st.sampled_from("abc"))
            catalog.forget(user)
            with catalog._database.write() as connection:  # the mark would keep later examples' picks out
                connection.execute(delete(forgotten))
            left = {pick: None for pick in left if pick.user != user}
    assert catalog.picked_for(ids) == expected(list(left))
    stickers = {
        word: sum(word in one.words for one in expected(list(left)).values()) for word in ("good", "night", "x")
    }
    assert catalog.typed_query("", list(stickers), known=stickers).words == {
        word: n for word, n in stickers.items() if n
    }
