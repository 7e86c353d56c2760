"""Every importer, from a file in the published form to a search that finds what it should, by one command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from exports import picture, sticker_exif, telegram_message, telegram_sticker, tgs, write, zipped
from typer.testing import CliRunner

from opened_files import opened_below
from persrv import Retriever, build_collection
from persrv.cli import app
from persrv.offline.importing import IMPORTERS
from persrv.online.answer import Answer
from repository import ROOT

RAN_OUT = "(File not included. Change data exporting settings to download.)"


@dataclass(frozen=True)
class Imported:
    """What an import answered, and its collection."""

    facts: dict[str, Any]
    recipe: Path

    def search(self, query: str, user: str | None = None) -> Answer:
        with Retriever.open(self.recipe) as retriever:
            return retriever.search(query, user)

    def first(self, query: str, user: str | None = None) -> str:
        """Return the file's name of the best answer, ``""`` where nothing matched."""
        answer = self.search(query, user)
        path = answer[0].path if answer.reason == "matched" and len(answer) else None
        return path.name if path else ""

    @property
    def reasons(self) -> str:
        return "\n".join(f"{item['key']}: {item['reason']}" for item in self.facts["skipped"])


Import = Callable[..., Imported]


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PERSRV_HOME", str(tmp_path / "home"))

    def run(source: Path, *options: str) -> Imported:
        done = CliRunner().invoke(app, ["import", str(source), "--no-ocr", "--json", *options])
        assert done.exit_code == 0, (done.output, done.stderr)
        facts = json.loads(done.stdout)
        return Imported(facts, Path(facts["recipe"]).absolute())

    return run


def telegram(folder: Path) -> Path:
    files = {f"stickers/sticker{'' if n == 0 else f' ({n})'}.webp": picture(n) for n in range(4)}
    files["stickers/sticker.webp_thumb.jpg"] = picture(9, "JPEG")
    files["stickers/AnimatedSticker.tgs"] = tgs()
    messages = [
        {"id": 1, "type": "service", "actor": "x", "action": "create_group", "date_unixtime": "1"},
        {"id": 2, "type": "unsupported"},
        telegram_message(3, from_id="user2", text=[{"type": "bold", "text": "good"}, " night all"]),
        telegram_sticker(4, "user1", "stickers/sticker.webp", "😴", reply_to_message_id=3),
        telegram_sticker(5, "user1", "stickers/sticker (1).webp", "😴"),
        telegram_sticker(6, "user2", "stickers/sticker (2).webp", "🎂", forwarded_from="Another"),
        telegram_sticker(7, "user2", "stickers/sticker (3).webp", ""),
        telegram_sticker(8, "user2", RAN_OUT, "😀"),
        telegram_sticker(9, "channel7", "stickers/sticker.webp", "😴"),
        telegram_sticker(10, "user3", "../../../../etc/hostname", "😀"),
        telegram_sticker(11, "user1", "stickers/sticker.webp", "😴"),
        telegram_message(
            12,
            text_entities=[{"type": "custom_emoji", "text": "🐱", "document_id": "stickers/AnimatedSticker.tgs"}],
        ),
    ]
    return write(
        folder, files | {"result.json": {"name": "Us", "type": "personal_chat", "id": 5, "messages": messages}}
    )


def test_a_telegram_chat_brings_stickers_and_who_sent_them(imported: Import, tmp_path: Path) -> None:
    found = imported(telegram(tmp_path / "ChatExport_2026-11-27"))
    assert (found.facts["loader"], found.facts["what"]) == ("telegram_export", "Telegram Desktop export of one chat")
    assert (found.facts["stickers"], found.facts["picks"]) == (5, 4)
    assert found.facts["people"] == {"user1": 3, "user2": 1}
    assert "2 stickers were sent whose files are not in the export" in found.reasons
    assert found.first("🐱") == "AnimatedSticker.tgs"
    assert found.first("sleep", "user1") == "sticker.webp"
    assert found.search("😴", "user1").personal
    for file in (tmp_path / "home").rglob("catalog.db*"):
        assert b"night all" not in file.read_bytes()


