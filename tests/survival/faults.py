"""Disks that are full, fail, or lose what was not brought to them, and clocks that go backwards: a layer in C.

It is compiled where there is a compiler, and preloaded into the program that is tried. Nothing of it needs a right.
"""

from __future__ import annotations

import atexit
import random
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

SOURCE = Path(__file__).with_name("faults.c")
KINDS = {"": 8, "power": 4, "full": 2, "eio": 2, "short": 1, "sync": 2, "clock": 2}
"""Each kind of fault and how often it is drawn; ``""`` is a kill alone."""


@dataclass(frozen=True)
class Fault:
    """What happens to one program besides its end.

    Attributes:
        kind: One of :data:`KINDS`.
        after: Changes of files before the first fault.
        clock: Seconds that its clock is ahead.
    """

    kind: str = ""
    after: int = 0
    clock: int = 0

    def environment(self, root: Path, shadow: Path) -> dict[str, str]:
        """Return what makes a program suffer it below ``root``; nothing where it is a kill alone."""
        if not self.kind:
            return {}
        library = compiled()
        assert library is not None
        return {
            "LD_PRELOAD": str(library),
            "FAULT_ROOT": str(root),
            "FAULT_SHADOW": str(shadow),
            "FAULT_KIND": self.kind,
            "FAULT_AFTER": str(self.after),
            "FAULT_CLOCK": str(self.clock),
        }


def name_drafts(root: Path, shadow: Path) -> None:
    """Give what the engine wrote as a draft and renamed its name in the shadow: the layer does not see that call."""
    for draft in sorted(shadow.rglob(".atomicwrite*/tmpfile.tmp")):
        folder = root / draft.parent.parent.relative_to(shadow)
        if (root / draft.relative_to(shadow)).exists() or not folder.is_dir():
            continue
        content = draft.read_bytes()
        for file in folder.iterdir():
            if file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content:
                shutil.copyfile(file, shadow / file.relative_to(root))
        shutil.rmtree(draft.parent)


@cache
def compiled() -> Path | None:
    """Return the layer, ``None`` where nothing compiles it."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    folder = mkdtemp(prefix="persrv-faults-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = Path(folder) / "faults.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return library if done.returncode == 0 else None


def drawn_fault(chance: random.Random) -> Fault:
    """Draw a fault; without a compiler every one is a kill alone."""
    kind = chance.choices([*KINDS], [*KINDS.values()])[0]
    after, clock = int(10 ** chance.uniform(0, 4)), -chance.randrange(60, 40 * 86_400)
    if compiled() is None:
        return Fault()
    return Fault(kind, after, clock if kind == "clock" else 0)
