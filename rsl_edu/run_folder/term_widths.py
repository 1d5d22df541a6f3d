"""Determines the number of features of an observation term from its function and the environment's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ACTIONS, JOINTS = "actions", "joints"
"""A term may have one feature for each of these. A policy's number of actions is known; its number of joints is not."""
_FEATURES = {  # functions with a fixed number of features in Isaac Lab, mjlab, unitree_rl_lab and BeyondMimic
    1: "base_pos_z base_up_proj base_heading_proj base_angle_to_target",
    2: "base_yaw_roll gait_phase",
    3: "base_lin_vel base_ang_vel projected_gravity root_pos_w root_lin_vel_w root_ang_vel_w imu_ang_vel imu_lin_acc "
    "imu_projected_gravity object_position_in_robot_root_frame rel_ee_object_distance rel_ee_drawer_distance "
    "ee_frame_pos motion_anchor_pos_b",
    4: "root_quat_w imu_orientation ee_frame_quat",
    6: "motion_anchor_ori_b",
}
_FIXED = {name: features for features, names in _FEATURES.items() for name in names.split()}
_OF_EACH_JOINT = re.compile(r"joint_(pos|vel)(_rel)?|joint_pos_limit_normalized|joint_effort")
_OF_EACH_BODY = {"body_pose_w": 7, "body_projected_gravity_b": 3, "body_incoming_wrench": 6}
_COMMANDS = {
    r"(Uniform|Normal)\w*VelocityCommand": 3,
    "(Uniform|TerrainBased)Pose2dCommand": 4,
    "UniformPoseCommand": 7,
}
"""Class of a command (a pattern) → its number of features."""
_VELOCITIES = {"lin_vel_x", "lin_vel_y", "ang_vel_z"}
_SENSORS = {r".*(lin_vel|ang_vel|gyro|acc|velocimeter).*": 3, r".*quat.*": 4}
"""Name of a MuJoCo sensor (a pattern) → its number of features."""
_JOINT_ACTION = re.compile(r".*[:.]\w*Joint(Position|Velocity|Effort)\w*Action")

Width = tuple[int, str]
"""A number of features, and what it must be multiplied by, such as the number of joints; empty if it is the total."""


def width(name: str, term: Mapping[str, Any], settings: Mapping[str, Any]) -> Width:
    """Return the width of a term.

    Args:
        name: Name of the term, which stands for the width if the width is unknown.
        term: Its settings in an ``env.yaml``: ``func``, ``params``, ``scale``.
        settings: The contents of the ``env.yaml``, which describes commands, actions and sensors in other places.
    """
    scale, params = term.get("scale"), _table(term, "params")
    function = re.split("[:.]", str(term["func"]))[-1]
    if isinstance(scale, list) and len(scale) > 1:
        return len(scale), ""
    if function in _FIXED:
        return _FIXED[function], ""
    if _OF_EACH_JOINT.fullmatch(function):
        return _of_each("joint", 1, _table(params, "asset_cfg"), settings)
    if function in _OF_EACH_BODY:
        return _of_each("body", _OF_EACH_BODY[function], _table(params, "asset_cfg"), settings)
    if function == "last_action":
        return 1, ACTIONS if params.get("action_name") is None else f"actions of {params['action_name']}"
    if function == "generated_commands":
        return _of_command(params.get("command_name"), settings)
    if function == "height_scan":
        return _of_scan(name, _table(params, "sensor_cfg").get("name"), settings)
    if function == "builtin_sensor":
        return _first(_SENSORS, str(params.get("sensor_name")), name)
    return 1, name


def deployed_width(name: str, term: Mapping[str, Any]) -> Width:
    """Return the width of a term in a ``deploy.yaml``, which has a scale for each feature but no functions."""
    scale = term.get("scale")
    return (len(scale), "") if isinstance(scale, list) and scale else width(name, {"func": name}, {})


def _of_each(what: str, features: int, asset: Mapping[str, Any], settings: Mapping[str, Any]) -> Width:
    """Return the width of a term with ``features`` features for each joint or body of an asset, or each named one."""
    ids, names, owner = asset.get(f"{what}_ids"), asset.get(f"{what}_names"), asset.get("name") or "robot"
    if isinstance(ids, list) and ids:
        return features * len(ids), ""
    names = [names] if isinstance(names, str) else names
    if not names or names == [".*"]:
        if what == "joint" and owner == "robot":
            return features, ACTIONS if _acts_on_every_joint(settings) else JOINTS
        return features, f"{what} of {owner}"
    if isinstance(names, list) and all(re.fullmatch(r"[\w /-]+", str(one)) for one in names):
        return features * len(names), ""
    return features, f"{what} of {owner} in {names!r:.200}"


def _acts_on_every_joint(settings: Mapping[str, Any]) -> bool:
    actions = [action for action in _table(settings, "actions").values() if isinstance(action, dict)]
    return (
        len(actions) == 1
        and actions[0].get("joint_names") == [".*"]
        and bool(_JOINT_ACTION.fullmatch(str(actions[0].get("class_type"))))
    )


def _of_command(name: Any, settings: Mapping[str, Any]) -> Width:
    command = _table(_table(settings, "commands"), name)
    if "motion_file" in command:  # positions and velocities of the joints in the motion
        return 2, ACTIONS if _acts_on_every_joint(settings) else JOINTS
    if set(_table(command, "ranges")) - {"heading"} == _VELOCITIES:
        return 3, ""
    return _first(_COMMANDS, re.split("[:.]", str(command.get("class_type")))[-1], f"command {name}")


def _of_scan(name: str, sensor: Any, settings: Mapping[str, Any]) -> Width:
    """Return the number of rays in the grid of a height scanner; the grid includes both ends."""
    pattern = _table(_table(_table(settings, "scene"), sensor), "pattern_cfg")
    try:
        (across, along), step = pattern["size"], pattern["resolution"]
        rays = [int(float(side) / float(step) + 1e-6) + 1 for side in (across, along)]
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return 1, name
    return (rays[0] * rays[1], "") if min(rays) > 0 else (1, name)


def _first(widths: Mapping[str, int], text: str, unknown: str) -> Width:
    return next(((features, "") for pattern, features in widths.items() if re.fullmatch(pattern, text)), (1, unknown))


def _table(said: Mapping[str, Any], name: Any) -> Mapping[str, Any]:
    """Return the value of a key if it is a dictionary, otherwise an empty dictionary."""
    inner = said.get(name) if isinstance(name, str) else None
    return inner if isinstance(inner, dict) else {}
