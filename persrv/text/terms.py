"""A document's counted tokens: everything that its texts give to an index, so that no text is tokenised twice."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from persrv.text.tokenizer import pieces

_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Terms:
    """The tokens of one document, counted field by field.

    Attributes:
        tokens: Field to token to how often it stands there.
        surfaces: Field to (token, spelling that people can read) to how often; word tokens only.
    """

    tokens: Mapping[str, Mapping[str, int]]
    surfaces: Mapping[str, Mapping[tuple[str, str], int]]

    @classmethod
    def of(cls, document: Mapping[str, Sequence[str]]) -> Self:
        """Count a document, given as field to phrases; pairs of characters never cross two phrases."""
        tokens: dict[str, Counter[str]] = {}
        surfaces: dict[str, Counter[tuple[str, str]]] = {}
        for field, phrases in document.items():
            counted, spelled = tokens.setdefault(field, Counter()), surfaces.setdefault(field, Counter())
            for piece in (piece for phrase in phrases for piece in pieces(phrase)):
                counted.update(piece.tokens)
                # A stretched word has several readings, so it is no good spelling of any of them.
                if piece.kind == "word" and (len(piece.tokens) == 1 or piece.tokens[0] == piece.text):
                    spelled[piece.tokens[0], piece.text] += 1
        return cls(tokens, surfaces)

    def to_bytes(self) -> bytes:
        """Return a compact form of exactly these counts."""
        content = {
            field: [counts, [[*pair, count] for pair, count in self.surfaces.get(field, {}).items()]]
            for field, counts in self.tokens.items()
        }
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return zlib.compress(text.encode("utf-8", "surrogatepass"), _LEVEL)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return what :meth:`to_bytes` wrote.

        Raises:
            ValueError: The bytes are something else.
        """
        try:
            read = json.loads(zlib.decompress(content).decode("utf-8", "surrogatepass"))
            return cls(
                {field: counts for field, (counts, _) in read.items()},
                {field: {(token, text): n for token, text, n in spelled} for field, (_, spelled) in read.items()},
            )
        except (zlib.error, AttributeError, TypeError) as error:
            raise ValueError(f"these are no counted tokens: {error}") from error
