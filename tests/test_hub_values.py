"""The image and the values for Zero to JupyterHub agree with the project, the hub and the measurements."""

import ast
import json
import os
import re
import statistics
from pathlib import Path

import pytest
import yaml

from rsl_edu import __version__

ROOT = Path(__file__).parents[1]
HUB = ROOT / "book" / "hub"
VALUES = yaml.safe_load((HUB / "values.yaml").read_text("utf-8"))
SINGLEUSER = VALUES["singleuser"]
MEASURED = json.loads((HUB / "measured.json").read_text("utf-8"))
DOCKERFILE = (HUB / "Dockerfile").read_text("utf-8")
UNITS = {"M": 1, "G": 1024}


def megabytes(size):
    return float(size[:-1]) * UNITS[size[-1]]


def together(measure):
    """Return the MB of server and kernel together, for each learner."""
    return [one["server"][measure] + one["kernel"][measure] for one in MEASURED["memory"]]


def assigned(name):
    """Return the value of a name in the hub's settings."""
    for node in ast.parse((HUB / "jupyterhub_config.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node.value
    raise AssertionError(f"jupyterhub_config.py does not set {name}")


def test_image_has_the_version_of_the_package():
    assert SINGLEUSER["image"]["tag"] == __version__
    assert f"{SINGLEUSER['image']['name']}:{__version__} " in DOCKERFILE


def test_memory_limit_is_enough_for_the_measured_use():
    assert megabytes(SINGLEUSER["memory"]["guarantee"]) >= max(together("private"))
    assert megabytes(SINGLEUSER["memory"]["limit"]) >= 2 * max(together("rss")), "two lessons open"
    assert ast.literal_eval(assigned("LEARNER_MB")) >= statistics.mean(together("pss"))
    assert ast.literal_eval(assigned("c.Spawner.mem_limit")) == SINGLEUSER["memory"]["limit"]


def test_cpu_limit_is_enough_for_a_learner_who_drags_a_third_of_the_time():
    row = MEASURED["dragging"][0]
    assert row["learners"] == 1
    assert 3 * SINGLEUSER["cpu"]["guarantee"] >= row["cores"]["kernel"] + row["cores"]["server"]
    assert SINGLEUSER["cpu"]["limit"] >= 1


def test_image_and_hub_give_a_learner_the_same_environment():
    environment = assigned("c.Spawner.environment")
    in_hub = dict(zip(map(ast.literal_eval, environment.keys), environment.values, strict=True))
    in_image = dict(re.findall(r"^(?:ENV|   ) (\w+)=(\S+)", DOCKERFILE, re.MULTILINE))
    assert in_hub.keys() - {"PATH"} == in_image.keys()
    for name, value in in_hub.items():
        if isinstance(value, ast.Constant):
            assert in_image[name] == value.value


def test_learner_gets_the_same_start_page_and_limits_for_idle_kernels():
    assert SINGLEUSER["defaultUrl"] == ast.literal_eval(assigned("c.Spawner.default_url"))
    command, *arguments = SINGLEUSER["cmd"]
    assert Path(command).name in DOCKERFILE
    assert set(arguments) <= {
        element.value for element in assigned("c.Spawner.args").elts if isinstance(element, ast.Constant)
    }


def merged(defaults, values):
    """Merge values over those of the chart, as Helm does."""
    if not isinstance(defaults, dict) or not isinstance(values, dict):
        return values
    return defaults | {key: merged(defaults.get(key), value) for key, value in values.items()}


@pytest.mark.skipif("Z2JH" not in os.environ, reason="Z2JH names a checkout of jupyterhub/zero-to-jupyterhub-k8s")
def test_values_match_the_schema_of_the_chart():
    import jsonschema

    chart = Path(os.environ["Z2JH"]) / "jupyterhub"
    schema = yaml.safe_load((chart / "values.schema.yaml").read_text("utf-8"))
    defaults = yaml.safe_load((chart / "values.yaml").read_text("utf-8"))
    jsonschema.validate(merged(defaults, VALUES), schema)
    wrong = merged(VALUES, {"singleuser": {"memory": {"guaranteed": "1G"}}})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged(defaults, wrong), schema)
