"""Makes a torchvision importable whose compiled part does not fit this machine's torch.

A torchvision wheel that was built for CUDA cannot load its operators beside a CPU build of torch, and its import then
ends with "operator torchvision::nms does not exist", although most of it (models, transforms) is plain Python. Where
the plain import works, nothing here has any effect. roi_align and the like stay missing.
"""

from __future__ import annotations

import importlib
import sys

import torch

_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
"""What torchvision describes at import whether or not its compiled part was loaded."""


def ensure_torchvision() -> None:
    """Import torchvision; where only its operators are missing, declare them and import it again.

    Raises:
        ImportError: torchvision is not installed.
        RuntimeError: Its import fails for another reason.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        _declare_operators()
        importlib.import_module("torchvision")


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression: keep the best box, drop what overlaps it too much, repeat.

    Args:
        boxes: Shape (n, 4), floating: left, top, right, bottom.
        scores: Shape (n,), floating; of equal ones the earlier box comes first.
        iou_threshold: A box is dropped when its intersection over union with a kept one is larger; in [0, 1].

    Returns:
        Numbers of the kept boxes, int64, shape (n_kept,), best score first.
    """
    left, top, right, bottom = boxes.unbind(dim=1)
    areas = (right - left) * (bottom - top)
    order = scores.argsort(descending=True, stable=True)
    kept: list[torch.Tensor] = []
    while order.numel():
        best, rest = order[0], order[1:]
        kept.append(best)
        width = (torch.minimum(right[best], right[rest]) - torch.maximum(left[best], left[rest])).clamp(min=0)
        height = (torch.minimum(bottom[best], bottom[rest]) - torch.maximum(top[best], top[rest])).clamp(min=0)
        shared = width * height
        # Written so that boxes without area, whose ratio is not a number, are kept, as torchvision keeps them.
        order = rest[~(shared / (areas[best] + areas[rest] - shared) > iou_threshold)]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.int64)


def _declare_operators() -> None:
    for name, signature in _OPERATORS.items():
        torch.library.define(f"torchvision::{name}", signature)
    torch.library.impl("torchvision::nms", "CPU", nms)
