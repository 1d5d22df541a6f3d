"""Rollouts come from the simulator, are reproducible and cached, and survive damaged or unwritable caches."""

import subprocess
import sys

import pytest
import torch

from rsl_edu import data
from rsl_edu.data import kept, robots


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RSL_EDU_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(a, b):
    fields = ("observations", "actions", "rewards", "terminated", "truncated")
    return a.names == b.names and all(torch.equal(getattr(a, f), getattr(b, f)) for f in fields)


@pytest.mark.parametrize(
    ("robot", "features", "actions"),
    [("Ant-v5", 105, 8), ("HalfCheetah-v5", 17, 6), ("Humanoid-v5", 348, 17), ("InvertedPendulum-v5", 4, 1)],
)
def test_every_robot_of_the_lessons_gives_finite_float32_rows(robot, features, actions):
    rollout = data.rollout(robot, steps=12, envs=2)
    assert rollout.observations.shape == (12, 2, features)
    assert rollout.actions.shape == (12, 2, actions)
    assert rollout.rewards.shape == rollout.dones.shape == (12, 2)
    assert rollout.observations.dtype == rollout.rewards.dtype == torch.float32
    assert rollout.dones.dtype == torch.bool
    assert rollout.observations.isfinite().all()
    assert len(set(rollout.names)) == features


def test_same_seed_gives_the_same_rollout_and_another_seed_another(cache):
    first = data.rollout("InvertedPendulum-v5", steps=40, envs=3, seed=5)
    for file in cache.iterdir():
        file.unlink()
    assert same(first, data.rollout("InvertedPendulum-v5", steps=40, envs=3, seed=5))
    assert not same(first, data.rollout("InvertedPendulum-v5", steps=40, envs=3, seed=6))


def test_episodes_end_and_the_next_row_begins_a_new_one():
    rollout = data.rollout("InvertedPendulum-v5", steps=60, envs=2)
    step, env = rollout.terminated[:-1].nonzero()[0].tolist()
    assert rollout.observations[step + 1, env].abs().max() < 0.011  # Gymnasium starts within 0.01 of upright


def test_recordings_can_be_shared(cache):
    data.rollout("InvertedPendulum-v5", steps=2, envs=1)
    assert [file.stat().st_mode & 0o777 for file in cache.iterdir()] == [0o644]


def test_policy_gets_the_recorded_observations_and_its_actions_are_recorded():
    seen = []
    rollout = data.rollout("InvertedPendulum-v5", steps=5, envs=2, policy=lambda o: seen.append(o) or o[:, :1])
    assert torch.equal(torch.stack(seen), rollout.observations)
    assert torch.equal(rollout.actions, rollout.observations[..., :1])


def test_reset_of_a_policy_is_called_after_each_step_with_the_dones():
    class Told:
        """Records the order of its calls, and the dones that it gets."""

        def __init__(self):
            self.calls, self.ends = [], []

        def __call__(self, observations):
            self.calls.append("act")
            return observations[:, :1]

        def reset(self, dones):
            self.calls.append("reset")
            self.ends.append(dones)

    told = Told()
    rollout = data.rollout("InvertedPendulum-v5", steps=60, envs=3, policy=told)
    assert told.calls == ["act", "reset"] * 60
    ends = torch.stack(told.ends)
    assert ends.dtype == torch.bool
    assert torch.equal(ends, rollout.dones)
    assert ends.any()


def test_state_of_a_policy_is_reset_for_each_episode():
    class Steps:
        """Counts the steps of each episode."""

        count = torch.zeros(3)

        def __call__(self, observations):
            self.count = self.count + 1
            return 0.001 * self.count[:, None]

        def reset(self, dones):
            self.count = torch.where(dones, 0, self.count)

    rollout = data.rollout("InvertedPendulum-v5", steps=200, envs=3, policy=Steps())
    begins = torch.cat([torch.ones(1, 3, dtype=torch.bool), rollout.dones[:-1]])
    assert rollout.dones[:-1].any()
    assert torch.equal(rollout.actions[..., 0] == 0.001, begins)


