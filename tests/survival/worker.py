"""Uses a collection until it is killed: python worker.py RECIPE HOME SEED FIRST; a line of JSON around each act.

A line ``{"begin": ...}`` says what is about to be done; ``{"done": ...}`` acknowledges it. What was acknowledged must
survive whatever comes. Acts are numbered from FIRST on.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from persrv.catalog.phrases import fold_query
from persrv.offline import build_collection
from persrv.offline.backup import back_up
from persrv.online.retriever import Retriever
from persrv.workspace import Workspace

USERS = ("ann", "bo", "cy", "zoe")
QUERIES = ("cat", "good night", "开心", "brb", "")
MOST_ACTS = 1_000
START = datetime(2026, 3, 1, tzinfo=UTC)


def tell(**line: Any) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def acts(chance: random.Random, ids: list[str], number: int) -> dict[str, Any]:
    kind = chance.choices(("record", "edit", "forget", "build", "backup"), (60, 15, 6, 14, 5))[0]
    if kind == "record":
        query = chance.choice(QUERIES)
        now = datetime.now(UTC).isoformat()
        return {"act": kind, "user": chance.choice(USERS), "query": query, "sticker": chance.choice(ids), "at": now}
    if kind == "edit":
        return {"act": kind, "sticker": chance.choice(ids), "tags": [f"tag{number}", fold_query("Mine")]}
    if kind == "forget":
        return {"act": kind, "user": chance.choice(USERS)}
    return {"act": kind}


def main(recipe: Path, home: Path, seed: int, first: int) -> None:
    chance = random.Random(seed)
    with Workspace.of(recipe, home).existing_catalog() as catalog, Retriever.open(recipe, home=home) as retriever:
        ids = sorted(sticker.id for sticker in catalog.stickers())
        tell(ready=True)
        for step in range(MOST_ACTS):
            act = acts(chance, ids, first + step)
            tell(begin=act)
            if act["act"] == "record":
                when = datetime.fromisoformat(act["at"])
                retriever.record(act["user"], act["query"], act["sticker"], time=when)
            elif act["act"] == "edit":
                catalog.edit(act["sticker"], "tags", act["tags"], "survivor")
            elif act["act"] == "forget":
                retriever.forget(act["user"])
            elif act["act"] == "build":
                build_collection(recipe, home=home)
                retriever.refresh()
            else:
                back_up(recipe, home / "backup.tar", home=home)
            tell(done=act)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
