from __future__ import annotations

from pathlib import Path

import pytest

from persrv.catalog import content_id, sticker_id_of_key
from persrv.catalog.identity import check_sticker_id
from persrv.errors import CatalogError, PictureError


def test_the_id_is_half_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    # From FIPS 180-2, appendix B.1: the digest of "abc" begins so.
    assert content_id(b"abc") == "ba7816bf8f01cfea414140de5dae2223"
    (tmp_path / "x").write_bytes(b"abc")
    assert content_id(tmp_path / "x") == content_id(b"abc")


def test_without_a_picture_the_loaders_key_makes_the_id() -> None:
    assert sticker_id_of_key("emoji", "猫") == content_id("persrv:emoji:猫".encode())
    assert sticker_id_of_key("a", "k") != sticker_id_of_key("b", "k")
    check_sticker_id(sticker_id_of_key("emoji", "\ud800"))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="absent"):
        content_id(tmp_path / "absent")
    with pytest.raises(PictureError):
        content_id(tmp_path)


@pytest.mark.parametrize("wrong", ["", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", "g" * 32])
def test_what_is_no_id(wrong: str) -> None:
    with pytest.raises(CatalogError, match="no sticker id"):
        check_sticker_id(wrong)
