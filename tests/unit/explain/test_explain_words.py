"""The words and the picture of an explanation."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import plan_texts
import pytest

from penstock.explain import builder, picture, sentences, terminal
from penstock.explain.explanation import Facts, ScanFact
from penstock.explain.keys import condition, equations, named, simple
from penstock.explain.server_facts import Files, Server
from penstock.plans.plan_store import CapturedPlan

SVG = "{http://www.w3.org/2000/svg}"


def told(kept: CapturedPlan) -> Facts:
    return builder.facts(kept, "table", Server(None, {}), "a plan & more <1>", stored=False)


def test_null_safe_keys_are_said_as_they_were_written() -> None:
    left = ("coalesce(month, 1970-01-01)", "isnull(month)", "zone")
    right = ("coalesce(m, 1970-01-01)", "isnull(m)", "z")
    assert equations(left, right) == ["month <=> m", "zone = z"]
    assert simple([*left, "knownfloatingpointnormalized(normalizenanandzero(miles))"]) == ["month", "zone", "miles"]
    assert simple(["coalesce(a, 0)", "b"]) == ["coalesce(a, 0)", "b"]


def test_grouping_expressions_have_the_names_of_the_query() -> None:
    text = "Keys: [_groupingexpression#5]\nResults: [_groupingexpression#5 AS hour#7, _groupingexpression#51]"
    assert named(text) == "Keys: [hour#5]\nResults: [hour#5 AS hour#7, _groupingexpression#51]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("((isnotnull(a) AND isnotnull(b)) AND (a = 3))", "a = 3"),
        ("isnotnull(zone_id)", "zone_id is not null"),
        ("((a < b) AND NOT (c = d))", "a < b and NOT (c = d)"),
        ("((a = 1) OR (b = 2))", "(a = 1) OR (b = 2)"),
        ("(count(1) > 1)", "count(1) > 1"),
        ("", ""),
    ],
)
def test_conditions_are_said_without_what_spark_adds(text: str, said: str) -> None:
    assert condition(text) == said


def test_filters_are_said_as_conditions() -> None:
    pushed = ("IsNotNull(a)", "EqualTo(a,green)", "Not(EqualTo(b,true))", "GreaterThanOrEqual(c,3)", "In(d, [1,2])")
    scan = ScanFact(1, "s.t", 1, None, None, None, None, None, None, None, None, ("isnotnull(m)",), pushed)
    assert sentences.filters(scan) == [
        "partition filter: m is not null",
        "pushed filter: a = green, not b = true, c >= 3, In(d, [1,2])",
    ]


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        (Files("s.t", (), (), ()), ["no files, 0 B in all"]),
        (Files("s.t", (2048,), (1,), ()), ["1 file, 2.0 KiB in all"]),
        (
            Files("s.t", (1024, 2048, 4096), (1, 2), ("m", "z")),
            [
                "3 files, 7.0 KiB in all",
                "a file: 1.0 KiB to 4.0 KiB, median 2.0 KiB",
                "2 partitions by m, z, 1 to 2 files each",
            ],
        ),
    ],
)
def test_files_are_said_in_all_and_each(files: Files, lines: list[str]) -> None:
    assert sentences.files(files) == lines


def test_the_text_says_it_all() -> None:
    text = terminal.text(told(plan_texts.pickups()))
    for line in (
        "pickups (table): 2 joins, 2 exchanges, 3 scans, 5 stages",
        "broadcast hash join, left outer, on pickup_zone_id = zone_id",
        "right `zones` (warehouse.dim_zones): 265 rows, 1.0 MiB in memory; sent whole to every task",
        "why: the hint broadcast(zones)",
        "pushed filter: not is_quarantined = true",
    ):
        assert line in text


@pytest.mark.parametrize("name", sorted(path.stem for path in plan_texts.FOLDER.glob("*.txt")))
def test_every_plan_is_told_and_drawn(name: str) -> None:
    facts = told(plan_texts.explained(name))
    assert terminal.text(facts).startswith(f"{name} (table): ")
    drawing = ET.fromstring(picture.svg(facts))
    names = [text.text for text in drawing.iter(f"{SVG}text") if text.get("class") == "name"]
    assert sum(str(item).startswith("scan ") for item in names) == len(facts.scans)
    assert sum("join" in str(item) or "product" in str(item) for item in names) == len(facts.joins)


def test_boxes_of_a_picture_do_not_touch() -> None:
    drawing = ET.fromstring(picture.svg(told(plan_texts.pickups())))
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


def test_a_page_needs_nothing_else() -> None:
    page = picture.html(told(plan_texts.pickups()), "a < b")
    assert "a plan &amp; more &lt;1&gt;" in page
    assert "<pre>a &lt; b</pre>" in page
    assert not [word for word in ("<script", "src=", "href=", "@import", "url(") if word in page]
