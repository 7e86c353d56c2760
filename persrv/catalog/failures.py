"""Says in plain words what a database complained about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from persrv.errors import CatalogError, PersrvError

_MENDED = "run persrv repair, or put a backup in its place with persrv restore"

_COMPLAINTS = (
    # what the driver's text contains, the problem, the next step
    ("is locked", "is locked by another process", "let its writer finish, or stop it, and try again"),
    ("readonly database", "cannot be written", "make the file and its folder writable"),
    ("unable to open database file", "cannot be opened", "check that its folder exists and may be read and written"),
    ("file is not a database", "is not an SQLite database", f"give the path of a catalog, or {_MENDED}"),
    ("malformed", "is damaged", _MENDED),
    ("disk i/o error", "cannot be read or written", "look whether the disk is full or fails, and try again"),
    ("disk is full", "has no space left to write to", "free some space and try again"),
    ("password authentication failed", "refuses this user or password", "correct both in the catalog's URL"),
    ("no password supplied", "wants a password", "put user and password into the catalog's URL, or use ~/.pgpass"),
    ("does not exist", "lacks this database, user or table", "create it, or correct the catalog's URL"),
    ("permission denied", "refuses this user", "grant the user the rights to create, read and write tables"),
    ("connection failed", "cannot be reached", "start PostgreSQL, or correct the catalog's URL"),
    ("connection is bad", "cannot be reached", "start PostgreSQL, or correct the catalog's URL"),
    ("failed to resolve host", "cannot be reached", "correct the host in the catalog's URL"),
    ("connection timeout", "does not answer", "check the network, or correct the catalog's URL"),
)


def printable_url(url: URL) -> str:
    """Return the URL as it may be printed: without its password, wherever it stands."""
    hidden = url.update_query_dict({"password": "***"}) if "password" in url.query else url
    return hidden.render_as_string(hide_password=True)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn SQLAlchemy's errors into :class:`~persrv.errors.CatalogError`.

    Args:
        name: The database's URL as it may be printed.
    """
    try:
        yield
    except StatementError as error:
        if isinstance(error.orig, PersrvError):
            raise error.orig from error
        raise failure(error, name) from error
    except SQLAlchemyError as error:
        raise failure(error, name) from error


def failure(error: Exception, name: str) -> CatalogError:
    """Return what SQLAlchemy's or a driver's error means.

    Args:
        error: Its own.
        name: The database's URL as it may be printed.
    """
    text = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    for sign, problem, next_step in _COMPLAINTS:
        if sign in text.lower():
            return CatalogError(f"the catalog {name} {problem}: {text.splitlines()[0]}", next_step)
    first = text.splitlines()[0] if text else type(error).__name__
    return CatalogError(f"the catalog {name} failed: {first}", "correct the cause and try again")
