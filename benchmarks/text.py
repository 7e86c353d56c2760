"""Texts to an index, and queries to tokens.

The texts are made up by Zipf's law, so that anybody can measure the same; ``--set`` takes those of an emoji set, in
English, Chinese and emoji. ``--size`` is the number of texts. Each turn is a process of its own, so that persrv's
caches begin empty; importing is not counted.

* **texts to vectors**: persrv counts words and makes BM25F vectors of separate fields; bm25s (with the English stemmer,
  as persrv) tokenises the joined fields and builds its index, which is the whole of its work: persrv's vectors still
  have to go into Qdrant, see ``build``.
* **tokenising a query**: to the sparse vector that Qdrant is asked with, against bm25s to token ids.
* **memory**: the most that the process held above what it held before.

bm25s's tokenizer does less: it drops emoji and single letters and keeps a run of Chinese as one word. How many tokens
each side made stands below.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import bm25s
import numpy as np
import Stemmer

from benchmarks.emoji_part import listing
from benchmarks.measure import Row, compare, seconds, take_turns
from benchmarks.options import Options
from benchmarks.processes import MEMORY_KNOWN, in_fresh_process, peak_mib, resident_mib
from benchmarks.synthetic import Document, documents
from persrv.recipe import Text
from persrv.text import CorpusStatistics, SparseVector, document_vector, query_tokens, query_vector, tokenize

SIZE, TURNS, QUERIES = 20_000, 3, 2_000
_RIVAL = "bm25s"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process found.

    Attributes:
        texts: How many there were.
        index_s: Seconds from texts to vectors or to the rival's index.
        tokenise_s: Seconds to tokenise all texts once more.
        query_s: Median seconds from a query to what an index is asked with.
        memory_mib: See this module's text.
        tokens: Of all texts, with repeats.
    """

    texts: int
    index_s: float
    tokenise_s: float
    query_s: float
    memory_mib: float
    tokens: int


def run(options: Options) -> list[Row]:
    """Measure both sides in processes that take turns."""
    size, source = options.size or SIZE, options.emoji_set
    ours, theirs = take_turns(
        options.repetitions or TURNS,
        lambda: in_fresh_process(_persrv, size, source),
        lambda: in_fresh_process(_bm25s, size, source),
    )

    def row(name: str, figure: Callable[[Measured], float], unit: str, note: str = "") -> Row:
        return compare(name, [*map(figure, ours)], _RIVAL, [*map(figure, theirs)], unit, note)

    mine, other = ours[0], theirs[0]
    counted = f"{mine.tokens / mine.texts:.1f} tokens a text, the rival {other.tokens / other.texts:.1f}"
    of = f"{mine.texts:,} texts"
    rows = [
        row(f"{of} to vectors", lambda found: found.index_s, "s", counted),
        row(f"tokenising {of}, caches warm", lambda found: found.tokenise_s, "s"),
        row("tokenising a query", lambda found: 1e6 * found.query_s, "µs"),
    ]
    memory = row(f"memory for {of} to vectors", lambda found: found.memory_mib, "MiB") if MEMORY_KNOWN else None
    return [*rows, memory] if memory else rows


def _texts(size: int, source: Path | None) -> list[Document]:
    if source is None:
        return list(documents(size))
    return [
        {"name": tuple(drawing["name"]), "tags": tuple(drawing["tags"]), "emoji": (drawing["emoji"],)}
        for drawing in islice(listing(source), size)
    ]


def _queries(texts: Sequence[Document]) -> list[str]:
    return [texts[i % len(texts)]["name"][0] for i in range(QUERIES)]


def _persrv(size: int, source: Path | None) -> Measured:
    texts, settings = _texts(size, source), Text(delta=0.0)
    before = resident_mib()
    started = time.perf_counter()
    statistics = CorpusStatistics(settings)
    for text in texts:
        statistics.add(text)
    average = statistics.average_lengths
    vectors = [document_vector(text, settings, average) for text in texts]
    index_s = time.perf_counter() - started
    memory = peak_mib() - before
    started = time.perf_counter()
    tokens = [[tokenize(phrase) for phrases in text.values() for phrase in phrases] for text in texts]
    tokenise_s = time.perf_counter() - started
    query_s = [seconds(partial(_asked, query)) for query in _queries(texts)]
    made = sum(len(phrase) for text in tokens for phrase in text)
    return Measured(len(vectors), index_s, tokenise_s, float(np.median(query_s)), memory, made)


def _asked(query: str) -> SparseVector:
    return query_vector(query_tokens(query))


def _bm25s(size: int, source: Path | None) -> Measured:
    documents = _texts(size, source)
    before = resident_mib()
    started = time.perf_counter()
    texts = [" ".join(phrase for phrases in text.values() for phrase in phrases) for text in documents]
    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25(method="lucene")
    index.index(_tokenised(texts, stemmer), show_progress=False)
    index_s = time.perf_counter() - started
    memory = peak_mib() - before
    started = time.perf_counter()
    tokens = _tokenised(texts, stemmer)
    tokenise_s = time.perf_counter() - started
    query_s = [seconds(partial(_tokenised, [query], stemmer)) for query in _queries(documents)]
    return Measured(len(texts), index_s, tokenise_s, float(np.median(query_s)), memory, sum(map(len, tokens.ids)))


def _tokenised(texts: Sequence[str], stemmer: Stemmer.Stemmer) -> bm25s.tokenization.Tokenized:
    return bm25s.tokenize(list(texts), stopwords=None, stemmer=stemmer, show_progress=False)
