"""A nearest model on disk: one ``.npz`` file without pickled objects."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np

from persrv.errors import RecipeError
from persrv.reading.describe.calibration import Calibration
from persrv.reading.describe.label_space import LabelSpace
from persrv.reading.describe.nearest_model import NearestModel

FILE = "nearest.npz"
_VERSION = 1


def save(model: NearestModel, folder: Path) -> Path:
    """Write a model into a folder, in one step: a reader sees the old file or the new one.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"version": _VERSION, "encoder": model.encoder, "encoder_revision": model.encoder_revision}
    unfinished = folder / f".{FILE}.{os.getpid()}"
    try:
        with unfinished.open("wb") as file:
            np.savez(
                file,
                facts=_text(json.dumps(facts)),
                labels=_text(json.dumps(model.labels, ensure_ascii=False)),
                centre=model.space.centre,
                gain=model.space.gain,
                projection=model.space.projection,
                readout=model.space.readout,
                prior=model.space.prior,
                ids=model.ids,
                examples=model.examples,
                offsets=model.offsets,
                numbers=model.numbers,
                scores=model.calibration.scores,
                confidences=model.calibration.confidences,
            )
        unfinished.replace(folder / FILE)
    finally:
        unfinished.unlink(missing_ok=True)
    return folder / FILE


def load(folder: Path) -> NearestModel:
    """Read the model that :func:`save` wrote.

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
            tuple(str(label) for label in json.loads(part["labels"].tobytes())),
            LabelSpace(part["centre"], part["gain"], part["projection"], part["readout"], part["prior"]),
            part["ids"],
            part["examples"],
            part["offsets"],
            part["numbers"],
            Calibration(part["scores"], part["confidences"]),
        )
        _check(model)
    except FileNotFoundError as error:
        raise RecipeError(
            f"describe.engine is 'nearest', but nothing has been learned from the labels yet: there is no {path}",
            "run persrv learn with the recipe, then build again",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise RecipeError(f"{path} cannot be read: {error}", "run persrv learn again") from error
    return model


def _text(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(text.encode(), np.uint8)


def _check(model: NearestModel) -> None:
    space, n = model.space, len(model.examples)
    d, r = space.projection.shape
    expected = {
        "centre": (space.centre.shape, (d,)),
        "gain": (space.gain.shape, (d,)),
        "readout": (space.readout.shape, (r, len(model.labels))),
        "prior": (space.prior.shape, (len(model.labels),)),
        "ids": (model.ids.shape, (n,)),
        "examples": (model.examples.shape, (n, r)),
        "offsets": (model.offsets.shape, (n + 1,)),
        "numbers": (model.numbers.shape, (int(model.offsets[-1]),)),
        "confidences": (model.calibration.confidences.shape, model.calibration.scores.shape),
    }
    for name, (found, wanted) in expected.items():
        if found != wanted:
            raise ValueError(f"its part {name} has the shape {found}, not {wanted}")
    if model.numbers.size and not 0 <= model.numbers.min() <= model.numbers.max() < len(model.labels):
        raise ValueError("it names labels that it does not hold")
