"""The torchvision work-around: right where it applies, absent where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from persrv.images.encoders.torchvision_shim import nms
from repository import ROOT

coordinates = st.integers(0, 12)
boxes_ = st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates, st.integers(0, 5)), max_size=12)


def brute_force(boxes: Sequence[tuple[int, int, int, int]], scores: list[int], threshold: float) -> list[int]:
    """Count the pixels that two boxes share, with sets."""
    pixels = [{(x, y) for x in range(left, right) for y in range(top, bottom)} for left, top, right, bottom in boxes]
    kept: list[int] = []
    for number in sorted(range(len(boxes)), key=lambda number: (-scores[number], number)):
        rivals = [(pixels[number] & pixels[other], pixels[number] | pixels[other]) for other in kept]
        if all(not union or len(shared) / len(union) <= threshold for shared, union in rivals):
            kept.append(number)
    return kept


@settings(deadline=None)
@given(boxes_, st.sampled_from([0.0, 0.25, 0.4, 0.7, 1.0]))
def test_nms_equals_counting_pixels(rows: list[tuple[int, ...]], threshold: float) -> None:
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d, _ in rows]
    scores = [row[4] for row in rows]
    kept = nms(
        torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4), torch.tensor(scores, dtype=torch.float64), threshold
    )
    assert kept.dtype == torch.int64
    assert kept.tolist() == brute_force(boxes, scores, threshold)


def run(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=environment, check=False
    )


def package(folder: Path, content: str) -> Path:
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(content, encoding="utf-8")
    return folder


def test_the_installed_torchvision_can_be_imported_and_its_nms_works() -> None:
    ran = run(
        "from persrv.images.encoders.torchvision_shim import ensure_torchvision\n"
        "ensure_torchvision(); ensure_torchvision()\n"
        "import torch, torchvision.transforms\n"
        "from torchvision.models import vgg16_bn\n"
        "boxes = torch.tensor([[0, 0, 10, 10.0], [1, 1, 10, 10], [20, 20, 30, 30]])\n"
        "print(torch.ops.torchvision.nms(boxes, torch.tensor([0.5, 0.9, 0.1]), 0.5).tolist())"
    )
    assert (ran.stdout, ran.stderr) == ("[1, 2]\n", "")


def test_a_healthy_torchvision_is_left_alone(tmp_path: Path) -> None:
    ran = run(
        "from persrv.images.encoders.torchvision_shim import ensure_torchvision\n"
        "ensure_torchvision()\n"
        "import sys, torch\n"
        "print(hasattr(torch.ops.torchvision, 'nms'), sys.modules['torchvision'].imported)",
        package(tmp_path, "import builtins\nimported = builtins.count = getattr(builtins, 'count', 0) + 1\n"),
    )
    assert (ran.stdout, ran.stderr) == ("False 1\n", "")


def test_a_broken_one_is_imported_again_with_its_operators_declared(tmp_path: Path) -> None:
    ran = run(
        "from persrv.images.encoders.torchvision_shim import ensure_torchvision\n"
        "ensure_torchvision()\n"
        "import torch\n"
        "print(torch.ops.torchvision.nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist())",
        package(tmp_path, "import torch\ntorch.library.register_fake('torchvision::nms')(lambda *_: None)\n"),
    )
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


@pytest.mark.parametrize("content", ["raise RuntimeError('something else')", "raise ImportError('something else')"])
def test_another_failure_is_not_hidden(tmp_path: Path, content: str) -> None:
    ran = run(
        "from persrv.images.encoders.torchvision_shim import ensure_torchvision\nensure_torchvision()",
        package(tmp_path, content),
    )
    assert ran.returncode == 1
    assert ran.stderr.rstrip().endswith("Error: something else")
