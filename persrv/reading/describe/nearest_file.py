"""A nearest model on disk: one ``.npz`` file without pickled objects."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.errors import RecipeError, writing
from persrv.reading.describe.calibration import Calibration
from persrv.reading.describe.label_space import LabelSpace
from persrv.reading.describe.nearest_model import NearestModel

FILE = "nearest.npz"
_VERSION = 2


def save_nearest(model: NearestModel, folder: Path) -> Path:
    """Write a model into a folder, in one step: a reader sees the old file or the new one.

    Returns:
        The file.

    Raises:
        CatalogError: The disk refuses.
    """
    with writing(folder / FILE):
        return _written(model, folder)


def _written(model: NearestModel, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"version": _VERSION, "encoder": model.encoder, "encoder_revision": model.encoder_revision}
    unfinished = folder / f".{FILE}.{os.getpid()}"
    try:
        with unfinished.open("wb") as file:
            np.savez(
                file,
                facts=_text(json.dumps(facts)),
                words=_text(json.dumps(model.words, ensure_ascii=False)),
                emotions=_text(json.dumps(model.emotions, ensure_ascii=False)),
                centre=model.space.centre,
                gain=model.space.gain,
                projection=model.space.projection,
                readout=model.space.readout,
                prior=model.space.prior,
                ids=model.ids,
                examples=model.examples.astype(np.float16),
                offsets=model.offsets,
                numbers=model.numbers,
                word_scores=model.word_calibration.scores,
                word_confidences=model.word_calibration.confidences,
                emotion_scores=model.emotion_calibration.scores,
                emotion_confidences=model.emotion_calibration.confidences,
            )
        unfinished.replace(folder / FILE)
    finally:
        unfinished.unlink(missing_ok=True)
    return folder / FILE


def load_nearest(folder: Path) -> NearestModel:
    """Read the model that :func:`save_nearest` wrote.

    Raises:
        RecipeError: There is none, it is damaged, or another version wrote it.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            part = {name: content[name] for name in content.files}
        facts = json.loads(part["facts"].tobytes())
        if facts["version"] != _VERSION:
            raise ValueError(f"it has version {facts['version']}, not {_VERSION}")
        model = NearestModel(
            str(facts["encoder"]),
            str(facts["encoder_revision"]),
            _labels(part["words"]),
            _labels(part["emotions"]),
            LabelSpace(part["centre"], part["gain"], part["projection"], part["readout"], part["prior"]),
            part["ids"],
            part["examples"].astype(np.float32),
            part["offsets"],
            part["numbers"],
            Calibration(part["word_scores"], part["word_confidences"]),
            Calibration(part["emotion_scores"], part["emotion_confidences"]),
        )
        _check(model)
    except FileNotFoundError as error:
        raise RecipeError(
            f"describe.engine is 'nearest', but nothing has been learned from the labels yet: there is no {path}",
            "run persrv learn with the recipe, then build again",
        ) from error
    except Exception as error:  # damage brings the readers of archives and arrays to errors of ten kinds
        raise RecipeError(f"{path} cannot be read: {error!r}", "run persrv learn again") from error
    return model


def _text(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(text.encode(), np.uint8)


def _labels(content: NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(str(label) for label in json.loads(content.tobytes()))


def _check(model: NearestModel) -> None:
    space, n, labels = model.space, len(model.examples), len(model.words) + len(model.emotions)
    d, r = space.projection.shape
    expected = {
        "centre": (space.centre.shape, (d,)),
        "gain": (space.gain.shape, (d,)),
        "readout": (space.readout.shape, (r, labels)),
        "prior": (space.prior.shape, (labels,)),
        "ids": (model.ids.shape, (n,)),
        "examples": (model.examples.shape, (n, r)),
        "offsets": (model.offsets.shape, (n + 1,)),
        "numbers": (model.numbers.shape, (int(model.offsets[-1]),)),
        "word_confidences": (model.word_calibration.confidences.shape, model.word_calibration.scores.shape),
        "emotion_confidences": (model.emotion_calibration.confidences.shape, model.emotion_calibration.scores.shape),
    }
    for name, (found, wanted) in expected.items():
        if found != wanted:
            raise ValueError(f"its part {name} has the shape {found}, not {wanted}")
    if model.numbers.size and not 0 <= model.numbers.min() <= model.numbers.max() < labels:
        raise ValueError("it names labels that it does not hold")
