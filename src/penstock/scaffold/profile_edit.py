"""Add a target to the text of a profiles.yml. All other lines stay as they are, with their comments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from penstock.errors import PenstockError

STEP = 2
PLAIN = re.compile(r"[A-Za-z_][\w-]*")


def output_text(name: str, keys: Mapping[str, Any], indent: int = 0, step: int = STEP) -> str:
    """Return a target as lines of YAML.

    Args:
        name: name of the target.
        keys: keys of the target, with text or numbers as values.
        indent: number of blanks before the name.
        step: number of further blanks before each key.
    """
    lines = [f"{' ' * indent}{_scalar(name)}:"]
    lines += [f"{' ' * (indent + step)}{key}: {_scalar(value)}" for key, value in keys.items()]
    return "".join(line + "\n" for line in lines)


def profile_text(profile: str, name: str, keys: Mapping[str, Any]) -> str:
    """Return a profile with one target, which is the default target, as lines of YAML."""
    head = f"{_scalar(profile)}:\n{' ' * STEP}target: {_scalar(name)}\n{' ' * STEP}outputs:\n"
    return head + output_text(name, keys, 2 * STEP)


def _scalar(value: Any) -> str:
    """Return a value as YAML. Text that needs quotes is quoted as in JSON, so that Jinja in the text stays readable."""
    if isinstance(value, str) and not (PLAIN.fullmatch(value) and yaml.safe_load(value) == value):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def add_output(text: str, profile: str, name: str, keys: Mapping[str, Any], where: str) -> str:
    """Return the text of a profiles.yml with one more target.

    If the file has no such profile, the profile is added at the end. The new text is parsed again, and must have the
    content of the old text and the new target.

    Args:
        text: text of the file.
        profile: name of the profile.
        name: name of the new target. The profile must not have it.
        keys: keys of the new target.
        where: the file, for error messages.

    Raises:
        PenstockError: the text can't be edited safely. The message contains the lines to add by hand.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        before = yaml.safe_load(text)
        before = {} if before is None else before
        if profile in before:
            # Profiles may share mappings by YAML's aliases, so copy each mapping instead of changing it.
            outputs = {**before[profile]["outputs"], name: dict(keys)}
            expected = {**before, profile: {**before[profile], "outputs": outputs}}
            edited = _inserted(text, profile, name, keys, newline)
        else:
            expected = {**before, profile: {"target": name, "outputs": {name: dict(keys)}}}
            edited = _appended(text, profile_text(profile, name, keys), newline)
        if edited is not None and yaml.safe_load(edited) == expected:
            return edited
        reason = "another layout of the file"
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
    except (TypeError, KeyError, AttributeError, RecursionError):
        reason = f"no mapping `outputs` in the profile `{profile}`"
    block = output_text(name, keys, 2 * STEP)
    do = f"add these lines below `outputs` of the profile `{profile}`, then run the command again:\n\n{block}"
    raise PenstockError(f"{where} with the lines of each target below `outputs`", reason, do)


def _appended(text: str, block: str, newline: str) -> str:
    gap = "" if not text.strip() or text.endswith("\n") else newline
    return text + gap + (newline if text.strip() else "") + block.replace("\n", newline)


def _inserted(text: str, profile: str, name: str, keys: Mapping[str, Any], newline: str) -> str | None:
    """Return the text with the new target as the first of `outputs`, or None if the position is unknown.

    The first position is certain. The position after the last target isn't, because comments there could belong to the
    last target or to the next key.
    """
    outputs, targets = _entry(_entry(yaml.compose(text, yaml.SafeLoader), profile)[1], "outputs")
    if not isinstance(targets, yaml.MappingNode) or targets.flow_style or not targets.value:
        return None
    first, first_target = targets.value[0]
    indent, step = first.start_mark.column, STEP
    if isinstance(first_target, yaml.MappingNode) and first_target.value and not first_target.flow_style:
        step = max(1, first_target.value[0][0].start_mark.column - indent)
    end_of_line = text.find("\n", outputs.end_mark.index) + 1
    if not 0 < end_of_line <= first.start_mark.index:
        return None
    block = output_text(name, keys, indent, step).replace("\n", newline)
    return text[:end_of_line] + block + text[end_of_line:]


def _entry(node: Any, key: str) -> tuple[Any, Any]:
    """Return the nodes of a key and of its value in a mapping.

    Raises:
        KeyError: the node isn't a mapping, or lacks the key.
    """
    for key_node, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key_node.value == key:
            return key_node, value
    raise KeyError(key)
