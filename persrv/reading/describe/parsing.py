"""From what a model answered to a checked description.

Models are asked for one JSON object. They also answer with a code fence around it, with text before and after it, cut
off in its middle, or with labelled lines; all these are read. What cannot be read is a value, not an error: the caller
counts it and asks again.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from persrv.reading.describe.cleaning import one_line, shortened
from persrv.reading.describe.cut_off import completed
from persrv.reading.describe.describer import Description
from persrv.reading.emotions import canonical

LONGEST_DESCRIPTION = 200
MOST_KEYWORDS = 20
LONGEST_KEYWORD = 40
_LONGEST_ANSWER = 20_000
_MOST_STARTS = 20
"""Opening braces that are tried: an answer of nothing but braces must not take quadratic time."""

_NAMES = {
    "description": "description",
    "caption": "description",
    "描述": "description",
    "说明": "description",
    "keywords": "keywords",
    "keyword": "keywords",
    "tags": "keywords",
    "关键词": "keywords",
    "关键字": "keywords",
    "标签": "keywords",
    "emotions": "emotions",
    "emotion": "emotions",
    "情绪": "emotions",
    "情感": "emotions",
}
_LABEL = re.compile(rf"(?:^|(?<=[\s.。;；,，>*#_]))({'|'.join(_NAMES)})[\s*_]*[:：][\s*_]*", re.IGNORECASE)
_THOUGHTS = re.compile(r"^.*</think>", re.DOTALL)
_SEPARATORS = re.compile(r"[,，、;；|\n]+")
_BULLET = re.compile(r"^(?:[-*•·#]+|\d{1,2}[.)、])\s*")
_QUOTES = "\"'“”‘’「」『』`*[]()（）"
_ENDS = ".。!！"
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u30ff]")
_LATIN = re.compile("[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer in which no description was found.

    Attributes:
        reason: What is wrong with it, with its beginning, for people.
    """

    reason: str


def parse(answer: str, language: str = "") -> Description | Unreadable:
    """Read a model's answer.

    Args:
        answer: Anything.
        language: BCP 47 tag of the language that was asked for. Where the answer is visibly in another script, the
            description's language says so.

    Returns:
        A description of at most 200 characters, at most 20 keywords of at most 40 characters each (longer ones are no
        keywords and are left out) without repeats, and emotions of the vocabulary; description or keywords are there.
    """
    answer = _THOUGHTS.sub("", answer[:_LONGEST_ANSWER])
    for fields in (*_objects(answer), _labelled(answer)):
        description = shortened(_sentence(fields.get("description")), LONGEST_DESCRIPTION)
        keywords = tuple(_keywords(_phrases(fields.get("keywords"))))
        if description or keywords:
            found = canonical(_phrases(fields.get("emotions")))
            return Description(description, keywords, found, _language(description, keywords, language))
    beginning = shortened(one_line(answer), 60)
    return Unreadable(f"no description in the answer {beginning!r}" if beginning else "the answer is empty")


def written(description: Description) -> str:
    """Return the answer that :func:`parse` reads as this description: what a model in training should learn to say."""
    fields = {
        "description": description.description,
        "keywords": list(description.keywords),
        "emotions": list(description.emotions),
    }
    return json.dumps(fields, ensure_ascii=False)


def _objects(answer: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in an answer that have one of our keys, then what was cut off in the last of them."""
    decoder = json.JSONDecoder()
    starts = [match.start() for match in re.finditer(r"\{", answer)][:_MOST_STARTS]
    for start in starts:
        try:
            value, _ = decoder.raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        if fields := _renamed(value):
            yield fields
    if starts and (value := completed(answer[starts[0] :])) is not None:
        yield _renamed(value)


def _renamed(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {_NAMES[key]: content for name, content in value.items() if (key := one_line(name).lower()) in _NAMES}


def _labelled(answer: str) -> dict[str, Any]:
    """Return what stands after ``Description:`` and its like, each up to the next such label."""
    labels = list(_LABEL.finditer(answer))
    return {
        _NAMES[label[1].lower()]: answer[label.end() : following.start() if following else None]
        for label, following in zip_longest(labels, labels[1:])
    }


def _sentence(value: object) -> str:
    if isinstance(value, list):
        value = " ".join(part for part in value if isinstance(part, str))
    text = one_line(value).strip(_QUOTES + " ") if isinstance(value, str) else ""
    return text if any(c.isalnum() for c in text) else ""


def _phrases(value: object) -> list[str]:
    if isinstance(value, str):
        return _SEPARATORS.split(value)
    return [part for part in value if isinstance(part, str)] if isinstance(value, list) else []


def _keywords(phrases: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for phrase in phrases:
        keyword = _BULLET.sub("", one_line(phrase)).strip(_QUOTES + " ").rstrip(_ENDS + " ")
        key = unicodedata.normalize("NFKC", keyword).casefold()
        if keyword and len(keyword) <= LONGEST_KEYWORD and key not in seen:
            seen.add(key)
            yield keyword
        if len(seen) == MOST_KEYWORDS:
            return


def _language(description: str, keywords: Iterable[str], requested: str) -> str:
    text = description or " ".join(keywords)
    if _KANA.search(text):
        return "ja"
    chinese = len(_HAN.findall(text)) * 2 > len(_LATIN.findall(text))
    if chinese:
        return requested if requested.startswith("zh") else "zh"
    return "" if requested.startswith("zh") else requested
