"""The text and the picture of an explanation."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from penstock.explain import builder, picture, sentences, terminal
from penstock.explain.explanation import Explanation, ScanFact
from penstock.explain.keys import equalities, readable_condition, readable_keys, restore_query_names
from penstock.explain.server_facts import ServerFacts, TableFiles
from penstock.plans.plan_store import CapturedPlan
from tests.support import plan_texts

SVG = "{http://www.w3.org/2000/svg}"


def explain(captured: CapturedPlan) -> Explanation:
    return builder.build_explanation(captured, "table", ServerFacts(None, {}), "a plan & more <1>", is_stored=False)


def test_null_safe_keys_are_shown_as_the_query_has_them() -> None:
    left = ("coalesce(month, 1970-01-01)", "isnull(month)", "zone")
    right = ("coalesce(m, 1970-01-01)", "isnull(m)", "z")
    assert equalities(left, right) == ["month <=> m", "zone = z"]
    normalized = "knownfloatingpointnormalized(normalizenanandzero(miles))"
    assert readable_keys([*left, normalized]) == ["month", "zone", "miles"]
    assert readable_keys(["coalesce(a, 0)", "b"]) == ["coalesce(a, 0)", "b"]


def test_grouping_expressions_have_the_names_of_the_query() -> None:
    text = "Keys: [_groupingexpression#5]\nResults: [_groupingexpression#5 AS hour#7, _groupingexpression#51]"
    assert restore_query_names(text) == "Keys: [hour#5]\nResults: [hour#5 AS hour#7, _groupingexpression#51]"


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("((isnotnull(a) AND isnotnull(b)) AND (a = 3))", "a = 3"),
        ("isnotnull(zone_id)", "zone_id is not null"),
        ("((a < b) AND NOT (c = d))", "a < b and NOT (c = d)"),
        ("((a = 1) OR (b = 2))", "(a = 1) OR (b = 2)"),
        ("(count(1) > 1)", "count(1) > 1"),
        ("", ""),
    ],
)
def test_conditions_are_shown_without_the_parts_that_spark_adds(text: str, readable: str) -> None:
    assert readable_condition(text) == readable


def test_filters_are_shown_as_conditions() -> None:
    pushed = ("IsNotNull(a)", "EqualTo(a,green)", "Not(EqualTo(b,true))", "GreaterThanOrEqual(c,3)", "In(d, [1,2])")
    scan = ScanFact(1, "s.t", 1, None, None, None, None, None, None, None, None, ("isnotnull(m)",), pushed)
    assert sentences.filters(scan) == [
        "partition filter: m is not null",
        "pushed filter: a = green, not b = true, c >= 3, In(d, [1,2])",
    ]


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        (TableFiles("s.t", (), (), ()), ["no files, 0 B in all"]),
        (TableFiles("s.t", (2048,), (1,), ()), ["1 file, 2.0 KiB in all"]),
        (
            TableFiles("s.t", (1024, 2048, 4096), (1, 2), ("m", "z")),
            [
                "3 files, 7.0 KiB in all",
                "a file: 1.0 KiB to 4.0 KiB, median 2.0 KiB",
                "2 partitions by m, z, 1 to 2 files each",
            ],
        ),
    ],
)
def test_files_are_shown_with_their_total_and_their_distribution(files: TableFiles, lines: list[str]) -> None:
    assert sentences.files(files) == lines


def test_the_text_has_every_part_of_the_explanation() -> None:
    text = terminal.text(explain(plan_texts.pickups()))
    for line in (
        "pickups (table): 2 joins, 2 exchanges, 3 scans, 5 stages",
        "broadcast hash join, left outer, on pickup_zone_id = zone_id",
        "right `zones` (warehouse.dim_zones): 265 rows, 1.0 MiB in memory; sent whole to every task",
        "why: the hint broadcast(zones)",
        "pushed filter: not is_quarantined = true",
    ):
        assert line in text


@pytest.mark.parametrize("name", sorted(path.stem for path in plan_texts.FOLDER.glob("*.txt")))
def test_every_plan_has_a_text_and_a_picture(name: str) -> None:
    explanation = explain(plan_texts.explained(name))
    assert terminal.text(explanation).startswith(f"{name} (table): ")
    drawing = ET.fromstring(picture.svg(explanation))
    names = [text.text for text in drawing.iter(f"{SVG}text") if text.get("class") == "name"]
    assert sum(str(item).startswith("scan ") for item in names) == len(explanation.scans)
    assert sum("join" in str(item) or "product" in str(item) for item in names) == len(explanation.joins)


def test_boxes_of_a_picture_do_not_touch() -> None:
    drawing = ET.fromstring(picture.svg(explain(plan_texts.pickups())))
    boxes = [
        tuple(float(box.get(name, "0")) for name in ("x", "y", "width", "height"))
        for group in drawing.iter(f"{SVG}g")
        for box in group.iter(f"{SVG}rect")
    ]
    assert len(boxes) > 10
    for place, (x, y, wide, high) in enumerate(boxes):
        assert x >= 0
        assert x + wide <= float(drawing.get("width", "0"))
        assert y + high <= float(drawing.get("height", "0"))
        for left, top, width, height in boxes[place + 1 :]:
            assert x + wide <= left or left + width <= x or y + high <= top or top + height <= y


def test_a_page_loads_no_other_file() -> None:
    page = picture.html(explain(plan_texts.pickups()), "a < b")
    assert "a plan &amp; more &lt;1&gt;" in page
    assert "<pre>a &lt; b</pre>" in page
    assert not [word for word in ("<script", "src=", "href=", "@import", "url(") if word in page]
