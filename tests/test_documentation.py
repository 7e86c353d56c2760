"""What the pages point to is there: other pages and their headings, and the source files of CONTRIBUTING's map."""

from __future__ import annotations

import ast
import importlib
import re
import textwrap
from pathlib import Path

import pytest

from repository import ROOT

PAGES = [*ROOT.glob("*.md"), ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
PLACES = (".", "persrv", "persrv/online", "persrv/offline", "persrv/indexing", "persrv/index", "loaders")


def headings(page: Path) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if heading and file.suffix == ".md":
            assert heading in headings(file), f"{target}#{heading}"


def test_the_map_of_the_source_names_files_that_exist() -> None:
    named = 0
    for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines():
        room = re.match(r"\| `([\w/]+/)`", line)
        places = [*PLACES, room[1]] if room else PLACES
        for name in re.findall(r"`([\w/]+(?:\.py|\.toml|/))`", line):
            assert any((ROOT / place / name).exists() for place in places), name
            named += 1
    assert named > 60


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "decisions"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_examples_in_python_import_what_exists(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for node in ast.walk(ast.parse(textwrap.dedent(block))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "persrv":
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)
