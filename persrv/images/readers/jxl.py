"""JPEG XL, by libjxl."""

from __future__ import annotations

import io

from PIL import Image

from persrv.images.colour import to_rgba
from persrv.images.containers import Container
from persrv.images.readers.reader import Frame, MissingReaderError
from persrv.images.readers.single import SingleReader


class JxlReader(SingleReader):
    """Decodes a still picture.

    Raises:
        MissingReaderError: pillow-jxl-plugin is not installed.
    """

    def __init__(self, container: Container) -> None:
        super().__init__(container)
        try:
            from pillow_jxl import Decoder
        except ImportError as error:
            raise MissingReaderError("a JPEG XL picture", "jxl") from error
        self._decoder = Decoder(num_threads=0)

    def decode(self) -> Frame:
        """Return the picture; one that was a JPEG before is that JPEG again."""
        is_jpeg, about, pixels, profile, _ = self._decoder(self._container.data)
        if is_jpeg:
            with Image.open(io.BytesIO(pixels), formats=["jpeg"]) as image:
                image.load()
                return to_rgba(image)
        picture = Image.frombytes(about.mode, (about.width, about.height), pixels)
        if profile:
            picture.info["icc_profile"] = profile
        return to_rgba(picture)
