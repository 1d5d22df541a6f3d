"""Samples come from a recording, a robot or random numbers; what does not fit the policy raises a clear error."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from rsl_edu import checkpoint
from rsl_edu.checkpoint import Policy
from rsl_edu.data import example_run
from rsl_edu.diagnosis import load, own, play, stand_in
from rsl_edu.diagnosis.sample import ENVS, SAMPLES, STEPS, image_sizes
from rsl_edu.modules import CNN, MLP, RNN, EmpiricalNormalization, GaussianDistribution

ROBOT = "InvertedPendulum-v5"


def built(features=4, actions=1, rnn=None, cnns=None, normalizer=False):
    """An untrained policy, by default of the size for InvertedPendulum."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        latent = (features if rnn is None else 6) + sum(cnn.output_dim for cnn in (cnns or {}).values())
        norm = EmpiricalNormalization(features) if normalizer else None
        if norm is not None:
            norm.train().update(torch.randn(500, features) * 5 + 3)
        memory = rnn and RNN(features, 6, 1, rnn)
        policy = Policy(MLP(latent, actions, [8]), GaussianDistribution(actions, 0.5), norm, memory, cnns)
    return policy.eval().requires_grad_(False)


@pytest.fixture
def seeing():
    return built(cnns={"scan": CNN((5, 6), 2, [3], 3)})


# The user's own observations.


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x.numpy(), lambda x: x.double(), lambda x: x.tolist()])
@pytest.mark.parametrize("shape", [(7, 4), (7, 3, 4)])
def test_observations_may_be_any_array_of_samples_or_steps(shape, make):
    x = torch.randn(shape)
    sample = own(built(), make(x), "a test")
    assert torch.equal(sample.observations, x if len(shape) == 3 else x.unsqueeze(0))
    assert sample.observations.dtype == torch.float32
    assert (sample.source, sample.real, sample.dones, sample.actions) == ("a test", True, None, None)
    assert sample.name(2) == "feature 2"


def test_own_observations_are_detached_from_their_graph():
    x = torch.randn(3, 4, requires_grad=True)
    assert not own(built(), 2 * x).observations.requires_grad


@pytest.mark.parametrize(
    ("groups", "taken"),
    [
        ({"policy": 4, "critic": 4, "privileged": 9}, ["policy"]),
        ({"critic": 9, "anything": 4}, ["anything"]),
        ({"privileged": 4, "actor": 4}, ["actor"]),
        ({"motors": 3, "commands": 1}, ["motors", "commands"]),
    ],
)
def test_vector_groups_are_selected_or_joined(groups, taken):
    recorded = {name: torch.randn(5, 2, size) for name, size in groups.items()}
    expected = torch.cat([recorded[name] for name in taken], -1)
    assert torch.equal(own(built(), recorded).observations, expected)


def test_observations_in_a_tensordict_are_accepted():
    tensordict = pytest.importorskip("tensordict")
    groups = {"policy": torch.randn(5, 4), "critic": torch.randn(5, 9)}
    assert torch.equal(own(built(), tensordict.TensorDict(groups, [5])).observations[0], groups["policy"])


@pytest.mark.parametrize("lead", [(7,), (7, 3)])
@pytest.mark.parametrize("column", [(), (1,)])
def test_images_dones_and_actions_keep_their_order(lead, column, seeing):
    recorded = {
        "policy": torch.randn(*lead, 4),
        "scan": torch.randint(0, 255, (*lead, 2, 5, 6)),
        "dones": (torch.rand(*lead) < 0.5).long().reshape(*lead, *column),
        "actions": torch.randn(*lead, 1),
        "unused": torch.randn(*lead, 1, 9, 9),
    }
    sample = own(seeing, recorded)
    for name, got in (("scan", sample.images["scan"]), ("actions", sample.actions)):
        assert torch.equal(got, recorded[name].float().reshape(sample.observations.shape[:2] + got.shape[2:]))
    assert sample.dones.dtype == torch.bool
    assert sample.dones.shape == sample.observations.shape[:2]
    assert torch.equal(sample.dones.flatten(), recorded["dones"].flatten().bool())
    assert sample.images["scan"].dtype == torch.float32
    assert list(sample.images) == ["scan"]


