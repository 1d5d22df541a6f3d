"""Settings next to a run are read under the names of rsl_rl 5, without calling anything in the files."""

import enum
import pickle

import pytest
import yaml

from rsl_edu.run_folder import CheckpointError, RunSettings, run_settings

HETEROSCEDASTIC = "HeteroscedasticGaussianDistribution"
AGENTS = {
    "rsl_rl 2": (
        "policy: {class_name: ActorCritic, init_noise_std: 1.0, actor_hidden_dims: [8], activation: relu}",
        {"activation": "relu"},
    ),
    "rsl_rl 3": (
        "policy:\n  activation: tanh\n  noise_std_type: log\n  state_dependent_std: true\n",
        {"activation": "tanh", "distribution_cfg": {"class_name": HETEROSCEDASTIC, "std_type": "log"}},
    ),
    "rsl_rl 3, one std": ("policy: {activation: elu, state_dependent_std: false}", {"activation": "elu"}),
    "rsl_rl 3, CNN": (
        "policy:\n  actor_cnn_cfg:\n    output_channels: !!python/tuple [2, 3]\n"
        "    stride: !!python/tuple\n    - 2\n    - 1\n",
        {"cnn_cfg": {"output_channels": [2, 3], "stride": [2, 1]}},
    ),
    "rsl_rl 4": (
        "actor: {activation: selu, state_dependent_std: true}\ncritic: {activation: elu}",
        {"activation": "selu", "distribution_cfg": {"class_name": HETEROSCEDASTIC, "std_type": "scalar"}},
    ),
    "rsl_rl 5": (
        "actor: {activation: elu, cnn_cfg: null, distribution_cfg: {class_name: BetaDistribution}}\npolicy: null\n",
        {"activation": "elu", "distribution_cfg": {"class_name": "BetaDistribution"}},
    ),
    "rsl_rl 5 of mjlab": (
        "actor:\n  activation: elu\n  distribution_cfg:\n    class_name: GaussianDistribution\n    init_std: 0.25\n"
        "    std_range: !!python/tuple\n    - 0.05\n    - 0.5\n    std_type: scalar\n",
        {
            "activation": "elu",
            "distribution_cfg": {
                "class_name": "GaussianDistribution",
                "init_std": 0.25,
                "std_range": [0.05, 0.5],
                "std_type": "scalar",
            },
        },
    ),
    "distillation": ("student: {activation: relu}\nteacher: {activation: elu}", {"activation": "relu"}),
    "what is missing": (  # Isaac Lab writes {} for missing values
        "actor: {}\nobs_groups: {}\nalgorithm: {}\n"
        "policy: {activation: tanh, distribution_cfg: {}, cnn_cfg: {}, noise_std_type: {}}",
        {"activation": "tanh"},
    ),
    "nothing said": ("policy: {activation: '', actor_hidden_dims: [8]}", {}),
    "capitals": ("policy: {activation: ELU}", {"activation": "elu"}),
    "no activation of rsl_rl": ("policy: {activation: Sine}", {"activation": "sine"}),
    "objects": (
        "actor:\n  activation: relu\n  model: !!python/name:torch.nn.ELU ''\n  x: !!python/object:a.B {c: 1}\n",
        {"activation": "relu"},
    ),
    "anchors": ("base: &id001\n  activation: selu\nactor: *id001\n", {"activation": "selu"}),
    "Weights & Biases": (
        "_wandb: {value: {}}\ntrain_cfg:\n  desc: null\n  value:\n    policy: {activation: tanh}\n",
        {"activation": "tanh"},
    ),
}
NOT_RSL_RL = {
    "nothing": "",
    "a list": "- 1",
    "a text": "actor: none",
    "skrl": "agent: {class: PPO}\nmodels: {policy: {class: GaussianMixin, network: [{activations: elu}]}}",
    "rl_games": "params: {network: {mlp: {units: [8], activation: elu}}}",
    "Stable-Baselines3": "policy: MlpPolicy\npolicy_kwargs: 'dict(activation_fn=nn.ELU)'",
    "environment": "observations: {policy: {base_lin_vel: {func: 'isaaclab.envs.mdp.observations:base_lin_vel'}}}",
}


