"""pyproject.toml, environment.yml and constraints.txt list the same packages; `make torch` needs a release."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
CONDA = {"torch": "pytorch-cpu", "gymnasium[mujoco]": "gymnasium-mujoco", "playwright": "playwright-python"}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def conda_name(requirement):
    name, extras, specifier = re.fullmatch(r"([\w-]+)(\[\w+\])?(.*)", requirement).groups()
    pip_name = f"{name}{extras or ''}"
    return f"{CONDA.get(pip_name, pip_name)}{specifier}"


def test_conda_environment_contains_the_dependencies_of_the_project(project):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    *packages, pip = environment["dependencies"]
    lines = project["dependencies"] + project["optional-dependencies"]["test"]
    wanted = [
        conda_name(line) for line in lines if Requirement(line).marker is None
    ]  # pip installs those with a marker: -e .
    assert sorted(packages) == sorted([f"python{project['requires-python']}", "pip", *wanted])
    assert pip == {"pip": ["-e ."]}


def test_binder_environment_contains_the_dependencies_without_those_of_the_tests(project):
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf-8"))
    wanted = [conda_name(line) for line in project["dependencies"] if Requirement(line).marker is None]
    assert sorted(environment["dependencies"]) == sorted(["python=3.12", "pip", *wanted])


def test_versions_of_colab_are_within_the_ranges_of_the_project(project):
    lines = (ROOT / "tests" / "colab.txt").read_text("utf-8").splitlines()
    pins = {pin.name.lower(): pin for pin in (Requirement(line) for line in lines if not line.startswith("#"))}
    missing = set()
    for wanted in map(Requirement, project["dependencies"]):
        if wanted.name not in pins:
            missing.add(wanted.name)
            continue
        (version,) = pins[wanted.name].specifier
        assert version.operator == "=="
        assert wanted.specifier.contains(version.version), f"{wanted}, and Colab has {version.version}"
    assert missing == {"jupyterlab", "pyseccomp"}, "pip installs these on Colab, besides MuJoCo"


def test_constraints_pin_every_dependency_within_its_range(project):
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    here = {pin.name: pin for pin in pins if pin.marker is None or pin.marker.evaluate()}
    extras = project["optional-dependencies"].values()
    for wanted in map(Requirement, [*project["dependencies"], *(line for extra in extras for line in extra)]):
        if wanted.marker and not wanted.marker.evaluate():
            continue
        (version,) = here[wanted.name].specifier
        assert version.operator == "=="
        assert wanted.specifier.contains(version.version), f"{wanted} is pinned to {version}"
    assert str(here["torch"].specifier) == "==2.13.0"


def test_ci_runs_the_versions_of_python_that_are_listed(project):
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    named = [line.rpartition(" ")[2] for line in project["classifiers"] if ":: Python :: 3." in line]
    assert named == versions
    assert project["requires-python"] == f">={versions[0]}"


@pytest.mark.parametrize("name", ["abc", "", "2", "2.9.1 x", "latest"])
def test_make_torch_rejects_a_wrong_release_immediately(name):
    words = [sys.executable, str(ROOT / "tests" / "other_torch.py"), name]
    refused = subprocess.run(words, capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.endswith(f"expected a release such as 2.9.1, got {name!r}\n")
