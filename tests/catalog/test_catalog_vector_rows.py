"""Ids and their rows in arrays, against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.catalog import vector_rows
from persrv.catalog.vector_rows import VectorRows, whole_ids

IDS = [f"{number:032x}" for number in range(40)]


@given(st.lists(st.lists(st.sampled_from(IDS), max_size=12), max_size=8), st.sampled_from([1, 5, 100]))
def test_rows_are_those_of_a_dictionary(batches: list[list[str]], least: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_rows, "_LEAST", least)
        rows, expected, first = VectorRows(), dict[str, int](), 0
        for batch in batches:
            rows.extend(np.array(batch, "S32"), first)
            for row, name in enumerate(batch, start=first):
                expected.setdefault(name, row)
            first += len(batch)
            assert len(rows) == len(expected)
            assert rows.of(IDS).tolist() == [expected.get(name, -1) for name in IDS]
        names, places = rows.in_order()
        assert dict(zip(names, places.tolist(), strict=True)) == expected
        assert names == list(expected)


def test_what_is_no_id_has_no_row() -> None:
    rows = VectorRows()
    rows.extend(np.array(IDS, "S32"), 0)
    odd = ["", "x", IDS[1] + "0", IDS[1][:-1], IDS[1][:-1] + "é", IDS[1][:-1] + "\0"]
    assert rows.of(odd).tolist() == [-1] * len(odd)


@pytest.mark.parametrize("wrong", ["0" * 31, "G" + "0" * 31, "A" + "0" * 31, "0" * 33])
def test_ids_end_at_what_is_no_line_of_one(wrong: str) -> None:
    content = f"{IDS[0]}\n{IDS[1]}\n{wrong}\n{IDS[2]}\n".encode()
    assert whole_ids(content).tolist() == [IDS[0].encode(), IDS[1].encode()]
    assert whole_ids(content[:40]).tolist() == [IDS[0].encode()]
    assert whole_ids(b"").tolist() == []
