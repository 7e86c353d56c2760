"""What is served, and whether it is well."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from persrv.serve.access import service_of
from persrv.serve.problems import Responses, documented
from persrv.serve.schemas.service import CollectionBody, CollectionsBody, HealthBody
from persrv.serve.served import ServedCollection

router = APIRouter(tags=["service"], responses=documented())
_VERSION = version("persrv")  # reads files
_FIGURES: Responses = {200: {"description": "Figures as Prometheus reads them", "content": {"text/plain": {}}}}


@router.get("/v1/collections")
async def collections(request: Request) -> CollectionsBody:
    """List the collections that the key is for."""
    service = service_of(request)
    caller = service.caller(request)
    found = [served for name, served in service.collections.by_name.items() if caller.may("read", name)]
    return CollectionsBody(collections=[_body(served) for served in found], right=caller.right)


@router.get("/health")
async def health() -> HealthBody:
    """Say that the process runs."""
    return HealthBody(status="ok", version=_VERSION)


@router.get("/ready")
def ready(request: Request) -> HealthBody:
    """Say that every collection answers a search; 503 where one does not."""
    for served in service_of(request).collections.by_name.values():
        served.retriever.search(limit=1)
    return HealthBody(status="ok", version=_VERSION)


@router.get("/metrics", response_class=Response, responses=_FIGURES)
def metrics(request: Request) -> Response:
    """Return the figures for Prometheus; where keys are needed, with one for everything."""
    service = service_of(request)
    service.collection(service.caller(request), "admin", None)
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _body(served: ServedCollection) -> CollectionBody:
    manifest = served.retriever.manifest
    return CollectionBody(
        name=served.name,
        title=served.workspace.recipe.title or served.name,
        stickers=manifest.stickers,
        build=manifest.build,
        packs=served.packs,
        searches_pictures=served.searches_pictures,
    )
