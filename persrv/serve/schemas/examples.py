"""Examples of answers, as the shipped collection gives them; lists are cut short."""

from __future__ import annotations

from typing import Any

STICKER_ID = "24162db4ff51486056278d334c3ab001"
_PATH = f"/v1/stickers/{STICKER_ID}"
_PICTURES = {
    "picture": f"{_PATH}/picture?collection=emoji",
    "thumbnail": f"{_PATH}/thumbnail?collection=emoji",
}
_TEXTS = {"name": ["love-you gesture", "爱你的手势"], "tags": ["love", "爱你"], "emoji": ["🤟"]}


def form(**fields: object) -> dict[str, Any]:
    """Return what a call's description says besides its parameters, where it takes a form: an example of the fields."""
    return {"requestBody": {"content": {"multipart/form-data": {"example": fields}}}}


HIT: dict[str, Any] = {
    "rank": 1,
    "sticker_id": STICKER_ID,
    "title": "love-you gesture",
    "score": 4.85,
    "relevance": 0.79,
    "copies": 0,
    **_PICTURES,
    "payload": {"title": "love-you gesture", "emoji": ["🤟"], "pack": ["OpenMoji"], "style": "openmoji"},
    "explanation": {
        "text": 2.53,
        "matched": {"love": 2.53},
        "meaning": 0.0,
        "picks": 0.0,
        "pick_factor": 1.0,
        "people": 0,
        "own_factor": 1.0,
        "own_picks": 0,
        "own_last": "",
        "mark": "",
        "utility": 0.06,
        "utility_factor": 1.03,
        "style": 0.86,
        "style_factor": 1.86,
        "centroid": 0,
        "shares": {"words": 2.53, "utility": 0.08, "style": 2.24},
    },
}
ANSWER: dict[str, Any] = {
    "query": "love",
    "user": "ann",
    "reason": "matched",
    "note": "",
    "corrections": {},
    "personal": True,
    "more": True,
    "next": "AV7QX1B22yutAAAAAQ",
    "cut": False,
    "hits": [HIT],
}
STICKER: dict[str, Any] = {
    "id": STICKER_ID,
    "title": "love-you gesture",
    "format": "webp",
    "width": 96,
    "height": 96,
    "frames": 1,
    "animated": False,
    "packs": ["OpenMoji"],
    "language": "",
    "rating": "safe",
    "style": "openmoji",
    "texts": _TEXTS,
    "sources": [{"source": "loader:emoji", "model": "", "texts": _TEXTS}],
    "edited": [],
    **_PICTURES,
    "point": {
        "collection": "emoji",
        "id": "24162db4-ff51-4860-5627-8d334c3ab001",
        "filter": "id:24162db4-ff51-4860-5627-8d334c3ab001",
        "dashboard": "http://127.0.0.1:6333/dashboard#/collections/emoji#points",
    },
}
ADDED: dict[str, Any] = {
    "added": [STICKER_ID],
    "known": [],
    "skipped": [{"name": "zoo/broken.png", "reason": "it is no picture"}],
    "stickers": [],
}
STYLE: dict[str, Any] = {
    "number": 0,
    "share": 0.93,
    "sticker_id": STICKER_ID,
    "title": "love-you gesture",
    "thumbnail": _PICTURES["thumbnail"],
}
USER: dict[str, Any] = {"user": "ann", "picks": 30, "styles": [STYLE]}
PROFILE: dict[str, Any] = {"dimension": 3, "sums": [[0.2, 0.1, 27.1]], "mass": [28.0], "day": 20785.5}
RECEIPT: dict[str, Any] = {
    "user": "ann",
    "sticker_id": STICKER_ID,
    "new": True,
    "note": "",
    "shares": [0.94, 0.06],
    "profile": PROFILE,
}
TASTE: dict[str, Any] = {
    "user": "ann",
    "points": [
        {
            "sticker_id": STICKER_ID,
            "title": "love-you gesture",
            "x": 0.3,
            "y": 0.5,
            "style": 0,
            "thumbnail": _PICTURES["thumbnail"],
        }
    ],
    "styles": [STYLE],
}
_TIME = "2026-11-28T02:22:09Z"
EXPORT: dict[str, Any] = {
    "user": "ann",
    "styles": [STYLE],
    "picks": [{"query": "love", "sticker_id": STICKER_ID, "time": _TIME, "kind": "pick", "pick_id": None}],
    "marks": {"favourite": [STICKER_ID]},
    "impressions": [
        {
            "experiment": "",
            "settings": "",
            "query": "love",
            "time": _TIME,
            "shown": {STICKER_ID: ""},
        }
    ],
    "edits": [{"sticker_id": STICKER_ID, "field": "tags", "values": ["love", "爱你"], "time": _TIME}],
}
COLLECTIONS: dict[str, Any] = {
    "collections": [
        {
            "name": "emoji",
            "title": "Emoji in eight drawing styles",
            "stickers": 2485,
            "build": "20261128T022032Z-dac69b",
            "packs": ["Noto Emoji", "OpenMoji"],
            "searches_pictures": False,
        }
    ],
    "right": "read",
}
REMOVED: dict[str, Any] = {"removed": STICKER_ID, "sticker": STICKER}
TENOR_PAGE: dict[str, Any] = {
    "results": [
        {
            "id": STICKER_ID,
            "title": "love-you gesture",
            "content_description": "love-you gesture, 爱你的手势",
            "created": 0.0,
            "hasaudio": False,
            "itemurl": f"http://127.0.0.1:8000{_PATH}?collection=emoji",
            "url": f"http://127.0.0.1:8000{_PICTURES['picture']}",
            "tags": ["love", "爱你"],
            "flags": ["sticker", "static"],
            "media_formats": {
                "webp": {
                    "url": f"http://127.0.0.1:8000{_PATH}/thumbnail?size=512&format=webp&animated=true&collection=emoji",
                    "dims": [512, 512],
                    "duration": 0.0,
                    "size": 0,
                }
            },
        }
    ],
    "next": "ARxjoQU2CrG5AAAAAQ",
}
