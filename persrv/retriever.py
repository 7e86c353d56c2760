"""The online path: one request recalls by text, lifts by utility, and leans towards the user's own styles."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from copy import copy
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from qdrant_client import models as m

from persrv.answer import Answer, Reason
from persrv.catalog import Catalog
from persrv.comparison.serving import Serving
from persrv.errors import QueryError
from persrv.images.decode import open_picture
from persrv.images.encoder import ImageEncoder, TextTower
from persrv.images.space import Space
from persrv.index.engine import Collection
from persrv.index.manifest import Manifest
from persrv.index.schema import IMAGE, TEXT, point_id
from persrv.index.vectors import sparse_of, vector_of
from persrv.online import (
    NO_TASTE,
    FilterValue,
    Taste,
    narrowed,
    parse_filters,
    picture_recall,
    similar_request,
)
from persrv.page import Page, Ranked, best_first, explain_text, to_hits
from persrv.people import People
from persrv.profiles import Profiles
from persrv.ranker import Ranker
from persrv.recipe import Recipe
from persrv.records import Hit, Team
from persrv.text import TOKENIZER
from persrv.understanding import Understanding
from persrv.workspace import Workspace

RECENT = 8
"""How many of a user's own latest stickers lead the answer to an empty query."""

LONGEST_QUERY = 1000
"""Characters of a query; longer ones are refused."""


