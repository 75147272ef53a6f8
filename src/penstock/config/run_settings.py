"""The sections `runs` and `openlineage` of penstock.yml."""

from __future__ import annotations

from pydantic import Field

from penstock.config.sections import Strict


class RunsSettings(Strict):
    """The records of dbt commands in `target/runs`.

    Attributes:
        keep: how many records to keep. With 0, dbt commands write no records.
    """

    keep: int = Field(20, ge=0)


class OpenLineageSettings(Strict):
    """Settings of OpenLineage events. The OpenLineage client's configuration determines where the events are sent.

    Attributes:
        dataset_namespace: the namespace of all datasets. By default, it is the address of the metastore or catalog.
    """

    dataset_namespace: str | None = Field(None, min_length=1)
