"""The features of a policy are named after the terms in the environment's settings, if these determine them."""

import itertools

import pytest
import yaml

from rsl_edu.run_folder import RunSettings, run_settings
from rsl_edu.run_folder.observation_terms import Term, feature_names

LAB = "isaaclab.envs.mdp.observations:"


def term(function, **said):
    """A term in the format of Isaac Lab."""
    unsaid = {
        "params": {},
        "noise": None,
        "clip": None,
        "scale": None,
        "history_length": 0,
        "flatten_history_dim": True,
    }
    return {"func": function if ":" in function else LAB + function, **unsaid, **said}


def group(history=None, flat=True, **terms):
    """A group in the format of Isaac Lab."""
    said = {
        "concatenate_terms": True,
        "enable_corruption": True,
        "history_length": history,
        "flatten_history_dim": flat,
    }
    return {**said, **terms}


def commands(name):
    return term("generated_commands", params={"command_name": name})


VELOCITY = {"class_type": "isaaclab.envs.mdp.commands.velocity_command:UniformVelocityCommand"}
POSE = {"class_type": "isaaclab.envs.mdp.commands.pose_command:UniformPoseCommand"}
LOCOMOTION = {
    "base_lin_vel": term("base_lin_vel"),
    "base_ang_vel": term("base_ang_vel"),
    "projected_gravity": term("projected_gravity"),
    "velocity_commands": commands("base_velocity"),
    "joint_pos": term("joint_pos_rel"),
    "joint_vel": term("joint_vel_rel"),
    "actions": term("last_action"),
}


def beside(folder, observations, file="params/env.yaml", agent=None, **environment):
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(yaml.dump({"observations": observations, **environment}, sort_keys=False))
    if agent:
        (folder / "params" / "agent.yaml").write_text(yaml.dump(agent))
    return run_settings(folder)


def blocks(names):
    """The names without indices, each with the number of consecutive features: ``joint_pos 12, actions 12``."""
    runs = itertools.groupby(name.partition("[")[0] + name.partition("]")[2] for name in names)
    return ", ".join(f"{name} {len(list(run))}" for name, run in runs)


def test_features_of_an_isaac_lab_quadruped_are_named(tmp_path):
    settings = beside(tmp_path, {"policy": group(**LOCOMOTION, height_scan=None)}, commands={"base_velocity": VELOCITY})
    names = settings.feature_names(48, 12)
    assert blocks(names) == (
        "base_lin_vel 3, base_ang_vel 3, projected_gravity 3, velocity_commands 3, "
        "joint_pos 12, joint_vel 12, actions 12"
    )
    assert (names[0], names[27], names[47]) == ("base_lin_vel[0]", "joint_vel[3]", "actions[11]")
    assert settings.names_source == "params/env.yaml"
    assert settings.unread == {}
    assert settings.feature_names(47, 12) == settings.feature_names(48, 11) == settings.feature_names(0, 0) == ()


def test_features_of_a_robot_with_more_joints_than_actions_are_named(tmp_path):
    observations = {
        "joint_pos": term("joint_pos_rel"),
        "joint_vel": term("joint_vel_rel"),
        "object_position": term("isaaclab_tasks.lift.mdp.observations:object_position_in_robot_root_frame"),
        "target_object_position": commands("object_pose"),
        "actions": term("last_action"),
    }
    arm, hand = {"joint_names": ["panda_joint.*"]}, {"joint_names": ["panda_finger.*"]}
    settings = beside(
        tmp_path, {"policy": group(**observations)}, commands={"object_pose": POSE}, actions={"arm": arm, "hand": hand}
    )
    expected = "joint_pos 9, joint_vel 9, object_position 3, target_object_position 7, actions 8"
    assert blocks(settings.feature_names(36, 8)) == expected


