"""Teaching a vision-language describer what people call a sticker: LoRA fine-tuning on the queries that led to picks.

After Chee et al. (WWW 2025), "PerSRV": a general model captions a picture, but people search for what they mean by it.

The functions load what they need when they are first asked for: torch is not loaded by importing this package.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from persrv.errors import MissingExtraError

if TYPE_CHECKING:
    from persrv.training.evaluating import evaluate_adapter
    from persrv.training.merging import merge
    from persrv.training.preparing import prepare
    from persrv.training.run import train

__all__ = ["check_packages", "evaluate_adapter", "merge", "prepare", "train"]

_NEEDED = ("torch", "transformers", "peft", "accelerate", "matplotlib")
_HOMES = {"evaluate_adapter": "evaluating", "merge": "merging", "prepare": "preparing", "train": "run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def check_packages() -> None:
    """Check that everything that training needs is installed.

    Raises:
        MissingExtraError: Something is not.
    """
    if any(find_spec(package) is None for package in _NEEDED):
        raise MissingExtraError("training a describer", "train")
