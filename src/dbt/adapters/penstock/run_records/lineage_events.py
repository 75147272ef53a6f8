"""Create the OpenLineage events of a dbt command and of its nodes: https://openlineage.io/docs/spec/run-cycle

The jobs have the same names as in OpenLineage's own dbt integration, so that a project that used the integration before
keeps its history.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState, set_producer
from openlineage.client.facet_v2 import (
    DatasetFacet,
    JobFacet,
    OutputDatasetFacet,
    RunFacet,
    data_quality_assertions_dataset,
    error_message_run,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    sql_job,
)

from dbt.adapters.penstock import __version__
from dbt.adapters.penstock.run_records import datasets
from dbt.adapters.penstock.run_records.dataset_facets import ColumnLineage, Columns, column_lineage
from dbt.adapters.penstock.run_records.datasets import DatasetNames
from dbt.adapters.penstock.run_records.node_runs import TESTS, find
from penstock.runs.run_record import NodeRun, RunRecord

Assertion = data_quality_assertions_dataset.Assertion
PRODUCER = f"urn:python:dbt-penstock:{__version__.version}"
NAMESPACE, PARENT = "OPENLINEAGE_NAMESPACE", "OPENLINEAGE_PARENT_ID"
DEFAULT_NAMESPACE = "dbt"


class LineageEvents:
    """Creates the events of one dbt command.

    Args:
        record: the command.
        manifest: dbt's manifest.
        names: the names of datasets.
        columns: the columns of nodes and sources.
        rows: returns the number of rows that a node wrote, or None if it is unknown.
        lineage: returns the column lineage of a node. If the value is None, events have no column lineage.
    """

    def __init__(
        self,
        record: RunRecord,
        manifest: Any,
        names: DatasetNames,
        columns: Columns,
        rows: Callable[[NodeRun], int | None],
        lineage: ColumnLineage | None = None,
    ) -> None:
        set_producer(PRODUCER)
        self._record, self._manifest, self._names, self._columns = record, manifest, names, columns
        self._rows, self._lineage = rows, lineage
        self._namespace = os.environ.get(NAMESPACE) or DEFAULT_NAMESPACE
        self._job = f"dbt-run-{record.project}"

    def command(self, state: RunState, time: str) -> RunEvent:
        """Return an event of the command.

        Args:
            state: `START`, `COMPLETE` or `FAIL`.
            time: the time of the event.
        """
        facets: dict[str, RunFacet] = {"processing_engine": self._engine()}
        if parent := _parent(os.environ.get(PARENT, "")):
            facets["parent"] = parent
        return self._event(state, time, Run(self._record.run_id, facets), self._job, {"jobType": _job_type("JOB")})

    def node(self, state: RunState, node: NodeRun, time: str) -> RunEvent:
        """Return an event of a node.

        Args:
            state: `START`, `COMPLETE`, `FAIL` or `ABORT`.
            node: the node.
            time: the time of the event.
        """
        entry = find(self._manifest, node.unique_id)
        job: dict[str, JobFacet] = {"jobType": _job_type(node.resource_type.upper())}
        if node.language == "sql" and (query := getattr(entry, "compiled_code", None)):
            job["sql"] = sql_job.SQLJobFacet(query=query, dialect="spark")
        is_test = node.resource_type in TESTS
        name = node.unique_id if is_test else f"{entry.schema}.{node.unique_id.split('.', 1)[1]}"
        inputs = self._tested(node, entry, state) if is_test else self._inputs(entry)
        outputs = [] if is_test else [self._output(node, entry, state)]
        return self._event(state, time, self._node_run(state, node), name, job, inputs, outputs)

    def _event(
        self,
        state: RunState,
        time: str,
        run: Run,
        job: str,
        facets: dict[str, JobFacet],
        inputs: list[InputDataset] | None = None,
        outputs: list[OutputDataset] | None = None,
    ) -> RunEvent:
        return RunEvent(
            eventTime=time,
            eventType=state,
            run=run,
            job=Job(self._namespace, job, facets),
            inputs=inputs or [],
            outputs=outputs or [],
            producer=PRODUCER,
        )

    def _node_run(self, state: RunState, node: NodeRun) -> Run:
        parent = parent_run.ParentRunFacet(
            run=parent_run.Run(runId=self._record.run_id), job=parent_run.Job(self._namespace, self._job)
        )
        facets: dict[str, RunFacet] = {"parent": parent, "processing_engine": self._engine()}
        if state in (RunState.FAIL, RunState.ABORT):
            language = "PYTHON" if node.language == "python" else "SQL"
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(node.message, language)
        return Run(str(uuid.uuid5(uuid.UUID(self._record.run_id), node.unique_id)), facets)

    def _engine(self) -> processing_engine_run.ProcessingEngineRunFacet:
        version = self._record.versions.get("spark", "unknown")
        return processing_engine_run.ProcessingEngineRunFacet(version, "spark", __version__.version)

    def _inputs(self, entry: Any) -> list[InputDataset]:
        return [self._input(entry, parent) for parent in datasets.inputs(self._manifest, entry.unique_id)]

    def _input(self, entry: Any, parent: Any) -> InputDataset:
        schema = self._columns.facet(parent.unique_id)
        return InputDataset(*self._read_dataset(entry, parent.unique_id), facets={"schema": schema} if schema else {})

    def _read_dataset(self, entry: Any, parent: str) -> tuple[str, str]:
        return self._names.of(datasets.read_relation(entry, find(self._manifest, parent)))

    def _output(self, node: NodeRun, entry: Any, state: RunState) -> OutputDataset:
        """Return the dataset that a node writes. Only a node that succeeded has columns and rows."""
        namespace, name = self._names.of(entry)
        facets: dict[str, DatasetFacet] = {}
        statistics: dict[str, OutputDatasetFacet] = {}
        if state == RunState.COMPLETE:
            if schema := self._columns.facet(node.unique_id):
                facets["schema"] = schema
            lineage = self._lineage(node.unique_id, partial(self._read_dataset, entry)) if self._lineage else {}
            if lineage.get("fields"):
                facets["columnLineage"] = column_lineage(lineage)
            if (rows := self._rows(node)) is not None:
                facet = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
                statistics["outputStatistics"] = facet
        return OutputDataset(namespace, name, facets=facets, outputFacets=statistics)

    def _tested(self, node: NodeRun, entry: Any, state: RunState) -> list[InputDataset]:
        """Return the datasets that a test reads. In the event for the test's end, the tested dataset has the result."""
        inputs = []
        for parent in datasets.inputs(self._manifest, node.unique_id):
            dataset = self._input(entry, parent)
            if state != RunState.START and parent.unique_id in node.tested:
                dataset.inputFacets = {"dataQualityAssertions": _assertion(node, entry)}
            inputs.append(dataset)
        return inputs


def _assertion(node: NodeRun, entry: Any) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    metadata = getattr(entry, "test_metadata", None)
    details: dict[str, Any] = {
        "severity": str(entry.config.severity).lower(),
        "name": node.name,
        "actual": None if node.failures is None else str(node.failures),
    }
    assertion = Assertion(
        assertion=metadata.name if metadata else node.name,
        success=node.status == "pass",
        column=getattr(entry, "column_name", None),
        # Old clients don't know these fields.
        **{key: value for key, value in details.items() if key in Assertion.__annotations__},
    )
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet([assertion])


def _job_type(kind: str) -> job_type_job.JobTypeJobFacet:
    return job_type_job.JobTypeJobFacet(processingType="BATCH", integration="DBT", jobType=kind)


def _parent(text: str) -> parent_run.ParentRunFacet | None:
    """Return the run that started this command from a text `namespace/job/run id`, or None for any other text."""
    namespace, _, rest = text.partition("/")
    job, _, run_id = rest.rpartition("/")
    try:
        return parent_run.ParentRunFacet(
            run=parent_run.Run(runId=str(uuid.UUID(run_id))), job=parent_run.Job(namespace, job)
        )
    except ValueError:
        return None