def test_a_height_scan_has_the_rays_of_its_pattern(tmp_path):
    scan = term("height_scan", params={"sensor_cfg": {"name": "height_scanner"}}, clip=(-1.0, 1.0))
    sensor = {"pattern_cfg": {"func": "x:grid_pattern", "resolution": 0.1, "size": [1.6, 1.0]}}
    rough = {"policy": group(**LOCOMOTION, height_scan=scan)}
    said = {"commands": {"base_velocity": VELOCITY}, "scene": {"height_scanner": sensor}}
    assert blocks(beside(tmp_path, rough, **said).feature_names(235, 12)).endswith("actions 12, height_scan 187")
    for step, sides, rays in ((0.2, (1.0, 0.6), 24), (0.05, (0.3, 0.1), 21), (0.3, (1.0, 1.0), 16)):
        sensor["pattern_cfg"] = {"resolution": step, "size": sides}
        assert blocks(beside(tmp_path, rough, **said).feature_names(48 + rays, 12)).endswith(f"height_scan {rays}")
    for broken in (
        {},
        {"size": 3, "resolution": 1},
        {"size": [1, 1], "resolution": 0},
        {"size": [-9, 1], "resolution": 1},
    ):
        sensor["pattern_cfg"] = broken
        assert beside(tmp_path, rough, **said).feature_names(235, 12) == ()


def test_features_of_a_history_are_named_by_term_with_the_oldest_first(tmp_path):
    two = {"base_ang_vel": term("base_ang_vel"), "base_pos_z": term("base_pos_z")}
    expected = [f"base_ang_vel[{i}]{when}" for when in (" (t-2)", " (t-1)", "") for i in range(3)]
    expected += ["base_pos_z (t-2)", "base_pos_z (t-1)", "base_pos_z"]
    assert beside(tmp_path, {"policy": group(history=3, **two)}).feature_names(12, 1) == tuple(expected)


@pytest.mark.parametrize(
    ("history", "of_terms", "features", "expected"),
    [
        (None, (2, 0), 7, "a (t-1) 3, a 3, b 1"),
        (None, (0, 2), 5, "a 3, b (t-1) 1, b 1"),
        (None, (1, 0), 4, "a 3, b 1"),
        (0, (3, 3), 4, "a 3, b 1"),
        (2, (3, 0), 8, "a (t-1) 3, a 3, b (t-1) 1, b 1"),
    ],
)
def test_history_of_a_group_overrides_that_of_its_terms(history, of_terms, features, expected, tmp_path):
    terms = {
        "a": term("base_ang_vel", history_length=of_terms[0]),
        "b": term("base_pos_z", history_length=of_terms[1]),
    }
    assert blocks(beside(tmp_path, {"policy": group(history, **terms)}).feature_names(features, 1)) == expected


def test_history_that_is_not_flattened_is_not_named(tmp_path):
    terms = {"a": term("base_ang_vel", history_length=2, flatten_history_dim=False)}
    assert beside(tmp_path, {"policy": group(**terms)}).feature_names(6, 1) == ()
    assert beside(tmp_path, {"policy": group(2, flat=False, a=term("base_ang_vel"))}).feature_names(6, 1) == ()
    assert beside(tmp_path, {"policy": group(flat=False, a=term("base_ang_vel"))}).feature_names(3, 1) != ()


ONE_ROBOT = {"name": "robot", "joint_names": None, "joint_ids": slice(None)}


