"""What an OpenAI-compatible server understands: each leaves out something else."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.reading.describe.asking import DescriberInput
from persrv.reading.emotions import labels


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which optional parts of a chat request a server takes; the fullest one is the default.

    Attributes:
        schema: Whether answers can be bound to a JSON schema (``response_format``).
        limit: What the limit of tokens is called; OpenAI's newer models want ``max_completion_tokens``.
        temperature: Whether a temperature may be given; some models that think first refuse it.
    """

    schema: bool = True
    limit: str = "max_tokens"
    temperature: bool = True

    def plainer(self, complaint: str) -> Dialect | None:
        """Return a dialect without what the server complains about; ``None`` where nothing is left to leave out.

        A complaint that names no part is taken for one about the schema, the part that fewest servers know.
        """
        if "max_completion_tokens" in complaint and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "temperature" in complaint and self.temperature:
            return replace(self, temperature=False)
        return replace(self, schema=False) if self.schema else None

    def request(self, model: str, question: DescriberInput, max_tokens: int) -> dict[str, Any]:
        """Return the body of a chat request: the picture as a data URI, and the prompt.

        The picture stands first, as in training: templates such as Qwen's keep the order.
        """
        content = [
            {"type": "image_url", "image_url": {"url": data_uri(question.image)}},
            {"type": "text", "text": question.text},
        ]
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "user", "content": content}],
            self.limit: max_tokens,
        }
        if self.temperature:
            body["temperature"] = 0
        if self.schema:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "sticker", "strict": True, "schema": answer_schema()},
            }
        return body


def answer_schema() -> dict[str, Any]:
    """Return the JSON schema of an answer, in the part of the language that all servers' grammars know."""
    words = {"type": "array", "items": {"type": "string"}}
    emotions = {"type": "array", "items": {"type": "string", "enum": list(labels())}}
    return {
        "type": "object",
        "properties": {"description": {"type": "string"}, "keywords": words, "emotions": emotions},
        "required": ["description", "keywords", "emotions"],
        "additionalProperties": False,
    }


def data_uri(image: NDArray[np.uint8]) -> str:
    """Return an RGB picture of shape (h, w, 3) as a ``data:`` URI, PNG: drawings keep their edges."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
