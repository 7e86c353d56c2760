from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from persrv.present.columns import Column, cut, lay_out

_texts = st.text(alphabet="ab 世界😂é", max_size=30)


@given(_texts, st.integers(1, 40))
def test_cut_text_fits(text: str, width: int) -> None:
    shown = cut(text, width)
    assert cell_len(shown) <= width
    assert shown == text or (cell_len(text) > width and shown.endswith("…"))


def test_cut_counts_cells_not_characters() -> None:
    assert cut("世界你好", 8) == "世界你好"
    assert cut("世界你好", 7) == "世界你…"
    assert cut("世界你好", 6) == "世界…"


@given(st.lists(st.tuples(_texts, _texts, _texts), min_size=1, max_size=5), st.integers(1, 80))
def test_no_line_is_wider_than_the_room(rows: list[tuple[str, str, str]], room: int) -> None:
    columns = [Column(str(i), [row[i] for row in rows], least=3 + i) for i in range(3)]
    lines = lay_out(columns, room)
    assert len(lines) == len(rows) + 1 or all(column.empty for column in columns)
    assert all(cell_len(line.plain) <= room for line in lines)


def test_wide_characters_stay_aligned() -> None:
    lines = lay_out([Column("title", ["joy", "笑哭", "😂 ok"]), Column("id", ["a", "b", "c"])], 40)
    assert [cell_len(line.plain[: line.plain.rindex(mark)]) for line, mark in zip(lines[1:], "abc", strict=True)] == [
        7
    ] * 3


def test_the_last_column_goes_when_none_may_shrink() -> None:
    columns = [Column("one", ["a" * 20], least=10), Column("two", ["b" * 20], least=10)]
    assert [line.plain for line in lay_out(columns, 22)] == ["one         two", f"{'a' * 9}…  {'b' * 9}…"]
    assert [line.plain for line in lay_out(columns, 21)] == ["one", "a" * 20]


def test_columns_without_content_are_left_out() -> None:
    assert [line.plain for line in lay_out([Column("a", ["x"]), Column("b", [""])], 40)] == ["a", "x"]
