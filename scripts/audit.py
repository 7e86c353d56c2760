"""Looks for secrets in the repository's files and for known vulnerabilities of what is installed: make audit.

The search for secrets needs no network. The service that knows of vulnerabilities does: where it cannot be reached,
that is said, and nothing fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

SEARCHED = ("*.py", "*.toml", "*.md", "*.yml", "*.yaml", "*.sh", "*.txt", "*.js", "*.html", "*.example", "Dockerfile")
PLACEHOLDERS = r"USER:PASSWORD@|[a-z]+:(secret|s3cret|hunter2|pass|password)@|[Hh]exdigest|sha256"
"""Lines with these hold no secret: what a reader is to put in, and what tests refuse or hash."""

GUESSES = ("HexHighEntropyString", "Base64HighEntropyString", "KeywordDetector")
"""Detectors that take any random-looking text, or any word beside ``key``, for a secret: not asked of tests."""


def secrets(files: Sequence[str], without: Sequence[str]) -> list[str]:
    """Return a line for each secret that is found in some files."""
    options = [part for name in without for part in ("--disable-plugin", name)]
    command = [sys.executable, "-m", "detect_secrets", "scan", "--exclude-lines", PLACEHOLDERS, *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["results"]
    return [f"{file}:{each['line_number']}: {each['type']}" for file, many in sorted(found.items()) for each in many]


def vulnerabilities() -> tuple[list[str], int] | None:
    """Return a line for each known vulnerability, and how many packages were looked up; ``None`` without an answer."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, subprocess.TimeoutExpired):
        return None
    known = [package for package in packages if "vulns" in package]
    lines = [
        f"{package['name']} {package['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none'}"
        for package in known
        for fault in package["vulns"]
    ]
    return lines, len(known)


def main() -> int:
    """Look for both, and return 1 where something was found."""
    listed = subprocess.run(["git", "ls-files", *SEARCHED], capture_output=True, text=True, check=True)
    files = listed.stdout.splitlines()
    tests = [file for file in files if file.startswith(("tests/", "benchmarks/"))]
    found = secrets([file for file in files if file not in set(tests)], ["HexHighEntropyString"])
    found += secrets(tests, GUESSES)
    for line in found:
        print(f"a secret? {line}")
    print(f"{len(files)} files searched for secrets, {len(found)} found")
    answer = vulnerabilities()
    if answer is None or not answer[1]:
        print("the service of known vulnerabilities cannot be reached: not checked")
        return bool(found)
    for line in answer[0]:
        print(f"vulnerable: {line}")
    print(f"{answer[1]} packages looked up, {len(answer[0])} known vulnerabilities")
    return bool(found or answer[0])


if __name__ == "__main__":
    sys.exit(main())
