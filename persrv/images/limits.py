"""How much of a picture is worth decoding."""

from __future__ import annotations

from dataclasses import dataclass, fields

from persrv.errors import RecipeError

_MOST_PIXELS = 64_000_000  # Pillow warns above 89 million, and its warnings cannot be silenced for one thread alone.


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold before anything is decoded.

    Attributes:
        file_bytes: Largest file, in bytes.
        pixels: Largest canvas, width times height; at most 64 million.
        frames: Frames of an animation that are looked at, counted from the first.
        total_pixels: Pixels decoded for one picture over all frames that are looked at; later frames are left out.
        seconds: Longest video or vector animation.

    Raises:
        RecipeError: A limit is below 1, or ``pixels`` is above 64 million.
    """

    file_bytes: int = 20_000_000
    pixels: int = 16_000_000
    frames: int = 64
    total_pixels: int = 128_000_000
    seconds: int = 60

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise RecipeError(f"the limit {field.name} is {getattr(self, field.name)}", "give at least 1")
        if self.pixels > _MOST_PIXELS:
            raise RecipeError(f"the limit pixels is {self.pixels}", f"give at most {_MOST_PIXELS}")

    def frames_of(self, frames: int, canvas: int) -> int:
        """Return how many of ``frames`` frames of ``canvas`` pixels are looked at, >= 1."""
        return max(1, min(frames, self.frames, self.total_pixels // canvas))

    def spread(self, frames: int, canvas: int) -> range:
        """Return the frames of a video that are looked at: evenly spread over as many as may be decoded.

        A video has far more frames a second than a GIF, so that its first 64 would be its first second or two.
        """
        reach = max(1, min(frames, self.total_pixels // canvas))
        return range(0, reach, -(-reach // self.frames))
