"""The published classes that open-source Spark can't pass, whichever the adapter, each with its reason."""

from __future__ import annotations

import pytest
from dbt.tests.adapter.functions import test_js_udfs as js
from dbt.tests.adapter.functions import test_udafs as udafs
from dbt.tests.adapter.functions import test_udfs as udfs
from dbt.tests.adapter.grants.test_incremental_grants import BaseIncrementalGrants
from dbt.tests.adapter.grants.test_invalid_grants import BaseInvalidGrants
from dbt.tests.adapter.grants.test_model_grants import BaseModelGrants
from dbt.tests.adapter.grants.test_seed_grants import BaseSeedGrants
from dbt.tests.adapter.grants.test_snapshot_grants import BaseSnapshotGrants
from dbt.tests.adapter.materialized_view import basic, changes

GRANTS = "GRANT needs an authorizer, which open-source Spark has not: it parses the statement and refuses it"
VIEWS = "Open-source Spark creates materialized views in its declarative pipelines alone"
PYTHON = "Spark's CREATE FUNCTION takes SQL or a Java class, not Python; a Python model registers its own functions"
JAVASCRIPT = "Spark runs no JavaScript"
AGGREGATE = "Spark's CREATE FUNCTION makes scalar and table functions; an aggregate is a Java class"


@pytest.mark.skip(reason=GRANTS)
class TestModelGrants(BaseModelGrants):
    pass


@pytest.mark.skip(reason=GRANTS)
class TestIncrementalGrants(BaseIncrementalGrants):
    pass


@pytest.mark.skip(reason=GRANTS)
class TestSeedGrants(BaseSeedGrants):
    pass


@pytest.mark.skip(reason=GRANTS)
class TestSnapshotGrants(BaseSnapshotGrants):
    pass


@pytest.mark.skip(reason=GRANTS)
class TestInvalidGrants(BaseInvalidGrants):
    pass


@pytest.mark.skip(reason=VIEWS)
class TestMaterializedView(basic.MaterializedViewBasic):
    pass


@pytest.mark.skip(reason=VIEWS)
class TestMaterializedViewChangesApply(changes.MaterializedViewChanges, changes.MaterializedViewChangesApplyMixin):
    pass


@pytest.mark.skip(reason=VIEWS)
class TestMaterializedViewChangesContinue(
    changes.MaterializedViewChanges, changes.MaterializedViewChangesContinueMixin
):
    pass


@pytest.mark.skip(reason=VIEWS)
class TestMaterializedViewChangesFail(changes.MaterializedViewChanges, changes.MaterializedViewChangesFailMixin):
    pass


@pytest.mark.skip(reason=PYTHON)
class TestPythonUDFSupported(udfs.PythonUDFSupported):
    pass


@pytest.mark.skip(reason=PYTHON)
class TestPythonUDFRuntimeVersionRequired(udfs.PythonUDFRuntimeVersionRequired):
    pass


@pytest.mark.skip(reason=PYTHON)
class TestPythonUDFEntryPointRequired(udfs.PythonUDFEntryPointRequired):
    pass


@pytest.mark.skip(reason=PYTHON)
class TestPythonUDFDefaultArgSupport(udfs.PythonUDFDefaultArgSupport):
    pass


@pytest.mark.skip(reason=PYTHON)
class TestPythonUDFVolatilitySupport(udfs.PythonUDFVolatilitySupport):
    pass


@pytest.mark.skip(reason=PYTHON)
class TestPythonUDFWithPackagesSupported(udfs.PythonUDFWithPackagesSupported):
    pass


@pytest.mark.skip(reason=AGGREGATE)
class TestSQLUDAF(udafs.BasicSQLUDAF):
    pass


@pytest.mark.skip(reason=AGGREGATE)
class TestPythonUDAF(udafs.BasicPythonUDAF):
    pass


@pytest.mark.skip(reason=AGGREGATE)
class TestPythonUDAFDefaultArgSupport(udafs.PythonUDAFDefaultArgSupport):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSUDF(js.BasicJSUDF):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSUDFMultiLineBody(js.JSUDFMultiLineBody):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSUDFDeterministicVolatility(js.JSUDFDeterministicVolatility):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSUDFNonDeterministicVolatility(js.JSUDFNonDeterministicVolatility):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSUDFStableVolatilityWarns(js.JSUDFStableVolatilityWarns):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSUDFDefaultArgSupport(js.JSUDFDefaultArgSupport):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSAggregateUDF(js.BasicJSAggregateUDF):
    pass


@pytest.mark.skip(reason=JAVASCRIPT)
class TestJSAggregateUDFVolatilityIgnored(js.JSAggregateUDFVolatilityIgnored):
    pass
