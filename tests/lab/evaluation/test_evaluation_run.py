from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from persrv.cli.app import app
from persrv.errors import MissingExtraError, NotFoundError, QueryError, SourceError
from persrv.indexing.progress import Silent
from persrv.lab.evaluation.material import read_material
from persrv.lab.evaluation.run import ANYBODY, SYSTEM, evaluate
from persrv.lab.experiments import EXPERIMENTS, find_experiment
from persrv.lab.experiments.bench import Bench, ExperimentSettings
from persrv.lab.reports.markdown import to_markdown
from persrv.lab.reports.page import to_html
from persrv.lab.reports.report import Plot, Report, Table, machine
from persrv.lab.reports.write import write_report
from persrv.offline.loading import load
from persrv.recipe import Recipe
from persrv.records import SourcePick
from persrv.workspace import Workspace
from repository import ROOT
from tiny_collection import MEANINGS, Tiny

MANNERS = ("please", "now", "today", "again", "really", "so much", "very", "for me", "oh", "well", "then", "there")
WORDS = {
    "en": {emoji: tuple(f"{meaning} {manner}" for manner in MANNERS) for meaning, (emoji, _) in MEANINGS.items()},
    "zh": {emoji: tuple(f"{chinese}{at}" for at in range(12)) for emoji, chinese in MEANINGS.values()},
}


@pytest.fixture(scope="module")
def bench(tiny_built: Tiny) -> Bench:
    """The tiny collection, whose style vectors also stand for content."""
    workspace = Workspace.of(tiny_built.file, tiny_built.home)
    with workspace.catalog() as catalog:
        material = read_material(workspace, catalog)
    both = replace(material, looks={**material.looks, "content": material.looks["style"]})
    return Bench(workspace, both, WORDS, Silent())


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_experiment_gives_the_same_report_twice(bench: Bench, name: str) -> None:
    reports = [find_experiment(name)(bench, ExperimentSettings(users=3, seed=7, repeats=1)) for _ in range(2)]
    assert reports[0] == reports[1]
    assert reports[0].name == name
    assert f"experiment {name} --seed 7 --repeats 1 --users 3" in reports[0].command
    assert all(len(row) == len(table.columns) for table in reports[0].tables for row in table.rows)
    assert all(len(values) == len(plot.x) for plot in reports[0].plots for values in plot.curves.values())
    text = to_markdown(reports[0], machine())
    assert "Nobody real was asked" in text
    assert all(finding in text for finding in reports[0].findings)


def test_personalisation_gains_on_people_with_taste(bench: Bench) -> None:
    report = find_experiment("personal")(bench, ExperimentSettings(users=8, repeats=2))
    gains = next(table for table in report.tables if table.title.startswith("What the personal part"))
    assert gains.rows[0][:2] == ("persrv", "BM25F + utility")
    assert gains.rows[0][4] == "better"


def test_the_committed_reports_are_complete() -> None:
    folder = ROOT / "docs" / "reports"
    for name in EXPERIMENTS:
        text = (folder / f"{name}.md").read_text(encoding="utf-8")
        assert f"persrv evaluate experiment {name} " in text
        assert "## Settings and machine" in text


@pytest.mark.parametrize("wrong", [{"users": 1}, {"repeats": 0}, {"seed": -1}])
def test_impossible_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(QueryError, match=next(iter(wrong))):
        ExperimentSettings(**wrong)


def test_an_unknown_experiment_is_refused() -> None:
    with pytest.raises(QueryError, match="'astrology'; use one of baselines"):
        find_experiment("astrology")


@pytest.mark.parametrize("retriever", [True, False])
def test_a_collection_on_its_own_picks(tiny_built: Tiny, retriever: bool) -> None:
    workspace = Workspace.of(tiny_built.file, tiny_built.home)
    found = evaluate(workspace, share=0.4, retriever=retriever)
    assert (found.train, found.held_out, found.questions, found.users) == (6, 6, 6, 2)
    assert found.systems[SYSTEM]["M-MRR@20"].mean > found.systems[ANYBODY]["M-MRR@20"].mean
    assert found.systems["random"]["Recall@50"].mean == 1
    assert {one.worse for one in found.gains} >= {"BM25 + utility", ANYBODY}
    assert all(0 < one.p <= 1 for one in found.gains)