@pytest.mark.parametrize(
    ("terms", "features", "expected"),
    [
        ({"own": term("my.mdp:phase"), "base": term("base_lin_vel")}, 5, "own 2, base 3"),
        ({"own": term("my.mdp:phase"), "other": term("my.mdp:clock")}, 4, ""),
        ({"own": term("my.mdp:phase"), "q": term("joint_pos")}, 8, ""),
        ({"own": term("my.mdp:phase", scale=(1.0, 2.0)), "q": term("joint_pos")}, 8, "own 2, q 6"),
        ({"own": term("my.mdp:phase", scale=2.0), "base": term("base_lin_vel")}, 4, "own 1, base 3"),
        ({"q": term("joint_pos"), "v": term("joint_vel")}, 7, ""),
        ({"q": term("joint_pos", params={"asset_cfg": ONE_ROBOT}), "v": term("joint_vel")}, 8, "q 4, v 4"),
        ({"q": term("joint_pos", params={"asset_cfg": {"joint_ids": [2, 0]}}), "v": term("joint_vel")}, 8, "q 2, v 6"),
        (
            {"q": term("joint_pos", params={"asset_cfg": {"joint_names": ["a", "b"]}}), "v": term("joint_vel")},
            8,
            "q 2, v 6",
        ),
        ({"q": term("joint_pos", params={"asset_cfg": {"joint_names": "a"}}), "v": term("joint_vel")}, 8, "q 1, v 7"),
        ({"q": term("joint_pos", params={"asset_cfg": {"joint_names": [".*_hip"]}}), "v": term("joint_vel")}, 8, ""),
        (
            {"q": term("joint_pos", params={"asset_cfg": {"joint_names": [".*"]}}), "v": term("joint_vel")},
            8,
            "q 4, v 4",
        ),
        ({"q": term("joint_pos", params={"asset_cfg": {"name": "drawer"}}), "v": term("joint_vel")}, 8, ""),
        ({"b": term("body_pose_w", params={"asset_cfg": {"body_names": ["a", "b"]}})}, 14, "b 14"),
        ({"b": term("body_pose_w", params={"asset_cfg": {"body_names": [".*"]}})}, 21, "b 21"),
        ({"b": term("body_pose_w", params={"asset_cfg": {"body_names": [".*"]}})}, 20, ""),
        ({"a": term("last_action", params={"action_name": None}), "v": term("base_lin_vel")}, 5, "a 2, v 3"),
        ({"a": term("last_action", params={"action_name": "arm"}), "v": term("base_lin_vel")}, 4, "a 1, v 3"),
        ({"c": commands("unknown"), "v": term("base_lin_vel")}, 8, "c 5, v 3"),
        ({"v": term("base_lin_vel"), "w": None, "clip": 3, "x": {"y": 1}}, 3, "v 3"),
    ],
)
def test_single_unknown_width_is_computed_from_the_others(terms, features, expected, tmp_path):
    assert blocks(beside(tmp_path, {"policy": group(**terms)}).feature_names(features, 2)) == expected


@pytest.mark.parametrize(
    ("command", "width"),
    [
        ("a.b:UniformVelocityCommand", 3),
        ("a.b:NormalVelocityCommand", 3),
        ("unitree_rl_lab.tasks.mdp:UniformLevelVelocityCommand", 3),
        ("a.b:UniformPoseCommand", 7),
        ("a.b:UniformPose2dCommand", 4),
        ("a.b:TerrainBasedPose2dCommand", 4),
        ("a.b:UniformVelocityHeightCommand", None),
        ("a.b:HandPoseCommand", None),
    ],
)
def test_a_command_has_the_width_of_its_class(command, width, tmp_path):
    terms = {"c": commands("x"), "own": term("my.mdp:phase")}
    settings = beside(tmp_path, {"policy": group(**terms)}, commands={"x": {"class_type": command}})
    expected = f"c {width}, own 2" if width else ""  # commands of other libraries may have any width
    assert blocks(settings.feature_names((width or 3) + 2, 1)) == expected


def test_a_motion_has_positions_and_velocities_of_every_joint(tmp_path):
    tracking = "whole_body_tracking.tasks.tracking.mdp.observations:"
    terms = {
        "command": commands("motion"),
        "motion_anchor_pos_b": term(tracking + "motion_anchor_pos_b"),
        "motion_anchor_ori_b": term(tracking + "motion_anchor_ori_b"),
        **{name: LOCOMOTION[name] for name in ("base_lin_vel", "base_ang_vel", "joint_pos", "joint_vel", "actions")},
    }
    settings = beside(tmp_path, {"policy": group(**terms)}, commands={"motion": {"motion_file": "dance.npz"}})
    assert blocks(settings.feature_names(160, 29)).startswith(
        "command 58, motion_anchor_pos_b 3, motion_anchor_ori_b 6"
    )


def test_number_of_joints_is_known_if_the_only_action_moves_all_of_them(tmp_path):
    terms = {"q": term("joint_pos"), "own": term("my.mdp:phase")}
    act = {"class_type": "isaaclab.envs.mdp.actions.joint_actions:JointPositionAction", "joint_names": [".*"]}
    assert (
        blocks(beside(tmp_path, {"policy": group(**terms)}, actions={"a": act}).feature_names(14, 12)) == "q 12, own 2"
    )
    for other in (
        {"a": act | {"joint_names": [".*leg"]}},
        {"a": act, "b": act},
        {"a": act | {"class_type": "x:IKAction"}},
    ):
        assert beside(tmp_path, {"policy": group(**terms)}, actions=other).feature_names(14, 12) == ()