def test_sizes_of_images_are_read_from_the_recording():
    recorded = {"policy": torch.zeros(3, 4), "scan": torch.zeros(3, 1, 5, 6), "depth": np.zeros((2, 3, 1, 7, 8))}
    assert image_sizes(recorded) == {"scan": (5, 6), "depth": (7, 8)}
    assert image_sizes(torch.zeros(3, 4)) == image_sizes(None) == {}


X = torch.randn(7, 3, 4)
SHAPES = r"expected shape \[samples, 4\] or \[time, envs, 4\], got "


@pytest.mark.parametrize(
    ("recorded", "error", "message"),
    [
        (torch.zeros(7, 5), ValueError, rf"observations: {SHAPES}observations \[7, 5\]"),
        (torch.zeros(4), ValueError, rf"observations: {SHAPES}observations \[4\]"),
        (torch.zeros(2, 7, 3, 4), ValueError, f"observations: {SHAPES}"),
        ({"critic": torch.zeros(7, 5)}, ValueError, rf"observations: {SHAPES}critic \[7, 5\]"),
        ({}, ValueError, f"observations: {SHAPES}"),
        ({"a": torch.zeros(7, 2), "b": torch.zeros(6, 2)}, ValueError, rf"{SHAPES}a \[7, 2\], b \[6, 2\]"),
        ({"a": torch.zeros(7, 2), "b": torch.zeros(7, 3, 2)}, ValueError, rf"{SHAPES}a \[7, 2\], b \[7, 3, 2\]"),
        (torch.full((7, 4), torch.nan), ValueError, "observations: expected finite values, got NaN or infinity"),
        (torch.full((7, 4), 1e300, dtype=torch.float64), ValueError, "observations: expected finite values"),
        (torch.zeros(0, 4), ValueError, "observations: expected at least one sample, got none"),
        (torch.zeros(5, 0, 4), ValueError, "observations: expected at least one sample, got none"),
        ({"policy": X, "dones": torch.zeros(7)}, ValueError, r"dones: expected shape \[7, 3\], got \[7\]"),
        ({"policy": X, "dones": torch.zeros(7, 3, 2)}, ValueError, r"dones: expected shape \[7, 3\], got \[7, 3, 2\]"),
        ({"policy": X, "actions": torch.zeros(7, 3, 2)}, ValueError, r"actions: expected shape \[7, 3, 1\], got"),
        ({"policy": X, "actions": X[..., :1] / 0}, ValueError, "actions: expected finite values, got NaN"),
        (np.array([[object()] * 4]), TypeError, "observations: expected a tensor or an array of numbers, got ndarray"),
        ("humanoid", TypeError, "observations: expected a tensor or an array of numbers, got str"),
        ([["a"] * 4], TypeError, "observations: expected a tensor or an array of numbers, got list"),
        (None, TypeError, "observations: expected a tensor or an array of numbers, got NoneType"),
        ({"policy": {"motors": X}}, TypeError, r"observations\['policy'\]: expected a tensor or an array of numbers"),
        ({"policy": "x"}, TypeError, r"observations\['policy'\]: expected a tensor or an array of numbers, got str"),
    ],
)
def test_recording_that_does_not_fit_raises_an_error_with_what_is_expected(recorded, error, message):
    with pytest.raises(error, match=message):
        own(built(), recorded)


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        ({"policy": X}, "observations: expected an image 'scan', got policy"),
        (X, "observations: expected an image 'scan', got observations"),
        (
            {"policy": X, "scan": torch.zeros(7, 2, 5, 6)},
            r"observations: expected scan of shape \[7, 3, .*\], got \[7, 2, 5, 6\]",
        ),
        (
            {"policy": X, "scan": torch.zeros(7, 3, 5, 6)},
            r"observations: expected scan of shape \[7, 3, .*\], got \[7, 3, 5, 6\]",
        ),
        ({"policy": X, "scan": torch.full((7, 3, 2, 5, 6), torch.nan)}, "observations: expected finite values"),
        (
            {"policy": X, "scan": torch.zeros(7, 3, 2, 6, 6)},
            r"observations: expected scan of shape \[7, 3, 2, 5, 6\], got \[7, 3, 2, 6, 6\]",
        ),
        (
            {"policy": X, "scan": torch.zeros(7, 3, 1, 5, 6)},
            r"observations: expected scan of shape \[7, 3, 2, 5, 6\], got \[7, 3, 1, 5, 6\]",
        ),
    ],
)
def test_images_that_do_not_fit_are_named(recorded, message, seeing):
    with pytest.raises(ValueError, match=message):
        own(seeing, recorded)


