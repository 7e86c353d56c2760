"""The engine ``ray`` on a real cluster of this machine: it must end with what the engine ``local`` ends with."""

from __future__ import annotations

import logging
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import persrv.errors
from built_collection import everything
from persrv.cli import app
from persrv.errors import MissingExtraError, PersrvError, QueryError, RecipeError
from persrv.offline import BuildReport, build_collection
from persrv.offline.engines import RayEngine
from persrv.offline.engines.ray_worker import RayWorker
from persrv.offline.stage import Item
from persrv.offline.working import outcomes
from persrv.records import Semantics, Skipped, Sticker
from persrv.workspace import Workspace
from tiny_collection import write_collection

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Ray on Windows is a beta"),
    # Ray Data warns of its own settings when it is first used.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context"),
]

READERS = '[image]\nbatch = 4\n[ocr]\nengine = "rapidocr"\n[describe]\nengine = "labels"\nbatch = 4\n'

KILLED = """
import sys
from contextlib import contextmanager
from pathlib import Path
from persrv.offline import build_collection

class Lines:
    @contextmanager
    def stage(self, name, total):
        yield lambda done: print(name, flush=True)

build_collection(sys.argv[1], home=Path(sys.argv[2]), engine="ray", progress=Lines())
"""


STAGES = {"reading stickers", "reading picks", "looking at pictures", "reading text", "describing"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def recipe(module_folder: Path) -> Path:
    """A collection whose readers are on; after it was taken in, one of its pictures became unreadable."""
    file = write_collection(module_folder / "x")
    file.write_text(file.read_text() + READERS)
    return file


@pytest.fixture(scope="module")
def calm(recipe: Path) -> tuple[BuildReport, Path]:
    """What the engine ``local`` makes of it."""
    home = recipe.parent / "calm"
    return build_then_break(recipe, home, "local"), home


def build_then_break(file: Path, home: Path, engine: str) -> BuildReport:
    """Take a collection in, make one picture unreadable and one unlike itself, and build the rest."""
    build_collection(file, home=home, only=["ingest"])
    broken, missing = (file.parent / "stickers" / "flat" / name for name in ("cat.png", "dog.png"))
    kept = broken.read_bytes(), missing.read_bytes()
    try:
        broken.write_bytes(kept[0][: len(kept[0]) // 2])
        missing.unlink()
        return build_collection(file, home=home, only=["look", "ocr", "describe", "index"], engine=engine)
    finally:
        broken.write_bytes(kept[0])
        missing.write_bytes(kept[1])


def test_both_engines_end_with_the_same(recipe: Path, calm: tuple[BuildReport, Path], cluster: None) -> None:
    report, home = build_then_break(recipe, recipe.parent / "many", "ray"), recipe.parent / "many"
    assert [(stage.name, stage.missing, stage.done) for stage in report.stages] == [
        ("look", 30, 28),
        ("ocr", 30, 28),
        ("describe", 30, 28),
    ]
    assert report.skipped == calm[0].skipped
    assert {Path(item.key).name for item in report.skipped} == {"cat.png", "dog.png"}
    assert everything(recipe, home) == everything(recipe, calm[1])
    assert ray.is_initialized(), "a cluster that was there before must stay"
    again = build_collection(recipe, home=home, only=["look"], engine="ray")
    assert [(stage.missing, stage.done) for stage in again.stages] == [(2, 2)]
    assert again.skipped == ()


def test_another_model_on_a_worker_stops_the_build(
    recipe: Path, cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persrv.images.statistics.StatisticsEncoder.revision", "0")
    with pytest.raises(RecipeError, match=r"a worker of the cluster has the model statistics@2.*same packages"):
        build_collection(recipe, home=tmp_path, only=["ingest", "look"], limit=4, engine="ray")


def test_a_cluster_without_room_is_not_waited_for(recipe: Path, cluster: None, tmp_path: Path) -> None:
    for engine in (RayEngine(workers=3), RayEngine(gpus=1)):
        with pytest.raises(QueryError, match="the cluster has 2 CPUs and 0 GPUs: too few"):
            build_collection(recipe, home=tmp_path, engine=engine)


def test_a_fault_of_a_worker_is_told_in_one_line(recipe: Path, cluster: None, tmp_path: Path) -> None:
    stickers = [Sticker("0" * 32, None, "", 0, 0, 0, (), Semantics(), "", "", "")]
    with Workspace.of(recipe, tmp_path).catalog():
        pass
    engine = RayEngine(workers=1)

    class Unpicklable:
        name, model = "look", "x"

        def __reduce__(self) -> tuple[object, ...]:
            return pickle.loads, (b"no pickle",)

    stage = Unpicklable()
    stage.model = Unpicklable()  # type: ignore[assignment]
    with pytest.raises(PersrvError, match=r"the Ray cluster failed: .*; look into Ray's logs"):
        list(engine.outcomes(stage, Workspace.of(recipe, tmp_path), [(0, stickers)]))  # type: ignore[arg-type]


def test_killed_in_the_midst_it_ends_with_the_same(recipe: Path, calm: tuple[BuildReport, Path], cluster: None) -> None:
    build_collection(recipe, home=calm[1], rebuild=True)
    wild, chance = recipe.parent / "wild", random.Random(0)
    there = {"RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    # A build that starts a cluster of its own, and one on a cluster that others use.
    for stage, batches, environment in (("looking at pictures", chance.randint(1, 6), {}), ("reading text", 1, there)):
        command = [sys.executable, "-c", KILLED, str(recipe), str(wild)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
        )
        assert process.stdout is not None
        lines: list[str] = []
        while lines.count(stage) < batches and (line := process.stdout.readline()):
            lines.append(line.rstrip())
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        rest, faults = process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert faults == "", "Ray must not speak between the lines of progress"
        assert {*lines, *rest.splitlines()} <= STAGES
    assert build_collection(recipe, home=wild, rebuild=True).skipped == ()
    assert everything(recipe, wild) == everything(recipe, calm[1])


def test_a_worker_answers_with_outcomes_or_with_the_error(recipe: Path) -> None:
    from persrv.offline.readers import open_readers

    workspace = Workspace.of(recipe, recipe.parent / "worker")
    with open_readers(workspace) as readers:
        look = readers.stages[0]
    path = recipe.parent / "stickers" / "line" / "cat.png"
    known = [Sticker(f"{number:032x}", path, "png", 64, 64, 1, (), Semantics(), "", "", "") for number in range(3)]
    row = pickle.dumps([(7, known[:2]), (9, known[2:])])
    (answer,) = RayWorker(workspace, "look", look.model)({"batches": [row]})["outcomes"]
    first, second = pickle.loads(answer)
    assert (first.batch, [name for name, _ in first.results], first.skipped) == (7, [s.id for s in known[:2]], ())
    assert (second.batch, second.stickers) == (9, 1)
    (answer,) = RayWorker(workspace, "look", "another")({"batches": [row]})["outcomes"]
    assert isinstance(pickle.loads(answer), RecipeError)


@given(sizes=st.lists(st.integers(0, 4), max_size=6), faults=st.sets(st.integers(0, 24)))
def test_every_sticker_of_every_batch_comes_back_once_and_in_order(sizes: list[int], faults: set[int]) -> None:
    numbers = iter(range(100))
    batches = [
        (i, [Sticker(f"{next(numbers):032x}", None, "", 0, 0, 0, (), Semantics(), "", "", "") for _ in range(size)])
        for i, size in enumerate(sizes)
    ]

    class Odd:
        model = "odd"

        def work(self, items: list[Item]) -> list[str | Skipped]:
            return [
                Skipped(item.sticker_id, "odd") if int(item.sticker_id, 16) in faults else item.sticker_id[::-1]
                for item in items
            ]

    found = list(outcomes(Odd(), batches))  # type: ignore[arg-type]
    assert [outcome.batch for outcome in found] == list(range(len(sizes)))
    for (_, stickers), outcome in zip(batches, found, strict=True):
        good = [s.id for s in stickers if int(s.id, 16) not in faults]
        assert outcome.results == tuple((name, name[::-1]) for name in good)
        assert [item.key for item in outcome.skipped] == [s.id for s in stickers if s.id not in good]
        assert outcome.stickers == len(stickers)


def test_errors_come_back_from_another_process() -> None:
    kinds = [kind for kind in vars(persrv.errors).values() if isinstance(kind, type) and issubclass(kind, PersrvError)]
    assert len(kinds) > 10
    for kind in kinds:
        error = kind("a", "b")
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back), vars(back)) == (kind, str(error), vars(error))


@pytest.mark.parametrize(("workers", "gpus"), [(0, 0.0), (-1, 0.0), (1, -0.5), (1, float("nan")), (1, float("inf"))])
def test_impossible_settings(workers: int, gpus: float) -> None:
    with pytest.raises(QueryError):
        RayEngine(workers, gpus)


def test_the_command_names_what_is_wrong(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = ["build", str(recipe)]
    result = CliRunner().invoke(app, [*build, "--engine", "spark"])
    assert (result.exit_code, "use one of local, ray" in result.output) == (2, True)
    result = CliRunner().invoke(app, [*build, "--gpus", "1"])
    assert (result.exit_code, "add --engine ray" in result.output) == (2, True)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError):
        build_collection(recipe, engine="ray")
    result = CliRunner().invoke(app, [*build, "--engine", "ray"])
    assert (result.exit_code, 'pip install "persrv[ray]"' in result.output) == (3, True)
