"""A model's files on this machine: found by folder or hub name, and identified by what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from persrv.errors import RecipeError
from persrv.reading.describe.setting_names import SettingNames, recipe_key

_WEIGHTS = "*.safetensors"
_FILES = ("*.json", "*.jinja", "*.model", "*.txt", _WEIGHTS)
"""What a model is loaded from. Weights in Python's pickle format are left out: loading them runs their code."""
_HASHED_WHOLE = 64 * 2**20
_SAMPLES, _SAMPLE = 64, 2**16


def model_folder(model: str, revision: str, names: SettingNames = recipe_key) -> Path:
    """Return the folder of a model.

    Args:
        model: A folder, or a name on the model hub (``"llava-hf/llava-1.5-7b-hf"``), which is downloaded unless it is
            in the hub's cache.
        revision: Branch, tag or commit on the hub; ``""`` for its default.
        names: How messages call the settings.

    Raises:
        RecipeError: The folder holds no model, or the hub cannot give it.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if (folder / "config.json").is_file():
            return folder
        raise RecipeError(f"{names('model')}: {folder} holds no config.json", "give the folder of a saved model")
    if folder.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1:
        raise RecipeError(
            f"{names('model')}: there is no folder {folder}", "correct it, or give a name on the model hub"
        )
    return _from_hub(model, revision, names("model"))


def _from_hub(name: str, revision: str, setting: str) -> Path:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError

    try:
        found = Path(huggingface_hub.snapshot_download(name, revision=revision or None, allow_patterns=list(_FILES)))
    # The hub's client turns every fault into one of these: no network, no such model, no permission, a bad name.
    except (OSError, ValueError, HfHubHTTPError) as error:
        what = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RecipeError(
            f"{setting}: {name!r} is not on this machine and cannot be downloaded: {what}",
            f"connect to the network once and run hf download {name}, or give a local folder",
        ) from error
    if not (found / "config.json").is_file():
        raise RecipeError(f"{setting}: the copy of {name!r} on this machine is incomplete", f"run hf download {name}")
    return found


def weights_fingerprint(folder: Path) -> str:
    """Return 16 hex digits that change with a model's weights, whatever else stands beside them.

    Raises:
        RecipeError: A file cannot be read.
    """
    return folder_fingerprint(folder, (_WEIGHTS,))


def folder_fingerprint(folder: Path, patterns: Sequence[str] = _FILES) -> str:
    """Return 16 hex digits that change with a model's files.

    Files of up to 64 MiB are read whole, larger ones (a 7B model has 14 GB) in 64 evenly spaced samples and by size:
    training changes weights everywhere, so a sample tells.

    Raises:
        RecipeError: A file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for file in sorted({file for pattern in patterns for file in folder.glob(pattern)}):
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            digest.update(_content(file))
    except OSError as error:
        raise RecipeError(f"{folder} cannot be read: {error}", "check the model's files") from error
    return digest.hexdigest()[:16]


def _content(file: Path) -> bytes:
    size = file.stat().st_size
    digest = hashlib.sha256()
    with file.open("rb") as content:
        if size <= _HASHED_WHOLE:
            return hashlib.file_digest(content, "sha256").digest()
        for number in range(_SAMPLES):
            content.seek(number * (size - _SAMPLE) // (_SAMPLES - 1))
            digest.update(content.read(_SAMPLE))
    return digest.digest()
