"""What an adapter was trained on, written beside it: the base model above all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from persrv.errors import RecipeError
from persrv.reading.describe.model_folder import weights_fingerprint
from persrv.reading.describe.prompts import Prompts

FILE = "persrv.json"


class Provenance(BaseModel):
    """Where an adapter comes from.

    Attributes:
        base: The base model, as it was named.
        base_files: Fingerprint of the base model's weights.
        data: Fingerprint of the training data.
        prompt: The prompts' revision that the training questions were made with.
        language: Language that they ask for.
        template: A question as the base model's chat template rendered it.
        settings: All settings of the training.
        metrics: Held-out figures, by name.
    """

    model_config = ConfigDict(frozen=True)

    base: str
    base_files: str
    data: str = ""
    prompt: str = ""
    language: str = ""
    template: str = ""
    settings: dict[str, Any] = {}
    metrics: dict[str, float] = {}

    @classmethod
    def read(cls, adapter: Path) -> Self | None:
        """Return what stands beside an adapter or a merged model, ``None`` for one that persrv did not train.

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
    if known and known.base_files != weights_fingerprint(model):
        raise RecipeError(
            f"the adapter {adapter} was trained on {known.base}, and {model} holds another model",
            "give the model that it was trained on",
        )


def check_prompts(trained: Path, prompts: Prompts, language: str) -> None:
    """Check that stickers are asked about as they were in training: asked otherwise, a tuned model hardly answers.

    Args:
        trained: Folder of an adapter, or of a model that one was merged into.
        prompts: What the model will be asked.
        language: BCP 47 tag of the language that they ask for.

    Raises:
        RecipeError: It was trained with other prompts.
    """
    known = Provenance.read(trained)
    if known is None or not known.prompt or known.prompt == prompts.revision:
        return
    if known.language and known.language != language:
        raise RecipeError(
            f"{trained} was trained with questions in the language {known.language!r}, and describe.language is "
            f"{language!r}",
            f'set describe.language = "{known.language}", or train with this recipe',
        )
    raise RecipeError(
        f"{trained} was trained with another prompt ({known.prompt}) than this recipe's ({prompts.revision})",
        "give the recipe the describe.prompt that the training data was prepared with, or train with this recipe",
    )
