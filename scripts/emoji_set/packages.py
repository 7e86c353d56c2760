"""Fetching pinned npm packages with the ordinary client, and reading them without unpacking."""

from __future__ import annotations

import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class PackageError(Exception):
    """A package could not be fetched, or is not the pinned one."""


@dataclass(frozen=True, slots=True)
class Package:
    """One fetched package.

    Attributes:
        name: Its npm name.
        version: Its pinned version.
        archive: The fetched ``.tgz``.
    """

    name: str
    version: str
    archive: Path

    def read(self, *names: str) -> dict[str, bytes]:
        """Return the contents of those of the named files that are there.

        Args:
            names: Paths in the package; one that ends in ``/`` stands for every file directly below it.
        """
        missing = {f"package/{name}" for name in names}
        found: dict[str, bytes] = {}
        with tarfile.open(self.archive) as archive:
            for member in archive:
                folder = member.name.rpartition("/")[0] + "/"
                content = archive.extractfile(member) if {member.name, folder} & missing else None
                if content is not None:
                    found[member.name.removeprefix("package/")] = content.read()
                    missing.discard(member.name)
                if not missing:
                    break
        return found

    def read_json(self, *names: str) -> list[Any]:
        """Return the parsed contents of JSON files, in the order of ``names``.

        Raises:
            PackageError: One of them is not in the package.
        """
        contents = self.read(*names)
        missing = [name for name in names if name not in contents]
        if missing:
            raise PackageError(f"{self.name} {self.version} has no {missing[0]}; correct its pinned version")
        return [json.loads(contents[name]) for name in names]


def fetch(name: str, version: str, cache: Path) -> Package:
    """Return the package from ``cache``, fetching it with ``npm pack`` where it is not there yet.

    Raises:
        PackageError: npm is missing or fails, or the archive says another name or version.
    """
    archive = cache / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    if not archive.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        command = [
            "npm",
            "pack",
            f"{name}@{version}",
            "--ignore-scripts",
            "--loglevel=error",
            "--pack-destination",
            str(cache),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise PackageError("npm is not installed; install Node.js") from error
        except subprocess.CalledProcessError as error:
            raise PackageError(f"npm pack {name}@{version} failed: {error.stderr.strip()}; run it by hand") from error
    package = Package(name, version, archive)
    about = package.read_json("package.json")[0]
    if (about["name"], about["version"]) != (name, version):
        raise PackageError(f"{archive} is {about['name']} {about['version']}, not {name} {version}; remove it")
    return package
