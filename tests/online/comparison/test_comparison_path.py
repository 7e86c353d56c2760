"""Two rankings compared through the real retriever, by simulated people whose taste is known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from persrv import Retriever
from persrv.catalog.phrases import fold_query
from persrv.cli import app
from persrv.errors import NotFoundError, QueryError, RecipeError
from persrv.lab.comparison.outcome import ComparisonResult, outcome
from persrv.lab.evaluation.retrieved import trained_retriever
from persrv.lab.evaluation.splits import by_time
from persrv.online.comparison.serving import assign
from persrv.online.comparison.teamdraft import draft_key, team_draft
from persrv.records import Impression
from persrv.workspace import Workspace
from tiny_collection import MEANINGS, STYLES, Tiny

STYLE_ALONE = "omega = 0.0\ndelta = 0.0\nown = 0.0\n"
STYLE_HELPS = f'[ranking]\ngamma = 0.0\n{STYLE_ALONE}[compare]\nname = "style"\nb = {{ gamma = 1.0 }}\n'
PEOPLE = [f"person{number}" for number in range(6)]


def comparing(tiny: Tiny, text: str) -> Tiny:
    tiny.file.write_text(tiny.file.read_text() + text)
    return tiny


def result_of(tiny: Tiny, *, days: float = 0) -> ComparisonResult:
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.existing_catalog() as catalog:
        return outcome(workspace.recipe, catalog, until=datetime.now(UTC) + timedelta(days=days))


def favourite(user: str) -> str:
    return STYLES[int(user.removeprefix("person")) % len(STYLES)]


def known_by(retriever: Retriever, users: list[str]) -> None:
    """Let the collection learn each person's style, from picks that nobody was shown anything for."""
    stickers = {style: retriever.search("", filters={"style": style}, limit=1)[0] for style in STYLES}
    for user in users:
        retriever.record(user, "", stickers[favourite(user)].sticker_id)


def people_search(retriever: Retriever, users: list[str], *, noise: float, seed: int = 0) -> None:
    """Let each ask for every meaning, and pick their own style or, with probability ``noise``, anything."""
    random = np.random.default_rng(seed)
    for user in users:
        for meaning in MEANINGS:
            answer = retriever.search(meaning, user, limit=3)
            mine = [hit for hit in answer if hit.payload["style"] == favourite(user)]
            picked = answer[int(random.integers(len(answer)))] if random.random() < noise or not mine else mine[0]
            retriever.record(user, meaning, picked.sticker_id)


def test_people_with_taste_let_the_ranking_by_style_win(tiny: Tiny) -> None:
    with comparing(tiny, STYLE_HELPS).open() as retriever:
        known_by(retriever, PEOPLE)
        people_search(retriever, PEOPLE, noise=0.15)
    found = result_of(tiny)
    assert (found.winner, found.impressions, found.users, found.trials) == ("b", 60, 6, 60)
    assert found.wins["b"] > 3 * found.wins["a"]
    assert found.wins["a"] + found.wins["b"] + found.ties == 60
    assert found.effect.low > 0 and found.p < 0.05
    assert "B is better" in found.verdict


def test_people_without_taste_decide_nothing(tiny: Tiny) -> None:
    with comparing(tiny, STYLE_HELPS).open() as retriever:
        known_by(retriever, PEOPLE)
        people_search(retriever, PEOPLE[:4], noise=1.0, seed=3)
    found = result_of(tiny)
    assert found.wins["a"] > 5 and found.wins["b"] > 5
    assert found.winner is None and found.effect.low < 0 < found.effect.high
    assert "not decided" in found.verdict


def test_a_ranking_against_itself_only_ties(tiny: Tiny) -> None:
    with comparing(tiny, '[compare]\nname = "same"\n').open() as retriever:
        known_by(retriever, PEOPLE[:2])
        people_search(retriever, PEOPLE[:2], noise=0.15)
    found = result_of(tiny)
    assert (found.ties, found.counted, found.winner, found.e_value) == (20, 0, None, 1.0)
    assert "nothing can be said" in found.verdict


def test_each_side_has_weights_of_its_own(tiny: Tiny) -> None:
    with comparing(tiny, '[compare]\nname = "beta"\nmethod = "ab"\nb = { beta = 2.0 }\n').open() as retriever:
        found = {user: retriever.search("cat", user)[0].explanation for user in PEOPLE}
    betas = {user: (one.utility_factor - 1) / one.utility for user, one in found.items()}
    assert betas == pytest.approx({user: 0.5 if assign("beta", user) == "a" else 2.0 for user in PEOPLE})
    assert {assign("beta", user) for user in PEOPLE} == {"a", "b"}


def test_one_ranking_for_each_person(tiny: Tiny) -> None:
    users = [f"person{number}" for number in range(48)]
    with comparing(tiny, STYLE_HELPS + 'method = "ab"\nwindow_days = 2\n').open() as retriever:
        known_by(retriever, users)
        for user in users:
            for meaning in ("rain", "coffee"):
                first = retriever.search(meaning, user, limit=1)[0]
                if first.payload["style"] == favourite(user):
                    retriever.record(user, meaning, first.sticker_id)
    early = result_of(tiny)
    assert (early.counted, early.winner, early.success) == (0, None, {})
    found = result_of(tiny, days=4)
    assert (found.counted, found.winner) == (48, "b")
    assert found.success["b"] > 0.9 > found.success["a"] + 0.3
    assert found.effect.low <= found.success["b"] - found.success["a"] <= found.effect.high
    with tiny.open() as retriever:
        sides = {set(one.shown.values()).pop() for user in users for one in retriever.impressions(user)}
        assert sides == {"a", "b"}
        assert all(set(one.shown.values()) == {assign("style", u)} for u in users for one in retriever.impressions(u))


