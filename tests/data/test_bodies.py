"""A motion contains the body positions of the simulator until the episode ends."""

import gymnasium
import mujoco
import pytest
import torch

from rsl_edu import data
from rsl_edu.data import bodies
from rsl_edu.data.robots import quiet_mujoco


def test_ends_of_rods_agree_with_the_simulator():
    recorded = data.motion("Hopper-v5", steps=3, seed=4)
    with quiet_mujoco():
        environment = gymnasium.make("Hopper-v5")
    environment.action_space.seed(4)
    environment.reset(seed=4)
    for _ in range(3):
        environment.step(environment.action_space.sample())
    body = environment.unwrapped
    foot = body.model.geom("foot_geom")
    place, turn = body.data.geom("foot_geom").xpos, body.data.geom("foot_geom").xmat.reshape(3, 3)
    for end, along in zip(recorded.ends[3, -1], (-1, 1), strict=True):
        expected = torch.as_tensor(place + turn @ [0, 0, along * foot.size[1]], dtype=torch.float32)
        torch.testing.assert_close(end, expected, atol=1e-6, rtol=0)
    assert recorded.radii[-1] == pytest.approx(foot.size[0])
    assert recorded.dt == pytest.approx(0.008)
    environment.close()


def test_rods_keep_their_length_and_balls_have_length_zero():
    recorded = data.motion("Ant-v5", steps=5)
    lengths = (recorded.ends[:, :, 1] - recorded.ends[:, :, 0]).norm(dim=-1)
    torch.testing.assert_close(lengths, lengths[:1].expand_as(lengths), atol=1e-4, rtol=0)
    assert lengths[0, 0] == 0
    assert (lengths[0, 1:] > 0.2).all()


def test_recording_ends_with_the_episode_and_stores_the_reason():
    fallen = data.motion("InvertedPendulum-v5")
    assert fallen.fell
    assert len(fallen.rewards) == len(fallen.ends) - 1 < 20
    cut = data.motion("HalfCheetah-v5", steps=7)
    assert not cut.fell
    assert cut.ends.shape == (8, 8, 2, 3)
    assert cut.rewards.shape == (7,)


def test_policy_gets_a_batch_of_one_observation_and_its_action_is_used():
    seen = []

    def policy(observations):
        seen.append(observations)
        return torch.full((1, 1), 3.0)

    pushed = data.motion("InvertedPendulum-v5", steps=2, policy=policy)
    assert [list(each.shape) for each in seen] == [[1, 4], [1, 4]]
    cart = pushed.ends[:, 1, :, 0].mean(1)
    assert cart[2] > cart[1] > cart[0]


def test_rail_belongs_to_the_world():
    assert data.motion("InvertedPendulum-v5", steps=1).moves.tolist() == [False, True, True]


def test_same_seed_gives_the_same_motion():
    one, again, other = (data.motion("Ant-v5", steps=4, seed=seed).ends for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("robot", ["CartPole-v1", "Nothing-v0"])
def test_environment_without_a_body_is_refused(robot):
    with pytest.raises(ValueError, match="robot: expected a MuJoCo robot such as Ant-v5"):
        data.motion(robot)


@pytest.mark.parametrize("bad", [{"steps": 0}, {"seed": -1}])
def test_bad_number_is_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        data.motion(**bad)


def test_nothing_is_printed_and_no_log_is_written(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = mujoco.get_mju_user_warning()
    data.motion("Ant-v5", steps=1)
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())
    assert mujoco.get_mju_user_warning() is before


def test_motion_without_a_policy_is_cached(monkeypatch, tmp_path):
    monkeypatch.setenv("RSL_EDU_CACHE", str(tmp_path))
    first = data.motion("InvertedPendulum-v5", steps=5)
    monkeypatch.setattr(bodies, "_record", lambda *_: pytest.fail("recorded again"))
    again = data.motion("InvertedPendulum-v5", steps=5)
    assert all(
        torch.equal(getattr(first, name), getattr(again, name)) for name in ("ends", "radii", "moves", "rewards")
    )
    assert (again.robot, again.fell, again.dt) == (first.robot, first.fell, first.dt)
