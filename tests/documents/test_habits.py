"""Workflows, hooks, issue forms and container files name files, targets and flags that exist."""

import re

import pytest
import yaml

from tests.helpers.builders import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
CONTAINERS = sorted((ROOT / "docker").glob("*.Dockerfile"))


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def values(node: object, key: str) -> list:
    """Every value of a key, anywhere in a YAML document."""
    if isinstance(node, list):
        return [value for item in node for value in values(item, key)]
    if not isinstance(node, dict):
        return []
    inside = [value for item in node.values() for value in values(item, key)]
    return [*([node[key]] if key in node else []), *inside]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_start_targets_that_exist(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    started = {
        target for step in values(workflow, "run") for target in re.findall(r"\bmake ([\w-]+)", str(step))
    }
    started |= {target for listed in values(workflow, "target") for target in listed}
    assert started and started <= targets()
    for files in values(workflow, "cache-dependency-path"):
        assert (ROOT / files).is_file()


def test_every_python_of_the_package_is_tested():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["current"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def test_hooks_are_the_checks_of_make_lint():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = " ".join(values(hooks, "entry"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for check in ("ruff check", "ruff format", "mypy cosembed experiments benchmarks"):
        assert check in entries and check in makefile


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_ask_for_something(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.name != "config.yml":
        identities = values(form["body"], "id")
        assert form["name"] and form["description"] and len(identities) == len(set(identities)) > 0


@pytest.mark.parametrize("path", CONTAINERS, ids=lambda path: path.name)
def test_containers_copy_what_is_there(path):
    text = path.read_text(encoding="utf-8")
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for copied in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        for name in copied.split():
            assert (ROOT / name).exists() and f"!{name}" in sent
