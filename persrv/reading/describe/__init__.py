"""Describers: what stickers mean, said by a model or by their labels."""

from persrv.reading.describe.registry import describer

__all__ = ["describer"]
