"""Weights learnt from the picks of simulated people, through the command line too."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from persrv.cli import app
from persrv.errors import NotFoundError, QueryError
from persrv.lab.evaluation.material import read_material
from persrv.lab.evaluation.results import mean_interval
from persrv.lab.evaluation.splits import by_time
from persrv.lab.evaluation.systems import ours
from persrv.lab.evaluation.view import View
from persrv.lab.tuning.held_out import HeldOutQueries
from persrv.lab.tuning.knobs import with_values
from persrv.lab.tuning.tune import Tuned, tune
from persrv.recipe import Recipe
from persrv.recipe.places import find_recipe
from persrv.records import Interaction
from persrv.workspace import Workspace
from tiny_collection import MEANINGS, STYLES, Tiny

START = datetime(2026, 2, 1, tzinfo=UTC)
PEOPLE = 9


@pytest.fixture
def tiny(tiny_built: Tiny, tmp_path: Path) -> Tiny:
    """A copy of the collection without its index, which tuning does not read."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_built.file.parent, folder, ignore=shutil.ignore_patterns("index"))
    return Tiny(folder / "tiny.toml", folder / "home")


def picks_of_people(tiny: Tiny, *, taste: bool, seed: int = 0) -> list[Interaction]:
    """Picks of people who like one style each, or any."""
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.existing_catalog() as catalog:
        drawn = {(s.style, s.semantics.tags[0]): s.id for s in catalog.stickers()}
    random = np.random.default_rng(seed)
    made = []
    for number in range(PEOPLE):
        for at, meaning in enumerate(random.permutation(list(MEANINGS))):
            liked = taste and random.random() > 0.1
            style = STYLES[number % 3] if liked else STYLES[int(random.integers(3))]
            query = str(meaning) if number % 2 else MEANINGS[str(meaning)][1]
            when = START + timedelta(hours=at, minutes=number)
            made.append(Interaction(f"person{number}", query, drawn[style, str(meaning)], when, "simulated"))
    return made


def learnt_from(tiny: Tiny, text: str, *, taste: bool = True) -> Tiny:
    tiny.file.write_text(tiny.file.read_text() + text)
    workspace = Workspace.of(tiny.file, tiny.home)
    made = picks_of_people(tiny, taste=taste)
    with workspace.existing_catalog() as catalog:
        catalog.clear_picks()
        catalog.put_interactions(made)
    return tiny


def tuned(tiny: Tiny, **arguments: object) -> Tuned:
    return tune(Workspace.of(tiny.file, tiny.home), share=0.4, **arguments)  # type: ignore[arg-type]


def test_people_with_taste_turn_style_on_and_the_test_part_confirms(tiny: Tiny) -> None:
    found = tuned(learnt_from(tiny, "[ranking]\ngamma = 0.0\n"))
    assert found.changes["ranking.gamma"].after > 0.0
    assert found.confirmed and found.settled
    assert found.train.after.mean > found.train.before.mean
    assert found.test.gain.interval.mean == pytest.approx(found.test.after.mean - found.test.before.mean)
    assert found.test.questions == 36 and found.test.before.groups == PEOPLE
    assert tuned(tiny) == found


def test_people_without_taste_confirm_nothing(tiny: Tiny) -> None:
    found = tuned(learnt_from(tiny, "[ranking]\ngamma = 0.0\n", taste=False), trials=60)
    assert found.train.after.mean >= found.train.before.mean
    assert not found.confirmed


