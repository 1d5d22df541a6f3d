"""Examining a run from Python, from the command line, and in inference mode."""

import pytest
import torch
from faults import ROBOT, names

from rsl_edu import cli
from rsl_edu.checkpoint import Checkpoint, Policy, Run, read_run
from rsl_edu.diagnosis import examine, own
from rsl_edu.diagnosis.measures import measure_policy
from rsl_edu.modules import CNN, MLP, RNN, EmpiricalNormalization, GaussianDistribution


def test_policy_with_images_only_is_refused():
    cnn = CNN((8, 8), 1, [2], 3)
    policy = Policy(MLP(cnn.output_dim, 2, [6]), GaussianDistribution(2), None, cnns={"scan": cnn}).eval()
    run = Run("mine", (Checkpoint("mine", (5,), 0, policy, None, False, ()),), {})
    with pytest.raises(ValueError, match="run: expected a policy that has vector observations, too"):
        examine(run, {"scan": torch.zeros(3, 1, 8, 8)})


def test_number_of_checkpoints_left_out_is_the_same_for_every_checkpoint(trained):
    run = read_run(trained(), most=3)
    examination = examine(run)
    assert {examination.diagnosis(last).about["left out"] for last in range(3)} == {"2 of 5 checkpoints, evenly spread"}


def test_command_line_reads_the_folder_that_rsl_rl_wrote(trained, tmp_path, capsys):
    assert cli.main(["xray", str(trained()), "--robot", ROBOT, "--html", str(tmp_path / "x-ray.html")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "written by rsl_rl 5" in said
    assert "No findings." in said
    assert "<rsl-explorer>" in (tmp_path / "x-ray.html").read_text("utf-8")


# In inference mode, in which policies are played.


def seen(steps=20, envs=6):
    return {"policy": torch.randn(steps, envs, 4), "dones": torch.rand(steps, envs) < 0.1}


@pytest.mark.parametrize("network", ["mlp", "gru"])
@pytest.mark.parametrize("shown", ["nothing", "observations", "robot"])
def test_examination_in_inference_mode_gives_the_same_result(network, shown, trained):
    observations = seen() if shown == "observations" else None
    robot = ROBOT if shown == "robot" else None
    outside = examine(trained(network=network), observations, robot)
    with torch.inference_mode():
        made_there = {name: tensor.clone() for name, tensor in observations.items()} if observations else None
        inside = examine(trained(network=network), made_there, robot)
        assert str(inside.diagnosis()) == str(outside.diagnosis())
    for one, other in zip(inside.measures, outside.measures, strict=True):
        assert one.gain == other.gain
        assert one.layers.gradient.tolist() == pytest.approx(other.layers.gradient.tolist(), nan_ok=True)


def test_run_that_was_read_in_inference_mode_is_examined(trained):
    with torch.inference_mode():
        run = read_run(trained())
    assert names(examine(run, robot=ROBOT).diagnosis()) == []


@pytest.mark.parametrize("kind", ["mlp", "gru", "cnn"])
def test_policy_that_was_built_in_inference_mode_is_measured(kind):
    with torch.inference_mode():
        cnn = CNN((8, 8), 1, [2], 3)
        latent = {"mlp": 4, "gru": 5, "cnn": 4 + cnn.output_dim}[kind]
        memory = RNN(4, 5, 1, "gru") if kind == "gru" else None
        cnns = {"scan": cnn} if kind == "cnn" else None
        policy = Policy(MLP(latent, 2, [6]), GaussianDistribution(2), EmpiricalNormalization(4), memory, cnns).eval()
        recorded = seen() | ({"scan": torch.randn(20, 6, 1, 8, 8)} if kind == "cnn" else {})
        sample = own(policy, recorded)
        measures = measure_policy(Checkpoint("mine", (5,), 0, policy, None, False, ()), sample)
    outside = measure_policy(Checkpoint("mine", (5,), 0, policy, None, False, ()), sample)
    assert (measures.layers.gradient > 0).any()
    assert measures.layers.gradient.tolist() == pytest.approx(outside.layers.gradient.tolist(), nan_ok=True)