def test_the_texts_that_stickers_answer_are_kept_when_asked_for(imported: Import, tmp_path: Path) -> None:
    found = imported(telegram(tmp_path / "chat"), "--keep-text", "--name", "mine")
    assert found.first("good night all", "user1") == "sticker.webp"


def test_importing_again_adds_only_what_is_new(imported: Import, tmp_path: Path) -> None:
    source = telegram(tmp_path / "chat")
    first = imported(source)
    again = imported(source)
    assert (first.facts["built"]["picks"], again.facts["built"]["picks"]) == (4, 0)
    content = json.loads((source / "result.json").read_text())
    write(source, {"stickers/sticker (9).webp": picture(77)})
    content["messages"].append(telegram_sticker(20, "user2", "stickers/sticker (9).webp", "🎁"))
    write(source, {"result.json": content})
    later = imported(source)
    assert (later.facts["built"]["picks"], later.facts["stickers"]) == (1, 6)
    assert later.first("🎁") == "sticker (9).webp"
    assert later.recipe == first.recipe


def test_a_whole_telegram_account_in_a_zip(imported: Import, tmp_path: Path) -> None:
    chats = [
        {"name": None, "type": "private_supergroup", "id": n, "messages": [
            telegram_sticker(n, "user8", f"chats/chat_0{n}/stickers/sticker.webp", "🍕" if n == 1 else "🚗")
        ]} for n in (1, 2)
    ]  # fmt: skip
    table = {"about": "Here is the data", "personal_information": {"user_id": 8}, "chats": {"about": "", "list": chats}}
    files = {f"DataExport/chats/chat_0{n}/stickers/sticker.webp": picture(n) for n in (1, 2)}
    broken = json.dumps(table, indent=1).replace(
        '"type": "message"', '"type": "message",\n "document_id": (no file)', 1
    )
    found = imported(zipped(tmp_path / "export.zip", files | {"DataExport/result.json": broken}))
    assert found.facts["what"] == "Telegram Desktop export of the whole account"
    assert found.facts["people"] == {"user8": 2}
    assert found.search("pizza", "user8")[0].path is not None
    assert (tmp_path / "home/export/archives").is_dir()


def signal(folder: Path) -> Path:
    def field(number: int, content: bytes | int) -> bytes:
        if isinstance(content, int):
            return bytes([number << 3]) + bytes([content])
        return bytes([number << 3 | 2, len(content)]) + content

    def sticker(number: int, emoji: str) -> bytes:
        return field(1, number) + field(2, emoji.encode())

    manifest = field(1, b"Swoon Hands") + field(2, b"Somebody") + field(3, sticker(2, ""))
    manifest += field(4, sticker(0, "👋")) + field(4, sticker(1, "🙏"))
    return write(folder / "8f82", {"manifest.bin": manifest} | {f"{n}.webp": picture(n) for n in range(3)}).parent


def signal_cli(folder: Path) -> Path:
    entries = [{"file": f"{n}.png", "contentType": "image/png", "emoji": e} for n, e in enumerate("👋🙏")]
    manifest = {"title": "Swoon Hands", "author": "x", "cover": {"file": "c.png"}, "stickers": entries}
    return write(folder, {"manifest.json": manifest, "c.png": picture(7, "PNG")} | {
        f"{n}.png": picture(n, "PNG") for n in range(2)
    })  # fmt: skip


def signal_desktop(folder: Path) -> Path:
    inside = {"stickers.noindex/ab/ab" + "0" * 62: picture(1), "stickers.noindex/cd/cd" + "1" * 62: b"\x07" * 900}
    return write(folder, inside)


def wastickers(folder: Path) -> Path:
    message = {"title.txt": "Sad Frogs", "author.txt": "me", "cover.png": picture(8, "PNG", 96)}
    return zipped(folder.with_suffix(".wastickers"), message | {f"{n:03}.webp": picture(n) for n in range(3)})


