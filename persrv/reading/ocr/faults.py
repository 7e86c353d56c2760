"""What went wrong inside an engine, in one line."""

from __future__ import annotations


def reason(error: Exception) -> str:
    """Return the last line of an error's text, where engines put the cause behind a traceback, else its type's name."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
