"""Column names are compared without letter case."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt_common.exceptions import CompilationError

from dbt.adapters.penstock import seeds
from dbt.adapters.penstock.column_names import Names, matched, without
from dbt.adapters.penstock.columns import PenstockColumn


def test_a_name_is_found_in_any_letter_case() -> None:
    names = Names(["Id", "Größe"])
    assert "ID" in names
    assert "GRÖSSE" not in names
    assert "größe" in names
    assert None not in names


def test_values_by_the_names_of_columns() -> None:
    assert matched({"ID": 1, "gone": 2}, ["id", "Other"]) == {"id": 1}


def test_columns_without_others() -> None:
    columns = [PenstockColumn("Id", "int"), PenstockColumn("b", "int")]
    assert without(columns, [PenstockColumn("ID", "bigint")]) == columns[1:]


def test_a_seeds_types_are_found_in_any_letter_case(tmp_path: Path) -> None:
    """Leading zeros of a string are kept; a key that is not a column is named with the header."""
    file = tmp_path / "zips.csv"
    file.write_text("Zip_Code,n\n00501,1\n")
    seed = seeds.read(file, {"zip_code": "string", "N": "array<void>"}, ",")
    assert seed.types == ("string", "array<string>")
    assert [column.name for column in seed.columns] == ["Zip_Code", "n"]
    with pytest.raises(CompilationError, match=r"found: zip, x; the header has Zip_Code, n\. do: correct column_types"):
        seeds.read(file, {"zip": "string", "N": "int", "x": "int"}, ",")
