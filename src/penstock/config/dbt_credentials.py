"""Load the credentials of a dbt target without running dbt."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError


def load_profile(root: Path, target: str) -> Any:
    """Return dbt's profile object for a target in profiles.yml.

    Raises:
        PenstockError: dbt cannot read the profile.
    """
    from argparse import Namespace

    from dbt.config import runtime
    from dbt.flags import set_from_args
    from dbt_common.exceptions import DbtBaseException

    folder = os.environ.get("DBT_PROFILES_DIR") or str(root)
    set_from_args(Namespace(PROFILES_DIR=folder, PROJECT_DIR=str(root)), {})
    try:
        return runtime.load_profile(str(root), {}, None, target or None)
    except DbtBaseException as error:
        raise PenstockError("a target in profiles.yml", " ".join(str(error).split()), "see `dbt debug`") from None


def load_credentials(root: Path, target: str) -> Any:
    """Return the dbt adapter's credentials object for a target in profiles.yml.

    Raises:
        PenstockError: dbt cannot read the profile.
    """
    return load_profile(root, target).credentials


def target_schema(root: Path, target: str) -> str:
    """Return the schema of a target in profiles.yml.

    Raises:
        PenstockError: dbt cannot read the profile.
    """
    return str(load_credentials(root, target).schema)