def phone(folder: Path) -> Path:
    about = {"sticker-pack-id": "com.x", "sticker-pack-name": "Sad Frogs", "sticker-pack-publisher": "me"}
    exif = sticker_exif(**about, emojis=["😢", "🐸"])
    return write(
        folder / "WhatsApp Stickers",
        {"STK-20260101-WA0001.webp": picture(1, exif=exif), "STK-20260101-WA0002.webp": picture(2)},
    )


def whatsapp_app(folder: Path) -> Path:
    stickers = [{"image_file": "01_Cuppy.webp", "emojis": ["☕", "🙂"]}, {"image_file": "gone.webp", "emojis": []}]
    packs = [{"identifier": "1", "name": "Cuppy", "publisher": "x", "tray_image_file": "t.png", "stickers": stickers}]
    app_form = {"android_play_store_link": "", "sticker_packs": packs}
    return write(folder, {"contents.json": app_form, "1/01_Cuppy.webp": picture(1), "1/t.png": picture(2, "PNG")})


def line(folder: Path) -> Path:
    about = {
        "packageId": 1,
        "title": {"en": "Brown and Cony", "ja": "ブラウン"},
        "author": {"en": "LINE"},
        "stickers": [
            {"id": 10, "width": 370, "height": 320, "keywords": ["hug", "抱抱"]},
            {"id": 11, "width": 370, "height": 320, "customPlus": {"defaultText": "good morning"}},
            {"id": 12, "width": 370, "height": 320},
        ],
        "hasAnimation": True,
        "hasSound": False,
        "stickerResourceType": "ANIMATION",
        "validDays": 0,
    }
    files = {f"{n}@2x.png": picture(n, "PNG") for n in (10, 11)} | {"animation@2x/10@2x.png": picture(10, "PNG")}
    files |= {"10_key@2x.png": picture(3, "PNG"), "tab_on@2x.png": picture(4, "PNG")}
    return zipped(folder.with_suffix(".zip"), files | {"productInfo.meta": about})


def line_emoji(folder: Path) -> Path:
    about = {"orders": ["001", "002"], "sticonResourceType": "STATIC", "title": {"en": "Tiny Bears"}}
    return write(folder, {"meta.json": about} | {f"00{n}.png": picture(n, "PNG") for n in (1, 2)})


def discord(folder: Path) -> Path:
    server = {
        "id": "1",
        "name": "Our server",
        "emojis": [
            {"id": "101", "name": "pepeHands", "animated": False},
            {"id": "102", "name": "gone", "animated": True},
        ],
        "stickers": [
            {"id": "201", "name": "Wave", "description": "A fox says hello", "tags": "👋", "format_type": 1},
            {"id": "202", "name": "Spin", "description": "", "tags": "dizzy", "format_type": 3},
        ],
    }
    return write(
        folder, {"guild.json": server, "emojis/101.png": picture(1, "PNG"), "stickers/Wave.png": picture(2, "PNG")}
    )


def slack(folder: Path) -> Path:
    emoji = {"party-parrot": "https://x.example/T1/party-parrot/a1b2.gif", "dancing_bird": "alias:party-parrot"}
    return write(folder, {"emoji.json": {"ok": True, "emoji": emoji}, "party-parrot.gif": picture(1, "GIF")})


def mastodon(folder: Path) -> Path:
    entries = [
        {"shortcode": "blobcatheart", "url": "https://x.example/a/blob.png", "static_url": "", "category": "Blobs",
         "visible_in_picker": True},
        {"shortcode": "secret", "url": "https://x.example/a/secret.png", "static_url": "", "visible_in_picker": False},
    ]  # fmt: skip
    return write(folder, {"custom_emojis.json": entries, "blobcatheart.png": picture(1, "PNG")})


def misskey(folder: Path) -> Path:
    def entry(name: str, **more: Any) -> dict[str, Any]:
        about = {"name": name, "category": "cats", "aliases": ["ねこ", "meow"], "license": "", "isSensitive": False}
        return {"downloaded": True, "fileName": f"{name}.png", "emoji": about | more}

    meta = {
        "metaVersion": 2,
        "host": "x.example",
        "exportedAt": "",
        "emojis": [entry("nyan"), entry("bad", aliases=[], isSensitive=True)],
    }
    return zipped(
        folder.with_suffix(".zip"), {"meta.json": meta, "nyan.png": picture(1, "PNG"), "bad.png": picture(2, "PNG")}
    )


