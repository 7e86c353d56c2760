"""What a collection knows of the people who search it: picks come in, tastes are told, everything can be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

from persrv.catalog import Catalog
from persrv.online.current_version import CurrentVersion
from persrv.online.feedback import learn_pick, write_pick
from persrv.ranking.profile import StyleProfile
from persrv.records import Impression, Interaction, PickKind, StyleSummary


class UserCommands:
    """The part of a :class:`~persrv.online.retriever.Retriever` that is about its users."""

    _catalog: Catalog
    _newest: CurrentVersion

    def record(
        self, user: str, query: str, sticker_id: str, *, kind: PickKind = "pick", time: datetime | None = None
    ) -> StyleProfile:
        """Write down that a user picked a sticker, and move their profile at once.

        The sticker's utility and historical queries follow at the next build.

        Args:
            user: Who; not empty.
            query: What they had typed, ``""`` for none.
            sticker_id: The sticker's id or a unique prefix of it.
            kind: What they did with it.
            time: When, timezone-aware; default now.

        Returns:
            The moved profile.

        Raises:
            NotFoundError: No such sticker.
            QueryError: An empty user, or a time without a zone.
        """
        when = time or datetime.now(UTC)
        sticker = write_pick(self._catalog, user, query, sticker_id, kind, when)
        if sticker is None:
            return self.profile(user)
        return self._newest.ask(lambda version: learn_pick(version, user, sticker, when))

    def profile(self, user: str) -> StyleProfile:
        """Return a user's style profile; one without styles for somebody unknown."""
        return self._newest.ask(lambda version: version.profiles.get(user)[0])

    def styles(self, user: str) -> list[StyleSummary]:
        """Return a user's styles, largest first as the profile lists them, each with the pick that shows it best."""
        profile, likenesses = self._newest.ask(lambda version: version.profiles.get(user))
        return [
            StyleSummary(float(share), likeness.sticker_id, likeness.title)
            for share, likeness in zip(profile.shares, likenesses, strict=True)
        ]

    def picks(self, user: str) -> list[Interaction]:
        """Return a user's interactions by time."""
        return self._catalog.export(user)

    def impressions(self, user: str) -> list[Impression]:
        """Return what a user was shown while two rankings were compared, by time."""
        return list(self._catalog.impressions(user=user))

    def forget(self, user: str) -> int:
        """Delete a user's interactions, impressions and profile; return how many interactions there were.

        The profile is deleted from the newest build, which this goes on to first.

        Raises:
            PersrvError: As :meth:`~persrv.online.retriever.Retriever.refresh`; nothing is deleted then.
        """
        self._newest.refresh()
        self._newest.ask(lambda version: version.profiles.forget(user))
        return self._catalog.forget(user)
