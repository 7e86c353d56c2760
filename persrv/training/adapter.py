"""The adapter on disk: weights, where they come from, and a card for people."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from persrv.reading.describe.provenance import FILE, Provenance
from persrv.reading.describe.quiet import quiet
from persrv.training.data_card import DataCard
from persrv.training.saving import disk_faults

_UNFINISHED = "unfinished"
_LICENCE = re.compile(r"^license:\s*[\"']?([\w.+-]+)", re.MULTILINE)


def save_adapter(model: Any, folder: Path, provenance: Provenance, card: DataCard, base: Path) -> None:
    """Write the adapter; a kill leaves the earlier one whole.

    Args:
        model: With one adapter.
        folder: Where to.
        provenance: What is written beside it.
        card: Of the data.
        base: The base model's folder, for its licence.

    Raises:
        OSError: The folder cannot be written.
    """
    unfinished = folder / _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with quiet(), disk_faults():
            # Asked to decide by itself, peft would look for the base model on the hub.
            model.save_pretrained(str(unfinished), save_embedding_layers=False)
        (unfinished / FILE).write_text(provenance.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (unfinished / "README.md").write_text(adapter_card(provenance, card, licence_of(base)), encoding="utf-8")
        for file in sorted(unfinished.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def licence_of(base: Path) -> str:
    """Return the licence that a base model's own card names, ``""`` where it names none."""
    card = base / "README.md"
    if not card.is_file():
        return ""
    front = card.read_text(encoding="utf-8", errors="replace").split("---", 2)
    named = _LICENCE.search(front[1]) if len(front) == 3 and not front[0].strip() else None
    return named[1] if named else ""


def adapter_card(provenance: Provenance, card: DataCard, licence: str) -> str:
    """Return the model card, with the front matter that the model hub reads."""
    held_out = ", ".join(f"{name} {value:.4f}" for name, value in sorted(provenance.metrics.items())) or "not measured"
    settings = json.dumps(provenance.settings, ensure_ascii=False)
    return "\n".join(
        [
            "---",
            f"base_model: {json.dumps(provenance.base)}",
            "library_name: peft",
            "pipeline_tag: image-text-to-text",
            *([f"license: {licence}"] if licence else []),
            "---",
            "",
            f"# What people of the collection {card.collection} call a sticker",
            "",
            f"A LoRA adapter for `{provenance.base}` (files {provenance.base_files}), trained by persrv on the queries",
            "that led to picks. It answers persrv's question about a sticker with the words that people type for it.",
            "",
            f"* Licence of the base model: {licence or 'its card names none; look it up before you pass this on'}.",
            "  What was learnt from it stays bound to it.",
            f"* On held-out stickers: {held_out}.",
            f"* Prompt: {provenance.prompt}. A recipe that asks otherwise gets worse answers.",
            f"* Settings: `{settings}`",
            "",
            card.as_markdown().replace("# ", "## ", 1),
        ]
    )
