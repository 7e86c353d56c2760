"""The tutorial's commands are run as they stand, one after the other, in one shell."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from repository import ROOT
from tiny_collection import draw

TUTORIAL = ROOT / "docs" / "tutorial" / "first-collection.md"
ID = "3f2a9c"
"""What the tutorial calls the sticker that a search printed first."""


def write_shipped_part(folder: Path) -> None:
    """Write every fourth meaning of the shipped collection where commands look for recipes before all other places."""
    shipped, part = ROOT / "collections" / "emoji", folder / "collections" / "emoji"
    part.mkdir(parents=True)
    shutil.copy(shipped.with_suffix(".toml"), part.with_suffix(".toml"))
    for style in shipped.iterdir():
        if style.is_dir():
            (part / style.name).symlink_to(style)
    lines = (shipped / "stickers.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    meanings = [json.loads(line)["emoji"] for line in lines]
    kept = {*[*dict.fromkeys(meanings)][::4]}
    drawn = [line for line, meaning in zip(lines, meanings, strict=True) if meaning in kept]
    (part / "stickers.jsonl").write_text("".join(drawn), encoding="utf-8")


def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 5 and "pip install persrv\n" in blocks[0]
    (tmp_path / "mine.toml").write_text(recipe, encoding="utf-8")
    (tmp_path / "stickers" / "faces").mkdir(parents=True)
    for meaning in ("happy", "sad", "love"):
        draw(meaning, "flat", tmp_path / "stickers" / "faces" / f"{meaning}.png")
    write_shipped_part(tmp_path)
    environment = {**os.environ, "PERSRV_HOME": str(tmp_path / "home"), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment.pop("PERSRV_COLLECTION", None)
    command = tmp_path / "persrv"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m persrv "$@"\n', encoding="utf-8")
    command.chmod(0o755)

    def run(script: str) -> str:
        done = subprocess.run(
            ["sh", "-ec", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    built = run("".join(blocks[:3]).replace("pip install persrv\n", ""))
    assert "621 stickers, 6 simulated users" in built and "near in meaning: cat face" in built
    assert (tmp_path / "happy.html").is_file()
    chosen = run("persrv search happy -c mine.toml --json")
    sticker_id = json.loads(chosen)["hits"][0]["sticker_id"]
    lessons = [block.replace(ID, sticker_id[: len(ID)]) for block in blocks[3:]]
    exported = "export PERSRV_COLLECTION=mine.toml\n"
    assert exported in blocks[2]
    shown = run(exported + "".join(lessons) + "persrv search party --json > found.json; persrv search sad --user me")
    assert "party" in shown
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [hit["sticker_id"] for hit in found["hits"]] == [sticker_id]
