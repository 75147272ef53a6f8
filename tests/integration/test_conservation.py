"""The tests of conservation find a cent that moved, and an error that another month's makes up for."""

from __future__ import annotations

from tests.support.projects import Project

CONSERVATION = ("landed_rows_are_kept_or_quarantined", "marts_hold_every_good_trip")


def found(project: Project, test: str, columns: str) -> set[tuple[str, ...]]:
    """What a test stored of its failures."""
    return {tuple(map(str, row)) for row in project.sql(f"select {columns} from dbt_test__audit.{test}")}


def test_what_months_lost_is_found_month_by_month(growing: Project) -> None:
    """A dollar goes from one month's facts to another's; a cent is added to a row that was checked."""
    project = growing
    made = project.penstock("sample", "--rows", "2000", "--dataset", "green", "--months", "2023-01..2023-02")
    assert made.returncode == 0, made.stdout
    built = project.dbt("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    assert built.returncode == 0, built.stdout[-5000:]
    tested = project.dbt("test", "--select", *CONSERVATION)
    assert tested.returncode == 0, tested.stdout

    trips = "select min(trip_id) from warehouse.fct_trips group by pickup_month order by pickup_month"
    one, other = (row[0] for row in project.sql(trips))
    project.sql(
        f"update warehouse.fct_trips set total_amount = total_amount + if(trip_id = '{one}', 1, -1) "
        f"where trip_id in ('{one}', '{other}')"
    )
    broken = project.dbt("test", "--store-failures", "--select", CONSERVATION[1])
    assert broken.returncode == 1, broken.stdout
    assert found(project, CONSERVATION[1], "mart, service_type, month, trips_too_many, amount_too_much") == {
        ("fct_trips", "green", "2023-01-01", "0", "1.00"),
        ("fct_trips", "green", "2023-02-01", "0", "-1.00"),
    }

    project.sql(
        "update intermediate.int_trips_checked set total_amount = total_amount + 0.01 "
        "where file_month = date'2023-02-01' and source_row = 5"
    )
    broken = project.dbt("test", "--store-failures", "--select", CONSERVATION[0])
    assert broken.returncode == 1, broken.stdout
    too_much = "good_rows + quarantined_rows - landed_rows, good_amount + quarantined_amount - landed_amount"
    assert found(project, CONSERVATION[0], f"service_type, file_month, {too_much}") == {
        ("green", "2023-02-01", "0", "0.01")
    }
