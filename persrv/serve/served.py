"""The collections that one process serves."""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from hashlib import sha256
from threading import Event, Thread
from typing import Self

from persrv.catalog import Catalog
from persrv.errors import NotFoundError, PersrvError, PictureError, RecipeError
from persrv.images.encoder import TextTower
from persrv.online.retriever import Retriever
from persrv.records import check_user
from persrv.serve.learning import suggestions_of, suggestions_of_process
from persrv.serve.metrics import Metrics
from persrv.serve.settings import ServeSettings
from persrv.serve.suggestions import Suggestions
from persrv.serve.thumbnails import SIDE, Thumbnails
from persrv.workspace import Workspace

USER_KEY_VARIABLE = "PERSRV_USER_KEY"
"""Environment variable with the key of users' hashes."""

FIRST_PAGE = 40
"""Stickers that the page shows before anything is typed."""

_MOST_PACKS = 200
_LARGE = 1_000
"""Stickers from which suggestions are learnt in a process of their own; it takes half a second to start."""

_HEAD_START_SECONDS = 1.0
"""How long the process that learns waits for the first page, which is drawn on the same cores."""

_log = logging.getLogger("persrv.serve")


class ServedCollection:
    """One collection, opened for many threads.

    Args:
        workspace: Where it lives.
        retriever: Searches it.
        catalog: The service's own connection to its catalog.

    Attributes:
        name: The recipe's name.
        thumbnails: Its small pictures.
        suggestions: What its search box suggests; nothing until :meth:`learn` has run.
        packs: Names of up to 200 packs; none until :meth:`prepare` has run.
        searches_pictures: Whether ``by="picture"`` is possible.
    """

    def __init__(self, workspace: Workspace, retriever: Retriever, catalog: Catalog) -> None:
        self.name = workspace.recipe.name
        self.workspace = workspace
        self.retriever = retriever
        self.catalog = catalog
        self.thumbnails = Thumbnails(workspace.folder / "thumbnails")
        self.suggestions = Suggestions([])
        self.packs: list[str] = []
        self.searches_pictures = isinstance(workspace.encoder(), TextTower)
        self._user_key = _user_key(workspace)

    def user(self, given: str | None) -> str | None:
        """Return the name under which the collection knows a user: a keyed hash, where the recipe says so.

        Raises:
            QueryError: It is no name that a user can have.
        """
        if given is None:
            return None
        name = check_user(given)
        if not self._user_key:
            return name
        return hmac.new(self._user_key, f"{self.name}\0{name}".encode(), sha256).hexdigest()[:32]

    def prepare(self, stop: Event) -> None:
        """Read and draw what the page shows first: packs, a small collection's suggestions, the first thumbnails.

        Raises:
            CatalogError: The catalog cannot be read.
            VectorIndexError: The collection cannot be searched.
        """
        self.packs = self.catalog.pack_names(_MOST_PACKS)
        if not self._large:
            self.suggestions = suggestions_of(self.catalog)
        for hit in self.retriever.search(limit=FIRST_PAGE):
            if hit.path is not None and not stop.is_set():
                with suppress(PictureError):  # whoever asks for it is told
                    self.thumbnails.content(hit.sticker_id, hit.path, SIDE)

    def learn(self, stop: Event) -> None:
        """Learn the suggestions of a large collection; half a minute with 100,000 stickers, until ``stop`` is set.

        Raises:
            ServiceError: The process that learns failed.
        """
        if not self._large or stop.wait(_HEAD_START_SECONDS):
            return
        if (learned := suggestions_of_process(self.workspace, stop)) is not None:
            self.suggestions = learned

    @property
    def _large(self) -> bool:
        return self.retriever.manifest.stickers >= _LARGE


class ServedCollections:
    """All collections of a service; use it in a ``with`` block.

    Args:
        settings: Which, and how often newer builds are looked for.
        metrics: Learns which builds answer.

    Raises:
        PersrvError: As :meth:`persrv.online.retriever.Retriever.open`, of the first that cannot be opened.
    """

    def __init__(self, settings: ServeSettings, metrics: Metrics) -> None:
        self._metrics = metrics
        self._stop = Event()
        self._closing = ExitStack()
        self.by_name: dict[str, ServedCollection] = {}
        with ExitStack() as opened:
            for name in settings.collections:
                workspace = Workspace.of(name, settings.home)
                retriever = opened.enter_context(Retriever.open(workspace.recipe, home=settings.home, engine="process"))
                catalog = opened.enter_context(workspace.existing_catalog())
                self.by_name[workspace.recipe.name] = ServedCollection(workspace, retriever, catalog)
                self._tell(self.by_name[workspace.recipe.name])
            self._closing = opened.pop_all()
        self._watching = Thread(target=self._watch, args=(settings.refresh_seconds,), name="builds", daemon=True)

    def get(self, name: str | None) -> ServedCollection:
        """Return one collection, the first where none is named.

        Raises:
            NotFoundError: It is not served here.
        """
        if name is None:
            return next(iter(self.by_name.values()))
        if name not in self.by_name:
            raise NotFoundError(f"no collection {name!r} is served", f"use one of {', '.join(self.by_name)}")
        return self.by_name[name]

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._watching.join()
        self._closing.close()

    def _watch(self, seconds: float) -> None:
        """Learn suggestions, and go on to newer builds as they come."""
        collections = [*self.by_name.values()]
        for collection in collections:
            self._try(collection.prepare, collection)
        for collection in collections:
            self._try(collection.learn, collection)
        while not self._stop.wait(seconds):
            for collection in collections:
                try:
                    moved = collection.retriever.refresh()
                except PersrvError as error:
                    _log.warning("%s stays on its build: %s", collection.name, error)
                    continue
                if moved:
                    self._tell(collection)
                    self._try(collection.prepare, collection)
                    self._try(collection.learn, collection)

    def _try(self, learn: Callable[[Event], None], collection: ServedCollection) -> None:
        try:
            learn(self._stop)
        except PersrvError as error:
            _log.warning("%s: %s", collection.name, error)

    def _tell(self, collection: ServedCollection) -> None:
        manifest = collection.retriever.manifest
        self._metrics.built(collection.name, manifest.build, manifest.stickers)


def _user_key(workspace: Workspace) -> bytes:
    if not workspace.recipe.serve.hash_users:
        return b""
    key = os.environ.get(USER_KEY_VARIABLE, "")
    if len(key) < 16:
        raise RecipeError(
            f"{workspace.recipe.name} keeps users as keyed hashes, and {USER_KEY_VARIABLE} holds no key for them",
            f"set {USER_KEY_VARIABLE} to 16 or more random characters, always the same",
        )
    return key.encode()
