"""Recordings of other sizes, with histories and from files; names, checkpoints, and invalid recordings."""

import numpy as np
import pytest
import torch
import yaml
from exporters import ACTIONS, FEATURES, policy, save
from legged import NAMES, TERMS, columns, walk

from rsl_edu import cli
from rsl_edu.compare import compare_recordings
from rsl_edu.run_folder import run_settings

FIRST, SECOND = walk(0), walk(1)


def without(made, *terms):
    """Return a recording without some terms."""
    kept = [i for i in range(len(NAMES)) if i not in columns(*terms)]
    return made | {"observations": made["observations"][..., kept]}


def with_history(made, by_term=True, oldest_first=True, steps=4):
    """Return a recording with a history, and the names of its features."""
    x = made["observations"]
    past = [np.concatenate([np.repeat(x[:1], k, 0), x[: len(x) - k]]) for k in range(steps)]
    order = range(steps)[:: -1 if oldest_first else 1]
    places = [(term, k) for term in TERMS for k in order] if by_term else [(term, k) for k in order for term in TERMS]
    joined = np.concatenate([past[k][..., columns(term)] for term, k in places], -1)
    ago = {k: f" (t-{k})" if k else "" for k in order}
    names = tuple(f"{term}[{i}]{ago[k]}" for term, k in places for i in range(TERMS[term]))
    return made | {"observations": joined}, names


# Sizes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["base_lin_vel", "velocity_commands", "actions"])
def test_missing_term_is_named_and_the_others_are_compared(term):
    found = compare_recordings(FIRST, without(SECOND, term), names=NAMES)
    assert [(each.kind, each.features) for each in found.differences] == [("size", term)]
    assert f"apart from {term} of the first" in found.differences[0].figure
    wrong = without(SECOND, term)["observations"].copy()
    places = [NAMES[i] for i in range(len(NAMES)) if i not in columns(term)]
    wrong[..., [places.index("joint_vel[0]"), places.index("joint_pos[0]")]] *= -1
    found = compare_recordings(FIRST, without(SECOND, term) | {"observations": wrong}, names=NAMES)
    assert [each.kind for each in found.differences] == ["size", "sign"]
    assert found.differences[1].columns == (NAMES.index("joint_pos[0]"), NAMES.index("joint_vel[0]"))


def test_missing_unnamed_features_are_numbered_in_either_recording():
    found = compare_recordings(FIRST, without(SECOND, "joint_pos"))
    assert found.differences[0].features == "features 12 to 17"
    found = compare_recordings(without(FIRST, "base_ang_vel"), SECOND)
    assert found.differences[0].figure == (
        "30 features, 27 in the first recording; apart from features 3 to 5 of the second, the features have similar "
        "statistics"
    )


def test_recordings_of_two_robots_cannot_be_compared():
    other = np.random.default_rng(0).normal(size=(400, 8, 7)) * 100
    found = compare_recordings(FIRST["observations"], other)
    assert "what is missing is unknown" in found.differences[0].figure
    assert found.unchecked == {"everything else": "needs the same features in both"}


# Histories ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ({"oldest_first": False}, "6 columns after the newest value, in the first recording 6 columns before"),
        ({"by_term": False}, "30 columns before the newest value, in the first recording 6 columns before"),
        (
            {"by_term": False, "oldest_first": False},
            "30 columns after the newest value, in the first recording 6 columns before",
        ),
    ],
    ids=["newest first", "by frames", "by frames, newest first"],
)
def test_another_layout_of_the_history_is_found(layout, says, named):
    first, names = with_history(FIRST)
    found = compare_recordings(first, with_history(SECOND, **layout)[0], names=names if named else ())
    assert [each.kind for each in found.differences] == ["history"]
    assert says in found.differences[0].figure


def test_equal_histories_are_the_same_and_the_newest_frames_are_compared():
    (first, names), (second, _) = with_history(FIRST), with_history(SECOND)
    assert compare_recordings(first, second, names=names).same
    gravity = [i for i, name in enumerate(names) if name.startswith("projected_gravity")]
    second["observations"][..., gravity] *= 9.81
    found = compare_recordings(first, second, names=names)
    assert [(each.kind, each.features) for each in found.differences] == [("scale", "projected_gravity")]
    assert [names[i] for i in found.differences[0].columns] == [f"projected_gravity[{i}]" for i in range(3)]


