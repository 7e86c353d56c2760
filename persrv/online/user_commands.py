"""What a collection knows of the people who search it: picks come in, tastes are told, everything can be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

from persrv.catalog import Catalog
from persrv.catalog.marks import MARK_KINDS, MarkKind
from persrv.errors import NotFoundError, QueryError
from persrv.indexing.progress import Silent
from persrv.indexing.users import LATEST, learn_again
from persrv.online.arguments import LONGEST_QUERY, check_choice, check_query, check_text, check_time
from persrv.online.comparison.serving import Serving
from persrv.online.current_version import CurrentVersion
from persrv.online.feedback import DATED_AHEAD, FORGOTTEN_SINCE, PickReceipt, learn_pick
from persrv.online.live_index import LiveIndex
from persrv.online.open_version import OpenVersion
from persrv.online.taste_map import TasteMap, taste_map
from persrv.ranking.profile import StyleProfile
from persrv.recipe import Recipe
from persrv.records import PICK_KINDS, Impression, Interaction, PickKind, StyleSummary, check_user

LONGEST_PICK_ID = 200
"""Characters of a caller's id of a pick."""


class UserCommands:
    """The part of a :class:`~persrv.online.retriever.Retriever` that is about its users."""

    recipe: Recipe
    _catalog: Catalog
    _newest: CurrentVersion
    _serving: Serving | None
    _live: LiveIndex

    def record(
        self,
        user: str,
        query: str,
        sticker_id: str,
        *,
        kind: PickKind = "pick",
        time: datetime | None = None,
        pick_id: str | None = None,
    ) -> PickReceipt:
        """Write down that a user picked a sticker, and move their profile at once.

        The catalog is the truth: what it took counts, once. Where the index cannot be written meanwhile, the receipt
        says that the style follows. The sticker's utility and historical queries follow within a second.

        Args:
            user: Who, see :func:`persrv.records.check_user`.
            query: What they had typed, ``""`` for none.
            sticker_id: The sticker's id or a unique prefix of it.
            kind: What they did with it.
            time: When, timezone-aware; default now. A time more than a day ahead counts as now, and the receipt says
                so.
            pick_id: Your own id of the pick, unique among the user's, at most 200 characters: then a call may be
                repeated, such as after an answer that never came, and the pick counts once.

        Returns:
            What became of the pick, with the moved profile.

        Raises:
            NotFoundError: No such sticker.
            QueryError: A user, query, kind, time or id that cannot be.
            IndexUnavailableError: The key may only read; nothing is stored then.
            CatalogError: The pick cannot be stored.
        """
        now = datetime.now(UTC)
        when, ahead = check_time(time, now)
        name, typed = check_user(user), check_query(query)
        check_choice("kind", kind, PICK_KINDS)
        sticker = self._catalog.find(check_text("sticker", sticker_id, LONGEST_QUERY))
        own_id = None if pick_id is None else check_text("pick_id", pick_id, LONGEST_PICK_ID)
        new = self._catalog.record(Interaction(name, typed, sticker, time or now, kind, own_id))
        if new:
            self._live.soon(sticker)
        profile = (
            self._newest.ask(lambda version: learn_pick(version, name, sticker, when)) if new else self.profile(name)
        )
        note = DATED_AHEAD if ahead else ""
        if not new and (forgotten := self._catalog.forgotten_users([name]).get(name)) and (ahead or forgotten >= when):
            note = FORGOTTEN_SINCE
        return PickReceipt(sticker, profile, new, note)

    def profile(self, user: str) -> StyleProfile:
        """Return a user's style profile; one without styles for somebody unknown."""
        name = check_user(user)
        return self._newest.ask(lambda version: version.profiles.get(name)[0])

    def styles(self, user: str) -> list[StyleSummary]:
        """Return a user's styles, largest first as the profile lists them, each with the pick that shows it best."""
        name = check_user(user)
        profile, likenesses = self._newest.ask(lambda version: version.profiles.get(name))
        return [
            StyleSummary(float(share), likeness.sticker_id, likeness.title)
            for share, likeness in zip(profile.shares, likenesses, strict=True)
        ]

    def taste_map(self, user: str, most: int = 150) -> TasteMap:
        """Return a user's latest stickers on a plane, those drawn alike together, with their styles.

        Args:
            user: Whose taste.
            most: Most stickers, 1 to 1000.

        Raises:
            QueryError: A user or number that cannot be.
        """
        name = check_user(user)
        if not 1 <= most <= 1000:
            raise QueryError(f"most {most!r:.60} is not between 1 and 1000", "give a number in that range")
        own = self._catalog.recent(name, most)
        return self._newest.ask(lambda version: taste_map(version, name, own))

    def drop_style(self, user: str, number: int) -> list[StyleSummary]:
        """Take one style out of a user's taste; no later build brings it back.

        The picks stay, and count for everybody else's utility. Those that belong to the style shape no style of this
        user any more, and the others are clustered anew.

        Args:
            user: Whose.
            number: The style's place among :meth:`styles`, from 0.

        Returns:
            The styles that are left.

        Raises:
            NotFoundError: The user has no such style.
        """
        name = check_user(user)
        own = self._catalog.recent(name, LATEST)

        def drop(version: OpenVersion) -> None:
            found = taste_map(version, name, own)
            if not 0 <= number < len(found.styles):
                raise NotFoundError(f"{name} has no style {number}", f"they have {len(found.styles)}, counted from 0")
            unlike = [point.sticker_id for point in found.points if point.style == number]
            self._catalog.put_marks(name, unlike, "not_my_style")
            learn_again(self._catalog, version.stickers, version.users, [name], self.recipe.style, Silent())
            version.profiles.reread(name)

        self._newest.ask(drop)
        return self.styles(name)

    def picks(self, user: str) -> list[Interaction]:
        """Return a user's interactions by time."""
        return self._catalog.export(check_user(user))

    def marks(self, user: str) -> dict[MarkKind, list[str]]:
        """Return what a user set apart: kind of mark to ids of stickers, the last first; no kinds without any."""
        found = {kind: self._catalog.marked(user, kind) for kind in MARK_KINDS}
        return {kind: ids for kind, ids in found.items() if ids}

    def impressions(self, user: str) -> list[Impression]:
        """Return what a user was shown while two rankings were compared, by time."""
        name = check_user(user)
        if self._serving is not None:
            self._serving.log.settle()
        return list(self._catalog.impressions(user=name))

    def forget(self, user: str) -> int:
        """Delete a user's interactions, impressions and profile; return how many interactions there were.

        The profile is deleted from the newest build, which this goes on to first.

        Raises:
            PersrvError: As :meth:`~persrv.online.retriever.Retriever.refresh`; nothing is deleted then.
        """
        name = check_user(user)
        self._newest.refresh()
        if self._serving is not None:
            self._serving.log.drop(name)
        self._newest.ask(lambda version: version.profiles.forget(name))
        return self._catalog.forget(name)