def test_the_test_part_takes_no_part(tiny: Tiny) -> None:
    """The weights are the same whatever was picked in the part that was held back first."""
    learnt_from(tiny, "[ranking]\ngamma = 0.0\n")
    before = tuned(tiny, trials=40)
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.existing_catalog() as catalog:
        held = by_time(list(catalog.interactions()), 0.4).held_out
        kept = [pick for pick in catalog.interactions() if pick not in held]
        other = [Interaction(p.user, p.query, held[0].sticker_id, p.time, "simulated") for p in held]
        catalog.clear_picks()
        catalog.put_interactions([*kept, *other])
    after = tuned(tiny, trials=40)
    assert after.changes == before.changes and after.train == before.train
    assert after.test != before.test


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"ranking.beta": 3.0, "ranking.gamma": 0.25, "ranking.own": 2.0},
        {"text.fields.tags.weight": 0.0, "text.fields.queries.weight": 2.5},
    ],
)
def test_answers_are_those_of_the_evaluations_own_system(tiny: Tiny, values: dict[str, float]) -> None:
    learnt_from(tiny, "")
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.existing_catalog() as catalog:
        material = read_material(workspace, catalog)
        split = by_time(list(catalog.interactions()), 0.4)
    recipe = with_values(workspace.recipe, values)
    requests = HeldOutQueries(View(material, split.train, workspace.recipe.text), split.questions)
    system = ours(View(material, split.train, recipe.text), recipe.ranking, own=True)
    assert requests.rankings(recipe) == [system.rank(one.query, one.user, 50) for one in split.questions]
    judged = requests.judged(recipe)
    assert requests.value(recipe, "MRR@20") == pytest.approx(mean_interval(judged, "MRR@20").mean)


def test_meaning_takes_part_where_the_recipe_has_it(tiny: Tiny) -> None:
    tiny.file.write_text(tiny.file.read_text().replace('encoder = ""', 'encoder = "use"'))
    found = tuned(learnt_from(tiny, ""), trials=3)
    assert found.trials == 3 and not found.settled


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"split": "tarot"}, "tarot"), ({"metric": "MRR@3"}, "MRR@3"), ({"trials": 0}, "trials = 0")],
)
def test_impossible_arguments_are_refused(tiny_built: Tiny, arguments: dict, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        tuned(tiny_built, **arguments)


def test_without_picks_there_is_nothing_to_learn_from(tiny: Tiny) -> None:
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.existing_catalog() as catalog:
        catalog.clear_picks()
    with pytest.raises(NotFoundError, match="no picks"):
        tuned(tiny)


@pytest.fixture
def run(tiny: Tiny, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    monkeypatch.setenv("PERSRV_COLLECTION", str(tiny.file))

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["tune", "--share", "0.4", "--trials", "40", *arguments])

    return call


def test_the_command_writes_what_the_test_part_confirms(run, tiny: Tiny) -> None:
    learnt_from(tiny, "[ranking]\ngamma = 0.0 # none\n")
    before = tiny.file.read_text()
    assert "--write puts it into the recipe" in run().stdout
    assert tiny.file.read_text() == before
    result = json.loads(run("--write", "--json").stdout)
    assert result["written"] and result["confirmed"]
    written = Recipe.read(tiny.file)
    assert written.ranking.gamma == result["changes"]["ranking.gamma"]["after"]
    assert "# none" in tiny.file.read_text()
    assert f"# persrv tune: test: nM-MRR@20 {result['test']['before']['mean']:.4f}" in tiny.file.read_text()


def test_the_command_writes_nothing_else_unless_it_must(run, tiny: Tiny) -> None:
    learnt_from(tiny, "[ranking]\ngamma = 0.5\nbeta = 3.0\n", taste=False)
    before = tiny.file.read_text()
    refused = run("--write")
    assert "does not confirm" in refused.stdout and "--force" in refused.stdout
    assert tiny.file.read_text() == before
    assert json.loads(run("--write", "--force", "--json").stdout)["written"]
    assert tiny.file.read_text() != before


def test_wrong_options_are_refused_in_one_line(run) -> None:
    forced = run("--force")
    assert (forced.exit_code, "--write" in forced.stderr) == (2, True)
    assert run("--metric", "love").exit_code == 2


def test_a_recipe_that_came_with_persrv_is_changed_only_by_its_path(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = find_recipe("emoji")
    before = shipped.read_bytes()
    refused = run("-c", "emoji", "--write")
    assert refused.exit_code == 3
    assert f"copy {shipped}" in refused.stderr and len(refused.stderr.strip().splitlines()) == 1
    # Nothing was built here: what is not refused finds no catalog.
    assert run("emoji").exit_code == run(str(shipped), "--write").exit_code == 6
    (tmp_path / "collections").mkdir()
    shutil.copy(shipped, tmp_path / "collections")
    monkeypatch.chdir(tmp_path)
    assert run("emoji", "--write").exit_code == 6
    assert shipped.read_bytes() == before