def with_contacts(made, touching, share):
    """Return a recording with contact forces of six feet, some of which touch the ground in a share of the steps."""
    x, draw = made["observations"], np.random.default_rng(0)
    size = (*x.shape[:2], 6)
    forces = draw.uniform(0.1, 1, size) * (draw.random(size) < share) * np.isin(range(6), touching)
    return made | {"observations": np.concatenate([x, forces.astype("f4")], -1)}


def test_constant_feature_is_not_the_history_of_a_feature_at_the_same_value():
    seldom, often = with_contacts(FIRST, [0, 2], 0.05), with_contacts(SECOND, [0, 1, 2, 3], 0.3)
    assert "history" not in [each.kind for each in compare_recordings(seldom, often).differences]


def test_missing_history_is_distinguished_from_a_missing_term():
    first, names = with_history(FIRST)
    found = compare_recordings(first, SECOND, names=names)
    assert [each.figure for each in found.differences] == [
        "30 features with no history; in the first recording, 120 with a history of 4 frames"
    ]


def test_quaternion_in_another_order_is_found():
    def quaternions(seed):
        draw = np.random.default_rng(seed)
        angle = np.cumsum(0.05 * draw.normal(size=(400, 8, 3)), 0)
        angle = np.concatenate([np.sin(angle) * [0.3, 0.2, 1.5], 0.1 * draw.normal(size=(400, 8, 3)).cumsum(0)], -1)
        half = angle[..., :3] / 2
        size = np.linalg.norm(half, axis=-1, keepdims=True)
        return np.concatenate([np.cos(size), half * np.sinc(size / np.pi), angle[..., :3]], -1)

    names = [f"base_quat[{i}]" for i in range(4)] + [f"angle[{i}]" for i in range(3)]
    assert compare_recordings(quaternions(0), quaternions(1), names=names).same
    found = compare_recordings(quaternions(0), quaternions(1)[..., [1, 2, 3, 0, 4, 5, 6]], names=names)
    assert [(each.kind, each.features) for each in found.differences] == [("order", "base_quat")]
    assert "base_quat 0 to 3 of the first are 3, 0, 1, 2 of the second" in found.differences[0].figure


# Names and files ------------------------------------------------------------------------------------------------------


def test_separately_stored_parts_name_the_features():
    parts = [{term: made["observations"][..., columns(term)] for term in TERMS} for made in (FIRST, SECOND)]
    parts[1]["base_ang_vel"] = parts[1]["base_ang_vel"] * 57.2958
    found = compare_recordings(*parts)
    assert found.about["names"] == "from the parts of first"
    assert [each.features for each in found.differences] == ["base_ang_vel"]


def env_yaml(folder):
    """Write the files that Isaac Lab writes next to a run."""
    (folder / "params").mkdir(parents=True)
    terms = {term: {"func": "tasks.mdp:own", "scale": [1.0] * size} for term, size in TERMS.items()}
    stored = {"observations": {"policy": terms}}
    (folder / "params" / "env.yaml").write_text(yaml.safe_dump(stored, sort_keys=False))
    (folder / "params" / "agent.yaml").write_text("policy:\n  activation: elu\n")


def test_names_come_from_the_run(tmp_path):
    env_yaml(tmp_path)
    found = compare_recordings(FIRST, without(SECOND, "base_lin_vel"), run_settings(tmp_path))
    assert found.about["names"] == "from params/env.yaml"
    assert found.differences[0].features == "base_lin_vel"
    found = compare_recordings(
        FIRST["observations"][..., :11], SECOND["observations"][..., :11], run_settings(tmp_path)
    )
    assert found.about["names"] == "none (params/env.yaml is ignored, because its terms do not add up to 11 features)"


