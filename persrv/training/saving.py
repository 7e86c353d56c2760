"""Faults of writing as the libraries of training report them, made one kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from persrv.errors import SourceError
from persrv.reading.describe.machine import out_of_memory


@contextmanager
def disk_faults() -> Iterator[None]:
    """Turn what torch and safetensors raise when a file cannot be written into OSError.

    A full disk is a RuntimeError of torch and an error of its own kind of safetensors.

    Raises:
        OSError: Something in the block could not be written.
    """
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise OSError(_first_line(error)) from error
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        raise OSError(f"torch could not write all of a file ({_first_line(error)[:80]})") from error


def unwritable(folder: Path, error: OSError) -> SourceError:
    """Return what to say when a folder of training cannot be written.

    What was written before is whole, so making room is enough.
    """
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError):
        return SourceError(f"{folder} cannot be written: {error}", "give another folder")
    return SourceError(f"{folder} cannot be written: {error}", "make room on its disk, and run the same command again")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
