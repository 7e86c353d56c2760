"""The meaning baselines against the real retriever, with the packaged text encoder."""

from __future__ import annotations

import pytest

from persrv.lab.evaluation.material import read_material
from persrv.lab.evaluation.meant import dense, hybrid
from persrv.lab.evaluation.retrieved import Retrieved
from persrv.lab.evaluation.view import View
from persrv.offline import build_collection
from persrv.text.meaning.registry import text_encoder
from persrv.workspace import Workspace
from tiny_collection import Tiny


def test_the_hybrid_in_memory_answers_as_the_real_retriever(tiny: Tiny) -> None:
    tiny.file.write_text(tiny.file.read_text().replace('encoder = ""', 'encoder = "use"'))
    build_collection(tiny.file, home=tiny.home)
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.catalog() as catalog:
        view = View(read_material(workspace, catalog), tuple(catalog.interactions()))
    encoder = text_encoder("use")
    settings = workspace.recipe.meaning
    anybody, mine = hybrid(view, encoder, settings, own=True)
    with tiny.open() as retriever:
        for query in ("kitten", "happy", "dog party"):
            hits = retriever.search(query, "ann", limit=30)
            scores = dict(zip(view.material.ids, mine.scores(query, "ann"), strict=True))
            assert [hit.score for hit in hits] == pytest.approx([scores[hit.sticker_id] for hit in hits], rel=1e-3)
            untold = Retrieved("untold", retriever, personal=False).rank(query, "ann", 30)
            assert set(untold) == set(anybody.rank(query, "ann", 30))
    cats = {s.id for s in view.material.stickers if "cat" in s.semantics.tags}
    assert set(dense(view, encoder, settings).rank("kitten", "", 3)) == cats