def beside(folder, content, name="params/agent.yaml"):
    """The folder with a settings file in it: YAML for a string, otherwise a pickle."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        (folder / name).write_text(content)
    else:
        (folder / name).write_bytes(pickle.dumps(content))
    return folder


@pytest.mark.parametrize("release", AGENTS)
def test_configuration_of_any_release_gets_the_names_of_rsl_rl_5(release, tmp_path):
    text, expected = AGENTS[release]
    settings = run_settings(beside(tmp_path, text))
    assert settings.actor == expected
    assert settings.source == "params/agent.yaml"
    assert not settings.unread


@pytest.mark.parametrize("library", NOT_RSL_RL)
def test_settings_of_other_libraries_are_ignored(library, tmp_path):
    settings = run_settings(beside(tmp_path, NOT_RSL_RL[library]))
    assert (settings.actor, settings.source, settings.unread) == ({}, "", {})
    beside(tmp_path, "policy: {activation: tanh}", "agent.yaml")
    assert run_settings(tmp_path).source == "agent.yaml"
    with pytest.raises(CheckpointError, match=r"agent\.yaml: expected the settings of an actor, as in agent.yaml"):
        run_settings(tmp_path, tmp_path / "params" / "agent.yaml")


def test_settings_are_empty_without_a_file(tmp_path):
    settings = run_settings(tmp_path)
    assert settings == RunSettings(folders=(tmp_path,))
    assert (settings.feature_names(3, 1), settings.names_source) == ((), "")
    assert RunSettings({"activation": "elu"}, "you").feature_names(3, 1) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "policy: {init_noise_std: 0.8}\nalgorithm: {learning_rate: 1.0e-3, schedule: adaptive}",
            (0.8, "adaptive", 1e-3),
        ),
        ("policy: {init_noise_std: 1}\nalgorithm: {learning_rate: 1e-3, schedule: fixed}", (1, "fixed", 1e-3)),
        ("actor: {distribution_cfg: {init_std: 0.25}, init_noise_std: 1.0}", (0.25, None, None)),
        ("actor: {distribution_cfg: {}, init_noise_std: 0.5}\nalgorithm: {learning_rate: {}}", (0.5, None, None)),
        ("actor: {distribution_cfg: {class_name: BetaDistribution}}\nalgorithm: {schedule: 1}", (None, None, None)),
        ("actor: {activation: elu, init_noise_std: .nan}\nalgorithm: {learning_rate: true}", (None, None, None)),
        ("actor: {activation: elu, init_noise_std: {}}\nalgorithm: null", (None, None, None)),
        (f"policy: {{init_noise_std: 1{'0' * 400}}}\nalgorithm: [1]", (None, None, None)),
    ],
)
def test_initial_std_and_learning_rate_are_read_if_they_are_numbers(text, expected, tmp_path):
    settings = run_settings(beside(tmp_path, text))
    assert (settings.init_std, settings.schedule, settings.learning_rate) == expected


@pytest.mark.parametrize(
    ("said", "groups"),
    [
        ("{policy: [policy], critic: [policy, critic]}", ("policy",)),
        ("{actor: !!python/tuple [state, scan], critic: [critic]}", ("state", "scan")),
        ("{student: [policy], teacher: [privileged]}", ("policy",)),
        ("{}", ()),
        ("null", ()),
        ("{critic: [a]}", ()),
        ("{policy: 3}", ()),
    ],
)
def test_observation_groups_of_the_actor_are_read(said, groups, tmp_path):
    assert run_settings(beside(tmp_path, f"actor: {{activation: elu}}\nobs_groups: {said}")).groups == groups


# Genesis.

POLICY = {
    "activation": "tanh",
    "actor_hidden_dims": [128, 128],
    "critic_hidden_dims": [128, 128],
    "init_noise_std": 0.9,
}
TRAIN = {"algorithm": {"learning_rate": 0.0003, "schedule": "adaptive"}, "policy": POLICY, "seed": 1}
ENV = {"num_actions": 4, "base_init_pos": [-3.0, 0.0, 2.5], "clip_actions": None, "visualize": False}
GENESIS = {
    "list": [ENV, {"num_obs": 17}, {"reward_scales": {}}, {"num_commands": 3}, TRAIN],
    "list of 4": [ENV, {"a": 1.0}, {"robot": "franka"}, TRAIN],
    "tuple": (ENV, {}, {}, TRAIN, {"policy": {"vision_encoder": {"pooling": "max"}}, "batch_size": 4}),
    "other order": (TRAIN, ENV),
    "dictionary": {"env_cfg": ENV, "train_cfg": TRAIN},
}


@pytest.mark.parametrize("kind", GENESIS)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_genesis_are_read(kind, protocol, tmp_path):
    (tmp_path / "cfgs.pkl").write_bytes(pickle.dumps(GENESIS[kind], protocol))
    (tmp_path / "copied.yaml").write_bytes(pickle.dumps(GENESIS[kind], protocol))
    for settings in (run_settings(tmp_path), run_settings(tmp_path, tmp_path / "copied.yaml")):
        assert settings.actor == {"activation": "tanh"}
        assert (settings.init_std, settings.schedule, settings.learning_rate) == (0.9, "adaptive", 0.0003)
    assert run_settings(tmp_path).source == "cfgs.pkl"


def test_settings_of_genesis_in_the_names_of_rsl_rl_5_are_read(tmp_path):
    train = {
        "actor": {"activation": "relu", "distribution_cfg": {"init_std": 0.5}},
        "obs_groups": {"actor": ["policy"]},
    }
    settings = run_settings(beside(tmp_path, [ENV, train], "cfgs.pkl"))
    assert (settings.actor["activation"], settings.init_std, settings.groups) == ("relu", 0.5, ("policy",))


# Where the settings are found.


@pytest.mark.parametrize(
    "place", ["params/agent.yaml", "agent.yaml", "cfgs.pkl", "config.yaml", "../params/agent.yaml", "../cfgs.pkl"]
)
@pytest.mark.parametrize("given", ["folder", "file", "here"])
def test_settings_are_found_next_to_the_checkpoints_or_one_folder_up(place, given, tmp_path, monkeypatch):
    run = tmp_path / "run" / "checkpoints"
    run.mkdir(parents=True)
    (run / "model_0.pt").touch()
    beside(run, TRAIN if place.endswith("pkl") else yaml.dump(TRAIN), place)
    monkeypatch.chdir(run)
    settings = run_settings({"folder": run, "file": run / "model_0.pt", "here": "model_0.pt"}[given])
    assert (settings.source, settings.actor) == (place, {"activation": "tanh"})


def test_nearest_file_is_used(tmp_path):
    run = tmp_path / "run"
    for place, activation in (("../params/agent.yaml", "elu"), ("cfgs.pkl", "selu"), ("params/agent.yaml", "relu")):
        beside(run, yaml.dump({"policy": {"activation": activation}}), place)
        assert run_settings(run).actor == {"activation": activation}


def test_given_file_replaces_those_that_are_found(tmp_path):
    beside(tmp_path, "policy: {activation: relu}")
    beside(tmp_path, "policy: {activation: selu}", "mine.txt")
    settings = run_settings(tmp_path, tmp_path / "mine.txt")
    assert (settings.actor, settings.source) == ({"activation": "selu"}, "mine.txt")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run_settings(tmp_path, tmp_path / "nowhere.yaml")


# Files that cannot be read.

BROKEN = [
    "a: [",
    "\tx: 1",
    "a: 2024-99-99",
    "a: !!bool x",
    "a: !!int ''",
    "a: *b",
    "a: " + "[" * 999,
    "- " * 50_000 + "x",
    "? [x]\n: y",
    "? {x: 1}\n: y",
    "a: !b c",
    "\x00",
    f"policy: {{activation: elu, x: {'9' * 5000}}}",
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_invalid_yaml_raises_an_error_if_given_and_is_listed_if_found(text, tmp_path):
    beside(tmp_path, text)
    with pytest.raises(CheckpointError, match=r"agent\.yaml: expected YAML, got ") as error:
        run_settings(tmp_path, tmp_path / "params" / "agent.yaml")
    assert str(error.value).isprintable()
    beside(tmp_path, "policy: {activation: tanh}", "agent.yaml")
    settings = run_settings(tmp_path)
    assert list(settings.unread) == ["params/agent.yaml"]
    assert settings.unread["params/agent.yaml"].startswith("expected YAML, got ")
    assert (settings.actor, settings.source) == ({"activation": "tanh"}, "agent.yaml")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\xff\xff", "expected YAML or a pickle of plain data, got neither"),
        (b"#" * ((4 << 20) + 1), "expected settings of at most 4,194,304 bytes, got 4,194,305"),
        (b"\x80\x04.", "expected a pickle, got "),
        (pickle.dumps([{"policy": POLICY, "x": enum.Enum}]), "it refers to enum.Enum"),
    ],
)
def test_other_files_are_described(content, said, tmp_path):
    (tmp_path / "agent.yaml").write_bytes(content)
    with pytest.raises(CheckpointError, match=said):
        run_settings(tmp_path, tmp_path / "agent.yaml")
    assert said in run_settings(tmp_path).unread["agent.yaml"]


def test_unreadable_file_is_listed(tmp_path, monkeypatch):
    def refused(self):
        raise PermissionError(13, "Permission denied", str(self))

    beside(tmp_path, "policy: {activation: relu}")
    monkeypatch.setattr("pathlib.Path.read_bytes", refused)
    assert run_settings(tmp_path).unread == {"params/agent.yaml": "Permission denied"}
    with pytest.raises(PermissionError):
        run_settings(tmp_path, tmp_path / "params" / "agent.yaml")


# Harmful files.


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [{}]",
        "actor: !!python/object/apply:os.system ['{}']",
        "actor: {{activation: !!python/object/new:os.system {{args: ['{}']}}}}",
        "actor: !!python/object/apply:subprocess.check_output {{args: ['{}'], kwds: {{shell: true}}}}",
    ],
)
def test_nothing_in_a_configuration_is_called(text, tmp_path):
    beside(tmp_path, text.format(f"touch {tmp_path / 'marker'}"))
    settings = run_settings(tmp_path)
    assert not any(settings.actor.values())
    assert not settings.unread
    assert not (tmp_path / "marker").exists()


def test_nested_references_take_no_time(tmp_path):
    levels = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    merged = ["b0: &b0 {x: 1}"] + [f"b{i}: &b{i} {{<<: [{', '.join([f'*b{i - 1}'] * 9)}]}}" for i in range(1, 40)]
    circle = ["c: &c [*c]", "d: &d {e: *d}"]
    settings = run_settings(beside(tmp_path, "\n".join(levels + merged + circle + ["z: {policy: {activation: mish}}"])))
    assert settings.actor == {"activation": "mish"}
    bomb = {"policy": {"activation": "gelu"}}
    for _ in range(60):
        bomb = [bomb] * 9
    assert run_settings(beside(tmp_path / "other", bomb, "cfgs.pkl")).actor == {"activation": "gelu"}
