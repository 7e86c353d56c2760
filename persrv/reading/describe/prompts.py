"""What a vision-language model is asked. The words are data: ``prompts.toml``, or the recipe's ``describe.prompt``."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

from persrv.reading import emotions
from persrv.reading.describe.cleaning import one_line
from persrv.reading.describe.describer import Subject
from persrv.recipe import Describe

_DATA = files("persrv.reading.describe") / "prompts.toml"
_LONGEST_KNOWN = 120
"""Characters of each known text that go into a prompt; a screenshot full of text must not crowd out the question."""
_MARKS = re.compile(r"\{(emotions|known|frames)\}")


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts of one language, with marks in braces where something is filled in.

    Attributes:
        ask: The question; ``{emotions}``, ``{known}`` and ``{frames}`` are filled in, other braces stay.
        again: What is added when an answer could not be read.
        frames: A sentence for animations.
        text: A sentence for the text in the picture, with ``{text}``.
        name: A sentence for the sticker's name, with ``{name}``.
    """

    ask: str
    again: str
    frames: str
    text: str
    name: str

    @classmethod
    def of(cls, settings: Describe) -> Self:
        """Return the prompts of the recipe's language, its own ``prompt`` in place of ``ask`` where it has one."""
        words = tomllib.loads(_DATA.read_text(encoding="utf-8"))[settings.language]
        stripped = {key: value.strip("\n") for key, value in words.items()}
        return cls(**(stripped | ({"ask": settings.prompt} if settings.prompt else {})))

    @property
    def revision(self) -> str:
        """8 hex digits that change with any text that a model may be shown, the vocabulary of emotions included."""
        parts = [self.ask, self.again, self.frames, self.text, self.name, emotions.emotions_revision()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]

    def question(self, subject: Subject, firmer: bool = False) -> str:
        """Return what to ask about one sticker.

        Args:
            subject: Its first name and the text read in it are told to the model.
            firmer: Whether the model's first answer could not be read.
        """
        moving = subject.picture is not None and len(subject.picture.frames) > 1
        fillings = {
            "emotions": ", ".join(emotions.labels()),
            "known": self._known(subject),
            "frames": self.frames if moving else "",
        }
        # In one pass, so that braces in a sticker's own text are never taken for marks.
        filled = _MARKS.sub(lambda mark: fillings[mark[1]], self.ask)
        return f"{filled}\n{self.again}" if firmer else filled

    def _known(self, subject: Subject) -> str:
        name = one_line(" ".join(subject.semantics.name[:1]))[:_LONGEST_KNOWN]
        text = one_line(" / ".join(subject.semantics.ocr))[:_LONGEST_KNOWN]
        return (self.name.replace("{name}", name) if name else "") + (self.text.replace("{text}", text) if text else "")
