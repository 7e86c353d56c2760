"""The meaning baselines against the real retriever, with the packaged text encoder."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from persrv.lab.evaluation.likeness import QueryLikeness
from persrv.lab.evaluation.material import read_material
from persrv.lab.evaluation.meant import dense, hybrid
from persrv.lab.evaluation.retrieved import Retrieved
from persrv.lab.evaluation.view import View
from persrv.offline import build_collection
from persrv.records import Interaction
from persrv.text.meaning.registry import text_encoder
from persrv.workspace import Workspace
from tiny_collection import Tiny


def test_the_hybrid_in_memory_answers_as_the_real_retriever(tiny: Tiny) -> None:
    tiny.file.write_text(tiny.file.read_text().replace('encoder = ""', 'encoder = "use"'))
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.catalog() as catalog:
        # Queries that no likeness leads from to what was picked for them: meaning is to be trusted less.
        chosen, when = sorted(sticker.id for sticker in catalog.stickers())[0], datetime(2030, 1, 1, tzinfo=UTC)
        words = ("invoice", "parliament", "carburettor", "logarithm", "tuesday", "gravel", "mortgage", "bishop")
        catalog.put_interactions([Interaction(f"odd {word}", word, chosen, when) for word in words])
    build_collection(tiny.file, home=tiny.home)
    with workspace.catalog() as catalog:
        view = View(read_material(workspace, catalog), tuple(catalog.interactions()))
    encoder = text_encoder("use")
    settings = workspace.recipe.meaning
    likeness = QueryLikeness(view, encoder, settings.dimension)
    anybody, mine = hybrid(view, encoder, settings, own=True)
    with tiny.open() as retriever:
        assert retriever.manifest.borne_out == pytest.approx(likeness.borne_out, abs=2e-4)
        assert 0.5 < retriever.manifest.borne_out < 1.0
        for query in ("kitten", "happy", "dog party"):
            hits = retriever.search(query, "ann", limit=30)
            scores = dict(zip(view.material.ids, mine.scores(query, "ann"), strict=True))
            assert [hit.score for hit in hits] == pytest.approx([scores[hit.sticker_id] for hit in hits], rel=1e-3)
            untold = Retrieved("untold", retriever, personal=False).rank(query, "ann", 30)
            assert set(untold) == set(anybody.rank(query, "ann", 30))
    cats = {s.id for s in view.material.stickers if "cat" in s.semantics.tags}
    assert set(dense(view, encoder, settings).rank("kitten", "", 3)) == cats