class Retriever(People):
    """Searches one built collection. Safe for several threads; close it, or use it in a ``with`` block.

    Open one with :meth:`open`.

    Attributes:
        recipe: What the collection was opened with.
    """

    def __init__(self, workspace: Workspace, catalog: Catalog, stickers: Collection, users: Collection) -> None:
        self._workspace = workspace
        self._catalog = catalog
        self._stickers = stickers
        recipe = workspace.recipe
        self.recipe = recipe
        self._ranker = Ranker(stickers, recipe.ranking)
        self._understanding = Understanding(catalog, stickers.manifest, recipe, workspace.text_encoder())
        self._profiles = Profiles(
            users, stickers.manifest.taste_dimension, recipe.style.clusters, recipe.style.half_life_days
        )
        self._closing = ExitStack()
        self._serving = Serving(recipe, catalog) if recipe.compare.name else None

    @classmethod
    def open(cls, recipe: str | Path | Recipe, *, home: Path | None = None) -> Self:
        """Open a collection that ``persrv build`` made.

        Args:
            recipe: A recipe's name, its ``.toml`` path, or the object.
            home: Holds every collection's folder; default ``PERSRV_HOME``, else the user's data folder.

        Raises:
            RecipeError: There is no such recipe, or it is wrong.
            NotFoundError: The collection was never built.
            IndexMismatchError: It was built by another tokenizer, encoder or text section.
            IndexLockedError: Another process owns the embedded index.
            IndexUnavailableError: The server cannot be used.
        """
        workspace = Workspace.of(recipe, home)
        with ExitStack() as opened:
            store = workspace.store()
            opened.callback(store.close)
            stickers = store.open(workspace.recipe.name)
            encoder = workspace.encoder()
            stickers.manifest.check(
                tokenizer=TOKENIZER,
                text=workspace.recipe.fingerprint("text"),
                encoder=f"{encoder.name}@{encoder.revision}",
                meaning=f"{texts.name}@{texts.revision}" if (texts := workspace.text_encoder()) else "",
                style=workspace.style_name,
            )
            users = store.open(workspace.users_name)
            catalog = opened.enter_context(workspace.catalog())
            retriever = cls(workspace, catalog, stickers, users)
            retriever._closing = opened.pop_all()
        return retriever

    @property
    def manifest(self) -> Manifest:
        """What the collection was built from."""
        return self._stickers.manifest

    def search(
        self,
        query: str = "",
        user: str | None = None,
        *,
        by: Literal["text", "picture"] = "text",
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, FilterValue] | None = None,
        explain: bool = False,
    ) -> Answer:
        """Return the stickers that answer a query, best for this user first.

        An unknown user gets answers ranked by text and utility. An empty query gets the user's own latest stickers and
        then popular ones. Words that no sticker has are corrected where something near is known; else stickers
        whose pictures the query fits stand in, where the image encoder can tell, or popular ones, and the answer's
        ``note`` says so. Equal scores are ordered by sticker id, so paging is stable.

        Where the recipe compares two rankings, a named user gets both in one answer, or one of them, and what was shown
        is written down; see :mod:`persrv.comparison`. Scores of an interleaved answer do not fall from hit to hit.

        Args:
            query: What was typed, in any language, emoji included; at most 1000 characters.
            user: Whose taste counts.
            by: ``"text"`` searches what is known of stickers; ``"picture"`` compares the query with the pictures
                themselves, which needs an image encoder with a text tower.
            limit: Hits on a page, 1 to 1000.
            offset: Hits before the page, >= 0; at most the recipe's ``ranking.pool`` hits can be reached.
            filters: ``{field: value or values}``; fields are pack, tags, language, animated, rating, style.
            explain: Also say which words matched, for 1 more request.

        Raises:
            QueryError: A limit, offset, filter or query that is out of range, or ``by="picture"`` where the image
                encoder has no text tower.
            MissingExtraError: That encoder's packages are not installed.
        """
        if len(query) > LONGEST_QUERY:
            raise QueryError(f"the query has {len(query)} characters", f"use at most {LONGEST_QUERY}")
        page, where = Page.asked(offset, limit), parse_filters(filters)
        if self._serving is None or not (user and user.strip()):
            return self._search(query, user, by, page, where, explain)
        sides: dict[Team, Retriever] = {"a": self, "b": self._other}
        return self._serving.answer(
            query, user, page, lambda team, part: sides[team]._search(query, user, by, part, where, explain)
        )

    def _search(
        self,
        query: str,
        user: str | None,
        by: Literal["text", "picture"],
        page: Page,
        where: m.Filter | None,
        explain: bool,
    ) -> Answer:
        taste = self._profiles.taste(user)
        if not query.strip():
            return self._trending(query, user, taste, page, where, "trending", "")
        if by == "picture":
            return self._pictured(query, user, taste, page, where, "")
        understood = self._understanding.understand(query)
        known, corrections = understood.known, understood.corrections
        recall = self._understanding.recall(understood, where)
        ranked = self._ranker.rank(recall, taste, page) if recall else Ranked.nothing(self._ranker.dimension)
        if not known and (recall is None or not ranked.total):
            if isinstance(self._encoder, TextTower):
                note = f"no sticker has the words of {query.strip()!r}; these look like it"
                return self._pictured(query, user, taste, page, where, note)
            note = f"no sticker has the words of {query.strip()!r}; these are popular"
            return self._trending(query, user, taste, page, where, "unmatched", note)
        hits = self._hits(ranked, page, taste)
        note = "; ".join(f"no sticker has {typed!r}, searched for {used!r}" for typed, used in corrections.items())
        reason: Reason = "corrected" if corrections else "matched"
        if not known:
            reason, note = "meaning", f"no sticker has the words of {query.strip()!r}; these are near in meaning"
        if not hits:
            reason, note = _why_empty(query.strip(), page, where)
        if explain:
            hits = explain_text(hits, known, self._stickers, self._understanding.frequencies)
        return Answer(hits, query, user, reason, note, corrections, len(taste) > 0, ranked.total > page.end)

    def similar(
        self,
        sticker: str | Path | bytes,
        *,
        by: Literal["meaning", "look", "both"] = "both",
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, FilterValue] | None = None,
    ) -> Answer:
        """Return stickers like one of the collection, or like a picture.

        Args:
            sticker: A sticker's id or unique prefix of it; or a picture, as ``Path`` or bytes.
            by: ``"look"`` compares pictures, ``"meaning"`` texts, ``"both"`` adds the two similarities, each at most
                1. A picture has no texts yet, so it is always compared by look.
            limit: As in :meth:`search`.
            offset: As in :meth:`search`.
            filters: As in :meth:`search`.

        Raises:
            NotFoundError: No such sticker.
            PictureError: The picture cannot be decoded.
            QueryError: As :meth:`search`.
        """
        page, where = Page.asked(offset, limit), parse_filters(filters)
        image, text, self_score = None, None, 1.0
        if isinstance(sticker, str):
            known = self._catalog.sticker(sticker)
            name, where = known.title, narrowed(where, without=[known.id])
            stored = self._stickers.retrieve([point_id(known.id)], with_vectors=(IMAGE, TEXT))
            if stored and by != "meaning":
                image = vector_of(stored[0], IMAGE)
            if stored and by != "look":
                text = sparse_of(stored[0])
                self_score = self._ranker.self_score(known.id, text) if text and image else 1.0
        else:
            name, image = "the picture", self._look(sticker)
        request = similar_request(image, text, self_score, self.recipe.ranking.pool, where)
        if request is None:
            return Answer((), "", None, "similar", f"{name} has nothing to compare by {by}")
        ranked = best_first(self._stickers, request, page)
        hits = to_hits(ranked, page, NO_TASTE, self._catalog.paths(ranked.ids[page.offset : page.end]), 0.0, 0.0)
        return Answer(hits, "", None, "similar", f"like {name}", more=ranked.total > page.end)

    def close(self) -> None:
        """Let go of the index and the catalog; closing twice is harmless."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @cached_property
    def _other(self) -> Retriever:
        """This retriever with the ranking weights of the comparison's other side; all else is shared."""
        other = copy(self)
        other.recipe = self.recipe.model_copy(update={"ranking": self.recipe.variant})
        other._ranker = Ranker(self._stickers, self.recipe.variant)
        other._encoder = self._encoder
        return other

    @cached_property
    def _encoder(self) -> ImageEncoder:
        return self._workspace.encoder()

    @cached_property
    def _space(self) -> Space:
        return Space.from_dict(self.manifest.space)

    def _pictured(
        self, query: str, user: str | None, taste: Taste, page: Page, where: m.Filter | None, note: str
    ) -> Answer:
        tower = self._encoder
        if not isinstance(tower, TextTower):
            raise QueryError(
                f"the image encoder {self.recipe.image.encoder} cannot compare a text with pictures",
                "search by text, or name one with a text tower in [image], such as open_clip:MODEL, and build again",
            )
        vector = [float(x) for x in tower.encode_text([query.strip()])[0]]
        ranked = self._ranker.rank(picture_recall(vector, self.recipe.ranking.pool, where), taste, page)
        hits = self._hits(ranked, page, taste)
        reason: Reason = "pictured"
        if not hits:
            reason, note = "unmatched", f"no picture fits {query.strip()!r}"
        return Answer(hits, query, user, reason, note, personal=len(taste) > 0, more=ranked.total > page.end)

    def _trending(
        self,
        query: str,
        user: str | None,
        taste: Taste,
        page: Page,
        where: m.Filter | None,
        reason: Reason,
        note: str,
    ) -> Answer:
        own = self._catalog.recent(user, RECENT) if user and reason == "trending" else []
        ranked = self._ranker.trending(own, taste, page, where)
        hits = self._hits(ranked, page, taste)
        if not hits and page.offset == 0:
            reason, note = "filtered", "no sticker passes the filters" if where else "the collection is empty"
        return Answer(hits, query, user, reason, note, personal=len(taste) > 0, more=ranked.total > page.end)

    def _hits(self, ranked: Ranked, page: Page, taste: Taste) -> tuple[Hit, ...]:
        ids = ranked.ids[page.offset : page.end]
        weights = self.recipe.ranking
        return to_hits(ranked, page, taste, self._catalog.paths(ids), weights.beta, weights.gamma)

    def _look(self, picture: Path | bytes) -> list[float]:
        raw = self._encoder.encode([open_picture(picture)])
        return [float(x) for x in self._space.project(raw)[0]]


def _why_empty(query: str, page: Page, where: m.Filter | None) -> tuple[Reason, str]:
    if page.offset > 0:
        return "matched", f"there are no more than {page.offset} answers to {query!r}"
    if where:
        return "filtered", f"stickers match {query!r}, but none passes the filters"
    return "unmatched", f"no sticker matches {query!r} any more"
