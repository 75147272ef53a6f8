"""The image's recipe and the devcontainer name the package, the files and the make targets that this checkout has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (ROOT / "orchestration" / "kubernetes" / "Containerfile").read_text()
PROJECT = (ROOT / "pyproject.toml").read_text()


def test_the_recipe_names_the_package_and_its_extras() -> None:
    name = re.findall(r'^name = "(.+)"$', PROJECT, re.MULTILINE)[0]
    [named] = re.findall(r"unneeded_packages\.py '(.+)'", RECIPE)
    requirement = Requirement(named)
    assert requirement.name == name
    extras = PROJECT.split("[project.optional-dependencies]")[1].split("\n[")[0]
    assert requirement.extras <= set(re.findall(r"^(\w+) = ", extras, re.MULTILINE))


def test_what_the_recipe_copies_exists_and_is_enough_to_build_the_package() -> None:
    copied = [source for line in re.findall(r"^COPY (?!--)(.+)$", RECIPE, re.MULTILINE) for source in line.split()[:-1]]
    for source in copied:
        assert (ROOT / source).exists(), source
    build = RECIPE.split("RUN python tools/bootstrap.py")[0]
    [lock] = re.findall(r"requirements[\w-]*\.lock", build)
    assert (ROOT / lock).exists()
    for needed in ("pyproject.toml", "LICENSE", "src", "macros", "tests/data/generic"):
        assert needed in build.split(), needed
    [page] = re.findall(r'^readme = "(.+)"$', PROJECT, re.MULTILINE)
    assert page.split("/")[0] in build.split()


def test_the_devcontainer_has_a_supported_python_and_java_and_an_existing_target() -> None:
    found = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    [python] = re.findall(r"/python:(3\.\d+)-", found["image"])
    assert f'"Programming Language :: Python :: {python}"' in PROJECT
    [java] = [value["version"] for name, value in found["features"].items() if "/java:" in name]
    assert java in ("17", "21") and f"openjdk-{java}-" in RECIPE
    [target] = re.findall(r"^make ([a-z-]+)$", found["postCreateCommand"])
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
