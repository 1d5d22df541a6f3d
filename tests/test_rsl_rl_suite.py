"""rsl_rl's own tests pass on our modules.

They are not part of this project. The environment variable `RSL_RL_SOURCES` gives a checkout of rsl_rl with the tests.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from peer import needs_rsl_rl

import rsl_edu

HERE = Path(__file__).parent
USED = {  # used by the tests of rsl_rl 5.4.2 and later
    *("CNN", "MLP", "RNN", "EmpiricalNormalization", "EmpiricalDiscountedVariationNormalization"),
    *("GaussianDistribution", "HeteroscedasticGaussianDistribution", "BetaDistribution"),
}

pytestmark = [pytest.mark.slow, needs_rsl_rl]


def sources():
    """Return the folder of the checkout."""
    named = os.environ.get("RSL_RL_SOURCES")
    if not named:
        pytest.skip(
            "RSL_RL_SOURCES is not set; to run rsl_rl's own tests, set it to the folder of a checkout of rsl_rl"
        )
    folder = Path(named).resolve()
    if not list(folder.glob("tests/**/test_*.py")):
        raise FileNotFoundError(
            f"RSL_RL_SOURCES={named}: expected a checkout of rsl_rl, with tests in {folder / 'tests'}"
        )
    return folder


def run_suite(folder, scratch, *options):
    """Run the tests of a checkout in a separate process, and return the report of the plugin."""
    scratch.mkdir()
    (scratch / "empty.ini").write_text("[pytest]\n")
    report = scratch / "report.json"
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(scratch / "empty.ini"), f"--rootdir={folder}"]
    command += ["-p", "no:cacheprovider", "-p", "rsl_rl_suite_plugin", f"--report={report}", *options]
    path = os.pathsep.join([str(HERE), str(Path(rsl_edu.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    settings = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"} | settings
    done = subprocess.run(
        [*command, str(folder / "tests")],
        cwd=scratch,  # in the checkout, Python would import its rsl_rl instead of the installed one
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert report.exists(), done.stdout
    return json.loads(report.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the reports of a run with our modules and a run with rsl_rl's own."""
    folder, scratch = sources(), tmp_path_factory.mktemp("suite")
    return run_suite(folder, scratch / "ours", "--our-modules"), run_suite(folder, scratch / "theirs")


def failed(report):
    return {test: outcome for test, outcome in report["outcomes"].items() if outcome != "passed"}


def built_by(package, report):
    """Return how many modules of each class in a package the tests built."""
    prefix = f"{package}."
    return {key.removeprefix(prefix): number for key, number in report["built"].items() if key.startswith(prefix)}


def test_checkout_matches_the_installed_rsl_rl(runs):
    _, theirs = runs
    assert theirs["rsl_rl"] == importlib.import_module("rsl_rl.modules").__file__
    assert theirs["outcomes"]
    assert not failed(theirs), "check out the tag of the installed release"


def test_every_test_of_rsl_rl_passes_on_our_modules(runs):
    ours, theirs = runs
    assert ours["outcomes"].keys() == theirs["outcomes"].keys()
    assert not failed(ours), "\n\n".join(f"{test}\n{outcome}" for test, outcome in failed(ours).items())


def test_the_tests_built_our_modules_instead_of_those_of_rsl_rl(runs):
    ours, theirs = runs
    assert not built_by("rsl_rl", ours)
    assert not built_by("rsl_edu", theirs)
    assert built_by("rsl_edu", ours) == built_by("rsl_rl", theirs)
    assert built_by("rsl_edu", ours).keys() >= USED


@pytest.mark.parametrize("place", ["missing", "empty"])
def test_folder_without_tests_is_an_error(place, tmp_path, monkeypatch):
    (tmp_path / "empty" / "tests").mkdir(parents=True)
    monkeypatch.setenv("RSL_RL_SOURCES", str(tmp_path / place))
    with pytest.raises(FileNotFoundError, match="expected a checkout of rsl_rl"):
        sources()
