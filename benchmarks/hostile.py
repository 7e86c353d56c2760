"""Archives and side-cars that somebody made to do harm: none may leave its folder, fill the memory, or stop a batch.

``python -m benchmarks.hostile --count 10000`` makes that many from a seed, opens each as ``persrv import`` would (what
is it, what does it hold) and also with an importer that it is not for, and writes ``results/hostile.md``. The tests do
the same with some dozens.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import re
import resource
import shutil
import stat
import struct
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persrv.errors import PersrvError
from persrv.offline.importing import IMPORTERS, Recognised, recognise, summarise

RESULT = Path(__file__).parent / "results" / "hostile.md"
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082"
)
_NAMES = (
    "a.png", "pack/b.webp", "../out.png", "../../../source/out.png", "../../../../tmp/out.png",
    "/etc/out.png", "C:\\out.png", "..\\..\\out.png",
    "a/../../out.json", "nul.png", "a\nb.png", "con", "x" * 400, "/".join("d" * 60) + "/e.png", "\udcff.png", "", ".",
    "..", "title.txt", "emoji.txt", "author.txt", "manifest.json", "manifest.bin", "contents.json", "productInfo.meta",
    "meta.json", "pack.json", "result.json", "guild.json", "emoji.json", "1.json", "idx_to_domain.txt", "in.zip",
    "in.tar.gz", "deep.wastickers", "表情.png", "a.png/b.png", "stickers_queries_en_released.csv", "keywords.json",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**400, 1e308, float("inf"), "", "x", "../../etc/passwd", "/etc/passwd", "a\0b", "\ud800",
    "😀" * 9, "(File not included)", "x" * 5000, [], {}, [[]], {"": ""}, "mxc://a/../../b", "https://x/y.png",
    "alias:self", "1.json",
)  # fmt: skip
_ALL_KEYS = """
messages chats list type id file media_type sticker_emoji from_id date_unixtime text text_entities document_id
reply_to_message_id personal_information stickers emojis emoji title author cover sticker_packs identifier image_file
name metaVersion fileName aliases files pack shortcode url category body msgtype orders sticonResourceType packageId
keywords sticker message_id reply_id animated format_type tags description customPlus defaultText
"""
_KEYS = _ALL_KEYS.split()


OUTSIDE = "outside"
"""A file beside the sources, to which links lead: no link that is really made names a file of the machine's own."""


@dataclass(slots=True)
class Outcome:
    """What became of the sources.

    Attributes:
        count: How many there were.
        refused: Problem's first words to how often a source was refused.
        read: Sources that gave at least one sticker.
        failures: Sources that ended in a traceback or left their folder, with what happened.
        peak_mb: Largest resident memory above what it was at the start.
        seconds: Wall-clock time.
    """

    count: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    read: int = 0
    failures: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    seconds: float = 0.0


def run(count: int, seed: int, sandbox: Path) -> Outcome:
    """Make and open sources.

    Args:
        count: How many.
        seed: Decides all of them.
        sandbox: An empty folder; everything outside ``sandbox/data`` and the source itself must stay as it is.
    """
    outcome = Outcome()
    (sandbox / OUTSIDE).write_text(OUTSIDE)
    started, before = time.monotonic(), _resident()
    for number in range(count):
        made = random.Random(f"{seed}:{number}")
        place = sandbox / "source"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        source = made.choice(_MAKERS)(place, made)
        files = _listing(sandbox)
        for problem in _opened(source, sandbox / "data", made, outcome):
            outcome.failures.append(f"{seed}:{number} {source.name}: {problem}")
        outcome.failures += [f"{seed}:{number} {source.name}: wrote {stray}" for stray in _strays(sandbox / "data")]
        if changed := _listing(sandbox) ^ files:
            outcome.failures.append(f"{seed}:{number} {source.name}: changed {sorted(changed)[:3]}")
        if (sandbox / OUTSIDE).read_text() != OUTSIDE:
            outcome.failures.append(f"{seed}:{number} {source.name}: wrote through a link")
        shutil.rmtree(sandbox / "data", ignore_errors=True)
        outcome.count += 1
    outcome.peak_mb = (_resident() - before) / 1e6
    outcome.seconds = time.monotonic() - started
    return outcome


