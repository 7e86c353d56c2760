"""Gives hostile input to whatever reads something of others: pictures, archives, recipes, texts, tables, backups, HTTP.

An input that brings an answer of a new kind (another error, another shape of a result) is kept and changed further, so
that the inputs grow towards what was not seen yet. Each batch runs in a child process without rights, with bounds on
its memory and on the time of each input, and can write to a folder of its own alone.
"""

from __future__ import annotations

import base64
import faulthandler
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from confinement import confine
from hostile_inputs import changed, seeds

from benchmarks.hostile import run as run_sources
from persrv.errors import PersrvError
from persrv.images.decode import facts, open_picture
from persrv.offline.restore import restore
from persrv.offline.sources.protobuf import BrokenMessageError, read_message
from persrv.online.cursor import Cursor
from persrv.recipe import Recipe
from persrv.text import tokenize
from persrv.text.privacy import looks_private
from persrv.text.query_forms import take_apart
from persrv.text.tokenizer import pieces
from tiny_collection import Tiny, write_collection

BATCH = 250
SLOW_SECONDS = 5.0
"""Most processor time for one input: what else the machine does meanwhile is no fault of the input."""

PATIENCE_SECONDS = 60
"""Longest time for one input, after which the child is ended: it waits for something that never comes."""

MEMORY = 3 << 30
"""Address space of a child beyond what it has when it begins, in bytes."""

KEPT = 200
"""Inputs of each target that are kept to be changed further."""

Target = Callable[[bytes, Path], object]


