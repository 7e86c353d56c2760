"""What the compose files and the image promise. No engine runs here: files are read, the entry point is a process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from compose_spec import PyCompose

from persrv.recipe import Recipe
from repository import ROOT
from tiny_collection import Tiny

FILES = ("docker-compose.yml", "docker-compose.cluster.yml")
SERVICE_KEYS = {
    "image", "build", "restart", "ports", "environment", "volumes", "healthcheck", "depends_on", "stop_grace_period",
    "cap_drop", "security_opt", "ulimits", "profiles", "command",
}  # fmt: skip
"""Keys of the Compose Specification that are used here."""


def read(name: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("name", FILES)
def test_files_are_what_compose_reads(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert PyCompose.from_yaml(text).service_names() == [*read(name)["services"]]
    with pytest.raises(ValueError, match="healthchek"):
        PyCompose.from_yaml(text.replace("healthcheck:", "healthchek:"))


@pytest.mark.parametrize("name", FILES)
def test_services_are_private_keyed_and_wait_for_each_other(name: str) -> None:
    compose = read(name)
    assert set(compose) == {"services", "volumes"}
    example = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    for service in compose["services"].values():
        assert set(service) <= SERVICE_KEYS
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert {mount.split(":")[0] for mount in service["volumes"]} <= set(compose["volumes"])
        assert "no-new-privileges:true" in service["security_opt"]
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            kept = compose["services"][other].get("healthcheck")
            assert kept and kept["test"][0] == "CMD"
        values = " ".join(str(value) for value in service["environment"].values())
        assert set(re.findall(r"\$\{(\w+)", values)) <= example
    assert all(service.get("image", "x:1").count(":") == 1 for service in compose["services"].values())


def test_three_nodes_know_each_other() -> None:
    nodes = [node for name, node in read(FILES[1])["services"].items() if name.startswith("qdrant")]
    recipe = Recipe.read(ROOT / "docker" / "emoji-cluster.toml")
    assert len(nodes) == len(recipe.index.location) == 3 and recipe.index.replication_factor == 2
    assert [node["command"][1:2] for node in nodes] == [["--uri"]] * 3
    assert all(node["command"][-1] == "http://qdrant-1:6335" for node in nodes)


@pytest.mark.parametrize("file", sorted((ROOT / "docker").glob("*.toml")), ids=lambda file: file.stem)
def test_recipes_of_the_image_are_the_shipped_one_on_a_server(file: Path) -> None:
    shipped, ours = Recipe.read(ROOT / "collections" / "emoji.toml"), Recipe.read(file)
    assert ours.model_copy(
        update={"index": shipped.index, "catalog": shipped.catalog, "serve": shipped.serve, "file": None}
    ) == (shipped.model_copy(update={"file": None}))
    assert not ours.index.embedded
    # Browsers know no name of a container.
    assert ours.serve.dashboard == "http://127.0.0.1:6333/dashboard" and any(
        port.startswith("127.0.0.1:6333:") for port in read(FILES[0])["services"]["qdrant"]["ports"]
    )


def test_the_image_is_not_root_and_holds_what_the_entry_point_needs() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert lines.index("USER 10001") < next(i for i, line in enumerate(lines) if line.startswith("ENTRYPOINT"))
    copied = {word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    assert {name.split("/")[0] for name in copied} <= kept


def test_the_entry_point_builds_and_serves_with_a_key(tiny: Tiny, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "persrv"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m persrv "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{command.parent}:{os.environ['PATH']}", "PERSRV_HOME": str(tiny.home), "PERSRV_PORT": "0",
        "PERSRV_RECIPE": str(tiny.file), "PERSRV_BIND": "127.0.0.1", "PERSRV_ADMIN_KEY": "k" * 20,
    }  # fmt: skip
    log = tmp_path / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            ["/bin/sh", str(ROOT / "docker" / "start.sh")], stderr=out, stdout=out, env=environment
        ) as process,
    ):
        try:
            while not (found := re.search(r"persrv is at (http://\S+)\n", log.read_text())):
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            address = found[1]
            assert httpx.get(f"{address}/ready").status_code == 200
            assert httpx.get(f"{address}/v1/search?q=cat").status_code == 401
            key = {"authorization": "Bearer " + "k" * 20}
            assert len(httpx.get(f"{address}/v1/search?q=cat", headers=key).json()["hits"]) == 3
            process.terminate()
            assert process.wait(timeout=60) in (0, -15)
        finally:
            process.kill()
