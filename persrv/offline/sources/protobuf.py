"""Messages in the wire format of Protocol Buffers, read without their description."""

from __future__ import annotations

from dataclasses import dataclass, field

_MOST_FIELDS = 100_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class BrokenMessageError(Exception):
    """Bytes are no message; its text says so."""


@dataclass(slots=True)
class Message:
    """A message's fields by their numbers, in their order."""

    numbers: dict[int, list[int]] = field(default_factory=dict)
    contents: dict[int, list[bytes]] = field(default_factory=dict)

    def number(self, of: int) -> int:
        """Return the last number of a field, 0 where it has none."""
        return self.numbers.get(of, [0])[-1]

    def messages(self, of: int) -> list[bytes]:
        """Return the contents of a repeated field."""
        return self.contents.get(of, [])

    def text(self, of: int) -> str:
        """Return the last text of a field, ``""`` where it has none."""
        return self.contents.get(of, [b""])[-1].decode("utf-8", "replace").strip()


def read_message(data: bytes) -> Message:
    """Return the fields of a message.

    Raises:
        BrokenMessageError: It is none.
    """
    message = Message()
    position = 0
    for _ in range(_MOST_FIELDS):
        if position == len(data):
            return message
        tag, position = _varint(data, position)
        of, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            message.numbers.setdefault(of, []).append(value)
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
        if kind == _BYTES:
            length, position = _varint(data, position)
        if not of or length < 0 or position + length > len(data):
            break
        if kind == _BYTES:
            message.contents.setdefault(of, []).append(data[position : position + length])
        position += length
    raise BrokenMessageError("it is no message that can be read")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST_VARINT):
        if position + shift >= len(data):
            break
        byte = data[position + shift]
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, position + shift + 1
    raise BrokenMessageError("it is no message that can be read")