# The observation groups of the actor.


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (None, "v 3"),
        ({"policy": {"activation": "elu"}, "obs_groups": {"policy": ["scan", "policy"]}}, "s 1, v 3"),
        ({"actor": {"activation": "elu"}, "obs_groups": {"actor": ["policy", "scan"]}}, "v 3, s 1"),
        ({"actor": {"activation": "elu"}, "obs_groups": {"actor": ["policy", "camera"]}}, "v 3"),
        ({"actor": {"activation": "elu"}, "obs_groups": {"actor": ["elsewhere"]}}, ""),
        ({"actor": {"activation": "elu"}, "obs_groups": {"actor": ["policy", "critic"]}}, "policy.v 3, critic.v 3"),
    ],
)
def test_groups_come_from_the_agent_settings(agent, expected, tmp_path):
    observations = {
        "critic": group(v=term("base_lin_vel")),
        "policy": group(v=term("base_lin_vel")),
        "scan": group(s=term("base_pos_z")),
        "camera": group(rgb=term("image")),
    }
    settings = beside(tmp_path, observations, agent=agent)
    assert (
        blocks(settings.feature_names(sum(int(part.split()[1]) for part in expected.split(", ") if part), 1))
        == expected
    )


MJLAB = """
observations:
  actor:
    terms:
      v: {func: !!python/name:mjlab.envs.mdp.observations.builtin_sensor '', params: {sensor_name: robot/imu_lin_vel}}
      q: {func: !!python/name:mjlab.envs.mdp.observations.joint_pos_rel '', params: {asset_cfg: {joint_names: &id001
          !!python/tuple ['.*'], joint_ids: !!python/object/apply:builtins.slice [null, null, null]}}}
      o: {func: !!python/name:mjlab.envs.mdp.observations.builtin_sensor '', params: {sensor_name: robot/imu_quat}}
      c: {func: !!python/name:mjlab.envs.mdp.observations.generated_commands '', params: {command_name: twist}}
    history_length: null
    nan_policy: disabled
  critic: {}
commands:
  twist: {ranges: {lin_vel_x: !!python/tuple [-1.0, 1.0], lin_vel_y: [0, 0], ang_vel_z: [0, 0], heading: null}}
"""


def test_nested_terms_of_mjlab_are_read(tmp_path):
    (tmp_path / "env.yaml").write_text(MJLAB)
    assert blocks(run_settings(tmp_path).feature_names(18, 8)) == "v 3, q 8, o 4, c 3"


# unitree_rl_lab.


def deployed(width, history=1, **said):
    scale = [0.25] * width if width else None
    return {"params": {}, "clip": None, "scale": scale, "history_length": history, **said}


G1 = {
    "base_ang_vel": deployed(3, 5),
    "projected_gravity": deployed(3, 5),
    "velocity_commands": deployed(3, 5),
    "joint_pos_rel": deployed(29, 5),
    "joint_vel_rel": deployed(29, 5),
    "last_action": deployed(29, 5),
}


def test_widths_in_deploy_yaml_come_from_its_scales(tmp_path):
    settings = beside(tmp_path, G1, "params/deploy.yaml")
    names = settings.feature_names(480, 29)
    assert (len(names), names[0], names[14], names[-1]) == (
        480,
        "base_ang_vel[0] (t-4)",
        "base_ang_vel[2]",
        "last_action[28]",
    )
    assert settings.names_source == "params/deploy.yaml"
    assert settings.feature_names(475, 29) == ()
    assert beside(tmp_path, G1 | {"use_gym_history": False}, "params/deploy.yaml").feature_names(480, 29) == names
    assert beside(tmp_path, G1 | {"use_gym_history": True}, "params/deploy.yaml").feature_names(480, 29) == ()
    assert beside(tmp_path, {"obs": G1}, "params/deploy.yaml").feature_names(480, 29) == ()


def test_width_without_a_scale_comes_from_the_name(tmp_path):
    said = {"base_ang_vel": deployed(0), "joint_pos_rel": deployed(0), "last_action": deployed(0)}
    settings = beside(tmp_path, said, "params/deploy.yaml")
    assert blocks(settings.feature_names(27, 12)) == "base_ang_vel 3, joint_pos_rel 12, last_action 12"


