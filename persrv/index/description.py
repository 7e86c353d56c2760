"""Layout and provenance of one version as one JSON value: a file beside an embedded one, metadata on a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from persrv.errors import IndexMismatchError
from persrv.index.manifest import Manifest
from persrv.index.schema import Schema

_SCHEMA = TypeAdapter(Schema)


def description_of(schema: Schema, manifest: Manifest) -> dict[str, Any]:
    """Return schema and manifest as plain JSON values."""
    layout = {key: getattr(schema, key) for key in Schema.__slots__}
    layout |= {"payload": dict(schema.payload), "placement": asdict(schema.placement)}
    return {"manifest": manifest.model_dump(mode="json"), "schema": layout}


def read_description(described: object, where: str) -> tuple[Schema, Manifest]:
    """Read what :func:`description_of` returned.

    Args:
        described: The JSON value.
        where: The file or collection that it came from, for the error's text.

    Raises:
        IndexMismatchError: It does not describe a version that this code can use.
    """
    try:
        if not isinstance(described, Mapping):
            raise TypeError(f"{type(described).__name__} in place of an object")
        return _SCHEMA.validate_python(described["schema"]), Manifest.model_validate(described["manifest"])
    except (KeyError, TypeError, ValidationError) as error:
        raise IndexMismatchError(
            f"{where} does not say how it was built: {error}", "run persrv build --rebuild"
        ) from error
