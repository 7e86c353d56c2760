"""What style vectors take from the whole collection, kept in files, so that one sticker more changes no other."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from persrv.catalog import VectorCache
from persrv.errors import IndexMismatchError, writing
from persrv.images.space import Space
from persrv.indexing.vector_sources import pictured
from persrv.ranking.style_space.centred import MeaningCentred, centred_looks, later_style
from persrv.ranking.style_space.word_looks import WordLooks
from persrv.ranking.style_space.words import WordTable
from persrv.recipe import Text
from persrv.text import Terms
from persrv.text.bm25f import SparseVector, terms_vector

OTHER_FIELDS = ("pack", "queries")
"""Fields whose words say nothing of what a sticker means: a pack's name tells the style, and what users typed would
let a pick change everybody's space."""

_SUMS = "sha256.json"
"""Name of every other file of a fit, and its check sum."""


@dataclass(frozen=True, eq=False)
class StyleFit:
    """The space of style, as it was fitted on n stickers with pictures.

    The vector of a fitted sticker is that of the fit, whatever is said of it later, until the next fit. Others get
    theirs from their words and looks.

    Attributes:
        space: Projects raw vectors.
        removed: Share of the predicted look that is subtracted.
        ids: Fitted stickers, ascending, n of them, as ASCII bytes.
        vectors: Their style vectors, shape (n, d), float32.
        packs: First pack of each, ``""`` for none.
        average_lengths: Field to average length in tokens, of the words that predict looks.
        word_looks: What words predict, ``None`` where nothing is subtracted.
    """

    space: Space
    removed: float
    ids: NDArray[np.bytes_]
    vectors: NDArray[np.float32]
    packs: Sequence[str]
    average_lengths: Mapping[str, float]
    word_looks: WordLooks | None

    @classmethod
    def fit(
        cls,
        ids: Sequence[str],
        raw: NDArray[np.floating],
        packs: Sequence[str],
        words: Iterable[SparseVector] | None,
        average_lengths: Mapping[str, float],
    ) -> Self:
        """Fit the space of style on n stickers that have a picture.

        Args:
            ids: Their ids, ascending.
            raw: Their raw style vectors, shape (n, d).
            packs: First pack of each, ``""`` for none.
            words: What each means, see :func:`meaning_words`; ``None`` leaves meaning in.
            average_lengths: Those that ``words`` were weighed with.
        """
        names = np.array(ids, dtype="S32")
        if words is None:
            space = Space.fit(raw, packs)
            return cls(space, 0.0, names, space.project(raw), packs, {}, None)
        centred = MeaningCentred.fit(raw, words, packs)
        lengths = dict(average_lengths)
        return cls(centred.space, centred.removed, names, centred.vectors, packs, lengths, centred.word_looks)

    @property
    def dimension(self) -> int:
        """Length of a style vector."""
        return self.space.dimension

    def vectors_of(
        self, ids: Sequence[str], packs: Sequence[str], terms: Sequence[Terms], text: Text, raw: VectorCache
    ) -> NDArray[np.float32]:
        """Return style vectors, shape (m, d): unit, or zero where there is no picture, or nothing to tell.

        Args:
            ids: Some stickers, m of them.
            packs: First pack of each, ``""`` for none.
            terms: Their words.
            text: The recipe's ``[text]``.
            raw: Raw style vectors.
        """
        answer = np.zeros((len(ids), self.dimension), np.float32)
        places = [self._place(sticker_id) for sticker_id in ids]
        fitted = [i for i, place in enumerate(places) if place >= 0]
        answer[fitted] = self.vectors[[places[i] for i in fitted]]
        later = [i for i, place in enumerate(places) if place < 0]
        have, rows = pictured([ids[i] for i in later], raw)
        if not len(have):
            return answer
        if not self.average_lengths and self.word_looks is None:
            answer[[later[k] for k in have]] = self.space.project(rows)
            return answer
        looks = centred_looks(self.space, rows)
        predicted = np.zeros_like(looks)
        for number, k in enumerate(have.tolist()):
            predicted[number] = self._predicted(packs[later[k]], terms[later[k]], text, raw)
        answer[[later[k] for k in have]] = later_style(self.space, looks, predicted, self.removed)
        return answer

    def save(self, folder: Path) -> None:
        """Write the fit; a folder of this name is replaced.

        Raises:
            CatalogError: The disk refuses.
        """
        with writing(f"the fit {folder}"):
            draft = folder.with_name(f".{folder.name}.new")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            for name, array in self._arrays().items():
                np.save(draft / f"{name}.npy", array)
            content = {
                "space": self.space.to_dict(),
                "removed": self.removed,
                "packs": list(self.packs),
                "average_lengths": dict(self.average_lengths),
            }
            (draft / "style.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
            sums = {file.name: _digest(file) for file in sorted(draft.iterdir())}
            (draft / _SUMS).write_text(json.dumps(sums, indent=1), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open what :meth:`save` wrote; the arrays stay on the disk.

        Raises:
            IndexMismatchError: It is not there, or cannot be read.
        """
        try:
            content = from_json((folder / "style.json").read_bytes())
            sums = _sums(folder)
            if _digest(folder / "style.json") != sums["style.json"]:
                raise ValueError("style.json is not what was written")
            names = [name.removesuffix(".npy") for name in sums if name.endswith(".npy")]
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
            learnt = None
            if "sums" in arrays:
                table = WordTable(*(arrays[name] for name in ("starts", "words", "weights", "tokens", "rarity")))
                learnt = WordLooks(table, arrays["sums"], arrays["mass"])
            return cls(
                Space.from_dict(content["space"]),
                float(content["removed"]),
                arrays["ids"],
                arrays["vectors"],
                content["packs"],
                content["average_lengths"],
                learnt,
            )
        except Exception as error:  # a damaged header brings NumPy's reader to errors of ten kinds
            raise IndexMismatchError(
                f"the fit {folder} cannot be read: {error!r}", "run persrv build --rebuild"
            ) from error

    @staticmethod
    def check(folder: Path) -> None:
        """Compare the files with the check sums that :meth:`save` took; reads everything.

        Raises:
            IndexMismatchError: One is missing, or is not what was written.
        """
        try:
            damaged = [name for name, digest in _sums(folder).items() if _digest(folder / name) != digest]
        except (OSError, ValueError) as error:
            raise IndexMismatchError(
                f"the fit {folder} cannot be read: {error}", "run persrv build --rebuild"
            ) from error
        if damaged:
            raise IndexMismatchError(f"{folder / damaged[0]} is not what was written", "run persrv build --rebuild")

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        arrays: dict[str, NDArray[np.generic]] = {"ids": self.ids, "vectors": self.vectors}
        if self.word_looks is not None:
            table = self.word_looks.table
            arrays |= {name: getattr(table, name) for name in ("starts", "words", "weights", "tokens", "rarity")}
            arrays |= {"sums": self.word_looks.sums, "mass": self.word_looks.mass}
        return arrays

    def _place(self, sticker_id: str) -> int:
        """Return a sticker's row, -1 where it was not fitted on."""
        name = sticker_id.encode()
        place = int(np.searchsorted(self.ids, np.bytes_(name)))
        return place if place < len(self.ids) and self.ids[place] == name else -1

    def _predicted(self, pack: str, terms: Terms, text: Text, raw: VectorCache) -> NDArray[np.float32]:
        if self.word_looks is None:
            return np.zeros(self.dimension, np.float32)
        own = self._rows_of_pack.get(pack, np.zeros(0, np.int64)) if pack else np.zeros(0, np.int64)

        def looks(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            return centred_looks(self.space, raw.get([self.ids[row].decode() for row in rows]))

        return self.word_looks.predicted(meaning_words(terms, text, self.average_lengths), own, looks)

    @cached_property
    def _rows_of_pack(self) -> dict[str, NDArray[np.int64]]:
        rows: dict[str, list[int]] = {}
        for row, pack in enumerate(self.packs):
            if pack:
                rows.setdefault(pack, []).append(row)
        return {pack: np.array(found, np.int64) for pack, found in rows.items()}


def _sums(folder: Path) -> dict[str, str]:
    sums = json.loads((folder / _SUMS).read_text(encoding="utf-8"))
    if not isinstance(sums, dict) or "style.json" not in sums or any("/" in name for name in sums):
        raise ValueError(f"{_SUMS} names no files")
    return {str(name): str(digest) for name, digest in sums.items()}


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def meaning_words(terms: Terms, text: Text, average_lengths: Mapping[str, float]) -> SparseVector:
    """Return what a sticker means: its BM25F vector, without the words of :data:`OTHER_FIELDS`."""
    kept = {field: counts for field, counts in terms.tokens.items() if field not in OTHER_FIELDS}
    return terms_vector(Terms(kept, {}), text, average_lengths)
