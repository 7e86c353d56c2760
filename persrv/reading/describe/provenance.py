"""What an adapter was trained on, written beside it: the base model above all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from persrv.errors import RecipeError
from persrv.reading.describe.model_folder import fingerprint

FILE = "persrv.json"


class Provenance(BaseModel):
    """Where an adapter comes from.

    Attributes:
        base: The base model, as it was named.
        base_files: Fingerprint of the base model's files.
        data: Fingerprint of the training data.
        prompt: The prompts' revision that the training questions were made with.
        settings: Everything that training was told.
        metrics: Held-out figures, by name.
    """

    model_config = ConfigDict(frozen=True)

    base: str
    base_files: str
    data: str = ""
    prompt: str = ""
    settings: dict[str, Any] = {}
    metrics: dict[str, float] = {}

    @classmethod
    def read(cls, adapter: Path) -> Self | None:
        """Return what stands beside an adapter, ``None`` for one that persrv did not train.

        Raises:
            RecipeError: The file is damaged.
        """
        file = adapter / FILE
        if not file.is_file():
            return None
        try:
            return cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise RecipeError(f"{file} cannot be read", "train the adapter again, or delete this file") from error


def check_base(adapter: Path, model: Path) -> None:
    """Check that an adapter was trained on this model, as far as the adapter says.

    Raises:
        RecipeError: It was trained on another one.
    """
    known = Provenance.read(adapter)
    if known and known.base_files != fingerprint(model):
        raise RecipeError(
            f"the adapter {adapter} was trained on {known.base}, and {model} holds another model",
            "give the model that it was trained on",
        )