def _opened(source: Path, data: Path, made: random.Random, outcome: Outcome) -> Iterator[str]:
    """Yield what went wrong with opening a source."""
    try:
        found = recognise(source, data)
    except PersrvError as error:
        outcome.refused[" ".join(error.problem.replace(str(source), "it").split()[:4])] += 1
        return
    except Exception as error:
        yield f"recognise: {type(error).__name__}: {error}"
        return
    other = made.choice(IMPORTERS)
    for each in (found, Recognised(source, other, "", "", "", other in ("telegram_export", "u_sticker"), False)):
        try:
            held = summarise(each, data, {})
            outcome.read += bool(held.stickers and each is found)
        except PersrvError as error:
            outcome.refused[" ".join(error.problem.replace(str(source), "it").split()[:4])] += 1
            if "failed in" in error.problem:
                yield f"{each.loader}: {error.problem}"
        except Exception as error:
            yield f"{each.loader}: {type(error).__name__}: {error}"


def _listing(sandbox: Path) -> set[str]:
    inside = sandbox / "data"
    return {str(path) for path in sandbox.rglob("*") if path != inside and inside not in path.parents}


def _strays(data: Path) -> list[str]:
    """Return what lies in a collection's folder beside the folders of its archives."""
    expected = re.compile(r"\w*-[0-9a-f]{8}(\.made-from)?")
    archives = data / "archives"
    beside = [path for path in data.iterdir() if path != archives] if data.is_dir() else []
    inside = archives.iterdir() if archives.is_dir() else ()
    return [str(path) for path in (*beside, *inside) if path in beside or not expected.fullmatch(path.name)]


def _resident() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(used if sys.platform == "darwin" else used * 1024)


def _content(made: random.Random, name: str, depth: int = 0) -> bytes:
    kind = made.random()
    if name.endswith((".zip", ".wastickers")) and depth < 3:
        return _zip(made, depth + 1)
    if name.endswith(".tar.gz") and depth < 3:
        return _tar(made, depth + 1)
    if name.endswith((".png", ".webp")) and kind < 0.6:
        return _PNG
    if kind < 0.75:
        return _text(made)
    if kind < 0.8:
        return bytes(made.randrange(200_000))
    return made.randbytes(made.randrange(300))


def _text(made: random.Random) -> bytes:
    kind = made.random()
    if kind < 0.1:
        return (made.choice("[{") * made.randrange(1, 50_000)).encode()
    if kind < 0.15:
        return ('{"messages": [' + '{"a":' * made.randrange(2000)).encode()
    text = json.dumps(_value(made, 0), ensure_ascii=made.random() < 0.5, indent=made.choice((None, 1)))
    data = text.encode("utf-8", "surrogatepass")
    if kind < 0.4 and len(data) > 4:
        data = _damaged(made, data)
    return made.choice((b"", b"\xef\xbb\xbf", b"\xff\xfe")) + data if kind > 0.9 else data


def _value(made: random.Random, depth: int) -> Any:
    kind = made.random()
    if depth > 5 or kind < 0.25:
        return made.choice(_VALUES)
    if kind < 0.5:
        return [_value(made, depth + 1) for _ in range(made.randrange(4))]
    keys = made.sample(_KEYS, made.randrange(1, 9))
    table = {key: _value(made, depth + 1) for key in keys}
    if made.random() < 0.5:
        table |= {"type": "message", "media_type": "sticker", "from_id": "user1", "file": made.choice(_NAMES)}
    return table


def _damaged(made: random.Random, data: bytes) -> bytes:
    if made.random() < 0.4:
        return data[: made.randrange(len(data))]
    changed = bytearray(data)
    for _ in range(made.randrange(1, 12)):
        changed[made.randrange(len(changed))] = made.randrange(256)
    return bytes(changed)


def _zip(made: random.Random, depth: int = 0) -> bytes:
    out = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),  # of names that come twice, which is meant
        zipfile.ZipFile(out, "w", made.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as file,
    ):
        for _ in range(made.randrange(12)):
            name = made.choice(_NAMES)
            info = zipfile.ZipInfo("x")
            info.filename = name.encode("utf-8", "replace").decode() or "/"
            info.external_attr = made.choice((0, 0, 0, stat.S_IFREG, stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO)) << 16
            info.compress_type = file.compression
            file.writestr(info, _content(made, name, depth))
        if made.random() < 0.05:
            bomb = zipfile.ZipInfo("bomb.png")
            bomb.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(bomb, bytes(80_000_000))
    data = bytearray(out.getvalue())
    if made.random() < 0.1 and (place := data.find(b"PK\1\2")) >= 0:
        data[place + 8] |= 1  # encrypted, says the entry
    if made.random() < 0.1 and (place := data.find(b"PK\5\6")) >= 0:
        struct.pack_into("<HHII", data, place + 8, *(made.randrange(1 << bits) for bits in (16, 16, 32, 32)))
    return _damaged(made, bytes(data)) if made.random() < 0.4 and len(data) > 4 else bytes(data)


