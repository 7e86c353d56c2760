"""Finding, in each package, the drawing of each emoji: by code points where the package tells them, else by name."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from .exceptions import OWN_NAMES, WRONG
from .meanings import Meaning, code_points, hexcode
from .packages import Package
from .styles import Style


@dataclass(frozen=True, slots=True)
class Glyph:
    """One drawing, not yet painted.

    Attributes:
        code: Code points of the emoji, as :func:`code_points` writes them.
        picture: An SVG document, or the bytes of a WebP file.
        mirrored: Whether it is to be flipped left to right.
    """

    code: str
    picture: str | bytes
    mirrored: bool = False


def squash(name: str) -> str:
    """Return a name's ASCII letters and digits only, in lower case, so that packages' spellings meet."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", name).lower())


def learn_names(meanings: Iterable[Meaning], packages: Iterable[Package]) -> dict[str, str]:
    """Return squashed name → code points, from CLDR, Unicode, and the packages that tell both.

    A CLDR label always means its own emoji; any other name that would mean two emoji is left out.
    """
    labels = {squash(meaning.label): meaning.code for meaning in meanings}
    known = set(labels.values())
    others: dict[str, set[str]] = defaultdict(set)
    for meaning in meanings:
        if "-" not in meaning.code:
            others[squash(unicodedata.name(chr(int(meaning.code, 16)), ""))].add(meaning.code)
    for package in packages:
        contents = package.read("icons.json", "chars.json")
        if contents.keys() != {"icons.json", "chars.json"}:
            continue
        aliases = _aliases(json.loads(contents["icons.json"]))
        for code, name in json.loads(contents["chars.json"]).items():
            normal = code_points(code)
            if normal in known:
                for spelling in (name, *aliases[name]):
                    others[squash(spelling)].add(normal)
    clear = {name: next(iter(codes)) for name, codes in others.items() if name and len(codes) == 1}
    return clear | labels


def find_glyphs(
    style: Style, package: Package, meanings: Iterable[Meaning], names: Mapping[str, str]
) -> tuple[list[Glyph], int]:
    """Return a style's drawings of the meanings, sorted by code points, and how many of its drawings meant none.

    Args:
        style: The style.
        package: An iconify set, or a package with one WebP file for each emoji under ``assets``.
        meanings: What to look for.
        names: The table of :func:`learn_names`.
    """
    wanted = {meaning.code: squash(meaning.label) for meaning in meanings}
    contents = package.read("icons.json", "chars.json", "assets/")
    if "icons.json" not in contents:
        files = {name: picture for name, picture in contents.items() if name.endswith(".webp")}
        found = {code_points(PurePosixPath(name).stem): picture for name, picture in sorted(files.items())}
        glyphs = [Glyph(code, picture) for code, picture in sorted(found.items()) if code in wanted]
        return glyphs, len(files) - len(glyphs)
    icons = json.loads(contents["icons.json"])
    chars = json.loads(contents.get("chars.json", b"{}"))
    by_code = {code_points(code): name for code, name in sorted(chars.items(), reverse=True)}
    name_of = _by_name(style.name, icons, wanted, names) | by_code
    drawings = {code: _follow(name, icons) for code, name in sorted(name_of.items()) if code in wanted}
    glyphs = [Glyph(code, _svg(name, icons), mirrored) for code, (name, mirrored) in drawings.items()]
    return glyphs, len(icons["icons"]) - len({name for name, _ in drawings.values()})


def _by_name(style: str, icons: dict[str, Any], wanted: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Return code points → drawing; of several, one named for this style counts first, then one named by the label."""
    own = {name: hexcode(emoji) for name, emoji in OWN_NAMES.get(style, {}).items()}
    best: dict[str, tuple[bool, bool, str]] = {}
    for name in sorted({*icons["icons"], *icons.get("aliases", {})} - WRONG.get(style, frozenset())):
        code = own.get(name) or names.get(squash(name))
        if code is not None:
            rank = (name not in own, squash(name) != wanted.get(code), name)
            best[code] = min(rank, best.get(code, rank))
    return {code: name for code, (_, _, name) in best.items()}


def _aliases(icons: dict[str, Any]) -> dict[str, list[str]]:
    plain: dict[str, list[str]] = defaultdict(list)
    for name, alias in icons.get("aliases", {}).items():
        if alias.keys() == {"parent"}:
            plain[alias["parent"]].append(name)
    return plain


def _follow(name: str, icons: dict[str, Any]) -> tuple[str, bool]:
    """Return the drawing behind an alias, and whether it is to be mirrored."""
    mirrored = False
    while name not in icons["icons"]:
        alias = icons["aliases"][name]
        mirrored ^= alias.get("hFlip", False)
        name = alias["parent"]
    return name, mirrored


def _svg(name: str, icons: dict[str, Any]) -> str:
    icon = icons["icons"][name]
    defaults = {"left": 0, "top": 0, "width": 16, "height": 16}
    left, top, width, height = (icon.get(key, icons.get(key, default)) for key, default in defaults.items())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
    )
