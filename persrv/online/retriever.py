"""The online path: one request recalls by text and ranks by utility and the user's own styles."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from persrv.catalog import Catalog
from persrv.errors import QueryError
from persrv.images.encoder import ImageEncoder
from persrv.index.manifest import Manifest
from persrv.online.answer import Answer
from persrv.online.arguments import check_choice, check_query, check_sticker
from persrv.online.comparison.serving import Serving
from persrv.online.current_version import CurrentVersion
from persrv.online.cursor import Cursor, search_mark
from persrv.online.found import SearchRequest
from persrv.online.live_index import LiveIndex
from persrv.online.open_version import Opener, OpenVersion
from persrv.online.page import Page
from persrv.online.request import FilterValue, parse_filters
from persrv.online.search_service import SearchService
from persrv.online.similar_service import SimilarService
from persrv.online.sticker_commands import StickerCommands
from persrv.online.user_commands import UserCommands
from persrv.recipe import Ranking, Recipe
from persrv.records import Sticker, Team, check_user
from persrv.workspace import Workspace

LONGEST_DAYS = 3650
"""How far back trending may look."""


class Retriever(UserCommands, StickerCommands):
    """Searches one built collection. Safe for several threads; close it, or use it in a ``with`` block.

    Open one with :meth:`open`. It stays on the build that was current then, and goes on to the newest one when its own
    is gone from a server, or at :meth:`refresh`. The recipe stays the one that it was opened with.

    Attributes:
        recipe: What the collection was opened with.
    """

    def __init__(
        self, recipe: Recipe, catalog: Catalog, newest: CurrentVersion, encoder: ImageEncoder, live: LiveIndex
    ) -> None:
        self.recipe = recipe
        self._catalog = catalog
        self._newest = newest
        self._live = live
        self._encoder = encoder
        self._closing = ExitStack()
        self._serving = Serving(recipe, catalog) if recipe.compare.name else None

    @classmethod
    def open(
        cls, recipe: str | Path | Recipe, *, home: str | Path | None = None, engine: Literal["here", "process"] = "here"
    ) -> Self:
        """Open a collection that ``persrv build`` made.

        Args:
            recipe: A recipe's name, its ``.toml`` path, or the object.
            home: Holds every collection's folder; default ``PERSRV_HOME``, else the user's data folder.
            engine: Where an embedded index runs: ``"process"`` gives it a process of its own, so that no call of the
                engine stops this one's threads and event loop, and several threads search at once. For programs that
                serve.

        Raises:
            RecipeError: There is no such recipe, or it is wrong.
            NotFoundError: The collection was never built.
            IndexMismatchError: It was built by another tokenizer, encoder or text section.
            IndexLockedError: Another process owns the embedded index.
            IndexUnavailableError: The server cannot be used.
        """
        check_choice("engine", engine, ("here", "process"))
        workspace = Workspace.of(recipe, home)
        with ExitStack() as opened:
            store = workspace.store(own_process=engine == "process")
            opened.callback(store.close)
            catalog = opened.enter_context(workspace.shared_catalog(store))
            opener = Opener(workspace, catalog, store)
            newest = CurrentVersion(opener)
            live = LiveIndex(workspace, catalog, newest)
            opened.callback(live.close)
            live.start()
            retriever = cls(workspace.recipe, catalog, newest, opener.encoder, live)
            retriever._closing = opened.pop_all()
        return retriever

    @property
    def manifest(self) -> Manifest:
        """What the build was made from that answers come from now."""
        return self._newest.version.manifest

    def refresh(self) -> bool:
        """Go on to the newest build, if there is one that is not in use yet; searches go on meanwhile.

        Where there is none, that costs one small request to a server, or reading one small file.

        Returns:
            Whether answers come from another build now.

        Raises:
            NotFoundError: The collection was removed.
            IndexMismatchError: The newest build was made with other settings than this retriever was opened with.
            IndexLockedError: Another process has it open; embedded only.
            IndexUnavailableError: The server cannot be used.
        """
        return self._newest.refresh()

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
        gamma: float | None = None,
        cursor: str | None = None,
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
            user: Whose taste counts, see :func:`persrv.records.check_user`; ``None`` for nobody's.
            by: ``"text"`` searches what is known of stickers; ``"picture"`` compares the query with the pictures
                themselves, which needs an image encoder with a text tower.
            limit: Hits on a page, 1 to 1000.
            offset: Hits before the page, >= 0; while people pick, pages by offset may overlap:
                use ``cursor``.
            filters: ``{field: value or values}``; fields are pack, tags, language, animated, rating, style. ``!value``
                leaves out. Unsafe stickers come where the recipe shows them, or a rating is asked for; ``"any"`` asks
                for all ratings.
            explain: Also say which words matched, for 1 more request.
            gamma: Weight of style in this answer, 0 (the same for everybody, own earlier picks count nothing) to 1;
                the recipe's where it is ``None``.
                Such an answer takes no part in a comparison.
            cursor: An earlier answer's ``next``, in place of an offset: the page behind that one, whatever was picked
                or changed meanwhile. Everything else but ``limit`` and ``explain`` must be the same.

        Raises:
            QueryError: A limit, offset, filter, weight, user or query that is out of range or of a wrong type, or
                ``by="picture"`` where the image encoder has no text tower.
            MissingExtraError: That encoder's packages are not installed.
        """
        page = Page.checked(offset, limit)
        check_choice("by", by, ("text", "picture"))
        who = None if user is None else check_user(user)
        where = parse_filters(filters, unsafe=self.recipe.rating.shows_unsafe(user))
        mark = search_mark(check_query(query), who, by, repr(where), gamma if gamma is None else repr(gamma))
        place = None if cursor is None else Cursor.decode(cursor, mark)
        if place and page.offset:
            raise QueryError("an offset and a cursor are given", "give one of them")
        request = SearchRequest(query, who, by, where, bool(explain), mark, place)
        if gamma is None and place is None:
            return self._newest.ask(lambda version: self._answer(version, request, page))
        if gamma is None:
            gamma = self.recipe.ranking.gamma
        if isinstance(gamma, bool) or not isinstance(gamma, int | float) or not 0 <= gamma <= 1:
            raise QueryError(
                f"gamma {gamma!r:.60} is not between 0 and 1", "give 0 for everybody's order, 1 for most style"
            )
        own = self.recipe.ranking.own if gamma else 0.0
        weights = self.recipe.ranking.model_copy(update={"gamma": float(gamma), "own": own})
        return self._newest.ask(
            lambda version: SearchService(version, self._catalog, self._encoder, weights).answer(request, page)
        )

    def trending(
        self,
        query: str = "",
        *,
        days: float = 7.0,
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, FilterValue] | None = None,
    ) -> Answer:
        """Return what most people picked lately, for a query or whatever was typed, the same for everybody.

        Behind that comes what answers the query always, or what is popular. A query that fewer than the recipe's
        ``[text] min_users`` people typed has nothing lately. ``filters={"language": "zh"}`` keeps one language.

        Args:
            query: Just this query's picks count; empty for all.
            days: How far back, > 0.
            limit: As in :meth:`search`.
            offset: As in :meth:`search`.
            filters: As in :meth:`search`.

        Raises:
            QueryError: As :meth:`search`, or ``days`` is out of its range.
        """
        page = Page.checked(offset, limit)
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= LONGEST_DAYS:
            raise QueryError(f"days {days!r:.60} is not between 0 and {LONGEST_DAYS}", "give 7 for a week")
        where = parse_filters(filters, unsafe=self.recipe.rating.unsafe)
        request = SearchRequest(check_query(query), None, "text", where, False)
        since = datetime.now(UTC) - timedelta(days=days)
        lately = f"in the last {days:g} days"
        return self._newest.ask(
            lambda version: SearchService(version, self._catalog, self._encoder, self.recipe.ranking).trending(
                request, since, lately, page
            )
        )

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
        page, wanted = Page.checked(offset, limit), check_sticker(sticker)
        where = parse_filters(filters, unsafe=self.recipe.rating.unsafe)
        check_choice("by", by, ("meaning", "look", "both"))
        return self._newest.ask(
            lambda version: SimilarService(version, self._catalog, self._encoder, self.recipe).answer(
                wanted, by, page, where
            )
        )

    def copies(self, sticker_id: str, *, limit: int = 50) -> list[Sticker]:
        """Return the near-duplicates of a sticker, by id: pictures of the same drawing, of which a page shows one.

        Args:
            sticker_id: The sticker's id or a unique prefix of it.
            limit: Most of them, 1 to 1000; unsafe ones among them are left out where the recipe does not show them.

        Raises:
            NotFoundError: No such sticker.
            QueryError: A limit that cannot be.
        """
        page, known = Page.checked(0, limit), self._known(sticker_id)
        ids = self._newest.ask(lambda version: self._catalog.copies(version.manifest.vocabulary, known.id, page.limit))
        unsafe = self.recipe.rating.unsafe
        return [sticker for sticker in self._catalog.stickers(ids) if unsafe or sticker.rating != "unsafe"]

    def close(self) -> None:
        """Let go of the index and the catalog; closing twice is harmless."""
        if self._serving is not None:
            self._serving.log.close()
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _answer(self, version: OpenVersion, request: SearchRequest, page: Page) -> Answer:
        def searching(weights: Ranking) -> SearchService:
            return SearchService(version, self._catalog, self._encoder, weights)

        if self._serving is None or request.user is None:
            return searching(self.recipe.ranking).answer(request, page)
        sides: dict[Team, SearchService] = {"a": searching(self.recipe.ranking), "b": searching(self.recipe.variant)}

        def ask(team: Team, part: Page) -> Answer:
            return sides[team].answer(request, part)

        return self._serving.answer(request.query, request.user, page, ask)
