"""A torchvision whose compiled part does not fit this machine's torch, made importable.

transformers imports torchvision wherever it is installed, even for processors that work without it. A torchvision
built for CUDA fails at that on a torch built for CPUs: "operator torchvision::nms does not exist". The operators are
then declared without code; nothing here calls them. A healthy torchvision, and one that is absent, are left alone.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec


@cache
def declare_missing_operators() -> None:
    """Make torchvision importable where only its operators are missing; needs torch."""
    if find_spec("torchvision") is None:
        return
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        _declare()


@cache
def _declare() -> object:
    from torch.library import Library

    # Cached, because the declarations end when the library object is collected.
    library = Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library