# Files.


def test_files_of_tensors_and_arrays_are_read(tmp_path):
    x = torch.randn(5, 4)
    torch.save(x, tmp_path / "one.pt")
    torch.save({"policy": x, "dones": torch.zeros(5)}, tmp_path / "named.pt")
    np.save(tmp_path / "one.npy", x.numpy())
    np.savez(tmp_path / "named.npz", policy=x.numpy(), dones=np.zeros(5))
    np.savez_compressed(tmp_path / "packed.npz", policy=x.numpy(), dones=np.zeros(5))
    for name in ("one.pt", "one.npy"):
        assert torch.equal(load(tmp_path / name), x)
    for name in ("named.pt", "named.npz", "packed.npz"):
        read = load(str(tmp_path / name))
        assert list(read) == ["policy", "dones"]
        assert torch.equal(read["policy"], x)
        assert torch.equal(own(built(), read).observations[0], x)


class Bomb:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("name", ["bomb.pt", "old.pt", "raw.pt", "bomb.npy", "bomb.npz"])
def test_nothing_in_a_file_is_executed(name, tmp_path):
    bomb, path = Bomb(tmp_path / "exploded"), tmp_path / name
    if name == "raw.pt":
        path.write_bytes(pickle.dumps(bomb))
    elif name.endswith(".pt"):
        torch.save({"policy": bomb}, path, _use_new_zipfile_serialization=name != "old.pt")
    elif name.endswith(".npy"):
        np.save(path, np.array([bomb], dtype=object), allow_pickle=True)
    else:
        np.savez(path, allow_pickle=True, policy=np.array([bomb], dtype=object))
    with pytest.raises(ValueError, match=f"{name}: expected observations, a tensor or a dictionary of tensors"):
        load(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("name", ["x.pt", "x.npy", "x.npz", "x.csv"])
@pytest.mark.parametrize("content", [b"", b"not what it says", b"PK\x03\x04 half a file", b"\x93NUMPY\x01\x00v\x00"])
def test_damaged_files_are_named(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        ValueError, match=f"^{name}: expected observations, a tensor or a dictionary of tensors in .pt, .npy or .npz"
    ):
        load(tmp_path / name)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("name", ["x.pt", "x.npy", "x.npz"])
def test_files_that_end_too_early_are_named(name, kept, tmp_path):
    x = torch.randn(50, 4)
    path = tmp_path / name
    if name == "x.pt":
        torch.save(x, path)
    else:
        (np.save if name == "x.npy" else np.savez)(path, x.numpy())
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(ValueError, match=f"^{name}: "):
        load(path)


def test_missing_files_and_folders_raise_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.pt")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)


@pytest.mark.parametrize("content", ["text", {"policy": "text"}, {"policy": {"deep": torch.zeros(3)}}, None])
def test_other_content_is_named(content, tmp_path):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises((TypeError, ValueError), match=r"^x\.pt.*: expected (a tensor|observations)"):
        load(tmp_path / "x.pt")


# Robots.


@pytest.mark.parametrize("rnn", [None, "gru"])
def test_playing_is_reproducible_and_does_not_change_the_random_generator(rnn):
    policy, state = built(rnn=rnn), torch.random.get_rng_state()
    first = play(policy, ROBOT)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        second = play(policy, ROBOT)
    assert torch.equal(first.observations, second.observations)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.observations.shape == (STEPS, ENVS, 4)
    assert first.dones.any()
    assert first.real
    assert first.source == "1,024 steps of InvertedPendulum-v5, controlled by the last checkpoint"
    assert first.name(1) == "qpos[1]"
    assert rnn is None or policy.rnn.hidden_state is None
    policy.distribution.std_param.data *= 2
    assert not torch.equal(play(policy, ROBOT).observations, first.observations)


def test_hidden_state_is_reset_at_the_end_of_each_played_episode(monkeypatch):
    policy, told = built(rnn="gru"), []
    reset = policy.reset
    monkeypatch.setattr(policy, "reset", lambda dones=None: told.append(dones) or reset(dones))
    sample = play(policy, ROBOT)
    assert torch.equal(torch.stack([dones for dones in told if dones is not None]), sample.dones)
    assert told[0] is None
    assert told[-1] is None  # a full reset before and after playing


@pytest.mark.parametrize(
    ("policy", "robot", "message"),
    [
        (built(5), ROBOT, f"robot: expected one with 5 observations and 1 actions, .*; {ROBOT} has 4 and 1"),
        (built(4, 2), ROBOT, f"robot: expected one with 4 observations and 2 actions, .*; {ROBOT} has 4 and 1"),
        (built(), "Centipede-v9", "robot: expected a Gymnasium environment .* got 'Centipede-v9'"),
        (built(), "CartPole-v1", "robot: expected continuous actions, got 'CartPole-v1'"),
    ],
)
def test_robot_that_does_not_exist_or_fit_is_refused(policy, robot, message):
    with pytest.raises(ValueError, match=message):
        play(policy, robot)


def test_robot_and_random_numbers_cannot_replace_images(seeing):
    with pytest.raises(ValueError, match=f"robot: {ROBOT} provides no image 'scan'; give observations instead"):
        play(seeing, ROBOT)
    with pytest.raises(ValueError, match="observations: needed, because the policy takes the image 'scan'"):
        stand_in(seeing)


@pytest.mark.parametrize("name", ["mlp.0.weight", "distribution.std_param"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_policy_with_broken_parameters_can_be_played(name, value):
    policy = built()
    policy.state_dict()[name].flatten()[0] = value
    assert play(policy, ROBOT).observations.isfinite().all()


# Random numbers.


def test_random_numbers_have_the_mean_and_std_of_the_normalizer():
    policy, state = built(normalizer=True), torch.random.get_rng_state()
    sample = stand_in(policy)
    flat = sample.observations.flatten(0, 1)
    np.testing.assert_allclose(flat.mean(0), policy.normalizer.mean, atol=0.5)  # four standard errors
    np.testing.assert_allclose(flat.std(0), policy.normalizer.std, rtol=0.1)
    assert sample.source == "random numbers with the normalizer's mean and std, as no observations were given"
    assert not sample.real
    assert torch.equal(stand_in(policy).observations, sample.observations)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_random_numbers_without_a_normalizer_are_standard_normal():
    sample = stand_in(built())
    assert sample.source == "random numbers with mean 0 and std 1, as no observations were given"
    np.testing.assert_allclose(sample.observations.flatten(0, 1).mean(0), 0, atol=0.13)
    np.testing.assert_allclose(sample.observations.flatten(0, 1).std(0), 1, rtol=0.1)


def test_random_numbers_are_finite_even_if_the_normalizer_is_broken():
    policy = built(normalizer=True)
    policy.normalizer._mean[0, 0] = torch.nan
    assert stand_in(policy).observations.isfinite().all()


# How much is shown.


def numbered(*lead):
    """A sample in which each value, action and pixel is the number of its position."""
    place = torch.arange(np.prod(lead)).reshape(*lead, 1).float()
    policy = built(1, 1, cnns={"scan": CNN((1, 1), 1, [1], 1)})
    recorded = {"policy": place, "actions": place, "dones": place % 2, "scan": place[..., None, None]}
    return own(policy, recorded)


def agree(sample):
    assert torch.equal(sample.observations, sample.actions)
    assert torch.equal(sample.observations[..., 0] % 2 == 1, sample.dones)
    assert torch.equal(sample.observations, sample.images["scan"][..., 0, 0])


@pytest.mark.parametrize("lead", [(1, 1), (5, 3), (SAMPLES, 1), (100, 37), (1, 5001)])
def test_samples_are_thinned_evenly(lead):
    sample = numbered(*lead).thinned(recurrent=False)
    agree(sample)
    places, total = sample.observations.flatten(), int(np.prod(lead))
    assert sample.observations.shape[:2] == (1, min(SAMPLES, total))
    assert len(set(places.tolist())) == len(places)
    steps = places.diff()
    assert len(steps) == 0 or steps.max() - steps.min() <= 1
    assert total - places[-1] <= total / len(places) + 1


@pytest.mark.parametrize("lead", [(1, 1), (5, 3), (100, 37), (STEPS, ENVS)])
def test_steps_of_a_recurrent_policy_stay_in_order(lead):
    sample = numbered(*lead).thinned(recurrent=True)
    agree(sample)
    assert sample.observations.shape[:2] == (min(STEPS, lead[0]), min(ENVS, lead[1]))
    assert (sample.observations[..., 0].diff(dim=0) == lead[1]).all()
    assert (sample.observations[..., 0].diff(dim=1) == 1).all()


@pytest.mark.parametrize("end", [3, 100, 250, 282])
def test_steps_of_a_recurrent_policy_are_those_around_ends_of_episodes(end):
    dones = torch.zeros(300, 20, dtype=torch.bool)
    dones[end, 3:] = True
    dones[(end + 150) % 300, :2] = True  # fewer ends
    place = torch.arange(300 * 20).reshape(300, 20, 1).float()
    sample = own(built(1), {"policy": place, "dones": dones}).thinned(recurrent=True)
    assert sample.dones.shape == (STEPS, ENVS)
    assert torch.equal(sample.observations[0, :, 0] % 20, torch.arange(3, 19).float())  # robots that end there
    assert (sample.observations[..., 0].diff(dim=0) == 20).all()
    (step,) = set(sample.dones.nonzero()[:, 0].tolist())
    assert sample.dones[step].all()
    assert STEPS - 1 - step >= STEPS // 4
    assert step >= min(end, STEPS // 2)


def test_short_recordings_are_shown_completely():
    for time in (1, 2, STEPS):
        dones = torch.ones(time, 2, dtype=torch.bool)
        sample = own(built(), {"policy": torch.randn(time, 2, 4), "dones": dones})
        assert torch.equal(sample.thinned(recurrent=True).observations, sample.observations)


def test_file_that_declares_more_numbers_than_it_contains_is_refused(tmp_path):
    torch.save({"policy": torch.zeros(1, 1).expand(10**6, 10**6)}, tmp_path / "obs.pt")
    with pytest.raises(ValueError, match=r"obs.pt: it declares more numbers than the file contains"):
        load(tmp_path / "obs.pt")


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ({"actor_state_dict": {"mlp.0.weight": torch.zeros(1)}, "iter": 0}, "got a checkpoint: actor_state_dict, iter"),
        ({"a": {"b": torch.zeros(1)}}, "got nested dictionaries: a"),
        (torch.nn.Linear(1, 1), r"got a complete module \(torch.nn.modules.linear.Linear\), which could execute code"),
        (Path("x"), r"got objects \(pathlib.PosixPath\); they are not loaded"),
    ],
)
def test_file_that_is_not_a_recording_is_described(stored, says, tmp_path):
    torch.save(stored, tmp_path / "x.pt")
    with pytest.raises(ValueError, match=says) as error:
        load(tmp_path / "x.pt")
    assert "weights_only" not in str(error.value)


def test_rewards_that_are_not_finite_do_not_raise_a_shape_error():
    recorded = {"policy": torch.zeros(5, 2, 4), "rewards": torch.full((5, 2), float("nan"))}
    with pytest.raises(ValueError, match=r"^rewards: expected finite values, got NaN or infinity$"):
        own(checkpoint.read(example_run() / "model_0.pt").policy, recorded)
