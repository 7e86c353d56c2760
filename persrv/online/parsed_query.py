"""What a query is to a collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

WEAK = 0.25
"""Share of a query below which its words are no answer: of what they could give at most. Chosen in decision 49."""


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query, as far as the collection knows its words.

    Attributes:
        typed: What was typed, without the words taken away, pinyin in its characters: meaning is read from it, since
            encoders know more words than the collection.
        query: The query, with corrections put in.
        known: Tokens that some sticker has, with weights in (0, 1].
        token_weights: The same tokens, with their weights times their inverse document frequencies.
        most: What BM25F gives the query at most, words that no sticker has included; 1 for a query without words.
        corrections: Typed word to the word that is searched instead.
        without: Tokens that no answer may have.
        picked_words: Words by which others' picks may answer, with weights.
        picked_query: The exact query's dimension among picks, ``None`` where its picks may not answer.
        picked_share: How much of the query people picked for, in [0, 1].
        aside: Tokens that some sticker has, like ``token_weights``, but that are too small a part of the query to
            answer by where meaning can; ``token_weights`` is empty then.
        finds: Most stickers that have one of the known tokens.
        rare_finds: Most stickers that have one of its words that are rare, see :mod:`persrv.ranking.regional`.
        picked_finds: Most stickers that were picked for a query with one of the picked words.
    """

    typed: str
    query: str
    known: Mapping[str, float]
    token_weights: Mapping[str, float]
    most: float
    corrections: Mapping[str, str]
    without: tuple[str, ...] = ()
    picked_words: Mapping[str, float] = field(default_factory=dict)
    picked_query: int | None = None
    picked_share: float = 0.0
    aside: Mapping[str, float] = field(default_factory=dict)
    finds: int | None = None
    picked_finds: int | None = None
    rare_finds: int = 0

    def without_small_part(self) -> ParsedQuery:
        """Return the query with its known words put aside where they are less than :data:`WEAK` of it."""
        if sum(self.token_weights.values()) >= WEAK * self.most:
            return self
        return replace(self, token_weights={}, aside=self.token_weights)

    def with_small_part(self) -> ParsedQuery:
        """Return the query with the words that were put aside."""
        return replace(self, token_weights=self.aside, aside={})
