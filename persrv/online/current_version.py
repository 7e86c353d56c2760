"""Keeps a long-lived program on a version that exists, while builds come and old ones go."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Condition, Lock
from typing import TypeVar

from persrv.errors import BuildGoneError, IndexMismatchError
from persrv.online.open_version import KeptVersions, Opener, OpenVersion

_Answer = TypeVar("_Answer")

_PATIENCE = 60.0
"""Seconds for which a version that was replaced may go on being asked."""


@dataclass(slots=True)
class _Lease:
    """A version, how many threads are asking it just now, and whether a newer one has taken its place."""

    version: OpenVersion
    asking: int = 0
    replaced: bool = False


class CurrentVersion:
    """The version that a program works with, replaced by the newest one when it is gone or on demand.

    A question is asked of one version from beginning to end. A replaced version is closed when nobody asks it any
    more. Safe for several threads.

    Args:
        opener: Opens versions.

    Raises:
        PersrvError: As :meth:`persrv.online.open_version.Opener.open`.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._held = _Lease(opener.open())
        self._counting = Condition()
        self._leaving = 0
        self._opening = Lock()

    @property
    def version(self) -> OpenVersion:
        """The version that is open now; what is to be asked of it goes through :meth:`ask`."""
        return self._held.version

    def ask(self, question: Callable[[OpenVersion], _Answer]) -> _Answer:
        """Return a version's answer; if the version is gone, go on to the newest one and ask that.

        Args:
            question: Asked again from its beginning where its version is gone.

        Raises:
            BuildGoneError: The version is gone, and no other one took its place.
            IndexMismatchError: One did, but other settings built it.
            PersrvError: What the question raises, and the other errors of
                :meth:`persrv.online.open_version.Opener.open`.
        """
        while True:
            with self._asking() as version:
                try:
                    return question(version)
                except BuildGoneError:
                    if not self._replace(version):
                        raise

    def refresh(self) -> bool:
        """Go on to the newest version; return whether it is another one than before.

        Raises:
            PersrvError: As :meth:`persrv.online.open_version.Opener.open`; the version that is open stays in use.
        """
        with self._opening:
            if self._opener.current() == self.version.manifest.build:
                return False
            self._hold(self._open())
            return True

    def builds(self) -> set[str]:
        """Return the builds of all published versions that are there."""
        return self._opener.builds()

    def others(self, clean: Container[str] = (), *, users_only: bool = False) -> AbstractContextManager[KeptVersions]:
        """Open what is kept for a rollback, see :meth:`persrv.online.open_version.Opener.others`.

        A version that was replaced a moment ago may still be asked, and is open here until it is not.
        """
        with self._counting:
            self._counting.wait_for(lambda: not self._leaving, _PATIENCE)
        return self._opener.others(clean, users_only=users_only)

    @contextmanager
    def _asking(self) -> Iterator[OpenVersion]:
        with self._counting:
            held = self._held
            held.asking += 1
        try:
            yield held.version
        finally:
            with self._counting:
                held.asking -= 1
                unused = held.replaced and not held.asking
            if unused:
                self._let_go(held)

    def _replace(self, gone: OpenVersion) -> bool:
        with self._opening:
            # Many threads may find the same version gone; the first one opens the next.
            if self.version is gone:
                newest = self._open()
                if newest.builds == gone.builds:
                    newest.close()
                    return False
                self._hold(newest)
            return True

    def _hold(self, version: OpenVersion) -> None:
        with self._counting:
            before, self._held = self._held, _Lease(version)
            before.replaced = True
            self._leaving += 1
            unused = not before.asking
        if unused:
            self._let_go(before)

    def _let_go(self, lease: _Lease) -> None:
        try:
            lease.version.close()
        finally:
            with self._counting:
                self._leaving -= 1
                self._counting.notify_all()

    def _open(self) -> OpenVersion:
        try:
            return self._opener.open()
        except IndexMismatchError as error:
            raise IndexMismatchError(
                f"a newer build cannot be used: {error.problem}",
                "open the collection again with the recipe that it was built by, or build it with the one in use",
            ) from error
