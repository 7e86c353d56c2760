"""Tables of stickers and picks in four formats, and every way a row can be wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from persrv.errors import MissingExtraError, RecipeError, SourceError
from persrv.offline.loading import Loader
from persrv.records import PICK_KINDS, Semantics, Skipped, SourcePick, SourceSticker

Using = Callable[..., Loader]
Table = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def read(using: Using, table: Table) -> Callable[..., list[SourceSticker | Skipped]]:
    return lambda name, content, **options: list(using("table", table(name, content), **options).stickers())


@pytest.fixture
def read_picks(using: Using, table: Table) -> Callable[..., list[SourcePick | Skipped]]:
    return lambda name, content, **options: list(using("table", table(name, content), **options).interactions())


def test_stickers_from_csv(
    read: Callable[..., list[SourceSticker]], picture: Callable[[str], Path], tmp_path: Path
) -> None:
    picture("art/hug.png")
    content = (
        "key,path,pack,name,tags,description,language,rating,style,price\n"
        'hug,art/hug.png,Bears,Big hug,love; warm|抱抱,"A bear; it hugs",en,safe,ink,3\n'
        '7,,,,"[""a;b"", ""c""]",,,,,\n'
    )
    assert read("stickers.csv", content) == [
        SourceSticker(
            key="hug",
            path=tmp_path / "art/hug.png",
            pack="Bears",
            semantics=Semantics(name=("Big hug",), tags=("love", "warm", "抱抱"), description=("A bear; it hugs",)),
            language="en",
            rating="safe",
            style="ink",
        ),
        SourceSticker(key="7", path=None, semantics=Semantics(tags=("a;b", "c"))),
    ]


def test_labeled_queries_are_separated_by_commas(read: Callable[..., list[SourceSticker]]) -> None:
    content = (
        "sticker_id,labeled_queries\n"
        '100124.png,"Thumbs up, Good job, 😍"\n'
        '104370.gif,"嘿嘿，观察, 在吗, "\n'
        "104371.gif,\n"
    )
    assert [(item.key, item.semantics.queries) for item in read("q.csv", content)] == [
        ("100124.png", ("Thumbs up", "Good job", "😍")),
        ("104370.gif", ("嘿嘿", "观察", "在吗")),
        ("104371.gif", ()),
    ]


@pytest.mark.parametrize("name", ["t.tsv", "t.TSV"])
def test_tabs_separate_tsv(read: Callable[..., list[SourceSticker]], name: str) -> None:
    (item,) = read(name, "id\ttags\na\tx,y\n")
    assert (item.key, item.semantics.tags) == ("a", ("x,y",))


def test_jsonl_has_types_and_may_leave_keys_out(read: Callable[..., list[SourceSticker]]) -> None:
    lines = [{"docid": 12}, {"docid": "b", "tags": ["x;y", "z"], "ocr": "a|b"}, {"docid": 3.0, "name": None}]
    content = "\n\n".join(json.dumps(line) for line in lines)
    assert [(item.key, item.semantics) for item in read("t.jsonl", content)] == [
        ("12", Semantics()),
        ("b", Semantics(tags=("x;y", "z"), ocr=("a|b",))),
        ("3", Semantics()),
    ]


def test_parquet_keeps_lists_and_times(using: Using, tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    parquet.write_table(pyarrow.table({"id": [1, None], "tags": [["a", "b"], None]}), tmp_path / "s.parquet")
    parquet.write_table(
        pyarrow.table({"uid": ["u"], "query": ["q"], "docid": [5], "time": [moment], "other": [1.5]}),
        tmp_path / "p.parquet",
    )
    found = list(using("table", tmp_path / "s.parquet").stickers())
    assert found == [
        SourceSticker(key="1", path=None, semantics=Semantics(tags=("a", "b"))),
        Skipped("s.parquet row 2", "key is empty"),
    ]
    assert list(using("table", tmp_path / "p.parquet").interactions()) == [SourcePick("u", "q", "5", moment)]


def test_parquet_without_pyarrow_names_the_extra(using: Using, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"persrv\[parquet\]"):
        list(using("table", table("t.parquet", b"PAR1")).stickers())


def test_a_broken_parquet_file_is_an_error(using: Using, table: Table) -> None:
    with pytest.raises(SourceError, match=r"t\.parquet cannot be read"):
        list(using("table", table("t.parquet", b"no parquet")).stickers())


def test_the_option_columns_says_what_columns_mean(read: Callable[..., list[SourceSticker]]) -> None:
    (item,) = read("t.csv", "id,nr,text,tags\nx,7,hello,t\n", columns="nr=key, text=description")
    assert (item.key, item.semantics) == ("7", Semantics(description=("hello",), tags=("t",)))


@pytest.mark.parametrize("columns", ["nr", "nr=price", "=key", "nr=key,text"])
def test_a_malformed_option_columns_is_refused(read: Callable[..., object], columns: str) -> None:
    with pytest.raises(RecipeError, match="write COLUMN=MEANING, a meaning is one of key, path"):
        read("t.csv", "nr\n1\n", columns=columns)


@pytest.mark.parametrize(
    ("name", "content", "options", "complaint"),
    [
        ("t.csv", "nr,text\n1,x\n", {}, "has no column key, it has nr, text"),
        ("t.csv", "", {}, "has no column key, it has none"),
        ("t.csv", "key\n", {"columns": "text=tags"}, "has no column text, it has key"),
        ("t.jsonl", '{"nr": 1}\n', {}, "has no column key, it has nr"),
        ("t.csv", "key,tags,key\n", {}, "two columns of one name"),
        ("t.xlsx", "", {}, r"ends in '\.xlsx'"),
    ],
)
def test_a_table_that_cannot_do_is_an_error(
    read: Callable[..., object], name: str, content: str, options: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SourceError, match=complaint):
        read(name, content, **options)


def test_wrong_rows_are_reported_with_their_line_and_the_others_come(
    read: Callable[..., list[SourceSticker | Skipped]],
) -> None:
    content = 'key,tags\na,"two\nlines"\n,no key\n\nb\nc,x,y\nd,ok\n'
    assert [item if isinstance(item, Skipped) else item.key for item in read("t.csv", content)] == [
        "a",
        Skipped("t.csv line 4", "key is empty"),
        Skipped("t.csv line 6", "it has 1 cells, the header has 2"),
        Skipped("t.csv line 7", "it has 3 cells, the header has 2"),
        "d",
    ]


def test_a_cell_that_is_too_long_costs_its_row(read: Callable[..., list[SourceSticker | Skipped]]) -> None:
    report, item = read("t.csv", f"key\n{'x' * 200_000}\nb\n")
    assert isinstance(report, Skipped)
    assert "it has more than 131072 characters" in report.reason
    assert item.key == "b"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is no JSON"),
        ("[1]", "it is no JSON object"),
        ("[" * 100_000, "it is no JSON"),
        ('{"key": true}', "key = True is no text"),
        ('{"key": {"a": 1}}', "is no text"),
        ('{"key": "b", "tags": [["c"]]}', "tags = ['c'] is no text"),
        ('{"key": "b", "tags": "\\ud83d"}', "is not valid text"),
        ('{"key": "b", "rating": "nice"}', "rating 'nice' is neither safe nor unsafe"),
    ],
)
def test_wrong_objects_are_reported(read: Callable[..., list[SourceSticker | Skipped]], line: str, reason: str) -> None:
    first, report, last = read("t.jsonl", f'{{"key": "a"}}\n{line}\n{{"key": "z"}}\n')
    assert isinstance(report, Skipped)
    assert report.key == "t.jsonl line 2"
    assert reason in report.reason
    assert (first.key, last.key) == ("a", "z")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("../secret.png", "leaves the table's folder"),
        ("sub/../../secret.png", "leaves the table's folder"),
        ("/etc/passwd", "leaves the table's folder"),
        ("link.png", "leaves the table's folder"),
        ("nothing.png", "there is no picture"),
        ("itself.png", "itself.png"),
        ("sub", "there is no picture"),
        ("a\0b", "is impossible"),
    ],
)
def test_pictures_stay_inside_the_tables_folder(
    using: Using, picture: Callable[[str], Path], tmp_path: Path, place: str, reason: str
) -> None:
    picture("secret.png")
    picture("set/sub/ok.png")
    (tmp_path / "set/itself.png").symlink_to(tmp_path / "set/itself.png")
    (tmp_path / "set/link.png").symlink_to(tmp_path / "secret.png")
    table = tmp_path / "set/t.jsonl"
    table.write_text("".join(json.dumps({"key": p, "path": p}) + "\n" for p in (place, "sub/../sub/ok.png")))
    report, item = using("table", table).stickers()
    assert isinstance(report, Skipped)
    assert reason in report.reason
    assert isinstance(item, SourceSticker)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_byte_order_marks_are_understood(read: Callable[..., list[SourceSticker]], encoding: str, name: str) -> None:
    content = "key,tags\na,抱抱\n" if name == "t.csv" else '{"key": "a", "tags": "抱抱"}\n'
    (item,) = read(name, content.encode(encoding))
    assert (item.key, item.semantics.tags) == ("a", ("抱抱",))


def test_an_encoding_can_be_named(read: Callable[..., list[SourceSticker]]) -> None:
    (item,) = read("t.csv", "key,tags\na,抱抱\n".encode("gb18030"), encoding="gb18030")
    assert item.semantics.tags == ("抱抱",)


@pytest.mark.parametrize("encoding", ["klingon", "rot13"])
def test_an_unknown_encoding_is_refused(read: Callable[..., object], encoding: str) -> None:
    with pytest.raises(RecipeError, match=f"encoding '{encoding}' is unknown"):
        read("t.csv", "key\n", encoding=encoding)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_bytes_that_are_no_text_cost_their_row_only(
    read: Callable[..., list[SourceSticker | Skipped]], name: str
) -> None:
    rows = [b"key", b"a", b"b\xff", b"c"] if name == "t.csv" else [b'{"key":"a"}', b'{"key":"b\xff"}', b'{"key":"c"}']
    first, report, last = read(name, b"\n".join(rows))
    assert isinstance(report, Skipped)
    assert "not valid text" in report.reason
    assert (first.key, last.key) == ("a", "c")


def test_picks_in_the_published_form(read_picks: Callable[..., list[SourcePick]]) -> None:
    assert read_picks("p.csv", "uid,query,docid\n17,开心,d1\n18,,d2\n") == [
        SourcePick("17", "开心", "d1"),
        SourcePick("18", "", "d2"),
    ]


@pytest.mark.parametrize(
    ("given_time", "moment"),
    [
        ("2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00+01:00", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
        ("2026-01-31 09:30", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("86400", datetime(1970, 1, 2, tzinfo=UTC)),
        ("86400.5", datetime(1970, 1, 2, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("", None),
    ],
)
def test_times_are_seconds_or_iso_8601(
    read_picks: Callable[..., list[SourcePick]], given_time: str, moment: datetime | None
) -> None:
    (pick,) = read_picks("p.csv", f"user,query,key,time\nu,q,k,{given_time}\n")
    assert pick.time == moment
    assert pick.time is None or pick.time.utcoffset() == timedelta(0)


def test_parquet_dates_and_naive_times_are_utc(using: Using, tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=8))
    for number, moment in enumerate([date(2026, 1, 2), datetime(2026, 1, 2), datetime(2026, 1, 2, 8, tzinfo=zone)]):
        path = tmp_path / f"{number}.parquet"
        parquet.write_table(pyarrow.table({"user": ["u"], "query": ["q"], "key": ["k"], "time": [moment]}), path)
        (pick,) = using("table", path).interactions()
        assert pick == SourcePick("u", "q", "k", datetime(2026, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize("given_time", ["yesterday", "nan", "inf", "1e300", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_impossible_times_are_reported(read_picks: Callable[..., list[Skipped]], given_time: str) -> None:
    (report,) = read_picks("p.csv", f"user,query,key,time\nu,q,k,{given_time}\n")
    assert report.key == "p.csv line 2"
    assert given_time in report.reason


def test_kinds_are_read_and_checked(read_picks: Callable[..., list[SourcePick | Skipped]]) -> None:
    rows = "".join(f"u,q,k,{kind}\n" for kind in (*PICK_KINDS, "", "liked"))
    *picks, report = read_picks("p.csv", "user,query,key,kind\n" + rows)
    assert [pick.kind for pick in picks if isinstance(pick, SourcePick)] == [*PICK_KINDS, "pick"]
    assert report == Skipped("p.csv line 7", f"kind 'liked' is none of {', '.join(PICK_KINDS)}")


@pytest.mark.parametrize(("row", "name"), [(",q,k", "user"), ("u,q,", "key")])
def test_a_pick_needs_a_user_and_a_sticker(read_picks: Callable[..., list[Skipped]], row: str, name: str) -> None:
    assert read_picks("p.csv", f"user,query,key\n{row}\n") == [Skipped("p.csv line 2", f"{name} is empty")]


def test_a_folder_is_no_table(using: Using, tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(SourceError, match="cannot be read"):
        list(using("table", tmp_path / "t.csv").stickers())


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufffd"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(CELL.filter(str.strip), st.lists(CELL, max_size=3)), max_size=5, unique_by=lambda row: row[0].strip()
    )
)
def test_jsonl_round_trip(read: Callable[..., list[SourceSticker]], rows: list[tuple[str, list[str]]]) -> None:
    content = "".join(
        json.dumps({"key": key, "tags": tags}, ensure_ascii=False) + "\n" for key, tags in [("0-", []), *rows]
    )
    found = {item.key: item.semantics.tags for item in read("t.jsonl", content)}
    assert found == {"0-": ()} | {key.strip(): tuple(t.strip() for t in tags if t.strip()) for key, tags in rows}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.sampled_from(["t.csv", "t.tsv", "t.jsonl"]), st.binary(max_size=120))
def test_no_bytes_stop_a_batch(read: Callable[..., list[SourceSticker | Skipped]], name: str, content: bytes) -> None:
    start = b'{"key": "a"}\n' if name == "t.jsonl" else b"key\na\n"
    assert isinstance(read(name, start + content)[0], SourceSticker)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "key;tags\na;hug\nb;sad, blue\n"),
        ("t.csv", "key\ttags\na\thug\nb\tsad, blue\n"),
        ("t.csv", "sep=;\nkey;tags\na;hug\nb;sad, blue\n"),
        ("t.tsv", 'key,tags\na,hug\nb,"sad, blue"\n'),
        ("t.txt", "key\ttags\na\thug\nb\tsad, blue\n"),
    ],
)
def test_what_separates_cells_is_found_in_the_header(
    read: Callable[..., list[SourceSticker]], name: str, content: str
) -> None:
    assert [(item.key, item.semantics.tags) for item in read(name, content)] == [("a", ("hug",)), ("b", ("sad, blue",))]


def test_a_quote_that_is_never_closed_costs_one_row(read: Callable[..., list[SourceSticker | Skipped]]) -> None:
    content = 'key,tags\na,hug\nb,"sad\nc,blue\nd,"two\nlines"\ne,five\n'
    found = read("t.csv", content)
    assert [item.key for item in found if isinstance(item, SourceSticker)] == ["a", "c", "d", "e"]
    (report,) = [item for item in found if isinstance(item, Skipped)]
    assert report.key == "t.csv line 3"
    only = read("o.csv", 'key,tags\na,"never\nb,hug\n')
    assert [item.key for item in only] == ["o.csv line 2", "b"]
    assert isinstance(only[0], Skipped)
    assert "never closed" in only[0].reason


def test_a_quote_without_end_in_every_row_takes_no_more_time_than_rows(
    read: Callable[..., list[SourceSticker | Skipped]],
) -> None:
    found = read("t.csv", "key,tags\n" + 'a,"b\n' * 3000)
    assert len(found) < 3001
    assert isinstance(found[-1], Skipped)


def test_a_cell_without_end_is_named_with_its_column(read: Callable[..., list[SourceSticker | Skipped]]) -> None:
    report, item = read("t.csv", f"key,tags,description\na,hug,{'x' * 200_000}\nb,sad,\n")
    assert isinstance(report, Skipped)
    assert report.key == "t.csv line 2"
    assert report.reason.startswith("description: it has more than 131072 characters")
    assert item.key == "b"


def test_rows_of_one_key_are_joined_or_named(read: Callable[..., list[SourceSticker | Skipped]]) -> None:
    content = "key,tags,pack,rating\na,hug,,safe\na,love; hug,cats,unsafe\nb,sad,,\na,late,,\n"
    first, second, report = read("t.csv", content)
    assert isinstance(first, SourceSticker)
    assert (first.semantics.tags, first.pack, first.rating) == (("hug", "love"), "cats", "unsafe")
    assert report == Skipped(
        "t.csv line 5", "its key 'a' stood in t.csv line 2; rows of one key must follow each other"
    )
    assert isinstance(second, SourceSticker)
    assert second.key == "b"