def test_second_call_reads_the_cache_and_returns_independent_tensors(monkeypatch):
    first = data.rollout("InvertedPendulum-v5", steps=8)
    untouched = first.observations.clone()
    monkeypatch.setattr(robots, "_record", lambda *_: pytest.fail("recorded again"))
    first.observations.zero_()
    assert torch.equal(data.rollout("InvertedPendulum-v5", steps=8).observations, untouched)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half a file", b"not a zip"])
def test_damaged_cache_is_recorded_again(cache, damage):
    first = data.rollout("InvertedPendulum-v5", steps=8)
    (file,) = cache.iterdir()
    file.write_bytes(damage)
    assert same(first, data.rollout("InvertedPendulum-v5", steps=8))
    assert file.stat().st_size > 100
    assert list(cache.iterdir()) == [file]


def test_read_only_cache_is_read_and_the_next_one_is_written(monkeypatch, tmp_path):
    first = data.rollout("InvertedPendulum-v5", steps=8)
    (tmp_path / "file").touch()
    caches = [tmp_path / "file", tmp_path / "cache", tmp_path / "other"]
    monkeypatch.setattr(kept, "caches", lambda write=False: iter(caches))
    record = robots._record
    monkeypatch.setattr(robots, "_record", lambda *_: pytest.fail("recorded again"))
    assert same(first, data.rollout("InvertedPendulum-v5", steps=8))
    monkeypatch.setattr(robots, "_record", record)
    data.rollout("InvertedPendulum-v5", steps=9)
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert not (tmp_path / "other").exists()


def test_rollout_works_without_a_writable_cache(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    for caches in ([], [tmp_path / "file"]):
        monkeypatch.setattr(kept, "caches", lambda write=False, caches=caches: iter(caches))
        assert data.rollout("InvertedPendulum-v5", steps=4).observations.shape == (4, 8, 4)


def test_recording_writes_nothing_into_the_working_folder(monkeypatch, tmp_path, capfd):
    monkeypatch.chdir(tmp_path)
    data.rollout("Humanoid-v5", steps=2, envs=1)
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"robot": "Centipede-v9"}, ValueError, r"robot: expected .*Ant-v5.* got 'Centipede-v9'"),
        ({"robot": "CartPole-v1"}, ValueError, r"robot: expected continuous actions, got 'CartPole-v1'"),
        ({"steps": 0}, ValueError, "steps: expected a whole number of at least 1, got 0"),
        ({"envs": 2.5}, TypeError, "envs: expected a whole number, got 2.5"),
        ({"seed": -1}, ValueError, "seed: expected a whole number of at least 0, got -1"),
    ],
)
def test_bad_argument_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        data.rollout(**arguments)


@pytest.mark.parametrize(("pause", "shown"), [(0.15, True), (0.05, False)])
def test_progress_bar_shows_only_when_recording_takes_longer_than_a_second(monkeypatch, capsys, pause, shown):
    clock = [0.0]

    def policy(observation):
        clock[0] += pause  # seconds
        return observation[:, :1]

    monkeypatch.delenv("TQDM_DISABLE")
    monkeypatch.setattr("tqdm.std.time", lambda: clock[0])
    data.rollout("InvertedPendulum-v5", steps=12, envs=1, policy=policy)
    assert ("recording InvertedPendulum-v5" in capsys.readouterr().err) is shown


def test_cached_recordings_are_mapped_and_need_no_simulator(cache):
    kinds = ('data.rollout("InvertedPendulum-v5", steps=2, envs=1)', 'data.motion("InvertedPendulum-v5", steps=2)')
    for call in kinds:
        code = (
            f"import sys; from rsl_edu import data; kept = {call}; print('mujoco' in sys.modules)\n"
            "maps = open('/proc/self/maps').read() if sys.platform == 'linux' else '-gymnasium'\n"
            "print('-gymnasium' in maps)"
        )
        made, read = (subprocess.check_output([sys.executable, "-c", code], text=True).split() for _ in range(2))
        assert made == ["True", "False" if sys.platform == "linux" else "True"]
        assert read == ["False", "True"]
    assert len([*cache.iterdir()]) == 2
