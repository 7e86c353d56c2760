"""Lets a process write to one folder only, so that no hostile input can reach anything else, whoever runs it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

NOBODY = 65534

_NEW_MOUNTS = 0x20000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18

_SYSTEM = (b"/proc", b"/sys", b"/dev/pts", b"/dev/mqueue")
"""What the kernel shows as files."""


def confine(place: Path) -> None:
    """Give up the right to write outside of ``place``, for good.

    A superuser gets a view of the file system in which all the rest is read-only; where that is not allowed, it becomes
    a user without rights. Other users have no right to harm the system as they are.

    Raises:
        OSError: A superuser can do neither: then nothing hostile may run.
    """
    os.chdir(place)
    if os.getuid() != 0:
        return
    try:
        _see_read_only(place)
    except OSError:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _see_read_only(place: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)

    def check(failed: int) -> None:
        if failed:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def mount(source: bytes | None, target: bytes, flags: int) -> None:
        check(libc.mount(source, target, None, ctypes.c_ulong(flags), None))

    folder = os.fsencode(place.resolve())
    check(libc.unshare(_NEW_MOUNTS))
    mount(None, b"/", _RECURSIVE | _PRIVATE)
    mount(folder, folder, _BIND)
    points = [line.split(b" ")[4] for line in Path("/proc/self/mountinfo").read_bytes().splitlines()]
    for point in sorted(set(points) - {folder}):
        if Path(os.fsdecode(point)).is_dir() and not point.startswith(_SYSTEM):
            mount(None, point, _BIND | _REMOUNT | _READ_ONLY)
    os.chdir(place)
    if os.access("/etc/passwd", os.W_OK):
        raise OSError("the rest of the file system can still be written")
