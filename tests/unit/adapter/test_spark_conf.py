"""The settings of a node's session: parsed, merged and checked."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_common.contracts.config.base import _merge_field_value
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import spark_conf
from dbt.adapters.penstock.node_config import PenstockConfig

DOCUMENTED = "spark.sql.shuffle.partitions"
INTERNAL = "spark.databricksx.inside"


class Session:
    """A session that answers `set` and `reset` as Spark does."""

    def __init__(self, conf: dict[str, str]) -> None:
        self.conf, self.statements = dict(conf), list[str]()

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """One statement."""
        self.statements.append(sql)
        word, _, rest = sql.partition(" ")
        key, _, value = rest.partition("=")
        if rest == "-v":
            return [(DOCUMENTED, "4", "")]
        if word == "reset":
            self.conf.pop(key)
        elif value:
            self.conf[key] = value
        return [(key, self.conf.get(key, "8" if key == INTERNAL else spark_conf.UNDEFINED))]


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the settings that are known to exist."""
    monkeypatch.setattr(spark_conf, "_known", {})


def test_values_are_text_as_spark_writes_them() -> None:
    """YAML reads them as numbers and booleans."""
    assert spark_conf.parse_conf({"a": 8, "b": True, "c": "x"}) == {"a": "8", "b": "true", "c": "x"}
    assert spark_conf.parse_conf(None) == {}


@pytest.mark.parametrize("value", ["spark.x=1", ["spark.x"], {"spark.x": None}, {"spark": {"x": 1}}])
def test_an_invalid_spark_conf_is_refused(value: Any) -> None:
    """The error names the node."""
    with pytest.raises(DbtRuntimeError, match=r"needed: .*model\.p\.m"):
        spark_conf.parse_conf(value, "model.p.m")


def test_the_settings_of_folder_and_model_are_merged() -> None:
    """The model's value wins; dbt merges by the behavior of the field."""
    from dbt_common.contracts.config.base import MergeBehavior

    behaviour = MergeBehavior.from_field(PenstockConfig.__dataclass_fields__["spark_conf"])
    assert _merge_field_value(behaviour, {"a": 1, "b": 1}, {"b": 2}) == {"a": 1, "b": 2}


def test_settings_are_looked_up_once_and_keep_their_values() -> None:
    """One statement lists the documented settings; afterwards the session has the node's values."""
    conf = {DOCUMENTED: "7", INTERNAL: "9", "spark.hadoop.fs.x": "y"}
    session = Session(conf)
    spark_conf.check(conf, ("h", 1), session.run)
    assert session.conf == conf
    assert session.statements[0] == "set -v"
    again = Session(conf)
    spark_conf.check(conf, ("h", 1), again.run)
    assert again.statements == []


def test_an_unknown_setting_is_refused() -> None:
    """The error suggests a similar setting, each time."""
    conf = {"spark.sql.shufle.partitions": "7"}
    for _ in range(2):
        with pytest.raises(DbtRuntimeError, match=rf"`spark.sql.shufle.partitions`.*write `{DOCUMENTED}`"):
            spark_conf.check(conf, ("h", 1), Session(conf).run)
