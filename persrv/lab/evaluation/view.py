"""A collection as it would be after learning from some picks, in memory: the build's reference in NumPy.

A test holds it against the real build and the real :class:`~persrv.online.retriever.Retriever`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.own_picks import MOST_OWN, PastPick, latest_by_query, latest_questions, own_strengths, repeat_events
from persrv.catalog.phrases import fold_query, tidy
from persrv.indexing.users import LATEST
from persrv.lab.evaluation.material import Material
from persrv.lab.evaluation.picked import PickedTable
from persrv.lab.evaluation.postings import Document, Postings, one_field, plain_bm25
from persrv.ranking.affinity import with_affinity
from persrv.ranking.profile import StyleProfile, days_since_epoch
from persrv.ranking.repeats import RepeatWeights
from persrv.ranking.utility import utilities
from persrv.recipe import Ranking, Style, Text, UtilityWeights
from persrv.records import Interaction, Utility
from persrv.text import tokenize

Floats = NDArray[np.float64]

TYPED = 30
"""Historical queries of one sticker, as in the catalog's listing."""

Picks = tuple[Interaction, ...]


@dataclass(frozen=True)
class View:
    """A collection and what it learnt.

    Attributes:
        material: The stickers.
        picks: What was learnt from, by time; no held-out pick is among them.
        text: BM25F settings.
        weights: Utility settings.
        style: Profile settings.
    """

    material: Material
    picks: Picks
    text: Text = field(default_factory=Text)
    weights: UtilityWeights = field(default_factory=UtilityWeights)
    style: Style = field(default_factory=Style)

    @cached_property
    def typed(self) -> dict[str, tuple[str, ...]]:
        """Sticker id to what users typed for it, by number of users, then newest, then text; at most :data:`TYPED`."""
        typed_by: dict[str, dict[str, list[Interaction]]] = defaultdict(lambda: defaultdict(list))
        for pick in self.picks:
            if query := fold_query(pick.query):
                typed_by[pick.sticker_id][query].append(pick)
        return {sticker_id: _most_typed(queries) for sticker_id, queries in typed_by.items()}

    @cached_property
    def own_documents(self) -> list[Document]:
        """Each sticker's field to phrases, without what users typed."""
        return [dict(sticker.semantics.items()) for sticker in self.material.stickers]

    @cached_property
    def own_words(self) -> Postings:
        """BM25F over all fields, without what users typed."""
        return Postings.of(self.own_documents, self.text)

    @cached_property
    def picked(self) -> PickedTable:
        """What people picked for queries and their words."""
        return PickedTable.of(self.picks, self.material.rows, self.text.min_users)

    def affinity(self, query: str, user: str) -> tuple[Floats, Floats]:
        """Return what people picked for exactly this query, and for its words, each of shape (n,).

        Args:
            query: As typed.
            user: Who asks, ``""`` for nobody.
        """
        frequencies = self.own_words.statistics.document_frequencies
        return self.picked.affinity(query, user, [word for word in tokenize(query) if word in frequencies])

    def covered_share(self, query: str, user: str) -> float:
        """Return how much of a query people picked for, in [0, 1]; arguments as for :meth:`affinity`."""
        return self.picked.covered_share(query, user, self.own_words.statistics.document_frequencies)

    def text_scores(self, query: str, user: str, ranking: Ranking, agreed: Floats | float = 1.0) -> Floats:
        """Return the score that stickers start with, shape (n,): their own words, and what was picked for the query.

        Args:
            query: As typed.
            user: Who asks, ``""`` for nobody.
            ranking: The recipe's weights.
            agreed: How far other people's picks count, see :func:`persrv.ranking.affinity.agreement`.
        """
        exact, words = self.affinity(query, user)
        return with_affinity(self.own_words.scores(query), exact, words, ranking.omega, ranking.delta, agreed)

    @cached_property
    def repeats(self) -> RepeatWeights:
        """What own earlier picks are worth, as a build learns it."""
        half_life = Ranking().own_half_life_days
        asked, earlier = latest_questions(
            sorted((p for picks in self._past.values() for p in picks), key=lambda p: p.day)
        )
        return RepeatWeights.fit(repeat_events(asked, earlier, half_life))

    def own_strengths(self, query: str, user: str) -> tuple[NDArray[np.int64], Floats]:
        """Return the rows of the stickers that a user picked before, shape (m,), and their strengths, shape (m, 3)."""
        found = own_strengths(self._past.get(user, ())[-MOST_OWN:], fold_query(query), Ranking().own_half_life_days)
        rows = np.array([self.material.rows[sticker_id] for sticker_id in found], dtype=np.int64)
        return rows, np.array([*found.values()], dtype=np.float64).reshape(-1, 3)

    def own_factor(self, query: str, user: str, ranking: Ranking) -> Floats:
        """Return what a user's own earlier picks multiply scores by, shape (n,)."""
        rows, table = self.own_strengths(query, user)
        factor = np.ones(len(self.material.ids))
        factor[rows] = self.own_factors(user, table, ranking)
        return factor

    def own_factors(self, user: str, strengths: Floats, ranking: Ranking) -> Floats:
        """Return what strengths of :meth:`own_strengths` multiply scores by, shape (m,)."""
        return self.repeats.factors(strengths, ranking.own, styled=user in self.profiles)

    @cached_property
    def latest_meant(self) -> list[PastPick]:
        """The picks by which a build learns how far meaning may be trusted."""
        return latest_by_query(sorted((p for picks in self._past.values() for p in picks), key=lambda p: p.day))

    @cached_property
    def _past(self) -> Mapping[str, list[PastPick]]:
        """User to their picks by time."""
        return {
            user: [PastPick(user, fold_query(p.query), p.sticker_id, days_since_epoch(p.time)) for p in picks]
            for user, picks in self.history.items()
        }

    @cached_property
    def documents(self) -> list[Document]:
        """Each sticker's field to phrases, historical queries included."""
        found: list[Document] = []
        for sticker in self.material.stickers:
            texts = dict(sticker.semantics.items())
            if sticker.id in self.typed:
                texts["queries"] = tidy((*texts.get("queries", ()), *self.typed[sticker.id]))
            found.append(texts)
        return found

    @cached_property
    def words(self) -> Postings:
        """BM25F over all fields."""
        return Postings.of(self.documents, self.text)

    @cached_property
    def flat_words(self) -> Postings:
        """BM25 over one field that holds every text, what users typed included."""
        flat = [one_field([phrase for phrases in texts.values() for phrase in phrases]) for texts in self.documents]
        return Postings.of(flat, plain_bm25())

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Picks, different users and different queries of each sticker, shape (n, 3)."""
        picked = Counter(pick.sticker_id for pick in self.picks)
        users = Counter(one for one, _ in {(pick.sticker_id, pick.user) for pick in self.picks})
        pairs = {(pick.sticker_id, fold_query(pick.query)) for pick in self.picks}
        queries = Counter(sticker_id for sticker_id, query in pairs if query)
        return np.array([[count[i] for count in (picked, users, queries)] for i in self.material.ids], dtype=np.int64)

    @cached_property
    def ages(self) -> Floats:
        """Days from each sticker's last pick to the last of all, shape (n,); 0 for the never picked."""
        last: dict[str, datetime] = {}
        for pick in self.picks:
            last[pick.sticker_id] = max(pick.time, last.get(pick.sticker_id, pick.time))
        newest = max(last.values(), default=None)
        days = [(newest - last[i]).total_seconds() / 86_400 if newest and i in last else 0.0 for i in self.material.ids]
        return np.array(days)

    @cached_property
    def utilities(self) -> list[Utility]:
        """Each sticker's utility."""
        return utilities(self.counts, self.weights, self.ages)

    @cached_property
    def utility(self) -> Floats:
        """Each sticker's total utility, shape (n,), in [0, 1]."""
        return np.array([one.total for one in self.utilities])

    @cached_property
    def history(self) -> Mapping[str, Picks]:
        """User to their picks by time."""
        found: dict[str, list[Interaction]] = defaultdict(list)
        for pick in self.picks:
            if pick.sticker_id in self.material.rows:
                found[pick.user].append(pick)
        return {user: tuple(found[user]) for user in sorted(found)}

    @cached_property
    def profiles(self) -> Mapping[str, StyleProfile]:
        """User to style profile, as the build learns it."""
        fitted = {}
        for user, picks in self.history.items():
            vectors, days = seen(self.material, self.material.style_vectors, picks)
            vectors, days = vectors[-LATEST:], days[-LATEST:]
            if len(vectors):
                fitted[user] = StyleProfile.fit(
                    vectors,
                    days,
                    most=self.style.clusters,
                    half_life_days=self.style.half_life_days,
                    seed=self.style.seed,
                )
        return fitted


def seen(material: Material, vectors: Floats, picks: Sequence[Interaction]) -> tuple[Floats, Floats]:
    """Return the vectors of picked stickers that have a picture, shape (m, d), and the days of the picks, shape (m,).

    Args:
        material: Knows the stickers.
        vectors: One row a sticker, shape (n, d), zero without a picture.
        picks: In any order.
    """
    rows = [(material.rows[pick.sticker_id], days_since_epoch(pick.time)) for pick in picks]
    kept = [(row, day) for row, day in rows if vectors[row].any()]
    return vectors[[row for row, _ in kept]], np.array([day for _, day in kept])


def _most_typed(queries: Mapping[str, Sequence[Interaction]]) -> tuple[str, ...]:
    def place(query: str) -> tuple[int, float, str]:
        users = len({pick.user for pick in queries[query]})
        return -users, -max(pick.time for pick in queries[query]).timestamp(), query

    return tuple(sorted(queries, key=place)[:TYPED])
