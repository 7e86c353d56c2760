"""Answers what is like a sticker, or like a picture, on one version of a collection."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from persrv.catalog import Catalog
from persrv.images.encoder import ImageEncoder
from persrv.index.language import Filter
from persrv.index.schema import IMAGE, point_id
from persrv.online.answer import Answer
from persrv.online.hits import HitMaker
from persrv.online.open_version import OpenVersion
from persrv.online.page import Page
from persrv.online.ranker import Ranker
from persrv.online.request import NO_TASTE, narrowed
from persrv.recipe import Ranking, Recipe
from persrv.records import Sticker
from persrv.text.bm25f import SparseVector, query_vector, terms_vector
from persrv.text.terms import Terms


class SimilarService:
    """Answers what is like a sticker.

    Args:
        version: Where answers come from.
        catalog: Knows stickers and the pictures' files.
        encoder: The recipe's image encoder.
        recipe: Weighs texts.
    """

    def __init__(self, version: OpenVersion, catalog: Catalog, encoder: ImageEncoder, recipe: Recipe) -> None:
        self._version = version
        self._catalog = catalog
        self._encoder = encoder
        self._recipe = recipe

    def answer(
        self,
        sticker: str | Path | bytes,
        by: Literal["meaning", "look", "both"],
        page: Page,
        where: Filter | None,
    ) -> Answer:
        """Return one page of stickers like a given one.

        Args:
            sticker: A sticker's id or unique prefix of it; or a picture, as a path or bytes.
            by: What is compared.
            page: The wanted part.
            where: The search's filter.

        Raises:
            NotFoundError: No such sticker.
            PictureError: The picture cannot be decoded.
        """
        version = self._version
        image, text, self_score, copies, style = None, None, 1.0, "", None
        using = version.manifest.taste_vector
        ranker = Ranker(version.stickers, self._recipe.ranking)
        if isinstance(sticker, str):
            known = self._catalog.sticker(sticker)
            name, where = known.title, narrowed(where, without=[known.id])
            stored = version.stickers.retrieve([point_id(known.id)], with_vectors=tuple(dict.fromkeys((IMAGE, using))))
            copies = str(stored[0].payload.get("group", "")) if stored else ""
            if stored and by != "meaning":
                image, style = stored[0].dense(IMAGE), stored[0].dense(using)
            if stored and by != "look":
                text, self_score = self._as_query(known)
        else:
            from persrv.images.decode import open_picture  # Pillow is not needed for the others

            raw = self._encoder.encode([open_picture(sticker)])
            name, image = "the picture", [float(x) for x in version.space.project(raw)[0]]
        # One more, in place of the sticker itself in another size.
        ranked = ranker.similar(image, text, self_score, Page(page.offset, page.limit + bool(copies)), where, style)
        if ranked is None:
            return Answer((), "", None, "similar", f"{name} has nothing to compare by {by}")
        if copies:
            ranked = ranked.at([at for at, group in enumerate(ranked.groups) if group != copies])
        shown = ranked.part(page)
        maker = HitMaker(version.stickers, NO_TASTE, Ranking(beta=0.0, gamma=0.0))
        together = self._catalog.count_copies(version.manifest.vocabulary, shown.groups)
        hits = maker.hits(shown, page.offset, self._catalog.paths(shown.ids), together)
        return Answer(hits, "", None, "similar", f"like {name}", more=ranked.total > page.end)

    def _as_query(self, sticker: Sticker) -> tuple[SparseVector, float]:
        """Return a sticker's own text as a query, and what that scores against the text itself, 1 for no words.

        Each word weighs what it weighs in the text, times its IDF.
        """
        version = self._version
        terms = Terms.of(dict(sticker.semantics.items()))
        indices, values = terms_vector(terms, self._recipe.text, version.manifest.avg_length)
        weights = version.parser.lexicon.weights({token: 1.0 for counts in terms.tokens.values() for token in counts})
        idf = dict(zip(*query_vector(weights), strict=True))
        own = {i: value for i, value in zip(indices, values, strict=True) if i in idf}
        query = SparseVector([*own], [value * idf[i] for i, value in own.items()])
        return query, sum(value * weight for value, weight in zip(own.values(), query.values, strict=True)) or 1.0
