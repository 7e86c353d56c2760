"""Describing by repeating what the source says: no model, nothing invented."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from persrv.reading import emotions
from persrv.reading.describe.cleaning import one_line, shortened
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.parsing import LONGEST_DESCRIPTION
from persrv.records import Semantics, Skipped

_VERSION = "1"
_TAGS = 6
"""Tags that go into the description: it is for people, and the tags are searched as they are."""


class LabelsDescriber:
    """Says of a sticker what its name, tags, emoji and text say already, and which emotions are among them."""

    @property
    def name(self) -> str:
        """``"labels"``."""
        return "labels"

    @property
    def revision(self) -> str:
        """Changes with these rules and with the vocabulary of emotions."""
        return hashlib.sha256(f"{_VERSION} {emotions.emotions_revision()}".encode()).hexdigest()[:8]

    def describe(self, subjects: Sequence[Subject]) -> list[Description | Skipped]:
        """Return a description of every subject that has a name, a tag or an emoji.

        ``description`` is the first name and the first tags; ``keywords`` stay empty, since the labels are searched in
        their own fields; ``emotions`` are ordered by how many labels name them.
        """
        return [_describe(subject) for subject in subjects]


def _describe(subject: Subject) -> Description | Skipped:
    known = subject.semantics
    labels = (*known.name, *known.tags, *known.emoji, *known.emotions)
    if not labels:
        return Skipped(subject.sticker_id, "its source gives it no name, tag or emoji")
    # Counter keeps the order of first occurrence among equals.
    named = Counter(emotion for label in labels for emotion in emotions.canonical([label]))
    return Description(_sentence(known), (), tuple(emotion for emotion, _ in named.most_common()))


def _sentence(known: Semantics) -> str:
    names, tags = [one_line(name) for name in known.name[:1]], [one_line(tag) for tag in known.tags]
    fresh = [tag for tag in dict.fromkeys(tags) if tag and tag.casefold() not in {name.casefold() for name in names}]
    parts = [*names, ", ".join(fresh[:_TAGS])]
    return shortened(": ".join(part for part in parts if part), LONGEST_DESCRIPTION)
