"""Make ``collections/emoji-queries``: what people who did not write the indexed texts would type for an emoji.

``python -m scripts.emoji_set.queries RIME`` with RIME the file ``emoji_word.txt`` of Debian's package
``rime-data-emoji``; the English words come from the npm package emojilib, fetched with ``npm pack``.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import opencc

from .packages import fetch

ROOT = Path(__file__).resolve().parents[2]
SET = ROOT / "collections" / "emoji" / "stickers.jsonl"
OUT = ROOT / "collections" / "emoji-queries"
EMOJILIB = ("emojilib", "4.0.3")
LICENCES = Path("/usr/share/common-licenses")
_ENGLISH = re.compile(r"[a-z][a-z' ]{1,23}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]{1,8}")


def english(archive: Path) -> dict[str, list[str]]:
    """Return each emoji's keywords of emojilib without the first, which is its CLDR name, and without emoticons."""
    listed: dict[str, list[str]] = fetch(*EMOJILIB, archive).read_json("dist/emoji-en-US.json")[0]
    spoken = {emoji: [word.replace("_", " ").lower() for word in words[1:]] for emoji, words in listed.items()}
    return {emoji: [word for word in words if _ENGLISH.fullmatch(word)] for emoji, words in spoken.items()}


def chinese(table: Path) -> dict[str, list[str]]:
    """Return each emoji's words in Rime's suggestions, in simplified characters, in the order of the file."""
    simplified = opencc.OpenCC("t2s")
    found: dict[str, list[str]] = defaultdict(list)
    for line in table.read_text(encoding="utf-8").splitlines():
        word, tab, suggested = line.partition("\t")
        spoken = simplified.convert(word)
        if tab and _CHINESE.fullmatch(spoken):
            for emoji in suggested.split()[1:]:
                found[emoji].append(spoken)
    return found


def write(name: str, words: Mapping[str, Iterable[str]], emoji: Iterable[str]) -> None:
    """Write one line ``emoji TAB word TAB word ...`` for each emoji of the set that has words."""
    bare = {_bare(sign): phrases for sign, phrases in words.items()}
    lines = []
    for sign in emoji:
        phrases = list(dict.fromkeys(bare.get(_bare(sign), ())))
        if phrases:
            lines.append("\t".join([sign, *phrases]))
    (OUT / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _bare(sign: str) -> str:
    return sign.replace("\ufe0f", "")


def main() -> None:
    """Write both tables and the licence texts that the Chinese one needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rime", type=Path, help="emoji_word.txt of Debian's rime-data-emoji")
    rime = parser.parse_args().rime
    lines = SET.read_text(encoding="utf-8").splitlines()
    emoji = list(dict.fromkeys(json.loads(line)["emoji"] for line in lines))
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as cache:
        write("en.tsv", english(Path(cache)), emoji)
    write("zh.tsv", chinese(rime), emoji)
    for licence in ("LGPL-3", "GPL-3"):
        shutil.copyfile(LICENCES / licence, OUT / f"{licence}.txt")


if __name__ == "__main__":
    main()
