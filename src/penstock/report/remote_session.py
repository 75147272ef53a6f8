"""A session on the server that a target names by `host`: opened as the adapter opens its own."""

from __future__ import annotations

from typing import Any

from penstock.config import dbt_credentials
from penstock.config.settings import Settings
from penstock.errors import PenstockError


def connect(settings: Settings) -> Any:
    """A PyHive connection with the target's login, TLS and session settings.

    Raises:
        PenstockError: the profile can't be read, is of another type, or the server lets nobody in.
    """
    from dbt.adapters.spark.connections import SparkConnectionMethod
    from dbt_common.exceptions import DbtRuntimeError

    from dbt.adapters.penstock.credentials import PenstockCredentials
    from dbt.adapters.penstock.sessions import open_session

    credentials = dbt_credentials.credentials_of(settings.root, settings.target)
    where = f"target {settings.target} of profiles.yml"
    if not isinstance(credentials, PenstockCredentials) or credentials.method != SparkConnectionMethod.THRIFT:
        raise PenstockError("a target of type penstock over Thrift", where, "choose another --target, or use dbt")
    try:
        return open_session(credentials).connection
    except DbtRuntimeError as error:
        raise PenstockError(f"a session on {where}", " ".join(str(error.msg).split()), "see `dbt debug`") from None
