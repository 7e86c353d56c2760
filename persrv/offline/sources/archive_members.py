"""The members of a ZIP or TAR file, one after another, with what makes one unfit; hardly anything is held in memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from persrv.errors import SourceError

_ENCRYPTED = 0x1
_UTF8_NAME = 0x800
_LONGEST_COMMENT = 65_557
_LARGEST_HEADER = 1 << 20
_HEADERS = frozenset((tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"X"))
_NOT_REGULAR = "it is a link or a special file"


class Member(NamedTuple):
    """One member.

    Attributes:
        name: As the archive has it.
        time: When it was changed, seconds since 1970; 0.0 where that is unknown.
        refused: Why it is left out, ``""`` where it is not.
        content: Its content, open until the next member is asked for; ``None`` for a folder or a refused member.
    """

    name: str
    time: float
    refused: str
    content: IO[bytes] | None


def archive_members(archive: Path, directory_bytes: int, on_bytes: Callable[[int], None]) -> Iterator[Member]:
    """Yield an archive's members.

    Args:
        archive: A ZIP or TAR file.
        directory_bytes: Largest table of contents of a ZIP file.
        on_bytes: Is given how many bytes of a TAR file were unpacked; it may raise.

    Raises:
        SourceError: It is encrypted, or its table of contents is too large.
        Exception: Whatever its readers answer to damage.
    """
    with archive.open("rb") as file:
        start = file.read(6)
    yield from _of_zip(archive, directory_bytes) if start.startswith(b"PK") else _of_tar(archive, start, on_bytes)


def _of_zip(archive: Path, directory_bytes: int) -> Iterator[Member]:
    size = _directory_size(archive)
    if size > directory_bytes:
        raise SourceError(f"{archive} has a table of contents of {size} bytes", "unpack it yourself")
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            name = _name(info)
            if info.flag_bits & _ENCRYPTED:
                raise SourceError(f"{archive} is encrypted", "unpack it with its password, and import the folder")
            if info.is_dir():
                yield Member(name, 0.0, "", None)
            elif kind not in (0, stat.S_IFREG):
                yield Member(name, 0.0, _NOT_REGULAR, None)
            else:
                try:
                    content = opened.open(info)
                # As everywhere with archives: the readers' exceptions have nothing in common.
                except Exception as error:
                    yield Member(name, 0.0, f"it is damaged: {error}", None)
                    continue
                with content:
                    yield Member(name, _time(info.date_time), "", content)


def _name(info: zipfile.ZipInfo) -> str:
    """Return an entry's name: programs in China write it in GB 18030, and do not say so."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return info.filename.encode("cp437").decode(encoding)
        except UnicodeError:
            continue
    return info.filename


def _directory_size(archive: Path) -> int:
    """Return the size of a ZIP file's table of contents, 0 where it has none; zipfile holds all of it in memory."""
    with archive.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - _LONGEST_COMMENT - 20))
        tail = file.read()
        place = tail.rfind(b"PK\5\6")
        if place < 0 or place + 20 > len(tail):
            return 0
        (size,) = struct.unpack_from("<I", tail, place + 12)
        locator = place - 20
        if locator >= 0 and tail[locator : locator + 4] == b"PK\6\7":
            file.seek(min(struct.unpack_from("<Q", tail, locator + 8)[0], end))
            record = file.read(48)
            size = struct.unpack_from("<Q", record, 40)[0] if len(record) == 48 else size
        return int(size)


def _time(moment: tuple[int, int, int, int, int, int]) -> float:
    try:
        return datetime(*moment, tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _of_tar(archive: Path, start: bytes, on_bytes: Callable[[int], None]) -> Iterator[Member]:
    # As a stream of our own, so that all that is unpacked is counted, also what nobody wants.
    with _unpacked(archive, start) as raw:
        # tarfile asks for no more of a file than to be read.
        counted: Any = _Counted(raw, on_bytes)
        opened = tarfile.open(fileobj=counted, mode="r|", tarinfo=_BoundedInfo)  # noqa: SIM115 (raw is closed)
        while (info := opened.next()) is not None:
            opened.members = []  # type: ignore[attr-defined]  # tarfile would keep every member it has passed
            if info.isdir():
                yield Member(info.name, 0.0, "", None)
            elif not info.isreg():
                yield Member(info.name, 0.0, _NOT_REGULAR, None)
            else:
                yield Member(info.name, max(float(info.mtime), 0.0), "", opened.extractfile(info))


def _unpacked(archive: Path, start: bytes) -> Any:
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(archive)
    if start.startswith(b"BZh"):
        return bz2.open(archive)
    return lzma.open(archive) if start == b"\xfd7zXZ\0" else archive.open("rb")


class _Counted:
    def __init__(self, raw: IO[bytes], on_bytes: Callable[[int], None]) -> None:
        self._raw = raw
        self._on_bytes = on_bytes

    def read(self, size: int) -> bytes:
        data = self._raw.read(size)
        self._on_bytes(len(data))
        return data


class _HeaderError(tarfile.TarError):
    """A header that would be held in memory is too large for one."""


class _BoundedInfo(tarfile.TarInfo):
    """Refuses headers that fill the memory: tarfile reads them whole, whatever size they claim."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        info = super().frombuf(buf, encoding, errors)
        if (info.type in _HEADERS and info.size > _LARGEST_HEADER) or info.type == tarfile.GNUTYPE_SPARSE:
            raise _HeaderError(f"a header claims {info.size} bytes")
        return info
