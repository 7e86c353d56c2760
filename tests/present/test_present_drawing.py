"""A pseudo-terminal that answers as real ones do, and what is then drawn on it."""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

PROGRAM = """
import sys
from pathlib import Path
from rich.console import Console
from persrv.online.answer import Answer
from persrv.present.terminal import print_answer, print_side_by_side
from persrv.records import Explanation, Hit
told = Explanation(1.0, 0.0, 1.0, 0.0, 1.0, None)
files = [Path(sys.argv[1]), Path(sys.argv[2]), Path("missing.png"), None]
hits = tuple(Hit(i + 1, "a" * 32, 1.0, file, {"title": "[red]joy"}, told) for i, file in enumerate(files))
answer = Answer(hits, "q", None, "matched")
images = {"None": None, "True": True, "False": False}[sys.argv[3]]
print_answer(answer, Console(), images=images, explain=True)
print_side_by_side([("a", answer), ("b", answer)], Console(), images=images)
sys.stdout.write("\\nasked" if "textual_image" in sys.modules else "\\nnot asked")
"""

ATTRIBUTES, KITTY = b"\x1b[c", b";AAAA\x1b\\"
SIXEL_TERMINAL = {ATTRIBUTES: b"\x1b[?62;4c"}
KITTY_TERMINAL = {ATTRIBUTES: b"\x1b[?62c", KITTY: b"\x1b_Gi=31;OK\x1b\\"}
PLAIN_TERMINAL = {ATTRIBUTES: b"\x1b[?62c"}
SIXEL, PLACEHOLDER = b"\x1bP", "\U0010eeee".encode()


def on_terminal(files: list[Path], images: str, answers: dict[bytes, bytes], columns: int = 90, **extra: str) -> bytes:
    environment = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": os.pathsep.join(sys.path)} | extra
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, columns * 10, 1000))
    # The program must lead a session whose terminal this is, or it would count as a background job.
    start = "import os,sys,fcntl,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); exec(sys.argv.pop(1))"
    command = [sys.executable, "-c", start, PROGRAM, *map(str, files), images]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        texts_, waiting = b"", dict(answers)
        while select.select([ours], [], [], 20)[0]:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # how Linux says that the other side has closed
                break
            if not chunk:
                break
            texts_ += chunk
            # In the order in which they were asked: newer releases ask two things at once.
            for question in sorted((question for question in waiting if question in texts_), key=texts_.find):
                os.write(ours, waiting.pop(question))
        process.wait(20)
    os.close(ours)
    assert process.returncode == 0, texts_.decode(errors="replace")
    return texts_


@pytest.fixture
def files(still: Path, moving: Path) -> list[Path]:
    return [still, moving]


def test_sixel_terminal_gets_a_picture_for_every_hit(files: list[Path]) -> None:
    output = on_terminal(files, "None", SIXEL_TERMINAL)
    assert output.count(SIXEL) == 4 + 2 * 4
    assert b"1. [red]joy" in output


def test_kitty_gets_placeholders(files: list[Path]) -> None:
    message = on_terminal(files, "None", KITTY_TERMINAL)
    assert SIXEL not in message
    assert PLACEHOLDER in message


def test_kitty_without_true_colour_gets_the_table(files: list[Path]) -> None:
    found_text = on_terminal(files, "None", KITTY_TERMINAL, COLORTERM="")
    assert PLACEHOLDER not in found_text
    assert b"title" in found_text


def test_plain_terminal_gets_half_blocks_only_when_asked(files: list[Path]) -> None:
    table = on_terminal(files, "None", PLAIN_TERMINAL)
    assert b"title" in table
    assert b"48;2;223;227;234" not in table
    assert b"48;2;223;227;234" in on_terminal(files, "True", PLAIN_TERMINAL)


@pytest.mark.parametrize(("images", "extra"), [("False", {}), ("True", {"NO_COLOR": "1"}), ("None", {"TERM": "dumb"})])
def test_terminals_that_should_not_draw_are_not_even_asked(
    files: list[Path], images: str, extra: dict[str, str]
) -> None:
    messages = on_terminal(files, images, SIXEL_TERMINAL, **extra)
    assert messages.endswith(b"not asked")
    assert ATTRIBUTES not in messages


def test_a_terminal_that_answers_nonsense_gets_the_table(files: list[Path]) -> None:
    messages = on_terminal(files, "None", {ATTRIBUTES: b"\x1b[?62c", KITTY: b"\x1b_Gno semicolon\x1b\\"})
    assert b"title" in messages


def test_a_terminal_without_a_size_gets_the_table(files: list[Path]) -> None:
    assert b"title" in on_terminal(files, "True", SIXEL_TERMINAL, columns=0)


def test_a_pipe_is_not_asked(files: list[Path]) -> None:
    environment = os.environ | {"FORCE_COLOR": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, files), "True"], env=environment, capture_output=True, check=True
    )
    assert done.stdout.endswith(b"not asked")
    assert done.stderr == b""
