"""Answers a search while two rankings are compared, and writes down what was shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from persrv.catalog import Catalog
from persrv.catalog.phrases import fold_query
from persrv.online.answer import Answer
from persrv.online.comparison.impression_log import ImpressionLog
from persrv.online.comparison.teamdraft import draft_key, team_draft
from persrv.online.page import Page
from persrv.recipe import Recipe
from persrv.records import Hit, Impression, Side, Team

Ask = Callable[[Team, Page], Answer]
"""Gets a page of one ranking's answer."""


def settings_of(recipe: Recipe) -> str:
    """Return 16 hex digits that change when either ranking or the comparison's method does."""
    return recipe.fingerprint("ranking", "compare")


def assign(experiment: str, user: str) -> Team:
    """Return a user's side in an experiment: a fair coin by hash, independent from one experiment to another.

    Args:
        experiment: Its name.
        user: Who.
    """
    return "b" if hashlib.sha256(json.dumps([experiment, user]).encode()).digest()[0] & 1 else "a"


class Serving:
    """Shows people two rankings as the recipe's ``[compare]`` says.

    Args:
        recipe: With a comparison.
        catalog: Keeps the impressions.

    Attributes:
        log: Writes them, behind the answer.
    """

    def __init__(self, recipe: Recipe, catalog: Catalog) -> None:
        self._compare = recipe.compare
        self._settings = settings_of(recipe)
        self.log = ImpressionLog(catalog)

    def answer(self, query: str, user: str, page: Page, ask: Ask) -> Answer:
        """Return one page of the compared answer.

        Args:
            query: What was typed.
            user: Who; their side and the order of an interleaved answer depend on it.
            page: Which part.
            ask: Gets either ranking's answer.
        """
        now = datetime.now(UTC)
        if self._compare.method == "ab":
            team = assign(self._compare.name, user)
            answer = replace(ask(team, page), next="")
            shown: dict[str, Side] = {hit.sticker_id: team for hit in answer}
        else:
            answer, shown = self._interleaved(query, user, page, ask, now)
        if shown:
            self.log.put(Impression(self._compare.name, self._settings, user, query, now, shown))
        return answer

    def _interleaved(
        self, query: str, user: str, page: Page, ask: Ask, now: datetime
    ) -> tuple[Answer, dict[str, Side]]:
        whole = Page(0, page.end)
        a, b = ask("a", whole), ask("b", whole)
        key = draft_key(self._compare.name, user, fold_query(query), now.date())
        drafted = team_draft([_once(hit) for hit in a], [_once(hit) for hit in b], key)
        places = drafted[page.offset : page.end]
        if not places:
            return ask("a", page), {}
        hits = tuple(
            replace((b if place.side == "b" else a)[place.position], rank=page.offset + 1 + at)
            for at, place in enumerate(places)
        )
        more = a.more or b.more or len(drafted) > page.end
        shown = {hit.sticker_id: place.side for hit, place in zip(hits, places, strict=True)}
        return replace(a, hits=hits, more=more, next=""), shown


def _once(hit: Hit) -> str:
    """Return what is shown once: of near-duplicates, the one that either ranking puts first."""
    return str(hit.payload.get("group") or hit.sticker_id)
