"""The log of a training: a CSV file, and a picture of the losses."""

from __future__ import annotations

import csv
from pathlib import Path

FILE = "training.csv"
PICTURE = "loss.png"
COLUMNS = ("step", "epoch", "learning_rate", "loss", "tokens_per_s", "validation_loss", "keyword_recall", "word_recall")


class TrainingLog:
    """Appends lines to ``training.csv``.

    Args:
        folder: The run's folder.
        step: Updates made when a training begins or goes on; later lines of an earlier run are dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._file = folder / FILE
        kept = [row for row in read_log(folder) if int(row["step"]) <= step]
        with self._file.open("w", encoding="utf-8", newline="") as content:
            writer = csv.DictWriter(content, COLUMNS)
            writer.writeheader()
            writer.writerows(kept)

    def add(self, **row: float) -> None:
        """Append one line; columns that are not given stay empty."""
        with self._file.open("a", encoding="utf-8", newline="") as content:
            csv.DictWriter(content, COLUMNS).writerow({name: f"{value:.6g}" for name, value in row.items()})


def read_log(folder: Path) -> list[dict[str, str]]:
    """Return the lines of a log, the one that a kill cut off left out; none where there is no log."""
    file = folder / FILE
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as content:
        return [row for row in csv.DictReader(content, restval="") if row.get("step", "").isdigit()]


def draw_losses(folder: Path) -> None:
    """Draw ``loss.png`` from the log: loss in training and on held-out stickers by update.

    Raises:
        OSError: The folder cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = read_log(folder)
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for column, label in (("loss", "training"), ("validation_loss", "held-out stickers")):
        points = [(int(row["step"]), float(row[column])) for row in rows if row[column]]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, marker="o" if len(points) < 30 else "")
    axes.set_xlabel("update")
    axes.set_ylabel("loss, nats a token of the answer")
    axes.legend()
    figure.savefig(folder / PICTURE, dpi=120)
