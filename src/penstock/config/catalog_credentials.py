"""Credentials of Iceberg catalogs. They come from environment variables, and are refused in `penstock.yml`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from penstock.config.sections import CatalogSettings
from penstock.errors import PenstockError

# Names of catalog properties that contain a credential, such as `token` and `s3.secret-access-key`, but not
# `token-refresh-enabled`. https://iceberg.apache.org/docs/latest/catalog-properties/
CREDENTIAL = re.compile(
    r"(?i)(^|[.\-_])(credential|token|password|secret|user|username|authorization|(secret-)?access-key(-id)?"
    r"|account\.key)$|sas-token|connection-string|shared-key"
)
# In Iceberg's syntax, a property with the value `env:NAME` gets its value from the environment variable NAME.
ENVIRONMENT = "env:"
# For each ending of an environment variable's name, the catalog property that the variable sets.
STORE = {
    "S3_ACCESS_KEY_ID": "s3.access-key-id",
    "S3_SECRET_ACCESS_KEY": "s3.secret-access-key",
    "S3_SESSION_TOKEN": "s3.session-token",
}
PROPERTIES: dict[str, dict[str, str]] = {
    "rest": {
        "CREDENTIAL": "credential",
        "TOKEN": "token",
        "USER": "rest.auth.basic.username",
        "PASSWORD": "rest.auth.basic.password",
        **STORE,
    },
    "jdbc": {"USER": "jdbc.user", "PASSWORD": "jdbc.password", **STORE},
    "hive": STORE,
    "hadoop": STORE,
}


def variable(catalog: str, suffix: str) -> str:
    """Return the name of the environment variable for a credential of a catalog."""
    return f"PENSTOCK_CATALOG_{catalog.upper()}_{suffix}"


def refuse_in_file(values: Mapping[str, Any], where: str) -> None:
    """Check that `server.catalogs` contains no credential. This check ignores other errors in the file.

    Args:
        values: the content of the file, for one target.
        where: the file, and the section of the target.

    Raises:
        PenstockError: `server.catalogs` contains a credential. The message names the environment variable to set
            instead, and doesn't contain the credential.
    """
    server = values.get("server")
    catalogs = server.get("catalogs") if isinstance(server, dict) else None
    for name, catalog in catalogs.items() if isinstance(catalogs, dict) else ():
        if not isinstance(catalog, dict):
            continue
        options = catalog.get("options")
        given = {f"options.{key}": value for key, value in options.items()} if isinstance(options, dict) else {}
        for path, value in {**catalog, **given}.items():
            if CREDENTIAL.search(str(path)) and not str(value).startswith(ENVIRONMENT):
                raise _refusal(str(name), str(catalog.get("type")), str(path), where)


def _refusal(name: str, kind: str, path: str, where: str) -> PenstockError:
    key = path.removeprefix("options.")
    known = {prop: suffix for suffix, prop in PROPERTIES.get(kind, {}).items()}
    suffix = known.get(key) or (key.upper() if key.upper() in PROPERTIES.get(kind, {}) else "")
    if suffix:
        do = f"remove it, and set the environment variable {variable(name, suffix)}"
    else:
        own = variable(name, re.sub(r"\W", "_", key).upper())
        do = f"write `{key}: {ENVIRONMENT}{own}` under server.catalogs.{name}.options, and set that variable"
    return PenstockError(
        f"the credentials of catalog {name} in the environment", f"`server.catalogs.{name}.{path}` in {where}", do
    )


def find_variables(name: str, catalog: CatalogSettings) -> dict[str, str]:
    """Return the names of the environment variables that set properties of a catalog, by property.

    Args:
        name: the catalog's name.
        catalog: the catalog's settings.

    Raises:
        PenstockError: an option names an environment variable that is not set.
    """
    found = {
        prop: variable(name, suffix)
        for suffix, prop in PROPERTIES[catalog.type].items()
        if os.environ.get(variable(name, suffix))
    }
    for key, value in catalog.options.items():
        if value.startswith(ENVIRONMENT):
            found[key] = value.removeprefix(ENVIRONMENT)
            if not os.environ.get(found[key]):
                needed = f"the environment variable of server.catalogs.{name}.options.{key}"
                raise PenstockError(needed, f"{found[key]} is not set", f"export {found[key]}")
    return found
