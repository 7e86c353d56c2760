"""Where a model runs, and in which number format."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Literal

import torch

from persrv.errors import RecipeError
from persrv.reading.describe.setting_names import SettingNames, recipe_key
from persrv.recipe import Describe

_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")
"""What torch's allocators say in plain RuntimeErrors, on Apple's and on CPUs."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A device and a number format.

    Attributes:
        device: ``"cuda"``, ``"mps"`` or ``"cpu"``.
        dtype: Of the weights.
    """

    device: Literal["cuda", "mps", "cpu"]
    dtype: torch.dtype

    @classmethod
    def choose(cls, settings: Describe, names: SettingNames = recipe_key) -> Machine:
        """Return what the recipe asks for; for ``"auto"`` the fastest device, and the format that suits it.

        That is bfloat16 on CUDA (float16 before Ampere), float16 on Apple's GPUs, float32 on a CPU.

        Args:
            settings: ``device`` and ``dtype`` are used.
            names: How messages call the settings.

        Raises:
            RecipeError: The device is not there.
        """
        there: dict[Literal["cuda", "mps", "cpu"], bool] = {
            "cuda": torch.cuda.is_available(),
            "mps": torch.backends.mps.is_available(),
            "cpu": True,
        }
        if settings.device == "auto":
            device = next(name for name, usable in there.items() if usable)
        elif there[settings.device]:
            device = settings.device
        else:
            raise RecipeError(
                f"{names('device')} is {settings.device!r}, but torch finds no such device", 'set it to "auto"'
            )
        if settings.dtype != "auto":
            return cls(device, getattr(torch, settings.dtype))
        if device == "cuda":
            modern = torch.cuda.is_bf16_supported(including_emulation=False)
            return cls(device, torch.bfloat16 if modern else torch.float16)
        return cls(device, torch.float16 if device == "mps" else torch.float32)

    def release(self) -> None:
        """Give unused memory back to the device."""
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()
        elif self.device == "mps":
            torch.mps.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether torch, or Python, says with this error that memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _MEMORY)
