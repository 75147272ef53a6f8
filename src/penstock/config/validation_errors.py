"""Errors about the keys of penstock.yml and lake.yml."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from penstock.errors import PenstockError


def explain_validation(
    error: ValidationError, where: str, model: type[BaseModel], hidden: Collection[str] = (), *, entry: str = ""
) -> PenstockError:
    """Convert pydantic's error to a PenstockError that names the path of each wrong key, such as `server.memory`.

    Args:
        error: pydantic's error.
        where: the file, and the section in it.
        model: the class that refused the values. If a key is unknown, the message lists the keys of this class.
        hidden: fields of `model` that are not keys of the file.
        entry: the anchor of the entry about unknown keys in docs/how-to/troubleshooting.md.
    """
    unknown, wrong, known = [], [], ""
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            unknown.append(f"`{path}`")
            known = known or _known_keys(model, item["loc"], hidden)
        else:
            wrong.append(f"`{path}`: {item['msg'].removeprefix('Value error, ')}")
    found = "; ".join(([f"unknown key {', '.join(unknown)}"] if unknown else []) + wrong)
    return PenstockError(f"a valid {where}", found, f"correct {where}{known}", entry=entry if unknown else "")


def _known_keys(model: type[BaseModel], path: Sequence[int | str], hidden: Collection[str]) -> str:
    """Return the end of a sentence that lists the possible keys in place of a path's last key, the likeliest first.

    The result is empty if the class of the keys is unknown.
    """
    annotation: Any = model
    for part in path[:-1]:
        field = annotation.model_fields.get(str(part)) if _is_model(annotation) else None
        # In a mapping such as `datasets`, the user chooses the keys, and the values of all keys have the same class.
        annotation = field.annotation if field else next(reversed(get_args(annotation)), None)
    if not _is_model(annotation):
        return ""
    names = [name for name in annotation.model_fields if name not in hidden]
    similar = difflib.get_close_matches(str(path[-1]), names, 1)
    meant = f"; did you mean `{similar[0]}`?" if similar else "."
    place = f" of `{'.'.join(map(str, path[:-1]))}`" if path[:-1] else ""
    return f"{meant} The keys{place} are {', '.join(names)}"


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
