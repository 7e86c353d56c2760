"""Stickers that are the same picture to a person: found, linked, and shown once."""

from persrv.images.duplicates.groups import duplicate_groups
from persrv.images.duplicates.thumbprint import Thumbprint

__all__ = ["Thumbprint", "duplicate_groups"]
