"""Where one collection lives on this machine: its recipe, catalog, vectors and index."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from persrv.catalog import Catalog, VectorCache
from persrv.errors import CatalogError, NotFoundError, writing
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import encoder
from persrv.index.engine import Store
from persrv.index.schema import Placement
from persrv.index.store import open_store
from persrv.ranking.style_space import REVISION
from persrv.recipe import Describe, Ocr, Recipe
from persrv.recipe.places import find_recipe, home
from persrv.text.meaning.encoder import TextEncoder


@dataclass(frozen=True, slots=True)
class Workspace:
    """A recipe and the folder that holds its data.

    Attributes:
        recipe: The collection's recipe.
        folder: Its data: ``catalog.db``, ``vectors/``, ``phrases/``, ``index/``.
    """

    recipe: Recipe
    folder: Path

    @classmethod
    def of(cls, recipe: str | Path | Recipe, home_folder: str | Path | None = None) -> Self:
        """Return the workspace of a recipe, given as name, path or object; nothing is created.

        Args:
            recipe: A name (looked up as :func:`persrv.recipe.places.find_recipe` says), a ``.toml`` path, or a recipe.
            home_folder: Holds every collection's folder; default :func:`persrv.recipe.places.home`.

        Raises:
            RecipeError: There is no such recipe, or it is wrong.
        """
        if not isinstance(recipe, Recipe):
            recipe = Recipe.read(find_recipe(str(recipe)))
        return cls(recipe, (home() if home_folder is None else Path(home_folder).expanduser()) / recipe.name)

    @property
    def users_name(self) -> str:
        """See :attr:`persrv.recipe.Recipe.users_name`."""
        return self.recipe.users_name

    def encoder(self) -> ImageEncoder:
        """Return the recipe's image encoder."""
        image = self.recipe.image
        folder = self.recipe.resolve(image.model_folder) if image.model_folder else None
        return encoder(image.encoder, image.options, folder)

    def style_encoder(self) -> ImageEncoder:
        """Return what makes the raw vectors of style; an encoder like ``[image]``'s where the recipe names no other."""
        style = self.recipe.style
        if not style.encoder:
            return self.encoder()
        folder = self.recipe.resolve(style.model_folder) if style.model_folder else None
        return encoder(style.encoder, style.options, folder)

    @property
    def style_name(self) -> str:
        """What makes the vectors ``style``: ``name@revision``, and whether meaning is taken out of them.

        ``""`` where there are none, since the vectors ``image`` say the style as well.
        """
        style = self.recipe.style
        if not (style.encoder or style.apart):
            return ""
        made_by = self.style_encoder()
        return f"{made_by.name}@{made_by.revision}{f' apart@{REVISION}' if style.apart else ''}"

    def text_encoder(self) -> TextEncoder | None:
        """Return the recipe's text encoder, ``None`` where recall is by words alone.

        Raises:
            RecipeError: There is no such encoder or option.
            MissingExtraError: Its package is not installed.
        """
        settings = self.recipe.meaning
        if not settings.encoder:
            return None
        from persrv.text.meaning.registry import AUTO, packaged_encoder, text_encoder

        if settings.encoder == AUTO:
            return packaged_encoder(settings.options)
        return text_encoder(settings.encoder, settings.options)

    def query_encoder(self, built_with: str | None = None) -> TextEncoder | None:
        """Return the text encoder for searches, which loads its model only for what is not frequent.

        Args:
            built_with: What an index was built with, ``NAME@REVISION``; without it the encoder is the recipe's.

        Raises:
            RecipeError: There is no such encoder or option.
            MissingExtraError: Its package is not installed.
        """
        from persrv.text.meaning.frequent import FrequentEncoder
        from persrv.text.meaning.registry import encoder_of

        options = self.recipe.meaning.options
        texts = self.text_encoder() if built_with is None else encoder_of(built_with, options)
        if texts is None:
            return None

        return FrequentEncoder(texts, self.folder / "phrases")

    def ocr_settings(self) -> Ocr:
        """Return the recipe's ``[ocr]`` with its model folder made absolute."""
        settings = self.recipe.ocr
        if settings.model_folder is None:
            return settings
        return settings.model_copy(update={"model_folder": self.recipe.resolve(settings.model_folder)})

    def describe_settings(self) -> Describe:
        """Return the recipe's ``[describe]`` with its folders made absolute; a model that is no folder is a name."""
        settings = self.recipe.describe
        found: dict[str, Path | str] = {}
        if settings.adapter is not None:
            found["adapter"] = self.recipe.resolve(settings.adapter)
        if settings.model and (folder := self.recipe.resolve(Path(settings.model))).is_dir():
            found["model"] = str(folder)
        return settings.model_copy(update=found)

    def catalog(self) -> Catalog:
        """Open the catalog; creates it where there is none."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        recipe = self.recipe
        return Catalog.open(recipe.catalog.url or self.folder / "catalog.db", recipe.name, recipe.text.min_users)

    def existing_catalog(self) -> Catalog:
        """Open the catalog of a collection that was built before.

        Raises:
            NotFoundError: There is none; nothing is created.
            CatalogError: It is gone while other files of the collection are there, or it cannot be used.
        """
        name = self.recipe.name
        if not self.recipe.catalog.url and not (self.folder / "catalog.db").is_file():
            if any(self.folder.glob("*/*.ids")):
                raise CatalogError(
                    f"the catalog {self.folder / 'catalog.db'} is gone, with all edits and picks recorded here",
                    f"restore a backup, or run persrv build -c {name} to read the stickers from their source",
                )
            raise NotFoundError(f"{name} was never built", f"run persrv build -c {name}")
        return self.catalog()

    def shared_catalog(self, store: Store) -> Catalog:
        """Open the catalog of a collection that was built before, perhaps on another machine.

        Args:
            store: Where its index is.

        Raises:
            NotFoundError: There is no catalog here; where the server has the collection, the text says what lacks.
        """
        try:
            catalog = self.existing_catalog()
        except NotFoundError as error:
            if self.recipe.index.embedded or store.current(self.recipe.name) is None:
                raise
            raise _elsewhere(self.recipe) from error
        try:
            self.check_new(catalog, store)
        except BaseException:
            catalog.close()
            raise
        return catalog

    def check_new(self, catalog: Catalog, store: Store) -> None:
        """Refuse to build with an empty catalog over a collection that another machine's catalog belongs to.

        Raises:
            NotFoundError: The server has the collection, and the catalog has never had a sticker.
        """
        unused = not self.recipe.index.embedded and catalog.revision() == 0 and catalog.count() == 0
        if unused and store.current(self.recipe.name) is not None:
            raise _elsewhere(self.recipe)

    def vectors(self, image_encoder: ImageEncoder) -> VectorCache:
        """Open the vector cache of one encoder."""
        return VectorCache(self.folder / "vectors", image_encoder.name, image_encoder.revision, image_encoder.dimension)

    def phrases(self, texts: TextEncoder) -> VectorCache:
        """Open the cache of one text encoder's phrases."""
        return VectorCache(self.folder / "phrases", texts.name, texts.revision, texts.dimension)

    @property
    def placement(self) -> Placement:
        """How a server keeps the collection."""
        index = self.recipe.index
        return Placement(index.shards, index.replication_factor, index.write_consistency_factor, index.on_disk)

    @property
    def place(self) -> str:
        """Where the index is, as the catalog names it: a folder of this machine, or a name on a server."""
        index = self.recipe.index
        if index.embedded and not self.recipe.catalog.url:
            return str(index.location)  # beside its catalog, wherever both are moved to
        if index.embedded:
            return f"{socket.gethostname()} {self.folder.resolve() / str(index.location)}"
        return self.place_on(index.addresses[0], self.recipe.name)

    @staticmethod
    def place_on(url: str, name: str) -> str:
        """Return the place of a collection on a server, see :attr:`place`."""
        return f"{url.rstrip('/')} {name}"

    def store(self, *, own_process: bool = False) -> Store:
        """Open the index's store, embedded (in this process, or in one of its own) or server."""
        index = self.recipe.index
        return open_store(index.location, self.folder, timeout_s=index.timeout_s, own_process=own_process)


def _elsewhere(recipe: Recipe) -> NotFoundError:
    return NotFoundError(
        f"the server {recipe.index.addresses[0]} has {recipe.name}, but the catalog that belongs to it is not on this "
        "machine",
        "set [catalog] url to the PostgreSQL database that all machines share; to build over what is there, with a "
        "catalog of this machine's own, run persrv build with --allow-removal",
    )
