"""Lets the catalog keep the words of every version that answers with them, wherever it is, and no others."""

from __future__ import annotations

from contextlib import suppress

from persrv.catalog import Catalog
from persrv.errors import IndexMismatchError
from persrv.index.engine import Store


def keep_words(catalog: Catalog, store: Store, name: str, place: str) -> None:
    """Tell the catalog which builds a store answers with: the current version, the one before, and what is still open.

    Called after every switch; what is not needed any more, there or elsewhere, goes.

    Args:
        catalog: Has the words.
        store: Where the versions are.
        name: The collection's name there.
        place: The store's place, see :attr:`persrv.workspace.Workspace.place`.
    """
    manifests = []
    for build in store.kept(name):
        # One whose description is damaged answers nobody, and must not keep another from being used.
        with suppress(IndexMismatchError):
            manifests.append(store.manifest(name, build))
    catalog.keep_builds(place, [manifest.vocabulary or manifest.build for manifest in manifests if manifest])
