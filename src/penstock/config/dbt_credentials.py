"""The credentials of a dbt target, read without running dbt."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError


def credentials_of(root: Path, target: str) -> Any:
    """The credentials of a dbt target as its adapter has them, by profiles.yml alone.

    Raises:
        PenstockError: the profile can't be read.
    """
    from argparse import Namespace

    from dbt.config.runtime import load_profile
    from dbt.flags import set_from_args
    from dbt_common.exceptions import DbtBaseException

    folder = os.environ.get("DBT_PROFILES_DIR") or str(root)
    set_from_args(Namespace(PROFILES_DIR=folder, PROJECT_DIR=str(root)), {})
    try:
        return load_profile(str(root), {}, None, target or None).credentials
    except DbtBaseException as error:
        raise PenstockError("a target in profiles.yml", " ".join(str(error).split()), "see `dbt debug`") from None


def schema_of(root: Path, target: str) -> str:
    """The schema of a dbt target.

    Raises:
        PenstockError: the profile can't be read.
    """
    return str(credentials_of(root, target).schema)
