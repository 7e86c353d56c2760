"""What a collection knows of the people who search it: picks come in, tastes are shown, everything can be forgotten."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from persrv.catalog import Catalog, Edit
from persrv.catalog.marks import MARK_KINDS, MarkKind
from persrv.errors import IndexUnreachableError, NotFoundError, QueryError, VectorIndexError
from persrv.online.arguments import LONGEST_QUERY, check_choice, check_query, check_text, check_time
from persrv.online.comparison.serving import Serving
from persrv.online.current_version import CurrentVersion
from persrv.online.feedback import DATED_AHEAD, FORGOTTEN_SINCE, STYLE_FOLLOWS, PickReceipt, learn_pick
from persrv.online.forgetting import forget_user
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
    _may_write: bool = False

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
        self._check_writable()
        now = datetime.now(UTC)
        when, ahead = check_time(time, now)
        name, typed = check_user(user), check_query(query)
        check_choice("kind", kind, PICK_KINDS)
        sticker = self._catalog.find(check_text("sticker", sticker_id, LONGEST_QUERY))
        own_id = None if pick_id is None else check_text("pick_id", pick_id, LONGEST_PICK_ID)
        pick = Interaction(name, typed, sticker, time or now, kind, own_id)
        forgettings = self._catalog.forgettings()
        new = self._catalog.record(pick, made_now=time is None)
        note = DATED_AHEAD if ahead else ""
        if new:
            self._live.soon(sticker)
        try:
            profile = self._learn(name, sticker, when, forgettings) if new else self.profile(name)
        except VectorIndexError:
            # The pick is in the catalog, which is the truth; repeated, it would count twice.
            if new:
                self._live.learn_later(name)
            profile, note = self._newest.version.profiles.known(name), note or STYLE_FOLLOWS
        if not new and (forgotten := self._catalog.forgotten_users([name]).get(name)) and (ahead or forgotten >= when):
            note = FORGOTTEN_SINCE
        return PickReceipt(sticker, profile, new, note)

    def _check_writable(self) -> None:
        """Refuse a key that may only read, once; a server that is away keeps nobody from picking."""
        if self._may_write:
            return
        try:
            self._newest.ask(lambda version: version.users.check_writable())
            self._may_write = True
        except IndexUnreachableError:
            pass

    def _learn(self, user: str, sticker: str, when: datetime, forgettings: int) -> StyleProfile:
        profile = self._newest.ask(lambda version: learn_pick(version, user, sticker, when))
        if self._catalog.forgotten_users([user], since=forgettings):
            # Forgotten between the pick and its style: nothing may come back, but what was picked since counts.
            self._newest.ask(lambda version: version.profiles.forget(user))
            self._live.learn_later(user)
            return self.profile(user)
        return profile

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
        from persrv.indexing.progress import Silent
        from persrv.indexing.users import LATEST, learn_again

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

        with self._live.learning:
            self._newest.ask(drop)
        return self.styles(name)

    def edits(self, user: str) -> list[tuple[str, Edit]]:
        """Return the edits that a user made, each with its sticker's id, oldest first."""
        return self._catalog.edits_by(check_user(user))

    def export(self, user: str) -> dict[str, Any]:
        """Return all that is held of a user, JSON-safe: interactions, impressions, edits, marks, and styles.

        All lists are empty for somebody unknown.
        """
        picks = self.picks(user)
        return {
            "user": check_user(user),
            "picks": len(picks),
            "styles": [asdict(style) for style in self.styles(user)],
            "interactions": [
                {
                    "query": pick.query,
                    "sticker_id": pick.sticker_id,
                    "time": pick.time.isoformat(),
                    "kind": pick.kind,
                    "pick_id": pick.pick_id,
                }
                for pick in picks
            ],
            "impressions": [
                {
                    "experiment": seen.experiment,
                    "settings": seen.settings,
                    "query": seen.query,
                    "time": seen.time.isoformat(),
                    "shown": dict(seen.shown),
                }
                for seen in self.impressions(user)
            ],
            "edits": [
                {
                    "sticker_id": sticker_id,
                    "field": edit.field,
                    "values": None if edit.values is None else list(edit.values),
                    "time": edit.edited_at.isoformat(),
                }
                for sticker_id, edit in self.edits(user)
            ],
            "marks": self.marks(user),
        }

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
        """Delete all that is held of a user; return how many interactions there were.

        That is their interactions and impressions, their name on edits, their profile in every build that is kept, and
        what they typed in the texts of stickers. A keyed mark stays in the catalog, by which a later reading of old
        picks, or a build that runs just now, leaves them out. On a machine's own disk no byte of it is left when this
        returns; a server removes the bytes when it next optimises, PostgreSQL when it reuses the rows' place.

        Raises:
            IndexLockedError: An older build is open elsewhere; nothing is deleted then.
            IndexUnavailableError: The server cannot be reached, or the key may only read; nothing is deleted then.
            PersrvError: What is left is deleted when it is called again.
        """
        name = check_user(user)
        self._newest.refresh()
        self._newest.ask(lambda version: version.users.check_writable())
        with self._live.learning:
            return forget_user(name, self._catalog, self._newest, self._live, self._serving)
