"""TGS, Telegram's animated stickers: gzip (RFC 1952) around a Lottie animation in JSON."""

from __future__ import annotations

import json
import zlib
from typing import Any, NoReturn

from persrv.images.containers.container import MOST_FRAMES, Container, MalformedError, canvas

_MOST_JSON = 4_000_000
"""Bytes of the JSON text; Telegram allows 64 kB for the compressed file, which is seldom more than 1 MB."""
_MOST_SIDE = 65_535
_LARGEST = 1e9


def read_tgs(data: bytes) -> Container:
    """Unpack the animation and read what it says about itself.

    The container's data is the JSON written anew, so that a renderer reads exactly what was checked here.

    Raises:
        MalformedError: It cannot be unpacked, is too large when unpacked, is no Lottie animation, or refers to files.
    """
    content = _lottie(_unpacked(data))
    width, height = (_number(content, key) for key in ("w", "h"))
    if not (width.is_integer() and height.is_integer()) or max(width, height) > _MOST_SIDE:
        raise MalformedError(f"it claims a size of {width:g} × {height:g} pixels")
    rate, first, last = (_number(content, key) for key in ("fr", "ip", "op"))
    if rate <= 0 or not 1 <= last - first <= MOST_FRAMES:
        raise MalformedError(f"it claims {last - first:g} frames at {rate:g} a second")
    if not isinstance(content.get("layers"), list):
        raise MalformedError("it has no layers")
    _check_assets(content.get("assets", []))
    frames = int(last - first)
    return Container("tgs", *canvas(int(width), int(height)), frames, 0, b"", _written(content), (last - first) / rate)


def _unpacked(data: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = stream.decompress(data, _MOST_JSON + 1)
    except zlib.error as error:
        raise MalformedError(f"it cannot be unpacked: {error}") from error
    if len(text) > _MOST_JSON:
        raise MalformedError(f"it unpacks to more than {_MOST_JSON} bytes")
    if not stream.eof:
        raise MalformedError("it is cut short")
    return text


def _lottie(text: bytes) -> dict[str, Any]:
    def no_number(name: str) -> NoReturn:
        raise MalformedError(f"it holds {name}, which is no number")

    try:
        content = json.loads(text, parse_constant=no_number)
    except MalformedError:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"it holds no JSON: {error}") from error
    if not isinstance(content, dict):
        raise MalformedError("it is no Lottie animation")
    return content


def _written(content: dict[str, Any]) -> bytes:
    try:
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"its JSON cannot be used: {error}") from error


def _number(content: dict[str, Any], key: str) -> float:
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise MalformedError(f"it is no Lottie animation: {key} is no usable number")
    return float(value)


def _check_assets(assets: Any) -> None:
    """Refuse pictures that lie elsewhere: a sticker must not make its reader open files."""
    for asset in assets if isinstance(assets, list) else []:
        place = asset.get("p") if isinstance(asset, dict) else None
        if isinstance(place, str) and not place.startswith("data:"):
            raise MalformedError(f"it refers to the file {place!r}")