@pytest.mark.parametrize("query", ["", "safe cat dog happy sad"])
def test_pages_of_an_interleaved_answer_are_stable_and_complete(tiny: Tiny, query: str) -> None:
    compared = comparing(tiny, STYLE_HELPS)
    with compared.open() as retriever:
        known_by(retriever, PEOPLE)
    # Closed, so that what the picks change for others is written.
    with compared.open() as retriever:
        whole = retriever.search(query, "person1", limit=30)
        ids = [hit.sticker_id for hit in whole]
        assert [hit.rank for hit in whole] == list(range(1, len(ids) + 1))
        assert len(set(ids)) == len(ids)
        pages = [retriever.search(query, "person1", limit=4, offset=offset) for offset in range(0, 32, 4)]
        assert [hit.sticker_id for page in pages for hit in page] == ids
        assert [page.more for page in pages] == [4 * (i + 1) < len(ids) for i in range(8)]
        assert {side for one in retriever.impressions("person1") for side in one.shown.values()} >= {"a", "b"}


def test_the_answer_is_the_draft_of_both_rankings(tiny: Tiny) -> None:
    with comparing(tiny, STYLE_HELPS).open() as retriever:
        known_by(retriever, PEOPLE)
        shown = retriever.search("happy cat", "person1", limit=6)
        seen = retriever.impressions("person1")[-1]
    text = tiny.file.read_text().partition("[ranking]")[0]
    rankings = {}
    for side, gamma in (("a", 0.0), ("b", 1.0)):
        tiny.file.write_text(text + f"[ranking]\ngamma = {gamma}\n{STYLE_ALONE}")
        with tiny.open() as retriever:
            rankings[side] = [hit.sticker_id for hit in retriever.search("happy cat", "person1", limit=6)]
    key = draft_key("style", "person1", fold_query("happy cat"), seen.time.date())
    expected = [
        (rankings[one.side or "a"][one.position], one.side) for one in team_draft(rankings["a"], rankings["b"], key)
    ][:6]
    assert list(seen.shown.items()) == expected
    assert [hit.sticker_id for hit in shown] == [sticker_id for sticker_id, _ in expected]


def test_nobody_in_particular_is_compared_with_nothing(tiny: Tiny) -> None:
    with comparing(tiny, STYLE_HELPS).open() as retriever:
        retriever.search("cat", None)
        with pytest.raises(QueryError, match="empty"):
            retriever.search("cat", "  ")
        retriever.search("cat", "ann", filters={"animated": True})
        workspace = Workspace.of(tiny.file, tiny.home)
        with workspace.existing_catalog() as catalog:
            assert list(catalog.impressions()) == []
    with pytest.raises(NotFoundError, match="'style' has shown nobody anything"):
        result_of(tiny)


def test_other_settings_begin_anew(tiny: Tiny) -> None:
    with comparing(tiny, STYLE_HELPS).open() as retriever:
        retriever.search("cat", "ann")
    tiny.file.write_text(tiny.file.read_text().replace("gamma = 1.0", "gamma = 0.5"))
    with pytest.raises(NotFoundError, match="since its settings changed"):
        result_of(tiny)
    with tiny.open() as retriever:
        retriever.search("cat", "ann")
    assert (result_of(tiny).impressions, result_of(tiny).earlier) == (1, 1)


def test_the_evaluation_asks_the_recipes_own_ranking(tiny: Tiny) -> None:
    workspace = Workspace.of(comparing(tiny, STYLE_HELPS).file, tiny.home)
    with workspace.existing_catalog() as catalog:
        split = by_time(list(catalog.interactions()), 0.3)
    with trained_retriever(workspace, split) as retriever:
        assert all(hit.explanation.style_factor == 1 for hit in retriever.search("rain", "ann"))
        assert retriever.impressions("ann") == []


def test_what_compares_nothing_is_refused(tiny_built: Tiny) -> None:
    with pytest.raises(RecipeError, match=r"\[compare\]"):
        result_of(tiny_built)


@pytest.fixture
def run(tiny: Tiny, monkeypatch: pytest.MonkeyPatch):
    comparing(tiny, STYLE_HELPS)
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    monkeypatch.setenv("PERSRV_COLLECTION", str(tiny.file))

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return call


def test_the_command(run, tiny: Tiny) -> None:
    assert run("compare").exit_code == 6
    sticker = json.loads(run("search", "cat", "--user", "ann", "--json").stdout)["hits"][0]["sticker_id"]
    run("pick", sticker, "--user", "ann", "--query", "cat")
    found = json.loads(run("compare", "--json").stdout)
    assert (found["impressions"], found["trials"], found["winner"]) == (1, 1, None)
    assert found["wins"]["a"] + found["wins"]["b"] + found["ties"] == 1
    shown = run("compare").stdout
    assert "1 impressions, 1 users" in shown and "B over A" in shown
    tiny.file.write_text(tiny.file.read_text() + "colour = 1\n")
    refused = run("compare")
    assert (refused.exit_code, "compare.colour" in refused.stderr) == (3, True)


def test_impressions_are_exported_and_forgotten(run, tiny: Tiny) -> None:
    run("search", "cat", "--user", "zoe")
    seen = json.loads(run("users", "zoe", "--export").stdout)["impressions"]
    assert [(one["experiment"], one["query"], len(one["shown"])) for one in seen] == [("style", "cat", 3)]
    assert run("users", "zoe", "--forget").exit_code == 0
    with tiny.open() as retriever:
        assert retriever.impressions("zoe") == []
        assert isinstance(retriever.search("cat", "bo")[0].score, float)
        assert [type(one) for one in retriever.impressions("bo")] == [Impression]
