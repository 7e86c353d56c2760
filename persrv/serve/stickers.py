"""What the service says about one sticker."""

from __future__ import annotations

from persrv.index.schema import point_id
from persrv.records import Sticker
from persrv.serve.schemas.fields import phrases_of
from persrv.serve.schemas.stickers import PointBody, SourceBody, StickerBody
from persrv.serve.served import ServedCollection


def sticker_body(collection: ServedCollection, sticker: Sticker) -> StickerBody:
    """Return all that is known of a sticker, with who says it."""
    sources = [
        SourceBody(source=s.source, model=s.model, texts=phrases_of(s.semantics.items()))
        for s in collection.catalog.semantics_sources(sticker.id)
    ]
    newest = {edit.field: edit.values is not None for edit in collection.catalog.edits(sticker.id)}
    edited = sorted(field for field, holds in newest.items() if holds)
    return StickerBody.of(sticker, collection.name, sources, edited, _point(collection, sticker.id))


def _point(collection: ServedCollection, sticker_id: str) -> PointBody:
    recipe, known = collection.workspace.recipe, point_id(sticker_id)
    addresses = recipe.index.addresses
    dashboard = None
    if addresses:
        base = recipe.serve.dashboard or f"{addresses[0].rstrip('/')}/dashboard"
        dashboard = f"{base.rstrip('/')}#/collections/{collection.name}#points"
    return PointBody(collection=collection.name, id=known, filter=f"id:{known}", dashboard=dashboard)