def pleroma(folder: Path) -> Path:
    pack = {"files": {"blobfox": "fox.png", "escape": "../../x.png"}, "pack": {"license": "CC"}, "files_count": 2}
    return write(folder, {"foxes/pack.json": pack, "foxes/fox.png": picture(1, "PNG")})


def maunium(folder: Path) -> Path:
    def entry(number: int, body: str) -> dict[str, Any]:
        return {
            "body": body,
            "url": f"mxc://x.example/media{number}",
            "msgtype": "m.sticker",
            "id": f"tg-{number}",
            "info": {"w": 256, "h": 256, "size": 1, "mimetype": "image/png"},
            "net.maunium.telegram.sticker": {"pack": {"id": "1", "short_name": "s"}, "id": "1", "emoticons": ["🥕"]},
        }

    pack = {"title": "Scalar Rabbit", "id": "sr", "stickers": [entry(1, "Carrot"), entry(2, "Burrow")]}
    index = {"packs": ["rabbit.json"], "homeserver_url": "https://x.example"}
    return write(
        folder, {"packs/rabbit.json": pack, "packs/index.json": index, "packs/thumbnails/media1": picture(1, "PNG")}
    )


def sticker_convert(folder: Path) -> Path:
    emoji = {"000": "😴💤", "001": "😀"}
    files = {"title.txt": "Sleepy Foxes", "author.txt": "x", "emoji.txt": emoji, "cover.png": picture(9, "PNG")}
    files |= {f"00{n}.webp": picture(n) for n in range(3)} | {"archive_20260101/000.webp": picture(5)}
    return write(folder, {f"pack1/{name}": content for name, content in files.items()})


def telegram_packs(folder: Path) -> Path:
    answer = {"ok": True, "result": {"name": "teco", "title": "Teco the Kobold", "stickers": [
        {"file_id": "CAAC", "file_unique_id": "AgADxx", "emoji": "🦎"},
        {"file_id": "CAAD", "file_unique_id": "AgADyy", "emoji": "🔥"},
    ]}}  # fmt: skip
    return write(folder, {"teco/AgADxx.webp": picture(1), "teco/AgADyy.tgs": tgs(), "teco/set.json": answer})


def chat_memes(folder: Path) -> Path:
    named = {"你说得对，但是我不听.jpg": picture(1, "GIF"), "0a1b2c3d4e5f60718293a4b5c6d7e8f9": picture(2, "JPEG")}
    named |= {f"{n:032x}.png": picture(n, "GIF") for n in range(3, 6)} | {"ff" * 16 + ".dat": b"\x17" * 500}
    return write(folder / "CustomEmotion", {f"熊猫头/{name}": content for name, content in named.items()})


def u_sticker(folder: Path) -> Path:
    messages = [
        {"message_id": 1, "from_id": 7, "reply_id": None, "sticker": "", "text": "see you tomorrow"},
        {"message_id": 2, "from_id": 8, "reply_id": 1, "sticker": "stickers/55.png", "text": ""},
        {"message_id": 3, "from_id": 8, "reply_id": None, "sticker": "stickers/56.webm", "text": ""},
    ]
    files = {"1.json": messages, "idx_to_domain.txt": "1,games\n", "stickers/55.png": picture(1, "PNG")}
    return write(folder, files)


def stickerqueries(folder: Path) -> Path:
    return write(
        folder,
        {
            "stickers_queries_en_released.csv": 'sticker_id,labeled_queries\n55.png,"Thumbs up, good job"\n',
            "stickers_queries_zh_released.csv": 'sticker_id,labeled_queries\n55.png,"赞, 好棒"\n56.gif,"嘿嘿"\n',
            "stickers/55.png": picture(1, "PNG"),
        },
    )