@dataclass
class Report:
    """What came of all inputs.

    Attributes:
        inputs: How many each target had.
        kinds: How many kinds of answers each gave.
        faults: What must not be, with the target, the seed and the input's beginning.
        slowest: Most processor time of one input of each target, in seconds.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)


def _picture(data: bytes, folder: Path) -> object:
    about = facts(data)
    return about.format, len(open_picture(data).frames)


def _recipe(data: bytes, folder: Path) -> object:
    file = folder / "recipe.toml"
    file.write_bytes(data)
    return type(Recipe.read(file)).__name__


def _text(data: bytes, folder: Path) -> object:
    text = data.decode("utf-8", "surrogateescape")
    found = tokenize(text)
    assert len(found) <= 8 * len(text) + 8, "more words than letters"
    kinds = sorted({piece.kind for piece in pieces(text)})
    return kinds, bool(take_apart(text).unwanted), looks_private(text), min(len(found), 3)


def _cursor(data: bytes, folder: Path) -> object:
    text = base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
    found = Cursor.decode(text, data[1:9])
    assert len(found.encode()) <= len(text), "a cursor grows"
    return len(found.shown), len(found.coming)


def _protobuf(data: bytes, folder: Path) -> object:
    with suppress(BrokenMessageError):
        return type(read_message(data)).__name__


def _backup(data: bytes, folder: Path) -> object:
    file, home = folder / "in.tar", folder / "home"
    file.write_bytes(data)
    shutil.rmtree(home, ignore_errors=True)
    try:
        return restore(file, home=home)[0].name[:1]
    finally:
        outside = [path.name for path in folder.iterdir() if path not in (file, home)]
        assert not outside, f"wrote {outside[:3]} outside of its folder"


def _sources(data: bytes, folder: Path) -> object:
    sandbox = folder / "sandbox"
    shutil.rmtree(sandbox, ignore_errors=True)
    sandbox.mkdir()
    outcome = run_sources(1, int.from_bytes(hashlib.sha256(data).digest()[:6], "big"), sandbox)
    assert not outcome.failures, outcome.failures[0]
    return tuple(outcome.refused) or outcome.read


def _http(data: bytes, folder: Path) -> object:
    client = _service(folder)
    chance = random.Random(data)
    path = chance.choice(_PATHS) + chance.choice(("", "/", "?", "?q=", "?limit=", "?cursor=", "/%2e%2e/", "/../"))
    text = data[:300].decode("latin-1")
    body = data if chance.random() < 0.5 else json.dumps({"query": text, "limit": text, "user": text}).encode()
    kind = chance.choice(("application/json", "text/plain", "multipart/form-data; boundary=x", "image/png"))
    method = chance.choice(("GET", "POST", "PUT", "DELETE", "PATCH"))
    answer = client.request(method, path + quote(text), content=body, headers={"content-type": kind})
    assert answer.status_code < 500, f"{method} {path} gives {answer.status_code}: {answer.text[:200]}"
    return method, path, answer.status_code


_PATHS = (
    "/v1/search",
    "/v1/stickers",
    "/v1/users/ann",
    "/v1/users/ann/picks",
    "/search",
    "/healthz",
    "/v2/search",
    "/",
)


@cache
def _service(folder: Path) -> Any:
    """Serve a copy of the built collection, which the inputs may change."""
    from fastapi.testclient import TestClient

    from persrv.serve.app import create_app
    from persrv.serve.settings import ServeSettings

    built = folder.with_name("built")
    served = Tiny(built / "tiny.toml", built / "home").copied(folder / "service")
    settings = ServeSettings(collections=(str(served.file),), home=served.home, rate=0)
    return TestClient(create_app(settings), base_url="http://127.0.0.1", raise_server_exceptions=False).__enter__()


def _build(built: Path) -> None:
    """Build the collection that is served in a process of its own, so that no thread of the engine is forked later."""
    if not (child := os.fork()):
        code = 1
        try:
            from persrv.offline import build_collection

            build_collection(write_collection(built), home=built / "home")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0, "the collection that is to be served cannot be built"


TARGETS: dict[str, Target] = {
    "pictures": _picture,
    "recipes": _recipe,
    "texts": _text,
    "cursors": _cursor,
    "protobuf": _protobuf,
    "backups": _backup,
    "archives and loaders": _sources,
    "http": _http,
}
"""What is tried, by name."""

SHARES = {"pictures": 30, "texts": 20, "recipes": 12, "backups": 10, "archives and loaders": 4, "http": 6, "cursors": 9}
"""Inputs of each target among a hundred; 10 where it is not named."""


def fuzz(name: str, inputs: int, seed: int, folder: Path, report: Report) -> None:
    """Give hostile inputs to one target.

    Args:
        name: One of :data:`TARGETS`.
        inputs: How many.
        seed: Decides all of them.
        folder: For what is written; removed by the caller.
        report: What came of it is added here.
    """
    corpus, known = list(seeds(name)), set[str]()
    if TARGETS[name] is _http and not (built := folder / "built").exists():
        _build(built)
    done = 0
    while done < inputs:
        batch = min(BATCH, inputs - done)
        answers = _in_child(name, batch, f"{seed}:{name}:{done}", corpus, folder)
        for answer in answers:
            if "fault" in answer:
                report.faults.append(f"{name}: {answer['fault']} | input {answer['input']}")
            if answer["kind"] not in known:
                known.add(answer["kind"])
                if len(corpus) < KEPT:
                    corpus.append(bytes.fromhex(answer["input"]))
            report.slowest[name] = max(report.slowest.get(name, 0.0), answer["seconds"])
        done += batch
        report.inputs[name] += len(answers)
    report.kinds[name] = len(known)


def _in_child(name: str, batch: int, seed: str, corpus: list[bytes], folder: Path) -> list[dict[str, Any]]:
    """Run one batch without rights; an input that ends the child is a fault, and the rest of the batch is left out."""
    place = Path(tempfile.mkdtemp(prefix="fuzz-", dir=folder))
    place.chmod(0o777)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            try:
                _bounded(place)
                _work(name, batch, random.Random(seed), corpus, place, out)
            except BaseException:
                traceback.print_exc()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answered:
        lines = [line for line in answered if line.endswith("\n")]
    _, status = os.waitpid(child, 0)
    shutil.rmtree(place, ignore_errors=True)
    answers = [json.loads(line) for line in lines]
    started = [answer["started"] for answer in answers if "started" in answer]
    finished = [answer for answer in answers if "kind" in answer]
    if len(started) > len(finished):
        signalled = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status}"
        fault = f"the process ended by {signalled}"
        finished.append({"kind": fault, "fault": fault, "input": started[-1], "seconds": 0.0})
    return finished


def _bounded(place: Path) -> None:
    """Give up every right to write elsewhere, and bound memory."""
    confine(place)
    os.environ["TMPDIR"] = os.environ["HOME"] = str(place)
    tempfile.tempdir = str(place)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    faulthandler.disable()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def _work(name: str, batch: int, chance: random.Random, corpus: list[bytes], place: Path, out: Any) -> None:
    target = TARGETS[name]
    if target is _http:
        _service(place)
    for _ in range(batch):
        data = changed(chance.choice(corpus), corpus, chance)
        out.write(json.dumps({"started": data.hex()}) + "\n")
        out.flush()
        signal.alarm(PATIENCE_SECONDS)
        began = time.process_time()
        answer: dict[str, Any] = {"input": data.hex()}
        try:
            answer["kind"] = repr(target(data, place))[:200]
        except PersrvError as error:
            problem = re.sub(r"'[^']*'|\"[^\"]*\"|[\d.]+|/\S+", "#", error.problem)
            answer["kind"] = f"{type(error).__name__} {' '.join(problem.split())[:80]}"
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            answer["kind"] = answer["fault"] = f"{type(error).__name__}: {error} in {where.filename}:{where.lineno}"[
                :300
            ]
        answer["seconds"] = time.process_time() - began
        if answer["seconds"] > SLOW_SECONDS:
            answer["fault"] = f"took {answer['seconds']:.1f} s"
        signal.alarm(0)
        out.write(json.dumps(answer) + "\n")
        out.flush()
