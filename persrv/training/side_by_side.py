"""Stickers with both models' words beside each other, as one HTML page that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from persrv.reading.describe.describer import Description
from persrv.text import normalise
from persrv.training.examples import Example

_SIDE = 128
_TEMPLATES = Environment(loader=PackageLoader("persrv.training"), autoescape=True, undefined=StrictUndefined)


def side_by_side(
    examples: Sequence[Example],
    plain: Sequence[Description | None],
    tuned: Sequence[Description | None],
    data: Path,
) -> str:
    """Return the page; all text is escaped, and a content security policy allows nothing but its style and pictures.

    Args:
        examples: The stickers.
        plain: What the base model said of each, ``None`` where that could not be read.
        tuned: What the tuned model said.
        data: The prepared data, for the pictures.

    Raises:
        SourceError: A picture cannot be read.
    """
    rows = [
        {
            "id": example.id,
            "picture": _picture(example, data),
            "queries": [(query.text, query.users) for query in example.queries],
            "answers": [_answer(description, example) for description in (before, after)],
        }
        for example, before, after in zip(examples, plain, tuned, strict=True)
    ]
    style = (files("persrv.training") / "templates" / "side_by_side.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    # The page's own style sheet is no text of a sticker, and must stay as its digest was taken.
    return _TEMPLATES.get_template("side_by_side.html").render(
        rows=rows,
        style=Markup(style),  # noqa: S704
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'",
    )


def _answer(description: Description | None, example: Example) -> dict[str, object]:
    typed = {normalise(query.text) for query in example.queries}
    keywords = [(keyword, normalise(keyword) in typed) for keyword in description.keywords] if description else []
    return {
        "readable": description is not None,
        "description": description.description if description else "",
        "keywords": keywords,
    }


def _picture(example: Example, data: Path) -> str:
    buffer = BytesIO()
    Image.fromarray(example.opened(data)).resize((_SIDE, _SIDE)).save(buffer, "webp", quality=80)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode('ascii')}"
