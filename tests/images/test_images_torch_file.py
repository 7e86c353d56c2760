"""Files of weights, read as PyTorch reads them, and never run."""

from __future__ import annotations

import functools
import io
import os
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persrv.images.encoders.torch_file import WeightsError, read_tensors

torch = pytest.importorskip("torch")

FORMATS = [True, False]


def saved(content: Any, zipped: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


@pytest.mark.parametrize("zipped", FORMATS)
def test_tensors_come_back_as_torch_gives_them(zipped: bool) -> None:
    numbers = torch.arange(24.0)
    content = OrderedDict(
        plain=numbers.reshape(2, 3, 4),
        turned=numbers.reshape(4, 6).T,
        window=numbers[5:9],
        half=numbers.half(),
        double=numbers.double(),
        whole=torch.arange(3),
        single=torch.tensor(7),
        none=torch.zeros(0, 3),
    )
    read = read_tensors(saved(content, zipped))
    assert list(read) == list(content)
    for name, tensor in content.items():
        assert read[name].dtype == tensor.numpy().dtype
        assert np.array_equal(read[name], tensor.numpy())


class Attack:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("exit 1",)


@pytest.mark.parametrize("zipped", FORMATS)
def test_code_is_not_run(zipped: bool) -> None:
    with pytest.raises(WeightsError, match=r"asks for \w+\.system"):
        read_tensors(saved({"a": Attack()}, zipped))


@pytest.mark.parametrize(
    ("content", "reason"),
    [([1], "no mapping"), ({"a": 1}, "'a' is no tensor"), (torch.nn.Linear(1, 1), "asks for torch.nn")],
)
@pytest.mark.parametrize("zipped", FORMATS)
def test_other_contents_are_refused(content: Any, reason: str, zipped: bool) -> None:
    with pytest.raises(WeightsError, match=reason):
        read_tensors(saved(content, zipped))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", pickle.dumps(5), b"nonsense"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(WeightsError):
        read_tensors(data)


@functools.cache
def sound(zipped: bool) -> bytes:
    """A sound file; saved once, since torch writes addresses into it and the same content differs in length."""
    return saved({"a": torch.arange(12.0).reshape(3, 4).T, "b": torch.arange(3)}, zipped)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_damage_gives_tensors_or_an_error(zipped: bool, draw: st.DataObject) -> None:
    data = bytearray(sound(zipped))
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        read = read_tensors(bytes(data))
    except WeightsError:
        return
    assert all(isinstance(array, np.ndarray) for array in read.values())