def test_the_retriever_and_its_formulas_agree(tiny_built: Tiny) -> None:
    workspace = Workspace.of(tiny_built.file, tiny_built.home)
    real, formulas = (evaluate(workspace, split="last", retriever=choice) for choice in (True, False))
    assert real.systems == formulas.systems


def test_what_cannot_be_evaluated_is_refused(tiny_built: Tiny, tmp_path: Path) -> None:
    workspace = Workspace.of(tiny_built.file, tiny_built.home)
    with pytest.raises(QueryError, match="'moon'; use one of time, last"):
        evaluate(workspace, split="moon")
    with pytest.raises(QueryError, match="'MRR@7'"):
        evaluate(workspace, metric="MRR@7")
    with pytest.raises(NotFoundError, match="never built"):
        evaluate(Workspace.of(tiny_built.file, tmp_path))


def test_the_command_prints_tables_and_json(tiny_built: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tiny_built.home))
    monkeypatch.setenv("COLUMNS", "160")
    result = CliRunner().invoke(app, ["evaluate", "run", str(tiny_built.file), "--in-memory", "--metric", "MRR@10"])
    assert result.exit_code == 0
    assert "persrv over BM25 + utility" in result.stdout
    assert "MRR@10" in result.stdout
    listed = CliRunner().invoke(app, ["evaluate", "run", str(tiny_built.file), "--in-memory", "--json"])
    assert json.loads(listed.stdout)["systems"]["persrv"]["M-MRR@20"]["groups"] == 2
    wrong = CliRunner().invoke(app, ["evaluate", "run", str(tiny_built.file), "--split", "moon"])
    assert wrong.exit_code == 2
    assert "moon" in wrong.stderr
    assert json.loads(CliRunner().invoke(app, ["evaluate", "experiment", "--json"]).stdout) == EXPERIMENTS
    assert CliRunner().invoke(app, ["evaluate", "experiment", "moon"]).exit_code == 2
    assert CliRunner().invoke(app, ["evaluate", "experiment", "drift", "--users", "1"]).exit_code == 2


REPORT = Report(
    "some",
    "Some <title>",
    "persrv x",
    ("One & all.",),
    (Table("T", ("a", "b"), (("1|2", "<i>"),), "n"),),
    (Plot("P", "x", "y", ("u", "v"), {"c": (1.0, 2.0)}, {"c": ((0.5, 1.5), (1.0, 3.0))}, bars=True),),
    ("It did not work.",),
    {"seed": 3},
)


def test_reports_are_escaped_and_reproducible(tmp_path: Path) -> None:
    page = to_html(REPORT, {"python": "3"})
    assert page == to_html(REPORT, {"python": "3"})
    assert "<i>" not in page
    assert "&lt;i&gt;" in page
    assert page.count("<svg") == 1
    assert "1\\|2" in to_markdown(REPORT, {"python": "3"})
    markdown, html = write_report(REPORT, tmp_path / "new")
    assert markdown.read_text(encoding="utf-8").startswith("# Some <title>\n")
    assert html.name == "some.html"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="file cannot be written"):
        write_report(REPORT, tmp_path / "file")


def test_plots_without_matplotlib_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"persrv\[evaluate\]"):
        to_html(REPORT, {})


def test_the_guides_table_of_tags_is_read(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "how-to" / "evaluate.md").read_text(encoding="utf-8")
    block = guide.split("```toml\n")[1].split("```")[0]
    table = tmp_path / "tags.csv"
    table.write_text("user,tag,item,time\nann,cat,s1,2026-01-01\n", encoding="utf-8")
    head = 'name = "tagged"\n[stickers]\nloader = "table"\npath = "tags.csv"\n'
    (tmp_path / "tagged.toml").write_text(head + block, encoding="utf-8")
    recipe = Recipe.read(tmp_path / "tagged.toml")
    found = list(load(recipe.interactions[0], recipe).interactions())
    assert [(pick.user, pick.query, pick.key) for pick in found if isinstance(pick, SourcePick)] == [
        ("ann", "cat", "s1")
    ]
