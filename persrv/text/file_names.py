"""What a picture's file name says: its words, the emoji in it, or nothing where an app or a camera made it up."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from persrv.records import Semantics
from persrv.text import characters
from persrv.text.emoji_sequences import emoji_in, without_emoji

_APPS_AND_CAMERAS = """
img image images imgp dsc dscn dscf pxl vid video mvi gopr photo pic picture untitled unnamed download downloaded file
document doc sticker stickers animatedsticker animation emoji emote icon output screenshot screenshots screen shot
screencast recording capture scan stk ptt aud wa whatsapp telegram signal fb tumblr mmexport wxcamera received snapchat
giphy tenor copy tmp temp thumb thumbnail edit edited bildschirmfoto bild foto captura pantalla d'écran
qq图片 qq截图 qq微信截图 微信图片 微信截图 微信 图片 照片 截图 截屏 屏幕截图 屏幕快照 表情 动图 下载 未命名 副本
スクリーンショット 画像 写真 스크린샷 사진
"""
_MADE_UP = frozenset(_APPS_AND_CAMERAS.split())
"""What apps and cameras call pictures in many languages; a name of nothing but these and numbers says nothing."""

_BESIDE = frozenset(("a", "at", "am", "pm", "of", "de", "the", "um", "no", "x", "px"))
_NUMBER = re.compile(r"[\d.:x×]+", re.IGNORECASE)
_HASH = re.compile(r"(?=[a-z]*\d)[0-9a-f]{8,}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WHATSAPP = re.compile(r"WA\d+", re.IGNORECASE)
_TELEGRAM_ID = re.compile(r"(?:CAAC|AgAC|BQAC|CgAC|BAAC|AAMC|DQAC)[A-Za-z0-9_-]{4,}.*")
_DIGITS_AT_ENDS = re.compile(r"^\d+|\d+$")
_RUN_OF_DIGITS = re.compile(r"\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CODE_POINTS = re.compile(r"(?:emoji[_-]?)?(?:u\+?)?[0-9a-f]{4,5}(?:[-_ ](?:u\+?)?[0-9a-f]{4,5})*", re.IGNORECASE)
_SENTENCE_MARK = re.compile(r"[,;:!?，。；：！？、…~～]")
_SPACE = re.compile(r"[\s_]+")
_WORDS_OF_A_SENTENCE = 5
_CHARACTERS_OF_A_SENTENCE = 8


def read_file_name(stem: str) -> Semantics:
    """Return what a file name says of its picture.

    Words keep their combining marks and are written in NFC. Numbers, hashes, ids, and what apps and cameras make up
    are no words. Emoji, also as ``1f600`` or ``emoji_u1f600``, go to the field ``emoji``. A word in camel case is
    taken apart in the name, and whole among the keywords. A name that is a sentence is a description besides.

    Args:
        stem: The name without its ending, in any normal form.
    """
    text = unicodedata.normalize("NFC", stem)
    if found := _from_code_points(text):
        return Semantics(emoji=found)
    emoji = emoji_in(text)
    text = _SPACE.sub(" ", without_emoji(text)).strip()
    if _UUID.fullmatch(text) or _TELEGRAM_ID.fullmatch(text.replace(" ", "_")):
        return Semantics(emoji=emoji)
    words = _word().findall(text)
    kept = [word for word in words if not _is_made_up(word)]
    bare = {_DIGITS_AT_ENDS.sub("", word).casefold() for word in kept}
    if bare <= _MADE_UP | _BESIDE and (not bare or bare & _MADE_UP):
        return Semantics(emoji=emoji)
    split = [part for word in kept for part in _CAMEL.split(word)]
    whole = tuple(dict.fromkeys(word for word in kept if _CAMEL.search(word)))
    if _is_sentence(text, kept):
        phrase = text if len(kept) == len(words) else " ".join(kept)
        return Semantics(name=(phrase,), description=(phrase,), emoji=emoji)
    return Semantics(name=(" ".join(split),), keywords=whole, emoji=emoji)


def _is_made_up(word: str) -> bool:
    if _NUMBER.fullmatch(word) or _HASH.fullmatch(word) or _WHATSAPP.fullmatch(word):
        return True
    # An id of letters and digits has several numbers, and letters of both cases: dQw4w9WgXcQ.
    return (
        len(word) >= 10
        and word.isascii()
        and len(_RUN_OF_DIGITS.findall(word)) >= 2
        and any(c.isupper() for c in word)
        and any(c.islower() for c in word)
    )


def _is_sentence(text: str, words: list[str]) -> bool:
    if len(words) >= _WORDS_OF_A_SENTENCE:
        return True
    longest = max((len(run) for run in _unspaced().findall(text)), default=0)
    return longest >= _CHARACTERS_OF_A_SENTENCE or (len(words) > 1 and _SENTENCE_MARK.search(text) is not None)


def _from_code_points(text: str) -> tuple[str, ...]:
    """Return the emoji of a name such as ``1f468-200d-1f469``; a plain number such as ``2764`` is none."""
    if not _CODE_POINTS.fullmatch(text):
        return ()
    bare = re.sub(r"^emoji[_-]?", "", text, flags=re.IGNORECASE)
    codes = [int(part.lower().removeprefix("u").removeprefix("+"), 16) for part in re.split(r"[-_ ]", bare)]
    sequence = "".join(map(chr, codes))
    if max(codes) < 0x1F000 and bare[0] not in "uU":
        return ()
    return (sequence,) if emoji_in(sequence) == (sequence,) else ()


@cache
def _word() -> re.Pattern[str]:
    inside = rf"[^\W_]|[{characters.combining_marks()}\u200c\u200d]|['’](?=[^\W_])"
    return re.compile(rf"[^\W_](?:{inside})*")


@cache
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{characters.UNSPACED}]+")
