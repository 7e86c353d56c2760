"""What training needs that persrv does not."""

from __future__ import annotations

from importlib.util import find_spec

from persrv.errors import MissingExtraError

_NEEDED = ("torch", "transformers", "peft", "accelerate", "matplotlib")


def check_packages() -> None:
    """Check that everything that training needs is installed.

    Raises:
        MissingExtraError: Something is not.
    """
    if any(find_spec(package) is None for package in _NEEDED):
        raise MissingExtraError("training a describer", "train")