@pytest.mark.parametrize(
    ("loader", "make", "stickers", "pack", "searches", "reason"),
    [
        ("signal", signal, 2, "Swoon Hands", {"👋": "0.webp", "folded hands": "1.webp", "swoon": "0.webp"}, ""),
        ("signal", signal_cli, 2, "Swoon Hands", {"🙏": "1.png"}, ""),
        ("signal", signal_desktop, 1, None, {}, "1 files are encrypted by Signal Desktop"),
        ("whatsapp", wastickers, 3, "Sad Frogs", {"frogs": "000.webp"}, ""),
        ("whatsapp", phone, 2, "Sad Frogs", {"🐸": "STK-20260101-WA0001.webp"}, ""),
        ("whatsapp", whatsapp_app, 1, "Cuppy", {"☕": "01_Cuppy.webp"}, "1/gone.webp: contents.json names it"),
        (
            "line",
            line,
            2,
            "Brown and Cony",
            {"hug": "10@2x.png", "morning": "11@2x.png"},
            "12",
        ),
        ("line", line_emoji, 2, "Tiny Bears", {"bears": "001.png"}, ""),
        (
            "discord",
            discord,
            2,
            "Our server",
            {":pepeHands:": "101.png", "fox": "Wave.png"},
            "Lottie",
        ),
        ("slack", slack, 1, "Slack", {"party parrot": "party-parrot.gif", "dancing": "party-parrot.gif"}, ""),
        ("mastodon", mastodon, 1, "Blobs", {":blobcatheart:": "blobcatheart.png"}, ""),
        ("misskey", misskey, 2, "cats", {"meow": "nyan.png", "ねこ": "nyan.png"}, ""),
        ("pleroma", pleroma, 1, "foxes", {"blobfox": "fox.png"}, "escape: pack.json names it"),
        ("maunium", maunium, 2, "Scalar Rabbit", {"carrot": "media1", "🥕": "media1"}, ""),
        ("sticker_convert", sticker_convert, 3, "Sleepy Foxes", {"💤": "000.webp", "foxes": "000.webp"}, ""),
        ("telegram_packs", telegram_packs, 2, "Teco the Kobold", {"🦎": "AgADxx.webp", "kobold": "AgADxx.webp"}, ""),
        ("chat_memes", chat_memes, 5, "熊猫头", {"我不听": "你说得对，但是我不听.jpg"}, "1 files end in .dat"),
        ("u_sticker", u_sticker, 2, "games", {"games": "55.png"}, ""),
        ("stickerqueries", stickerqueries, 2, None, {"good job": "55.png", "好棒": "55.png"}, ""),
    ],
)
def test_a_format_is_recognised_read_and_found(
    imported: Import,
    tmp_path: Path,
    loader: str,
    make: Callable[[Path], Path],
    stickers: int,
    pack: str | None,
    searches: dict[str, str],
    reason: str,
) -> None:
    found = imported(make(tmp_path / "source"))
    assert (found.facts["loader"], found.facts["stickers"]) == (loader, stickers)
    assert pack is None or pack in found.facts["packs"]
    assert reason in found.reasons
    for query, name in searches.items():
        names = {hit.path.name for hit in found.search(query) if hit.path}
        by_pack = query in (pack or "").casefold()  # then all of them are as good
        assert name in names if by_pack else found.first(query) == name, query
    assert len(found.facts["searches"]) == (3 if searches else 1)  # one sticker without a word is found by nothing
    assert all(search["hits"] for search in found.facts["searches"])
    with opened_below(tmp_path / "source", *tmp_path.glob("source.*"), tmp_path / "home/source/archives") as opened:
        again = build_collection(found.recipe, only=["ingest"])
    assert {file for file in opened if file.suffix != ".made-from"} == set()
    assert (again.stickers, again.removed, again.picks) == (stickers, 0, 0)
    assert {item.reason for item in again.skipped} == {item["reason"] for item in found.facts["built"]["skipped"]}


