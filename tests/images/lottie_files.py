"""Vector animations made for the tests of this folder."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from typing import Any


def _fixed(value: Any) -> dict[str, Any]:
    return {"a": 0, "k": value}


def _placed(position: dict[str, Any]) -> dict[str, Any]:
    return {
        "o": _fixed(100),
        "r": _fixed(0),
        "a": _fixed([0, 0, 0]),
        "s": _fixed([100, 100, 100]),
        "p": position,
    }


def lottie(width: int = 64, height: int = 48, frames: int = 60) -> dict[str, Any]:
    """Return a red square of 20 pixels that moves from x = 12 to x = 52, at y = 24."""
    ease = {"i": {"x": [1], "y": [1]}, "o": {"x": [0], "y": [0]}}
    path = {"a": 1, "k": [{"t": 0, "s": [12, 24, 0], "e": [52, 24, 0], **ease}, {"t": frames, "s": [52, 24, 0]}]}
    square = [
        {"ty": "rc", "s": _fixed([20, 20]), "p": _fixed([0, 0]), "r": _fixed(0)},
        {"ty": "fl", "c": _fixed([1, 0, 0, 1]), "o": _fixed(100)},
        {
            "ty": "tr",
            "p": _fixed([0, 0]),
            "a": _fixed([0, 0]),
            "s": _fixed([100, 100]),
            "r": _fixed(0),
            "o": _fixed(100),
        },
    ]
    layer = {"ty": 4, "ip": 0, "op": frames, "st": 0, "ks": _placed(path), "shapes": [{"ty": "gr", "it": square}]}
    return {"v": "5.5", "fr": 30, "ip": 0, "op": frames, "w": width, "h": height, "assets": [], "layers": [layer]}


def endless() -> dict[str, Any]:
    """Return an animation of a few kilobytes that asks for a hundred million layers."""
    content = lottie()
    use = {"ty": 0, "ip": 0, "op": 60, "st": 0, "w": 64, "h": 48, "ks": _placed(_fixed([0, 0, 0]))}
    names = [f"level {number}" for number in range(9)]
    content["assets"] = [
        {"id": name, "layers": [{**use, "refId": below} for _ in range(10)]} for name, below in pairwise(names)
    ]
    content["assets"].append({"id": names[-1], "layers": content["layers"]})
    content["layers"] = [{**use, "refId": names[0]}]
    return content


def tgs(content: Any) -> bytes:
    return gzip.compress(json.dumps(content).encode(), mtime=0)
