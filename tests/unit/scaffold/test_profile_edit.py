"""A target is added to a profiles.yml, and every other line stays as it is; or the file is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from penstock.errors import PenstockError
from penstock.scaffold.profile_edit import add_output, output_text, profile_text

KEYS: dict[str, Any] = {"type": "penstock", "schema": "shop", "threads": 4}
THRIFT = """\
# Profiles of the team.
shop:  # the shop
    target: dev

    outputs:
        # The cluster of the developers.
        dev:
            type: spark
            method: thrift
            host: spark.example  # ask for access
            port: 10001
            schema: "{{ env_var('SCHEMA', 'shop') }}"

        # Production.
        prod: {type: spark, method: http, host: x, token: "{{ env_var('TOKEN') }}", schema: shop}
    # end of shop

other:
    outputs: {}
"""


def added(text: str, profile: str = "shop", name: str = "penstock", keys: dict[str, Any] = KEYS) -> str:
    """Return the new text, after a check that no line is lost or changed."""
    edited = add_output(text, profile, name, keys, "profiles.yml")
    remaining = iter(edited.splitlines(keepends=True))
    assert all(line in remaining for line in text.splitlines(keepends=True) if line.endswith("\n"))
    return edited


def test_a_target_is_added_below_outputs_in_the_files_own_indentation() -> None:
    edited = added(THRIFT)
    block = "        penstock:\n            type: penstock\n            schema: shop\n            threads: 4\n"
    assert edited == THRIFT.replace("    outputs:\n", "    outputs:\n" + block, 1)


@pytest.mark.parametrize(
    "text",
    [
        "shop:\n  outputs:\n    dev: {type: spark}\n",
        "shop:\n  outputs:\n    dev:\n      type: spark",
        "shop:\n outputs:   # targets\n  dev:\n   type: spark\n target: dev\n",
        "shop:\n  outputs:\n  # no indentation\n    dev:\n          type: spark\n",
        "'shop':\n  'outputs':\n    dev:\n      type: spark\n",
        "base: &base\n  type: spark\nshop:\n  outputs:\n    dev:\n      <<: *base\n      schema: x\n",
        "\ufeffshop:\n  outputs:\n    dev:\n      type: spark\n",
        "shop:\n  target: a\n  outputs:\n    a: {type: spark}\n    b:\n      type: spark\n      schema: größe\n",
    ],
)
def test_layouts_of_the_file(text: str) -> None:
    edited = yaml.safe_load(added(text))
    expected = yaml.safe_load(text)
    expected["shop"]["outputs"]["penstock"] = KEYS
    assert edited == expected


def test_the_ends_of_lines_stay() -> None:
    text = THRIFT.replace("\n", "\r\n")
    edited = added(text)
    assert edited.count("\n") == edited.count("\r\n") == text.count("\n") + 4


@pytest.mark.parametrize("text", ["", "# empty\n", "other:\n  outputs:\n    dev: {type: duckdb}", THRIFT])
def test_a_missing_profile_is_added_at_the_end(text: str) -> None:
    edited = added(text, "new shop")
    assert edited.startswith(text)
    content = yaml.safe_load(edited)
    assert content.pop("new shop") == {"target": "penstock", "outputs": {"penstock": KEYS}}
    assert content == (yaml.safe_load(text) or {})


@pytest.mark.parametrize(
    "schema", ["shop", "{{ env_var('S') }}", '{{ env_var("S") }}', "on", "123", "null", "a: b", "#x", "größe", "a\nb"]
)
def test_a_value_is_read_back_as_it_was(schema: str) -> None:
    keys = {**KEYS, "schema": schema}
    assert yaml.safe_load(output_text("dev", keys)) == {"dev": keys}
    assert yaml.safe_load(profile_text("1", "dev", keys)) == {"1": {"target": "dev", "outputs": {"dev": keys}}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("shop: {outputs: {dev: {type: spark}}}\n", "another layout"),
        ("shop:\n  outputs: {dev: {type: spark}}\n", "another layout"),
        ("shop:\n  outputs:\n", "no mapping `outputs`"),
        ("shop:\n  outputs: [a]\n", "no mapping `outputs`"),
        ("shop:\n  target: dev\n", "no mapping `outputs`"),
        ("shop:\n", "no mapping `outputs`"),
        ("- shop\n", "no mapping `outputs`"),
        ("shop:\n  outputs:\n    dev: {{ env_var('X') }}\n", "unhashable"),
        ("shop:\n\toutputs:\n", "found character"),
        # The same targets in two profiles: the new one would be in both.
        ("other:\n  outputs: &all\n    dev: {type: spark}\nshop:\n  outputs: *all\n", "another layout"),
        ("base: &base\n  outputs:\n    dev: {type: spark}\nshop: *base\n", "another layout"),
        ("other:\n  outputs: {}\n...\n", "expected '<document start>'"),
    ],
)
def test_other_files_are_refused_with_the_lines_to_add(text: str, reason: str) -> None:
    with pytest.raises(PenstockError) as refused:
        add_output(text, "shop", "penstock", KEYS, "profiles.yml")
    assert reason in refused.value.found
    assert "    penstock:\n      type: penstock\n      schema: shop\n      threads: 4\n" in refused.value.do
