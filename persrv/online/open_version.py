"""One version of a collection, opened: its stickers, its users, and all that is made from what it was built from."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property

from persrv.catalog import Catalog
from persrv.errors import BuildGoneError
from persrv.images.space import Space
from persrv.index.engine import Collection, Store
from persrv.index.manifest import Manifest
from persrv.online.profiles import Profiles
from persrv.online.query_parser import QueryParser
from persrv.text import TOKENIZER
from persrv.text.meaning.registry import AUTO
from persrv.workspace import Workspace


class OpenVersion:
    """What answers come from; it never mixes two builds. Safe for several threads.

    Attributes:
        stickers: The stickers' collection.
        users: The users' collection of the same build, where that is kept.
        parser: The build's words and meanings.
        profiles: The users' styles.
    """

    def __init__(self, stickers: Collection, users: Collection, parser: QueryParser, profiles: Profiles) -> None:
        self.stickers = stickers
        self.users = users
        self.parser = parser
        self.profiles = profiles

    @property
    def manifest(self) -> Manifest:
        """What the stickers' collection was built from."""
        return self.stickers.manifest

    @property
    def builds(self) -> tuple[str, str]:
        """The builds of the stickers' and of the users' collection."""
        return self.stickers.manifest.build, self.users.manifest.build

    @cached_property
    def space(self) -> Space:
        """Where pictures' vectors lie."""
        return Space.from_dict(self.manifest.space)

    def close(self) -> None:
        """Let go of both collections; closing twice is harmless."""
        self.stickers.close()
        self.users.close()


@dataclass(frozen=True, slots=True)
class KeptVersions:
    """What is kept beside the current version.

    Attributes:
        builds: The builds that were looked for.
        stickers: Stickers' collections, open.
        users: Users' collections, open.
    """

    builds: set[str] = field(default_factory=set)
    stickers: list[Collection] = field(default_factory=list)
    users: list[Collection] = field(default_factory=list)


class Opener:
    """Opens a collection's current version, as often as it is asked to; models are made once.

    Args:
        workspace: Of the collection.
        catalog: Keeps the words.
        store: Keeps the versions.

    Attributes:
        encoder: The recipe's image encoder.
    """

    def __init__(self, workspace: Workspace, catalog: Catalog, store: Store) -> None:
        self._workspace = workspace
        self._catalog = catalog
        self._store = store
        self._names = workspace.recipe.name, workspace.users_name
        self.encoder = workspace.encoder()
        self._texts = workspace.query_encoder()

    def current(self) -> str | None:
        """Return the build that is current now, by one look; ``None`` where the collection was removed."""
        return self._store.current(self._workspace.recipe.name)

    def builds(self) -> set[str]:
        """Return the builds of all published versions that are there, the current one among them."""
        return {
            build for name in self._names for build in (self._store.current(name), *self._store.kept(name)) if build
        }

    @contextmanager
    def others(self, clean: Container[str] = (), *, users_only: bool = False) -> Iterator[KeptVersions]:
        """Open what is kept beside the current version.

        Args:
            clean: Builds that are passed over.
            users_only: Whether stickers' collections stay closed.

        Raises:
            IndexLockedError: Another process, or another retriever of this one, has it open.
        """
        store, build = self._store, self.current()
        with ExitStack() as opened:
            kept = KeptVersions()
            for name, collections in zip(self._names, (kept.stickers, kept.users), strict=True):
                for each in store.kept(name):
                    if each == build or each in clean:
                        continue
                    kept.builds.add(each)
                    if collections is kept.stickers and users_only:
                        continue
                    with suppress(BuildGoneError):  # somebody removes it just now
                        collections.append(opened.enter_context(store.open(name, each)))
            yield kept

    def open(self) -> OpenVersion:
        """Open the version that is current now.

        Raises:
            NotFoundError: The collection was never built.
            IndexMismatchError: It was built by another tokenizer, encoder or text section.
            IndexLockedError: Another process owns the embedded version.
            IndexUnavailableError: The server cannot be used.
        """
        workspace, texts = self._workspace, self._texts
        recipe = workspace.recipe
        with ExitStack() as opened:
            stickers = opened.enter_context(self._store.open(recipe.name))
            manifest = stickers.manifest
            meaning = f"{texts.name}@{texts.revision}" if texts else ""
            if recipe.meaning.encoder == AUTO and meaning != manifest.meaning:
                # Packages came or went since the build: what it was built with answers until the next one, or words.
                meaning, texts = manifest.meaning, workspace.query_encoder(manifest.meaning)
            manifest.check(
                tokenizer=TOKENIZER,
                text=recipe.fingerprint("text"),
                encoder=f"{self.encoder.name}@{self.encoder.revision}",
                meaning=meaning,
                style=workspace.style_name,
            )
            users = opened.enter_context(self._users(manifest.build))
            version = OpenVersion(
                stickers,
                users,
                QueryParser(self._catalog, manifest, recipe, texts),
                Profiles(users, manifest.taste_dimension, recipe.style.clusters, recipe.style.half_life_days),
            )
            opened.pop_all()
        return version

    def _users(self, build: str) -> Collection:
        # Users are published a moment before stickers: the current ones may lie in the next build's space.
        try:
            return self._store.open(self._workspace.users_name, build)
        except BuildGoneError:
            return self._store.open(self._workspace.users_name)
