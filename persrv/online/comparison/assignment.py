"""Which of two rankings a user gets: always the same one, with nothing to store."""

from __future__ import annotations

import hashlib
import json

from persrv.records import Team


def assign(experiment: str, user: str) -> Team:
    """Return a user's side in an experiment: a fair coin by hash, independent from one experiment to another.

    Args:
        experiment: Its name.
        user: Who.
    """
    return "b" if hashlib.sha256(json.dumps([experiment, user]).encode()).digest()[0] & 1 else "a"
