"""Archives are opened safely: nothing leaves the folder, nothing fills disk or memory, a refusal has its reason."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from persrv.errors import SourceError
from persrv.offline.sources.archives import ArchiveBounds, is_archive, unpack


def zipped(path: Path, members: dict[str, bytes], **attributes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = attributes.get("mode", 0) << 16
            file.writestr(info, content)
    return path


def below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "collection" / "archives" / "it"


def inside_a_zip(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in content.items():
            file.writestr(name, data)
    return out.getvalue()


def test_what_loaders_read_comes_out_and_all_else_stays(tmp_path: Path, into: Path) -> None:
    archive = zipped(
        tmp_path / "a.zip", {"p/a.webp": b"1", "title.txt": b"2", "song.mp3": b"3", "__MACOSX/a.png": b"4"}
    )
    assert is_archive(archive)
    assert unpack(archive, into) == []
    assert below(into) == {"p/a.webp": b"1", "title.txt": b"2"}


@pytest.mark.parametrize(
    "name",
    [
        "../out.png",
        "a/../../out.png",
        "/out.png",
        "\\out.png",
        "..\\out.png",
        "C:\\out.png",
        "a\0b/../out.png",
        "a/con.png",
        "a\n.png",
        "x" * 300 + ".png",
        "/".join("a" * 40) + "/b.png",
        "a/b.png:stream.png",
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_name_leaves_the_folder(tmp_path: Path, into: Path, name: str, kind: str) -> None:
    archive = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            info = zipfile.ZipInfo("x")
            info.filename = name
            file.writestr(info, b"1")
            file.writestr("good.png", b"2")
    else:
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as file:
            for each in (name, "good.png"):
                info = tarfile.TarInfo(each)
                info.size = 1
                file.addfile(info, io.BytesIO(b"2"))
    reports = unpack(archive, into)
    assert [p for p in below(tmp_path) if "out" in p] == []
    assert set(below(tmp_path)) == {
        archive.name,
        "collection/archives/it/good.png",
        "collection/archives/it.made-from",
    } | ({"collection/archives/it/a"} if name.startswith("a\0") else set())
    assert len(reports) == (0 if name.startswith("a\0") else 1)


def test_links_and_devices_are_left_out(tmp_path: Path, into: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"link.png": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    assert [report.reason for report in unpack(archive, into)] == ["it is a link or a special file"]
    tar = tmp_path / "a.tar"
    with tarfile.open(tar, "w") as file:
        for name, kind in (("s.png", tarfile.SYMTYPE), ("h.png", tarfile.LNKTYPE), ("d.png", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
    assert [report.key for report in unpack(tar, into)] == ["s.png", "h.png", "d.png"]
    assert below(into) == {}


def test_an_encrypted_archive_is_refused_by_name(tmp_path: Path, into: Path) -> None:
    archive = zipped(tmp_path / "secret.zip", {"a.png": b"1"})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(SourceError, match=r"secret.zip is encrypted; unpack it with its password"):
        unpack(archive, into)
    assert not into.exists()


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_a_bomb_is_refused_and_leaves_nothing(tmp_path: Path, into: Path, kind: str) -> None:
    archive = tmp_path / f"bomb.{kind}"
    if kind == "zip":
        zipped(archive, {"a.png": bytes(3_000_000)})
    else:
        with tarfile.open(archive, "w:gz") as file:
            info = tarfile.TarInfo("unwanted.mp3")
            info.size = 3_000_000
            file.addfile(info, io.BytesIO(bytes(3_000_000)))
    with pytest.raises(SourceError, match="unpacks to more than"):
        unpack(archive, into, ArchiveBounds(free_bytes=100_000))
    assert not into.exists()
    assert not into.with_name("it.partial").exists()


@pytest.mark.parametrize(
    ("bounds", "problem"),
    [
        (ArchiveBounds(files=2), "holds more than 2 files"),
        (ArchiveBounds(total_bytes=5), "unpacks to more than"),
        (ArchiveBounds(file_bytes=3), "is larger than 3 bytes"),
        (ArchiveBounds(directory_bytes=10), "table of contents"),
    ],
)
def test_bounds_hold(tmp_path: Path, into: Path, bounds: ArchiveBounds, problem: str) -> None:
    archive = zipped(tmp_path / "a.zip", {f"{n}.png": b"abcd" for n in range(4)})
    with pytest.raises(SourceError, match=problem):
        unpack(archive, into, bounds)


def test_a_tar_header_that_would_fill_the_memory_is_refused(tmp_path: Path, into: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 33
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(SourceError, match="a header claims 8589934592 bytes"):
        unpack(tmp_path / "a.tar", into)


def test_archives_in_archives_are_opened_once(tmp_path: Path, into: Path) -> None:
    third = inside_a_zip({"c.png": b"3"})
    second = inside_a_zip({"b.png": b"2", "deeper.zip": third})
    archive = zipped(tmp_path / "a.zip", {"a.png": b"1", "pack.wastickers": second, "broken.zip": b"PKno"})
    reports = {report.key: report.reason for report in unpack(archive, into)}
    assert below(into) == {"a.png": b"1", "pack/b.png": b"2"}
    assert reports["pack.wastickers/deeper.zip"] == "it is an archive in an archive in an archive"
    assert "damaged" in reports["broken.zip"]


def test_a_bomb_in_an_archive_counts_with_the_rest(tmp_path: Path, into: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", bytes(3_000_000))
    with pytest.raises(SourceError):
        unpack(zipped(tmp_path / "a.zip", {"in.zip": out.getvalue()}), into, ArchiveBounds(free_bytes=100_000))


def test_names_from_chinese_programs_are_read(tmp_path: Path, into: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"xxxx.png": b"1"})
    archive.write_bytes(archive.read_bytes().replace(b"xxxx", "抱抱".encode("gb18030")))
    unpack(archive, into)
    assert set(below(into)) == {"抱抱.png"}


def test_a_cut_archive_gives_what_came_before(tmp_path: Path, into: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for name in ("a.png", "b.png"):
            info = tarfile.TarInfo(name)
            info.size = 2000
            file.addfile(info, io.BytesIO(b"x" * 2000))
    data = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(data[:4000])
    reports = unpack(tmp_path / "a.tar", into)
    assert reports
    assert all("damaged" in report.reason for report in reports)
    assert "a.png" in below(into)
    (tmp_path / "no.zip").write_bytes(b"PK\3\4 nothing")
    with pytest.raises(SourceError, match=r"no.zip is no archive that can be read"):
        unpack(tmp_path / "no.zip", into)


def test_an_archive_is_unpacked_again_only_when_it_changed(tmp_path: Path, into: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.png": b"1"})
    unpack(archive, into)
    (into / "a.png").write_bytes(b"mine")
    unpack(archive, into)
    assert below(into) == {"a.png": b"mine"}
    unpack(zipped(archive, {"a.png": b"1", "b.png": b"22"}), into)
    assert below(into) == {"a.png": b"1", "b.png": b"22"}


def test_a_directory_that_lies_about_its_size_is_no_trouble(tmp_path: Path, into: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.png": b"1"})
    data = bytearray(archive.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\5\6") + 12, 0xFFFFFFF0)
    archive.write_bytes(data)
    with pytest.raises(SourceError, match="table of contents"):
        unpack(archive, into)
