"""After a thousand changes every page is that of a collection that was built so, in any number of shards."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack

import numpy as np
import pytest

from engines import make_store, new_name, quick_folder
from index_samples import manifest
from persrv.index.engine import Collection
from persrv.index.language import Point
from persrv.index.schema import IMAGE, TEXT, TRENDING, point_id, sticker_schema
from persrv.online.candidate_source import text_source
from persrv.online.page import Page
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall
from persrv.online.request import NO_TASTE, Taste
from persrv.ranking.profile import unit
from persrv.ranking.stored import stored_text, trending
from persrv.recipe import Ranking, Text
from persrv.text import CorpusStatistics, document_vector, query_vector
from persrv.text.bm25f import idf_weights
from sharded import ShardedCollection

WORDS = ["love", "cat", "night", "good", "happy", "birthday", "tea", "sleep", "dance", "cry", "work", "rain"]
NUMBERS, FIRST, CHANGES, LOOK, BETA = 1200, 600, 1000, 8, 0.5
_RNG = np.random.default_rng(6)
IDS = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(NUMBERS)]
IMAGES = unit(_RNG.normal(size=(NUMBERS, LOOK)))
UTILITY = np.round(_RNG.beta(0.5, 3.0, NUMBERS), 2)
TASTE = Taste(unit(_RNG.normal(size=(3, LOOK))), np.array([1.0, 0.6, 0.4]))
SETTINGS = Text()


class Changing:
    """Stickers that come, change and go, and the counts of their words."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)
        self.texts: dict[int, list[str]] = {}
        self.counts = CorpusStatistics(SETTINGS)
        for number in range(FIRST):
            self.put(number)

    def put(self, number: int) -> None:
        self.drop(number)
        shares = 1.0 / np.arange(2, len(WORDS) + 2)
        chosen = self.rng.choice(WORDS, int(self.rng.integers(1, 5)), p=shares / shares.sum()).tolist()
        self.texts[number] = chosen
        self.counts.add({"tags": chosen})

    def drop(self, number: int) -> None:
        if number in self.texts:
            self.counts.remove({"tags": self.texts.pop(number)})

    def change(self, collection: Collection) -> None:
        number, kind = int(self.rng.integers(NUMBERS)), int(self.rng.integers(3))
        if kind == 0:
            self.drop(number)
            collection.delete([point_id(IDS[number])])
        else:
            self.put(number)
            collection.upsert([self.point(number)])

    def point(self, number: int) -> Point:
        words = document_vector({"tags": self.texts[number]}, SETTINGS, {"tags": 2.5})
        utility = float(UTILITY[number])
        return Point(
            point_id(IDS[number]),
            {TEXT: stored_text(words, utility, BETA, IDS[number]), IMAGE: IMAGES[number].tolist()},
            {"utility": utility, TRENDING: trending(utility, IDS[number])},
        )

    def built(self, shards: int, stack: ExitStack) -> ShardedCollection:
        made = []
        for shard in range(shards):
            store, name = make_store("embedded", stack.enter_context(quick_folder()), stack), new_name()
            points = [self.point(number) for number in self.texts]
            mine = [point for point in points if int(point.id.replace("-", ""), 16) % shards == shard]
            build = store.create(name, sticker_schema(LOOK), manifest(len(mine), dimension=LOOK, beta=BETA))
            build.upsert(mine)
            made.append(store.publish(name, build))
        return ShardedCollection(made)

    def pages(self, collection: Collection, counts: CorpusStatistics) -> list[tuple[list[str], list[float]]]:
        found = []
        ranker = Ranker(collection, Ranking(beta=BETA, gamma=1.0, pool=60))
        for query in [[word] for word in WORDS] + [WORDS[i : i + 3] for i in range(0, len(WORDS), 2)]:
            tokens = [token for word in query for token in _tokens(word)]
            weights = query_vector(idf_weights(dict.fromkeys(tokens, 1.0), counts))
            finds = sum(counts.frequencies(tokens).values())
            for taste in (NO_TASTE, TASTE):
                ranked = ranker.rank(Recall((text_source(weights, finds),)), taste, Page(0, 40))
                found.append((ranked.ids[:40], ranked.scores[:40].tolist()))
        return found


def _tokens(word: str) -> list[str]:
    counted = CorpusStatistics(SETTINGS)
    counted.add({"tags": [word]})
    return sorted(counted.document_frequencies)


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_pages_after_a_thousand_changes_are_those_of_a_new_build(shards: int) -> None:
    changing = Changing()
    with ExitStack() as stack:
        changed = changing.built(shards, stack)
        for _ in range(CHANGES):
            changing.change(changed)
        anew = CorpusStatistics(SETTINGS)
        for words in changing.texts.values():
            anew.add({"tags": words})
        assert changed.count() == len(changing.texts)
        expected = changing.pages(changing.built(1, stack), anew)
        for (ids, scores), (right, right_scores) in zip(
            changing.pages(changed, changing.counts), expected, strict=True
        ):
            assert ids == right
            assert scores == pytest.approx(right_scores, rel=1e-6)
