"""What people picked for a query and its words, in memory: the reference of the index's vector ``picked``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.affinity import SHORT
from persrv.catalog.phrases import fold_query
from persrv.ranking.affinity import covered_share, damped_people, word_weights
from persrv.records import Interaction
from persrv.text import tokenize

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PickedTable:
    """People by query and sticker.

    Attributes:
        queries: Folded query to row to the people who picked that sticker for it.
        words: The same for each word of a query.
        typists: Folded query to everybody who typed it.
        speakers: Word to everybody who typed it.
        nobodys: Queries and words of simulated picks, which are nobody's secret.
        size: Stickers, n.
        min_users: People who must have typed a query or a word.
    """

    queries: Mapping[str, Mapping[int, set[str]]]
    words: Mapping[str, Mapping[int, set[str]]]
    typists: Mapping[str, set[str]]
    speakers: Mapping[str, set[str]]
    nobodys: Collection[str]
    size: int
    min_users: int

    @classmethod
    def of(cls, picks: Sequence[Interaction], rows: Mapping[str, int], min_users: int) -> Self:
        """Count picks; those of stickers that are not in ``rows`` are left out.

        Args:
            picks: In any order.
            rows: Sticker id to its row.
            min_users: As the recipe's ``[text]`` says.
        """
        queries: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        words: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        typists: defaultdict[str, set[str]] = defaultdict(set)
        speakers: defaultdict[str, set[str]] = defaultdict(set)
        nobodys: set[str] = set()
        for pick in picks:
            query = fold_query(pick.query)
            if not query or pick.sticker_id not in rows:
                continue
            spoken = set(tokenize(query))
            queries[query][rows[pick.sticker_id]].add(pick.user)
            typists[query].add(pick.user)
            if pick.kind == "simulated":
                nobodys |= {query, *spoken}
            for word in spoken:
                words[word][rows[pick.sticker_id]].add(pick.user)
                speakers[word].add(pick.user)
        return cls(queries, words, typists, speakers, nobodys, len(rows), min_users)

    def affinity(self, query: str, user: str, known: Collection[str]) -> tuple[Floats, Floats]:
        """Return the affinities of the exact query and of its words, each of shape (n,).

        Args:
            query: As typed.
            user: Who asks, ``""`` for nobody; what they typed counts for them.
            known: Words of the query that stand in stickers' own texts.
        """
        folded, spoken = fold_query(query), list(dict.fromkeys(tokenize(query)))
        public = {word for word in spoken if word in known or self._is_public(word, self.speakers)}
        allowed = self._allowed(spoken, user, public)
        everyday = len(spoken) <= SHORT and public.issuperset(spoken)
        typists = self.typists.get(folded, set())
        exact = np.zeros(self.size)
        if typists and (self._is_public(folded, self.typists) or user in typists or everyday):
            self._add(exact, self.queries[folded], 1.0)
        words = np.zeros(self.size)
        weights = word_weights(spoken, allowed, self.size)
        for word, weight in weights.items():
            self._add(words, self.words[word], weight)
        return exact, words

    def covered_share(self, query: str, user: str, texts_of: Mapping[str, int]) -> float:
        """Return how much of a query people picked for, see :func:`persrv.ranking.affinity.covered_share`.

        Args:
            query: As typed.
            user: As for :meth:`affinity`.
            texts_of: Word to the number of stickers whose texts have it.
        """
        spoken = list(dict.fromkeys(tokenize(query)))
        public = {word for word in spoken if word in texts_of or self._is_public(word, self.speakers)}
        return covered_share(spoken, self._allowed(spoken, user, public), texts_of, self.size)

    def _allowed(self, spoken: Sequence[str], user: str, public: Collection[str]) -> dict[str, int]:
        """Return the words whose picks may answer, with the number of stickers picked for them."""
        return {
            word: len(self.words[word])
            for word in spoken
            if word in self.words and (word in public or (user and user in self.speakers[word]))
        }

    def _is_public(self, text: str, people: Mapping[str, set[str]]) -> bool:
        return len(people.get(text, ())) >= self.min_users or text in self.nobodys

    @staticmethod
    def _add(scores: Floats, picked: Mapping[int, set[str]], weight: float) -> None:
        rows = np.fromiter(picked, dtype=np.int64)
        scores[rows] += weight * damped_people([len(people) for people in picked.values()])