def _tar(made: random.Random, depth: int = 0) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=made.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))) as file:
        for _ in range(made.randrange(10)):
            name = made.choice(_NAMES)
            info = tarfile.TarInfo(name.encode("utf-8", "replace").decode() or "x")
            info.type = made.choice((tarfile.REGTYPE,) * 4 + (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, b"V"))
            info.linkname = made.choice(("/etc/passwd", "../../x", "a.png"))
            content = _content(made, name, depth) if info.type == tarfile.REGTYPE else b""
            info.size, info.mtime = len(content), made.choice((0, 1, 2**33, -5))
            file.addfile(info, io.BytesIO(content))
    data = out.getvalue()
    if made.random() < 0.2:
        header = tarfile.TarInfo("h")
        header.type, header.size = (
            made.choice((tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME)),
            made.choice((1 << 33, 1 << 21)),
        )
        data = header.tobuf(tarfile.GNU_FORMAT) + data
    if made.random() < 0.4:
        data = _damaged(made, data)
    return gzip.compress(data, 1) if made.random() < 0.5 or depth else data


def _zip_file(place: Path, made: random.Random) -> Path:
    path = place / made.choice(("export.zip", "pack.wastickers"))
    path.write_bytes(_zip(made))
    return path


def _tar_file(place: Path, made: random.Random) -> Path:
    path = place / made.choice(("export.tar", "export.tar.gz", "export.tgz"))
    path.write_bytes(_tar(made))
    return path


def _folder(place: Path, made: random.Random) -> Path:
    folder = place / made.choice(("stickers", "WhatsApp Stickers", "stickers.noindex", "CustomEmotion"))
    for name in ["a.png", *(made.choice(_NAMES) for _ in range(made.randrange(1, 10)))]:
        clean = name.encode("utf-8", "replace").decode().replace("\0", "").strip("/").replace("..", "dots")
        path = folder / (clean or "x")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # a name may come twice, and writing through a link would leave the folder
            if made.random() < 0.05:
                path.symlink_to(made.choice((str(place.parent / OUTSIDE), "/", str(path), "..", "a.png")))
            else:
                path.write_bytes(_content(made, name))
        except OSError:  # a name that this system does not allow
            continue
    folder.mkdir(exist_ok=True)
    return folder


def _side_car(place: Path, made: random.Random) -> Path:
    folder = place / "pack"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(_PNG)
    names = [name for name in _NAMES if name.endswith((".txt", ".json", ".bin", ".meta", ".csv")) and "/" not in name]
    for name in made.sample(names, made.randrange(1, 4)):
        (folder / name).write_bytes(_text(made) if made.random() < 0.9 else made.randbytes(200))
    return folder


_MAKERS: tuple[Callable[[Path, random.Random], Path], ...] = (_zip_file, _tar_file, _folder, _side_car, _side_car)


def main() -> int:
    """Run the long form and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(chosen.count, chosen.seed, Path(folder))
    from benchmarks import machine

    lines = ["# hostile", "", str(__doc__).strip(), "", "| what | figure |", "| --- | --- |"]
    lines += [
        f"| sources | {outcome.count} |",
        f"| tracebacks, or files outside the folder | {len(outcome.failures)} |",
        f"| sources with stickers all the same | {outcome.read} |",
        f"| refused with a reason | {outcome.refused.total()} |",
        f"| memory above the start | {outcome.peak_mb:.0f} MB |",
        f"| time | {outcome.seconds:.0f} s |",
        f"| seed | {chosen.seed} |",
    ]
    lines += [f"| {name} | {value} |" for name, value in machine.describe().items()]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for failure in outcome.failures[:20]:
        print(failure)
    print(
        f"{outcome.count} sources, {len(outcome.failures)} failures, {outcome.peak_mb:.0f} MB, {outcome.seconds:.0f} s"
    )
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
