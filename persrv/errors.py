"""The tree of errors.

::

    PersrvError
    ├── RecipeError            a recipe or setting says something impossible
    ├── SourceError            a loader or its input cannot be used
    ├── PictureError           one picture cannot be used (a batch reports it and goes on)
    ├── CatalogError           the SQL database
    ├── NotFoundError          a sticker, user or collection that is not there
    │   └── BuildGoneError         a build that was removed after newer ones took its place
    ├── QueryError             a search asks for something impossible
    │   └── QueryLimitError        the server answers with fewer points at a time
    ├── MissingExtraError      an optional package is not installed
    ├── MissingLibraryError    a library of the operating system is not installed
    ├── AccessError            a service's key is missing, wrong, or not for this
    │   └── RateLimitError         too many requests with one key or from one address
    ├── ServiceError           a running service cannot be reached, or answers with what is no answer
    └── VectorIndexError       the vector index
        ├── IndexLockedError       another process owns an embedded index
        ├── IndexMismatchError     the index was built by other settings than asked for
        ├── IndexUnavailableError  the server refuses, is too old, or cannot be reached
        │   └── IndexUnreachableError  it gave no answer, and may give one later
        └── RequestTooLargeError   the server takes smaller requests only

Each error's text says what is wrong, with the offending value, and then what to do next. Errors of third-party
packages never leave this package: they are wrapped in one of these, with the original as ``__cause__``.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class PersrvError(Exception):
    """Base of every error that persrv raises on purpose.

    Args:
        problem: What is wrong, naming the file, field or value.
        next_step: What to do about it, as an order: ``"run persrv build -c emoji"``.
    """

    exit_code = 1

    def __init__(self, problem: str, next_step: str) -> None:
        self.problem = problem
        self.next_step = next_step
        super().__init__(f"{problem}; {next_step}")

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception's own way calls the class with its text alone, and could not come back from another process.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class RecipeError(PersrvError):
    """A recipe or a setting says something impossible."""

    exit_code = 3


class SourceError(PersrvError):
    """A loader, or what it should read, cannot be used."""

    exit_code = 4


class PictureError(PersrvError):
    """One picture cannot be used."""

    exit_code = 4


class CatalogError(PersrvError):
    """The catalog's database cannot be used."""

    exit_code = 5


class NotFoundError(PersrvError):
    """A sticker, user or collection that is not there."""

    exit_code = 6


class BuildGoneError(NotFoundError):
    """A build that was removed after newer ones took its place: its index on a server, or its words in the catalog."""


class QueryError(PersrvError):
    """A search asks for something impossible."""

    exit_code = 2


class QueryLimitError(QueryError):
    """The server answers with fewer points at a time than were asked for."""

    def __init__(self, problem: str, next_step: str, allowed: int = 1) -> None:
        super().__init__(problem, next_step)
        self.allowed = allowed


class MissingExtraError(PersrvError):
    """An optional package is not installed."""

    exit_code = 3

    def __init__(self, purpose: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{purpose} needs packages that are not installed", f'run pip install "persrv[{extra}]"')


class MissingLibraryError(PersrvError):
    """A library of the operating system, which a package needs, is not installed."""

    exit_code = 3


class AccessError(PersrvError):
    """A service's key is missing, wrong, or not for what was asked."""

    exit_code = 9


class RateLimitError(AccessError):
    """Too many requests with one key, or from one address."""


class ServiceError(PersrvError):
    """A running service cannot be reached, or answers with what is no answer."""

    exit_code = 10


class VectorIndexError(PersrvError):
    """The vector index cannot be used."""

    exit_code = 7


class IndexLockedError(VectorIndexError):
    """Another process owns this embedded index."""


class IndexMismatchError(VectorIndexError):
    """The index was built by other settings than the recipe and this version ask for."""


class IndexUnavailableError(VectorIndexError):
    """The server refuses, is of an unsupported version, or cannot be reached."""


class IndexUnreachableError(IndexUnavailableError):
    """The server gave no answer, or said that it cannot now: the same may succeed later."""


class RequestTooLargeError(VectorIndexError):
    """The server, or a proxy before it, takes smaller requests only."""


@contextmanager
def writing(what: object) -> Iterator[None]:
    """Name what a full, failing or read-only disk refuses to the block.

    Args:
        what: The file or folder that is written.

    Raises:
        CatalogError: In place of the disk's ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise CatalogError(
            f"{what} cannot be written: {error}", "make room, look after the disk, and run it again"
        ) from error
