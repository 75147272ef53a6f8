"""Check that one session can read the tables of both targets."""

from __future__ import annotations

from typing import Any

from penstock.config import addresses, dbt_credentials, profiles
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError


def require_readable(settings: Settings, other: str) -> None:
    """Check that the session of a target can read the tables of another target.

    Args:
        settings: the settings of the target whose session is used.
        other: the name of the other target.

    Raises:
        PenstockError: the other target is unknown, is the same target, or shares neither the server nor the metastore.
    """
    profile = profiles.read(settings.root)
    own = settings.target
    if other not in profile.targets:
        known = ", ".join(name for name in profile.targets if name != own) or "none"
        do = "name one of those, or add the target to profiles.yml"
        raise PenstockError("a target of profiles.yml as --against", f"`{other}`; other targets: {known}", do)
    if other == own:
        do = f"name another target, or --against version:-1 for an earlier version of the tables of `{own}`"
        raise PenstockError("another target than the current one as --against", f"`{other}`", do)
    if other in profile.remote or own in profile.remote:
        one, two = (dbt_credentials.load_credentials(settings.root, name) for name in (own, other))
        if not (other in profile.remote and own in profile.remote and _server(one) == _server(two)):
            raise _other_server(own, _place(one), other, _place(two))
    elif not _shares_metastore(settings, load(settings.root, other)):
        places = [f"the server in {state}" for state in (settings.state, load(settings.root, other).state)]
        raise _other_server(own, places[0], other, places[1])


def _server(credentials: Any) -> tuple[str, Any]:
    """Return the address of a target's server."""
    return str(credentials.host), credentials.port


def _place(credentials: Any) -> str:
    return "this machine" if credentials.managed else f"{credentials.host}:{credentials.port}"


def _shares_metastore(one: Settings, two: Settings) -> bool:
    """Return whether two targets have one server or one metastore. Each state folder has its own Derby metastore."""
    if one.state_dir == two.state_dir:
        return True
    return one.metastore == two.metastore and addresses.parse_metastore(one.metastore).kind != addresses.DERBY


def _other_server(own: str, place: str, other: str, other_place: str) -> PenstockError:
    return PenstockError(
        f"the tables of `{other}` on the server of `{own}`, or servers with one metastore",
        f"`{own}` uses {place}, `{other}` uses {other_place}",
        f"add a target to profiles.yml that has the server of `{own}` and the schema of `{other}`, or copy the tables",
    )
