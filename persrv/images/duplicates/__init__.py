"""Stickers that are the same picture to a person: found, linked, and shown once."""

from persrv.images.duplicates.groups import duplicate_groups
from persrv.images.duplicates.perceptual_hash import PerceptualHash

__all__ = ["PerceptualHash", "duplicate_groups"]
