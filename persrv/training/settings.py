"""The settings of training: a TOML file, every key with a default."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from persrv.errors import RecipeError

_Share = Annotated[float, Field(ge=0.0, lt=1.0)]
_AtLeastOne = Annotated[int, Field(ge=1)]
_NotNegative = Annotated[int, Field(ge=0)]

FREE = frozenset({"device", "micro_batch", "gradient_checkpointing", "checkpoint_every", "log_every", "collating"})
"""Settings that a training may go on with changed: they decide where and how fast, not what is learnt."""


class TrainingSettings(BaseModel):
    """How an adapter is trained; the defaults are those of the paper's authors.

    Attributes:
        model: Base model: a folder, or a name on the model hub; ``""`` for LLaVA-1.5-7B.
        revision: Branch, tag or commit on the hub.
        r: Rank of the adapter (Hu et al. 2021, "LoRA").
        alpha: Its scale is ``alpha / r``.
        dropout: On the adapter's input.
        whole: Names of modules that are trained as a whole beside the adapter, such as LLaVA's
            ``multi_modal_projector``; all other weights of the base model stay as they are.
        learning_rate: Peak of the schedule.
        schedule: How the rate falls from there.
        warmup: Share of the steps in which it rises.
        weight_decay: Of AdamW.
        clip: Largest norm of the gradient.
        epochs: Passes over the training stickers.
        max_steps: Ends earlier after so many updates; 0 for no such end. The schedule is made for the shorter run.
        batch: Stickers an update.
        micro_batch: Stickers at once on one device; changes memory and speed, not what is learnt.
        max_length: Tokens of a question and its answer, the picture's included; longer examples are left out.
        precision: Number format; ``auto`` takes bfloat16 on a CUDA GPU (float16 before Ampere), else float32.
        device: Where.
        four_bit: Keep the base model in four bits (Dettmers et al. 2023, "QLoRA"); CUDA and bitsandbytes only.
        gradient_checkpointing: Compute activations twice and store fewer; ``auto``: on a GPU.
        seed: Of the adapter's weights, the order, and dropout.
        validate_every: Updates between validations; 0 for the end of each epoch.
        validation_stickers: Most stickers of a validation.
        validation_answers: Most of them that are described, for their keyword recall; 0 for the loss alone.
        max_tokens: Longest answer at a validation.
        best_by: What the best adapter is chosen by.
        checkpoint_every: Updates between checkpoints.
        log_every: Updates between lines of the log.
        collating: Threads that make the next batches while the device computes; ``None`` for up to 4, as many as
            the machine has cores for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = ""
    revision: str = ""
    r: _AtLeastOne = 8
    alpha: _AtLeastOne = 16
    dropout: _Share = 0.0
    whole: tuple[str, ...] = ()
    learning_rate: Annotated[float, Field(gt=0.0)] = 5e-5
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: _Share = 0.0
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    clip: Annotated[float, Field(gt=0.0)] = 1.0
    epochs: _AtLeastOne = 4
    max_steps: _NotNegative = 0
    batch: _AtLeastOne = 32
    micro_batch: _AtLeastOne = 4
    max_length: Annotated[int, Field(ge=16)] = 4096
    precision: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    four_bit: bool = False
    gradient_checkpointing: Literal["auto", "on", "off"] = "auto"
    seed: _NotNegative = 0
    validate_every: _NotNegative = 0
    validation_stickers: _AtLeastOne = 512
    validation_answers: _NotNegative = 64
    max_tokens: Annotated[int, Field(ge=8, le=4096)] = 160
    best_by: Literal["loss", "recall"] = "loss"
    checkpoint_every: _AtLeastOne = 25
    log_every: _AtLeastOne = 5
    collating: _NotNegative | None = None

    @classmethod
    def read(cls, file: str | Path | None, **given: Any) -> Self:
        """Read and check settings.

        Args:
            file: A TOML file, ``None`` for the defaults.
            given: Settings that take the place of the file's, where they are not ``None``.

        Raises:
            RecipeError: The file is missing or is not TOML, or a key or value is wrong; the text names it.
        """
        content: dict[str, Any] = {}
        if file is not None:
            try:
                content = tomllib.loads(Path(file).read_text(encoding="utf-8"))
            except FileNotFoundError as error:
                raise RecipeError(f"there is no file {file}", "give training settings that exist, or none") from error
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise RecipeError(f"{file} cannot be read as TOML: {error}", "correct the file") from error
        try:
            return cls.model_validate(content | {key: value for key, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            what = "is no known key" if first["type"] == "extra_forbidden" else first["msg"]
            raise RecipeError(
                f"{file or 'training settings'}: {key}: {what}", "see docs/reference/training.md for every key"
            ) from error
