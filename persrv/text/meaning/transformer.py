"""Any model that the package sentence-transformers can load, from a folder or from a model hub."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.errors import MissingExtraError, RecipeError
from persrv.text.meaning.lazy import LazyEncoder

PREFIX = "sentence-transformers:"

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class TransformerOptions:
    """What a recipe may say of such a model.

    Attributes:
        revision: Commit or tag on the hub; needed unless the model is a folder, since a name alone may come to mean
            other weights.
        query_prefix: Put before what is typed, as the model's card asks.
        document_prefix: Put before each phrase.
        device: ``cpu``, ``cuda``, ``mps``.
        remembered: How many queries' vectors are kept.
    """

    revision: str = ""
    query_prefix: str = ""
    document_prefix: str = ""
    device: str = "cpu"
    remembered: int = 4096


def transformer_encoder(model: str, options: TransformerOptions) -> LazyEncoder:
    """Return the encoder for a model's folder or its name on the hub.

    Args:
        model: A folder, or ``owner/name``.
        options: See there.

    Raises:
        MissingExtraError: The package is not installed.
        RecipeError: A name without a revision, or a folder that is not there.
    """
    name = f"{PREFIX}{model}"
    try:
        package = version("sentence-transformers")
    except PackageNotFoundError as error:
        raise MissingExtraError(f"the text encoder {name}", "sentence-transformers") from error
    folder = Path(model).expanduser()
    if folder.is_dir():
        weights = _digest(folder)
    elif options.revision:
        weights = options.revision
    else:
        raise RecipeError(
            f"meaning.encoder: {model!r} is no folder here, and no revision says which weights are meant",
            "give a folder that exists, or set the option revision to a commit of the model's repository",
        )
    prefixes = hashlib.blake2b(f"{options.query_prefix}\0{options.document_prefix}".encode(), digest_size=4)
    revision = f"{package}-{weights}-{prefixes.hexdigest()}"
    source = str(folder) if folder.is_dir() else model
    return LazyEncoder(name, revision, "NOASSERTION", lambda: _Transformer(source, options), options.remembered)


class _Transformer:
    def __init__(self, source: str, options: TransformerOptions) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if find_spec("torchvision"):
                from persrv.images.encoders.torchvision_shim import ensure_torchvision

                ensure_torchvision()
            from sentence_transformers import SentenceTransformer

            self._model = SentenceTransformer(source, device=options.device, revision=options.revision or None)
        self._options = options
        self.dimension = len(self._encode(["?"])[0])

    def documents(self, texts: list[str]) -> NDArray[np.floating[Any]]:
        return self._encode([self._options.document_prefix + text for text in texts])

    def query(self, text: str) -> NDArray[np.floating[Any]]:
        found: NDArray[np.floating[Any]] = self._encode([self._options.query_prefix + text])[0]
        return found

    def _encode(self, texts: list[str]) -> NDArray[np.floating[Any]]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(self._model.encode(texts, show_progress_bar=False, convert_to_numpy=True))


def _digest(folder: Path) -> str:
    """Return 16 hex digits of every file's place and content."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
