"""Adapter and base as one model, for servers that take no adapters: ``persrv train merge``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from persrv.errors import PersrvError, RecipeError
from persrv.reading.describe.provenance import FILE, Provenance, check_base
from persrv.training import check_packages
from persrv.training.saving import disk_faults, unwritable

_CARD = "README.md"


def merge(adapter: str | Path, folder: str | Path, *, model: str = "", dtype: str = "auto") -> Path:
    """Save the base model with the adapter worked into its weights.

    Args:
        adapter: What :func:`persrv.training.train` made.
        folder: Where to; empty, or not there yet.
        model: The base model, ``""`` for the one that the adapter names.
        dtype: Of the saved weights: ``"auto"`` for the base model's own, or ``"float32"``, ``"float16"``,
            ``"bfloat16"``. The sum is taken in float32.

    Returns:
        ``folder``: a model for ``describe.model``, without ``describe.adapter``.

    Raises:
        RecipeError: Adapter or base cannot be used, or do not belong together; the folder holds something.
        SourceError: The folder cannot be written.
        MissingExtraError: Packages of the extra ``train`` are missing.
    """
    check_packages()
    adapter, folder = Path(adapter), Path(folder)
    provenance = Provenance.read(adapter)
    if provenance is None or not (adapter / "adapter_config.json").is_file():
        raise RecipeError(f"{adapter} holds no adapter that persrv trained", "give the folder of persrv train run")
    if dtype not in ("auto", "float32", "float16", "bfloat16"):
        raise RecipeError(f"there is no number format {dtype!r}", "use auto, float32, float16 or bfloat16")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecipeError(f"{folder} is there already", "give another folder, or delete this one")

    from persrv.reading.describe.model_folder import model_folder
    from persrv.reading.describe.setting_names import option

    base = model_folder(model or provenance.base, str(provenance.settings.get("revision", "")), option)
    check_base(adapter, base)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _save(base, adapter, unfinished, dtype)
        for name in (_CARD, FILE):
            shutil.copyfile(adapter / name, unfinished / name)
        if folder.exists():
            folder.rmdir()
        unfinished.replace(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _save(base: Path, adapter: Path, folder: Path, dtype: str) -> None:
    import torch

    from persrv.reading.describe.pretrained import load_model, load_processor, prepare_import
    from persrv.reading.describe.quiet import quiet

    # peft imports transformers' model classes.
    prepare_import()
    from peft import PeftModel

    try:
        with quiet():
            processor = load_processor(base)
            model = load_model(base, torch.float32)
            adapted: Any = PeftModel.from_pretrained(model, str(adapter))
            merged = adapted.merge_and_unload().to(_own(base) if dtype == "auto" else getattr(torch, dtype))
    except PersrvError:
        raise
    # Each library of the stack has errors of its own.
    except Exception as error:
        what = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RecipeError(f"{adapter} cannot be merged into {base}: {what}", "check both, or train again") from error
    with quiet(), disk_faults():
        merged.save_pretrained(folder)
        processor.save_pretrained(folder)


def _own(base: Path) -> Any:
    """Return the number format that the base model's files have, float32 where its configuration names none."""
    import torch

    content = json.loads((base / "config.json").read_text(encoding="utf-8"))
    named = content.get("dtype") or content.get("torch_dtype") or "float32"
    return getattr(torch, str(named).removeprefix("torch."), torch.float32)
