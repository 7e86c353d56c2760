"""What meaning costs a build: encoding phrases, fitting the space that they are compared in, and a sticker's rows.

The texts are those of an emoji set, by default the one that ships with persrv, encoded by ``use``, the text encoder of
the base install; ``--size`` is the number of stickers. The rival is the bare model, asked for all different phrases of
the same stickers at once, so that a ratio says what comes on top.

* **space**: fitted on all of them; a collection's is fitted on ten thousand stickers at most.
* **rows**: what each sticker is indexed by, its phrases encoded before.
* **queries**: what a build beside asks to learn how far meaning may be trusted (``borne_out``): 400 searches, encoded
  one by one and compared with one sticker each.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from benchmarks.emoji_part import listing
from benchmarks.measure import Row, compare, seconds, take_turns
from benchmarks.options import Options
from persrv.catalog.batches import chunks
from persrv.records import Semantics
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.learn import learned_space, sticker_rows
from persrv.text.meaning.phrases import phrases
from persrv.text.meaning.registry import text_encoder
from persrv.text.meaning.rows import cosines
from persrv.text.meaning.space import MeaningSpace

SIZE, TURNS, QUERIES = 2_000, 3, 400
BATCH = 256


class _Encoded:
    """Gives vectors that were encoded before, as a build's cache does."""

    def __init__(self, encoder: TextEncoder, texts: list[str]) -> None:
        self.name, self.revision, self.licence = encoder.name, encoder.revision, encoder.licence
        self.dimension, self.symmetric = encoder.dimension, encoder.symmetric
        self.encode_query = encoder.encode_query
        self._vectors = encoder.encode_documents(texts)
        self._row = {text: row for row, text in enumerate(texts)}

    def encode_documents(self, texts: Any) -> Any:
        return self._vectors[[self._row[text] for text in texts]]


def run(options: Options) -> list[Row]:
    """Encode, fit and make rows in turns."""
    stickers = [
        Semantics(name=tuple(each["name"]), tags=tuple(each["tags"]), emoji=(each["emoji"],))
        for each in islice(listing(options.pictures_from), options.size or SIZE)
    ]
    texts = list(dict.fromkeys(phrase for each in stickers for phrase in phrases(each)))
    encoder = text_encoder("use", {"remembered": 0})
    encoded = _Encoded(encoder, texts)
    space = learned_space(encoded, stickers)
    queries = texts[: min(QUERIES, len(stickers))]
    bare, fitted, rows, asked = take_turns(
        options.repetitions or TURNS,
        lambda: seconds(lambda: encoder.encode_documents(texts)),
        lambda: seconds(lambda: learned_space(encoded, stickers)),
        lambda: seconds(lambda: [sticker_rows(encoded, space, batch) for batch in chunks(stickers, BATCH)]),
        lambda: seconds(lambda: _likeness(encoded, space, queries, stickers)),
    )
    rival, per_sticker = f"{len(texts):,} phrases encoded", 1e3 / len(stickers)
    return [
        compare(f"the space of {len(stickers):,} stickers", fitted, rival, bare, "s"),
        compare(
            "rows of a sticker",
            [per_sticker * turn for turn in rows],
            "its share of the phrases encoded",
            [per_sticker * turn for turn in bare],
            "ms",
        ),
        compare(f"{len(queries)} queries of borne_out", asked, rival, bare, "s"),
    ]


def _likeness(encoder: _Encoded, space: MeaningSpace, queries: list[str], stickers: list[Semantics]) -> list[float]:
    rows = sticker_rows(encoder, space, stickers[: len(queries)])
    return [
        float(np.max(cosines(space.search(encoder.encode_query(query))[None, :], [indexed])))
        for query, indexed in zip(queries, rows, strict=True)
    ]
