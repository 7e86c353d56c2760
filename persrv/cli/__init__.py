"""The command line: one command is one call of the Python API.

Data goes to stdout, progress and messages to stderr. Exit codes are listed in docs/reference/cli.md.
"""

from persrv.cli.app import app, main

__all__ = ["app", "main"]
