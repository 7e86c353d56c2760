"""The loss: cross entropy of the answers' tokens."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from persrv.training.collating import IGNORED


def answer_loss(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the summed cross entropy of a batch's answers, a scalar in float32, nats.

    Only the columns in which some answer stands go through the output layer, where the model can do that: of several
    hundred tokens of picture and question, whose predictions nobody asks for, no logits are made.

    Args:
        model: Causal, its vocabulary's logits one place ahead of the labels.
        batch: What :class:`~persrv.training.collating.Collator` made.
    """
    inputs = dict(batch)
    labels = inputs.pop("labels")
    length = labels.shape[1]
    # The token before the first answer predicts its first token.
    first = int((labels != IGNORED).any(dim=0).int().argmax())
    kept = length - first + 1 if first else length
    more: dict[str, Any] = {"logits_to_keep": kept} if _keeps(model) else {}
    logits = model(**inputs, **more, use_cache=False).logits[:, -kept:]
    targets = labels[:, length - kept + 1 :]
    return cross_entropy(logits[:, :-1].flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED, reduction="sum")


def _keeps(model: Any) -> bool:
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(base.forward).parameters
