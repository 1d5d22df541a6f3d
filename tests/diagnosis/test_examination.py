"""A run is examined as a whole, from Python and from the command line."""

import pytest
import torch
from faults import ROBOT

from rsl_edu import cli
from rsl_edu.checkpoint import Checkpoint, Policy, Run, read_run
from rsl_edu.diagnosis import examine
from rsl_edu.modules import CNN, MLP, GaussianDistribution


def test_policy_that_sees_images_alone_is_refused():
    cnn = CNN((8, 8), 1, [2], 3)
    policy = Policy(MLP(cnn.output_dim, 2, [6]), GaussianDistribution(2), None, cnns={"scan": cnn}).eval()
    run = Run("mine", (Checkpoint("mine", (5,), 0, policy, None, False, ()),), {})
    with pytest.raises(ValueError, match="run: expected a policy that has observations beside its images"):
        examine(run, {"scan": torch.zeros(3, 1, 8, 8)})


def test_numbers_of_checkpoints_left_out_do_not_depend_on_where_one_looks(trained):
    run = read_run(trained(), most=3)
    examination = examine(run)
    assert {examination.diagnosis(last).about["left out"] for last in range(3)} == {"2 of 5 checkpoints, evenly"}


def test_command_line_reads_the_folder_that_rsl_rl_wrote(trained, tmp_path, capsys):
    assert cli.main(["xray", str(trained()), "--robot", ROBOT, "--html", str(tmp_path / "x-ray.html")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "written by rsl_rl 5" in said
    assert "No finding." in said
    assert "<rsl-explorer>" in (tmp_path / "x-ray.html").read_text("utf-8")
