"""The questions of `dbt init` lead to targets that the adapter accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from dbt.task.init import InitTask

from dbt.include.penstock import PACKAGE_PATH
from tests.unit.adapter.profiles import credentials

REMOTE = ("2", "spark.example", "")
CASES = {
    "managed": (("1", "shop", ""), {"schema": "shop", "threads": 4}),
    "remote without a login": (
        (*REMOTE, "", "1", "", "1", "shop", "2"),
        {
            **{"host": "spark.example", "port": 10000, "use_ssl": False, "auth": "NONE", "user": "penstock"},
            **{"schema": "shop", "threads": 2},
        },
    ),
    "remote with a password and Python models": (
        (*REMOTE, "y", "2", "2", "me", "secret", "2", "sc://spark.example:15002", "shop", "2"),
        {
            **{"host": "spark.example", "port": 10000, "use_ssl": True, "auth": "CUSTOM", "user": "me"},
            **{"password": "secret", "connect_url": "sc://spark.example:15002", "schema": "shop", "threads": 2},
        },
    ),
    "remote with Kerberos": (
        (*REMOTE, "", "3", "", "1", "shop", ""),
        {
            **{"host": "spark.example", "port": 10000, "use_ssl": False, "auth": "KERBEROS"},
            **{"kerberos_service_name": "hive", "schema": "shop", "threads": 4},
        },
    ),
}


def answered(*answers: str) -> dict[str, Any]:
    """Return the target that dbt makes of the answers."""
    template = yaml.safe_load((Path(PACKAGE_PATH) / "profile_template.yml").read_text())
    made: dict[str, Any] = {}

    @click.command()
    def ask() -> None:
        made.update(
            InitTask.generate_target_from_input(object.__new__(InitTask), template["prompts"], template["fixed"])
        )

    result = CliRunner().invoke(ask, input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    return made


@pytest.mark.parametrize(("answers", "expected"), CASES.values(), ids=CASES)
def test_the_answers_give_a_target_that_the_adapter_accepts(answers: tuple[str, ...], expected: dict[str, Any]) -> None:
    target = answered(*answers)
    assert target == {"type": "penstock", **expected}
    made = credentials(**{key: value for key, value in target.items() if key != "type"})
    assert made.managed is ("host" not in target)
