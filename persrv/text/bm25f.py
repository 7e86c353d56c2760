"""BM25F as one sparse vector, so that a vector index can compute it as an inner product.

The query's values carry each token's inverse document frequency, the document's values everything else of the formula;
the index multiplies each matching pair and adds them up. With one field of weight 1 and ``delta = 0`` the sum is
exactly the BM25 of Lucene 8 and later, which leaves out the constant factor ``k1 + 1``.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from persrv.errors import RecipeError
from persrv.text.terms import Terms

if TYPE_CHECKING:
    from persrv.recipe import FieldSettings, Text

_Key = TypeVar("_Key")


class SparseVector(NamedTuple):
    """A sparse vector as Qdrant takes it.

    Attributes:
        indices: Unsigned 32-bit token ids, ascending and distinct.
        values: One finite value above 0 for each index.
    """

    indices: list[int]
    values: list[float]


@lru_cache(maxsize=1 << 18)
def token_id(token: str) -> int:
    """Return the token's dimension in [0, 2**32): its BLAKE2b hash of 4 bytes, the same on every machine."""
    return int.from_bytes(blake2b(token.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


def collisions(vocabulary: Iterable[str]) -> int:
    """Return how many of these distinct tokens share their id with another one."""
    shared = Counter(map(token_id, vocabulary))
    return sum(count for count in shared.values() if count > 1)


def idf(documents: int, document_frequency: int) -> float:
    """Return the inverse document frequency of Lucene, ``ln(1 + (n - df + 0.5) / (df + 0.5))``, above 0.

    Args:
        documents: Number of documents ``n``, >= ``document_frequency``.
        document_frequency: Number of documents ``df`` that hold the token, >= 0.
    """
    return math.log1p((documents - document_frequency + 0.5) / (document_frequency + 0.5))


def _field_settings(field: str, settings: Text) -> FieldSettings:
    """Return the weight and ``b`` of a field.

    Raises:
        RecipeError: The recipe knows no such field.
    """
    try:
        return settings.fields[field]
    except KeyError:
        known = ", ".join(settings.fields)
        raise RecipeError(f"there is no text field {field!r}", f"use one of {known}") from None


def document_vector(
    document: Mapping[str, Sequence[str]], text_settings: Text, average_lengths: Mapping[str, float]
) -> SparseVector:
    """Weigh the tokens of one document.

    ``(tf / (k1 + tf) + delta · presence) / (1 + delta)`` with
    ``tf = Σ_f w_f · tf_f / (1 - b_f + b_f · len_f / avg_f)``: Robertson, Zaragoza & Taylor, "Simple BM25 extension to
    multiple weighted fields" (CIKM 2004), with length normalisation for each field as in Zaragoza et al., "Microsoft
    Cambridge at TREC-13" (2004). The term with ``delta`` is the lower bound of Lv & Zhai, "Lower-bounding term
    frequency normalization" (CIKM 2011): however long a text, a word in it counts, so that two words in a long text
    outweigh one of them in a short one. ``presence`` is the largest weight of a field that holds the token, at most 1.
    Tokens that share an id are counted as one token.

    Args:
        document: Field to its phrases. Pairs of Chinese, Japanese or Korean characters never cross two phrases.
        text_settings: ``k1``, and each field's weight (0 leaves the field out) and ``b``.
        average_lengths: Field to its average length in tokens. A field that is missing here, because no document had
            it when the averages were taken, is treated as if its length were average.

    Returns:
        One value in (0, 1) for each token id.

    Raises:
        RecipeError: The document has a field that the recipe does not know.
    """
    return terms_vector(Terms.of(document), text_settings, average_lengths)


def terms_vector(terms: Terms, text_settings: Text, average_lengths: Mapping[str, float]) -> SparseVector:
    """Weigh the tokens of one counted document, see :func:`document_vector`."""
    frequencies: defaultdict[int, float] = defaultdict(float)
    presence: dict[int, float] = {}
    for field, counts in terms.tokens.items():
        settings = _field_settings(field, text_settings)
        if settings.weight == 0 or not counts:
            continue
        length = sum(counts.values())
        average = average_lengths.get(field, 0.0) or length
        norm = 1 - settings.b + settings.b * length / average
        for token, count in counts.items():
            index = token_id(token)
            frequencies[index] += settings.weight * count / norm
            presence[index] = max(min(settings.weight, 1.0), presence.get(index, 0.0))
    k1, delta = text_settings.k1, text_settings.delta
    indices = sorted(frequencies)
    values = [(frequencies[i] / (k1 + frequencies[i]) + delta * presence[i]) / (1.0 + delta) for i in indices]
    return SparseVector(indices, values)


def query_vector(tokens: Mapping[str, float]) -> SparseVector:
    """Return the vector of a query's distinct tokens and weights; the weights of tokens that share an id are added.

    Args:
        tokens: Token to weight above 0, as :func:`persrv.text.tokenizer.query_tokens` gives them.
    """
    weights: defaultdict[int, float] = defaultdict(float)
    for token, weight in tokens.items():
        weights[token_id(token)] += weight
    indices = sorted(weights)
    return SparseVector(indices, [weights[i] for i in indices])


class CorpusCounts(Protocol):
    """What a query needs to know of a collection, however many machines it stands on."""

    @property
    def documents(self) -> int:
        """Number of documents, those without any text included."""
        ...

    def frequencies(self, tokens: Iterable[str]) -> Mapping[str, int]:
        """Return token to the number of documents that hold it; tokens that none holds are left out."""
        ...


class CountedOnce:
    """Counts of a collection that are asked for once each: for one query, which needs the same ones again and again.

    Args:
        counts: Of the collection.
    """

    def __init__(self, counts: CorpusCounts) -> None:
        self._counts = counts
        self._found: dict[str, int] = {}

    @cached_property
    def documents(self) -> int:
        """Number of documents."""
        return self._counts.documents

    def frequencies(self, tokens: Iterable[str]) -> Mapping[str, int]:
        """Return token to the number of documents that hold it; tokens that none holds are left out."""
        wanted = [*tokens]
        if new := dict.fromkeys(token for token in wanted if token not in self._found):
            self._found |= {**dict.fromkeys(new, 0), **self._counts.frequencies(new)}
        return {token: count for token in wanted if (count := self._found[token])}


def idf_weights(tokens: Mapping[str, float], counts: CorpusCounts) -> dict[str, float]:
    """Return each token's weight times its inverse document frequency.

    The query carries the IDF, since an index counts within each of its shards, and goes on counting what was removed.

    Args:
        tokens: Token to weight above 0, as :func:`persrv.text.tokenizer.query_tokens` gives them.
        counts: Of the collection.
    """
    documents, frequencies = counts.documents, counts.frequencies(tokens)
    return {token: weight * idf(documents, frequencies.get(token, 0)) for token, weight in tokens.items()}


class CorpusStatistics:
    """Counts over documents, added one by one; parts counted apart can be merged. Fields of weight 0 are left out.

    Args:
        text_settings: The recipe's section ``[text]``.

    Attributes:
        text_settings: As given.
        documents: Number of documents, those without any text included.
        document_frequencies: Token to the number of documents that hold it in any field.
        lengths: Field to its length in tokens, over all documents.
        documents_with: Field to the number of documents that have tokens in it.
        surface_counts: Word token and readable spelling to how often they came together.
    """

    def __init__(self, text_settings: Text) -> None:
        self.text_settings = text_settings
        self.documents = 0
        self.document_frequencies: Counter[str] = Counter()
        self.lengths: Counter[str] = Counter()
        self.documents_with: Counter[str] = Counter()
        self.surface_counts: Counter[tuple[str, str]] = Counter()

    def add(self, document: Mapping[str, Sequence[str]] | Terms) -> None:
        """Count one document, given as field to phrases, or counted already.

        Raises:
            RecipeError: The document has a field that the recipe does not know; nothing was counted.
        """
        self._count(document, 1)

    def remove(self, document: Mapping[str, Sequence[str]] | Terms) -> None:
        """Take out a document that was added: what it alone had is unknown again.

        Args:
            document: Exactly as it was added.

        Raises:
            RecipeError: As :meth:`add`.
        """
        self._count(document, -1)

    def _count(self, document: Mapping[str, Sequence[str]] | Terms, times: int) -> None:
        terms = document if isinstance(document, Terms) else Terms.of(document)
        weighted = [field for field in terms.tokens if _field_settings(field, self.text_settings).weight > 0]
        distinct: set[str] = set()
        for field in weighted:
            counts = terms.tokens[field]
            distinct.update(counts)
            for pair, count in terms.surfaces.get(field, {}).items():
                _change(self.surface_counts, pair, times * count)
            length = sum(counts.values())
            self.lengths[field] += times * length
            self.documents_with[field] += times * (length > 0)
        for token in distinct:
            _change(self.document_frequencies, token, times)
        self.documents += times

    def merge(self, other: CorpusStatistics) -> None:
        """Add what another object counted, as if its documents had been added here.

        Raises:
            RecipeError: The other one counted under other settings.
        """
        if other.text_settings != self.text_settings:
            raise RecipeError("the statistics to merge were counted under other [text] settings", "count them again")
        self.documents += other.documents
        self.document_frequencies.update(other.document_frequencies)
        self.lengths.update(other.lengths)
        self.documents_with.update(other.documents_with)
        self.surface_counts.update(other.surface_counts)

    @property
    def average_lengths(self) -> dict[str, float]:
        """Field to its mean length in tokens over the documents that have the field, as Lucene takes it.

        A mean over all documents would call every text in a rare field overlong: where one sticker in twenty has a
        caption, captions would be twenty times the average, and count for little just because they are rare.
        """
        return {field: self.lengths[field] / n for field, n in sorted(self.documents_with.items()) if n}

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """Return token to the number of documents that hold it, see :class:`CorpusCounts`."""
        return {token: count for token in tokens if (count := self.document_frequencies.get(token, 0))}

    def idf(self, token: str) -> float:
        """Return the token's inverse document frequency, see :func:`idf`."""
        return idf(self.documents, self.document_frequencies.get(token, 0))

    def surfaces(self) -> dict[str, str]:
        """Return each word token's most frequent spelling, ``laugh`` to ``laughing``; ties go to the first in order."""
        best: dict[str, str] = {}
        for token, surface in sorted(self.surface_counts, key=lambda pair: (-self.surface_counts[pair], pair)):
            best.setdefault(token, surface)
        return best


def _change(counts: Counter[_Key], key: _Key, times: int) -> None:
    counts[key] += times
    if not counts[key]:
        del counts[key]
