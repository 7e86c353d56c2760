"""Where a model's files are, and what they are called so that a change of weights is noticed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from persrv.errors import SourceError
from persrv.images.encoders.options import needs

_READ = ("*.json", "*.txt", "*.model", "*.safetensors", "*.bin", "*.pt", "*.pth")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's folder.

    Attributes:
        folder: Holds configuration, vocabulary and weights.
        identity: The commit on the hub, or a hash of everything in the folder.
    """

    folder: Path
    identity: str


def find_model(name: str, model_folder: Path | None, commit: str, extra: str, marks: tuple[str, ...]) -> ModelFiles:
    """Return a model's files, fetching them from the Hugging Face hub where no folder has them.

    Args:
        name: A folder, a folder's name below ``model_folder``, or a name on the hub.
        model_folder: Where models are looked for first.
        commit: Branch, tag or commit on the hub, ``""`` for the newest.
        extra: The extra that brings the hub's client.
        marks: Files of which each by itself shows that a folder holds a model.

    Raises:
        SourceError: There is no such folder, and the hub does not give the model.
        MissingExtraError: The hub's client is not installed.
    """
    if folder := local_folder(name, model_folder, marks):
        return ModelFiles(folder, content_hash(folder))
    if model_folder is not None or not name or name.startswith((".", "/", "~")):
        raise SourceError(
            f"there is no model {name!r} in {model_folder or 'any folder'}",
            f"name a folder with {' or '.join(marks)} and weights, or leave model_folder out to use the hub",
        )
    with needs(extra, f"the model {name}"):
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    try:
        folder = Path(snapshot_download(name, revision=commit or None, allow_patterns=list(_READ)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise SourceError(
            f"the model {name} cannot be fetched: {str(error).splitlines()[0]}",
            "check its name and the connection, or download it and name its folder",
        ) from error
    return ModelFiles(folder, folder.name)


def local_folder(name: str, model_folder: Path | None, marks: tuple[str, ...]) -> Path | None:
    """Return the first of ``model_folder/name``, ``model_folder`` and ``name`` that holds one of the files."""
    folders = (*((model_folder / name, model_folder) if model_folder else ()), *((Path(name),) if name else ()))
    return next((folder for folder in folders if any((folder / mark).is_file() for mark in marks)), None)


def content_hash(folder: Path) -> str:
    """Return 16 hex digits of the names and contents of a model's files.

    Raises:
        SourceError: One cannot be read.
    """
    files = {file for pattern in _READ for file in folder.rglob(pattern) if file.is_file()}
    digest = hashlib.sha256()
    try:
        for file in sorted(files):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
            with file.open("rb") as stream:
                while part := stream.read(_CHUNK):
                    digest.update(part)
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}", "check its rights") from error
    return digest.hexdigest()[:16]