def test_widths_that_env_yaml_lacks_come_from_deploy_yaml(tmp_path):
    beside(tmp_path, {"own": deployed(2), "clock": deployed(4)}, "params/deploy.yaml")
    settings = beside(tmp_path, {"policy": group(clock=term("a:clock"), own=term("a:own"), v=term("base_lin_vel"))})
    assert blocks(settings.feature_names(9, 1)) == "clock 4, own 2, v 3"
    assert settings.names_source == "params/env.yaml"


# Where the files are found, and unreadable files.


@pytest.mark.parametrize("place", ["params/env.yaml", "env.yaml", "../params/env.yaml"])
def test_env_yaml_is_found_next_to_the_checkpoints_or_one_folder_up(place, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    settings = beside(run, {"policy": group(v=term("base_lin_vel"))}, place)
    assert settings.feature_names(3, 1) == ("v[0]", "v[1]", "v[2]")
    assert settings.names_source == place


def test_env_yaml_is_found_next_to_the_given_settings(tmp_path):
    (tmp_path / "copied").mkdir()
    beside(tmp_path, {"policy": group(v=term("base_pos_z"))}, agent={"policy": {"activation": "elu"}})
    settings = run_settings(tmp_path / "copied", tmp_path / "params" / "agent.yaml")
    assert settings.feature_names(1, 1) == ("v",)


def test_env_yaml_is_read_once_when_names_are_requested(tmp_path, monkeypatch):
    settings = beside(tmp_path, {"policy": group(v=term("base_lin_vel"))})
    assert settings.feature_names(3, 1)
    (tmp_path / "params" / "env.yaml").write_text("[")
    assert settings.feature_names(3, 1)
    assert settings.unread == {}
    again = run_settings(tmp_path)
    assert again.unread == {}
    assert again.feature_names(3, 1) == ()
    assert again.unread["params/env.yaml"].startswith("expected YAML, got ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1",
        "observations: 3",
        "observations: {}",
        "observations: {policy: 3}",
        "observations: {policy: {terms: {}}}",
        "observations: {policy: {a: {func: [1], params: 3, scale: [], history_length: [1]}}}",
        "observations: {policy: null}",
        "observations: {policy: {a: {func: 'a:height_scan', params: {sensor_cfg: [1]}}}}\nscene: 1",
        "observations: {policy: {a: {func: 'a:generated_commands', params: {command_name: [1]}}}}\ncommands: {x: 1}",
        "observations: {policy: {a: {func: 'a:joint_pos', params: {asset_cfg: {joint_names: {a: 1}}}}}}\nactions: [1]",
        "observations: {policy: {history_length: 999999999999, a: {func: 'a:base_lin_vel'}}}",
    ],
)
@pytest.mark.parametrize("file", ["env.yaml", "deploy.yaml"])
def test_invalid_settings_give_no_names_or_only_the_term(file, text, tmp_path):
    (tmp_path / file).write_text(text)
    names = run_settings(tmp_path).feature_names(6, 2)
    assert names in ((), tuple(f"a[{i}]" for i in range(6)))


def test_a_name_is_made_printable_and_short(tmp_path):
    settings = beside(tmp_path, {"policy": group(**{"a\x1b[31m" + "b" * 999: term("base_pos_z")})})
    assert settings.feature_names(1, 1) == ("a?[31m" + "b" * 54,)


def test_terms_are_named_without_a_file():
    terms = [Term("a", 1, "joints", 2), Term("b", 2, "joints"), Term("c", 1, "actions")]
    assert blocks(feature_names(terms, 13, 1)) == "a (t-1) 3, a 3, b 6, c 1"
    assert feature_names(terms, 14, 1) == feature_names([], 3, 1) == feature_names(terms, 1, 1) == ()
    assert RunSettings().names_source == ""


def test_fewer_joints_than_actions_give_no_names(tmp_path):
    settings = beside(tmp_path, {"policy": group(joint_pos=term("joint_pos_rel"), actions=term("last_action"))})
    assert blocks(settings.feature_names(17, 8)) == "joint_pos 9, actions 8"
    assert settings.feature_names(10, 8) == ()