def test_command_finds_the_names_and_its_status_shows_whether_they_are_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    env_yaml(tmp_path / "run")
    torch.save({name: torch.as_tensor(x) for name, x in FIRST.items()}, "run/train.pt")
    np.savez("play.npz", **SECOND)
    degrees = SECOND["observations"] * np.where(np.isin(range(30), columns("base_ang_vel")), 57.2958, 1)
    np.savez("robot.npz", **(SECOND | {"observations": degrees}))
    assert cli.main(["compare", "run/train.pt", "play.npz"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("first       train.pt: 400 steps of 8 robots, 30 features, 6 actions, ")
    assert "\nnames       from params/env.yaml\n" in out
    words = ["play.npz", "robot.npz", "--config", "run/params/agent.yaml", "--html", "page.html"]
    assert cli.main(["compare", *words]) == 1
    assert "\n1. scale: base_ang_vel\n" in capsys.readouterr().out
    assert "degrees instead of radians" in (tmp_path / "page.html").read_text("utf-8")
    assert cli.main(["compare", "play.npz", "robot.npz", "--config", "run/params/env.yaml"]) == 1
    assert "\n1. scale: base_ang_vel\n" in capsys.readouterr().out
    assert cli.main(["compare", "play.npz", "robot.npz"]) == 1
    assert "give --config agent.yaml" in capsys.readouterr().out


def test_status_of_short_recordings_is_2_or_1_if_they_differ(tmp_path, capsys):
    for name, factor in (("first", 1), ("short", 1), ("wrong", 9.81)):
        x = (FIRST if name == "first" else SECOND)["observations"].copy()
        x[..., columns("projected_gravity")] *= factor
        np.save(tmp_path / f"{name}.npy", x if name == "first" else x[:250, :1])
    first, short, wrong = (str(tmp_path / f"{name}.npy") for name in ("first", "short", "wrong"))
    assert cli.main(["compare", first, short]) == 2
    assert "The recordings are too short for a verdict" in capsys.readouterr().out
    assert cli.main(["compare", first, wrong]) == 1


# A checkpoint ---------------------------------------------------------------------------------------------------------


def played(actor, seed, how="mean", scale=1.0):
    """Return observations that fit the normalizer, and the policy's actions."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        x = actor.normalizer.mean + actor.normalizer.std * torch.randn(500, 4, FEATURES)
        seen = x.reshape(-1, FEATURES) * scale
        actions = actor(seen)
        if how == "sample":
            actions = actions + torch.tensor([0.3, 0.5, 0.7]) * torch.randn(2000, ACTIONS)
    return {"observations": x, "actions": actions.reshape(500, 4, ACTIONS)}


def test_checkpoint_shows_which_recording_fits_and_whether_it_acted(tmp_path):
    actor = policy()
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "agent.yaml").write_text("actor:\n  activation: elu\n")
    checkpoint = save(actor, tmp_path / "model_0.pt")
    found = compare_recordings(played(actor, 1, "sample"), played(actor, 2), checkpoint=checkpoint)
    assert found.same
    said = "; ".join(found.notes)
    assert "the actions of the first are samples of the policy" in said
    assert "the actions of the second are the policy's mean actions" in said
    assert said.count("std away from the normalizer's mean") == 2
    wrong = compare_recordings(played(actor, 1), played(actor, 2, scale=3.0), checkpoint=checkpoint)
    assert [(each.kind, each.features) for each in wrong.differences] == [("actions", "actions of the second")]
    (tmp_path / "params" / "agent.yaml").unlink()
    settled = compare_recordings(played(actor, 1), played(actor, 2, scale=3.0), checkpoint=checkpoint)
    assert [each.features for each in settled.differences] == ["actions of the second"]  # the first fits elu
    guessed = compare_recordings(played(actor, 1, scale=3.0), played(actor, 2, scale=3.0), checkpoint=checkpoint)
    assert guessed.same
    assert "elu is a guess" in guessed.unchecked["actions"]


def test_checkpoint_of_another_size_is_an_error(tmp_path):
    checkpoint = save(policy(), tmp_path / "model_0.pt")
    with pytest.raises(
        ValueError, match=r"checkpoint: model_0.pt takes 6 features, the first recording has 30 and the"
    ):
        compare_recordings(FIRST, SECOND, names=NAMES, checkpoint=checkpoint)
    found = compare_recordings(FIRST, played(policy(), 1), checkpoint=checkpoint)
    assert found.notes[0] == "the checkpoint takes 6 features, the first has 30"


# Input that is ignored or reinterpreted -------------------------------------------------------------------------------


def test_singular_keys_are_read_and_unused_keys_are_listed():
    first, second = (
        {"obs": made["observations"], "action": made["actions"], "done": made["dones"]} for made in (FIRST, SECOND)
    )
    found = compare_recordings(first, second | {"torques": np.zeros((400, 8, 6))}, names=NAMES)
    assert found.about["first"].startswith("first: 400 steps of 8 robots, 30 features, 6 actions, ")
    assert "second: torques is not used" in found.notes


def test_time_on_the_second_axis_is_recognized():
    turned = {name: x.swapaxes(0, 1) for name, x in SECOND.items()}
    found = compare_recordings(FIRST, turned, names=NAMES)
    assert found.same
    assert found.about["second"].startswith("second: 400 steps of 8 robots, ")
    assert found.notes[0].startswith("second: read as [envs, time, features]")
    one = SECOND["observations"][:, :1].swapaxes(0, 1)
    assert compare_recordings(FIRST, one, names=NAMES).about["second"].startswith("second: 400 steps of 1 robot, ")
    same = np.broadcast_to(SECOND["observations"][:, :1], (400, 12, 30))
    assert compare_recordings(FIRST, same, names=NAMES).about["second"].startswith("second: 400 steps of 12 robots, ")


def test_dones_at_every_step_are_ignored():
    found = compare_recordings(FIRST, SECOND | {"dones": np.ones((400, 8))}, names=NAMES)
    assert found.same
    assert found.notes[0] == "second: dones are not used, because they end an episode in 100 % of the steps"
    assert "ends of episodes" not in found.about["second"]


# Invalid recordings ---------------------------------------------------------------------------------------------------

NAN = np.where(np.arange(30) == 17, np.nan, FIRST["observations"])


@pytest.mark.parametrize(
    ("second", "options", "says"),
    [
        (np.zeros(5), {}, r"second: expected observations \[samples, features\] or \[time, envs, features\], got "),
        ({"actions": np.zeros((3, 2))}, {}, "second: expected observations .*, got none"),
        ({"a": np.zeros((3, 2)), "b": np.zeros((4, 2))}, {}, r"got a \[3, 2\], b \[4, 2\]"),
        (
            NAN,
            {},
            "got NaN or infinity in 3200 of 3200 samples of observations, first at step 0 of robot 0, feature 17",
        ),
        (NAN[:, 0], {}, "in 400 of 400 samples of observations, first at row 0, feature 17"),
        (
            SECOND | {"actions": np.zeros((3, 2))},
            {},
            r"second: expected actions of shape \[400, 8, 'actions'\], got \[3",
        ),
        (
            SECOND | {"dones": np.zeros(3)},
            {},
            r"second: dones: expected shape \[time, envs\], here \[400, 8\], got \[3\]",
        ),
        (SECOND, {"names": ["a", "b"]}, "names: expected 30, one for each feature of the first recording, got 2"),
        (SECOND, {"dt": 0.0}, "dt: expected seconds above 0, got 0.0"),
    ],
)
def test_error_about_an_invalid_recording_states_what_is_expected(second, options, says):
    with pytest.raises(ValueError, match=says):
        compare_recordings(FIRST, second, **options)


def test_errors_name_the_file(tmp_path):
    np.save(tmp_path / "robot.npy", NAN)
    with pytest.raises(ValueError, match=r"robot.npy: expected finite values"):
        compare_recordings(FIRST, tmp_path / "robot.npy")
    (tmp_path / "notes.pt").write_text("notes")
    with pytest.raises(ValueError, match=r"notes.pt: expected observations, a tensor"):
        compare_recordings(tmp_path / "notes.pt", SECOND)
    with pytest.raises(FileNotFoundError):
        compare_recordings(tmp_path / "none.pt", SECOND)


# The report -----------------------------------------------------------------------------------------------------------


def test_text_fits_and_names_are_escaped():
    names = [f"<script>\x1b[31m{'long ' * 9}{name}" for name in NAMES]
    wrong = SECOND | {"observations": SECOND["observations"] * 57.2958}
    found = compare_recordings(FIRST, wrong, names=names)
    assert not found.same
    text, page = str(found), found._repr_html_()
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    assert "\x1b" not in page
    assert "<script>" not in page
    assert "4 · Normalization" in text
    assert "4 · Normalization" in page
    same = compare_recordings(FIRST, SECOND, names=NAMES)
    assert str(same).splitlines()[4].startswith("No difference was found")
    assert "difference" not in same._repr_html_().split("</strong>")[1].split("<dl>")[0]
