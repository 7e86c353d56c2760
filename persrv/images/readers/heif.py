"""HEIC, by libheif."""

from __future__ import annotations

import io

from persrv.images.colour import to_rgba
from persrv.images.containers import Container
from persrv.images.readers.reader import Frame, MissingReaderError
from persrv.images.readers.single import SingleReader


class HeifReader(SingleReader):
    """Decodes the main picture; nothing of Pillow's own state is changed.

    Raises:
        MissingReaderError: pillow-heif is not installed.
    """

    def __init__(self, container: Container) -> None:
        super().__init__(container)
        try:
            import pillow_heif
        except ImportError as error:
            raise MissingReaderError("a HEIC picture", "heif") from error
        self._open = pillow_heif.open_heif

    def decode(self) -> Frame:
        """Return the main picture, turned as the file says."""
        return to_rgba(self._open(io.BytesIO(self._container.data)).to_pillow())