def test_what_is_sensitive_in_misskey_is_unsafe(imported: Import, tmp_path: Path) -> None:
    found = imported(misskey(tmp_path / "source"))
    assert found.search("bad").reason == "filtered"
    with Retriever.open(found.recipe) as retriever:
        (bad,) = retriever.search("bad", filters={"rating": "unsafe"})
    assert bad.title == "bad"


def test_a_person_of_u_sticker_has_picks(imported: Import, tmp_path: Path) -> None:
    found = imported(u_sticker(tmp_path / "source"))
    assert found.facts["people"] == {"8": 2}
    assert found.search("tomorrow", "8")[0].payload["picks"] == 1


def test_every_importer_has_a_test_here_and_a_place_in_the_table() -> None:
    shipped = {file.stem for file in (ROOT / "loaders").glob("*.py")} - {"folder", "table", "emoji"}
    assert shipped == set(IMPORTERS)
    tested = Path(__file__).read_text(encoding="utf-8")
    page = (ROOT / "docs/how-to/import-your-stickers.md").read_text(encoding="utf-8")
    for name in IMPORTERS:
        assert f'"{name}"' in tested
        assert f"| `{name}` |" in page


def test_a_recipe_is_never_overwritten(imported: Import, tmp_path: Path) -> None:
    first = imported(line_emoji(tmp_path / "bears"), "--name", "mine")
    before = first.recipe.read_bytes()
    slack(tmp_path / "bears2")
    done = CliRunner().invoke(app, ["import", str(tmp_path / "bears2"), "--no-ocr", "--name", "mine"])
    assert done.exit_code == 3
    assert "is there already and reads something else; give the import another --name" in done.stderr
    assert f"write {tmp_path / 'bears2'} as its path" in done.stderr
    assert first.recipe.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("gone", None, "does not exist"),
        ("pack.rar", b"Rar!\x1a\x07\x00", "is an archive that is not opened here; unpack it"),
        ("letter.docx", b"PK\3\4", "is nothing that is known here; see docs/how-to/import-your-stickers.md"),
    ],
)
def test_what_cannot_be_imported_is_said_plainly(
    imported: Import, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = CliRunner().invoke(app, ["import", str(tmp_path / name)])
    assert done.exit_code == 4
    assert reason in done.stderr
    assert not Path("collections").exists()


def test_a_person_reads_what_it_is_what_is_kept_and_what_to_try(imported: Import, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["import", str(telegram(tmp_path / "chat")), "--no-ocr"])
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Telegram Desktop export of one chat: 5 stickers, 0 packs, 2 people, 4 picks"
    assert lines[1] == "people: user1 (3), user2 (1)"
    assert lines[2].startswith("kept: stickers and custom emoji")
    assert lines[3].startswith("left out: texts of messages")
    assert lines[4].startswith("recipe: collections")
    tries = [text for text in lines if text.startswith("  persrv search")]
    assert len(tries) == 3
    assert "--user user1" in tries[0]
    only = CliRunner().invoke(app, ["import", str(tmp_path / "chat"), "--dry-run", "--name", "other"])
    assert only.exit_code == 0
    assert not Path("collections/other.toml").exists()


def test_a_pack_of_line_is_found_by_its_title_in_any_language(imported: Import, tmp_path: Path) -> None:
    assert len(imported(line(tmp_path / "source")).search("ブラウン")) == 2


def test_what_no_importer_knows_is_a_folder_or_a_table(imported: Import, tmp_path: Path) -> None:
    folder = imported(write(tmp_path / "mine", {"cats/happy cat.png": picture(1, "PNG"), "notes.json": {"a": 1}}))
    assert (folder.facts["loader"], folder.facts["packs"]) == ("folder", {"cats": 1})
    assert folder.first("happy") == "happy cat.png"
    write(
        tmp_path, {"list.csv": "key;path;tags\na;mine/cats/happy cat.png;purring\n", "pack.json": {"files": {"x": "y"}}}
    )
    table = imported(tmp_path / "list.csv")
    assert table.facts["loader"] == "table"
    assert table.first("purring") == "happy cat.png"
