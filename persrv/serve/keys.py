"""API keys: who may do what on which collection. Only their hashes are kept."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Literal, Self, get_args

from persrv.errors import AccessError, NotFoundError, RecipeError

Right = Literal["read", "write", "admin"]
"""What a key is for: searching; also picks and what belongs to users; also stickers themselves."""

RIGHTS: tuple[Right, ...] = get_args(Right)

ADMIN_VARIABLE = "PERSRV_ADMIN_KEY"
"""Environment variable with a key that may do everything, for containers that start without a file of keys."""

_SHORTEST = 16
_LOOK_SECONDS = 1.0
_log = logging.getLogger("persrv.serve")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without the key.

    Attributes:
        name: For people, and for taking it away.
        right: The most that it may do.
        collections: Where it counts; empty for every collection.
        sha256: Hex digest of the key. Keys are 256 random bits, so a slow hash would protect nothing more.
        created: When, ISO 8601.
    """

    name: str
    right: Right
    collections: tuple[str, ...]
    sha256: str
    created: str

    def may(self, right: Right, collection: str | None) -> bool:
        """Return whether the key is for this, on this collection; ``None`` for none in particular."""
        enough = RIGHTS.index(right) <= RIGHTS.index(self.right)
        return enough and (collection is None or not self.collections or collection in self.collections)


class KeyRing:
    """The keys of a service.

    Args:
        keys: In the order in which they were made.
    """

    def __init__(self, keys: tuple[ApiKey, ...] = ()) -> None:
        self.keys = keys
        self._by_digest = {key.sha256: key for key in keys}

    def __bool__(self) -> bool:
        return bool(self.keys)

    @classmethod
    def read(cls, file: Path, environment: Mapping[str, str] | None = None) -> Self:
        """Return the keys of a file, no keys where there is none, and the one of ``PERSRV_ADMIN_KEY``.

        Raises:
            RecipeError: The file is no file of keys, or the variable holds fewer than 16 characters.
        """
        keys = _read(file)
        given = (os.environ if environment is None else environment).get(ADMIN_VARIABLE, "")
        if given:
            if len(given) < _SHORTEST:
                raise RecipeError(f"{ADMIN_VARIABLE} is too short", f"use at least {_SHORTEST} random characters")
            keys = (*keys, ApiKey(ADMIN_VARIABLE, "admin", (), _digest(given), ""))
        return cls(keys)

    def find(self, key: str) -> ApiKey:
        """Return what is known of a key.

        A digest is looked up, never compared piece by piece, so the time says nothing about how near a guess was.

        Raises:
            AccessError: There is no such key.
        """
        found = self._by_digest.get(_digest(key))
        if found is None:
            raise AccessError("the API key is not known", "use a key that persrv keys add made")
        return found


class KeyFile:
    """The keys of a running service, read again when their file changes. Safe for several threads.

    Args:
        file: See :meth:`KeyRing.read`.

    Raises:
        RecipeError: As :meth:`KeyRing.read`.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = _state(file)
        self._ring = KeyRing.read(file)
        self._looked = monotonic()

    @property
    def ring(self) -> KeyRing:
        """The keys that count now. A file that was damaged meanwhile changes nothing until it is well again."""
        if monotonic() - self._looked >= _LOOK_SECONDS:
            self._looked = monotonic()
            if (state := _state(self._file)) != self._seen:
                try:
                    self._ring, self._seen = KeyRing.read(self._file), state
                except RecipeError as error:
                    _log.error("%s", error)
        return self._ring


def add_key(file: Path, name: str, right: Right, collections: tuple[str, ...]) -> str:
    """Make a key, keep its hash, and return it; it cannot be shown again. A running service knows it within a second.

    Raises:
        RecipeError: There is a key of this name, or the file cannot be used.
    """
    keys = _read(file)
    if any(key.name == name for key in keys):
        raise RecipeError(f"there is a key {name!r} already", f"choose another name, or run persrv keys remove {name}")
    made = secrets.token_urlsafe(32)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    _write(file, (*keys, ApiKey(name, right, collections, _digest(made), created)))
    return made


def remove_key(file: Path, name: str) -> None:
    """Take a key away; a running service obeys within a second.

    Raises:
        NotFoundError: There is none of this name.
        RecipeError: The file cannot be used.
    """
    keys = _read(file)
    kept = tuple(key for key in keys if key.name != name)
    if len(kept) == len(keys):
        raise NotFoundError(f"there is no key {name!r}", "see persrv keys list")
    _write(file, kept)


def _state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _read(file: Path) -> tuple[ApiKey, ...]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        keys = tuple(ApiKey(**{**entry, "collections": tuple(entry["collections"])}) for entry in content)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RecipeError(f"{file} is no file of API keys: {error}", "remove it and make the keys anew") from error
    if any(key.right not in RIGHTS for key in keys):
        raise RecipeError(f"{file} holds an unknown right", f"use one of {', '.join(RIGHTS)}")
    return keys


def _write(file: Path, keys: tuple[ApiKey, ...]) -> None:
    content = json.dumps([asdict(key) for key in keys], indent=2)
    beside = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(content)
        beside.replace(file)
    except OSError as error:
        raise RecipeError(f"{file} cannot be written: {error.strerror}", "check the folder's rights") from error
