"""What is in the folder of a run is found, and nothing in its configuration is called."""

import pytest

from rsl_edu.run_folder import CheckpointError, agent_config, checkpoint_files


def test_checkpoints_are_in_the_order_of_their_iterations(tmp_path):
    for name in ("model_100.pt", "model_50.pt", "model_0.pt", "best.pt", "model_x.pt"):
        (tmp_path / name).touch()
    assert [file.name for file in checkpoint_files(tmp_path)] == ["model_0.pt", "model_50.pt", "model_100.pt"]
    assert checkpoint_files(tmp_path / "best.pt") == [tmp_path / "best.pt"]


def test_a_folder_without_checkpoints_says_where_some_are(tmp_path):
    with pytest.raises(CheckpointError, match=f"{tmp_path}: no checkpoint .*, nor in its folders"):
        checkpoint_files(tmp_path)
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "model_0.pt").touch()
    with pytest.raises(CheckpointError, match="its folders first, second have some"):
        checkpoint_files(tmp_path)


def test_only_numbered_files_are_checkpoints(tmp_path):
    (tmp_path / "model_0.pt").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model_final.pt").touch()
    with pytest.raises(CheckpointError, match="nor in its folders"):
        checkpoint_files(tmp_path)


def test_a_run_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        checkpoint_files(tmp_path / "nowhere")


# What Isaac Lab writes beside the checkpoints.

AGENTS = {
    "rsl_rl 2": (
        "policy: {class_name: ActorCritic, init_noise_std: 1.0, actor_hidden_dims: [8], activation: relu}",
        {"activation": "relu"},
    ),
    "rsl_rl 3": (
        "policy:\n  activation: tanh\n  noise_std_type: log\n  state_dependent_std: true\n",
        {
            "activation": "tanh",
            "distribution_cfg": {"class_name": "HeteroscedasticGaussianDistribution", "std_type": "log"},
        },
    ),
    "rsl_rl 3, one std": ("policy: {activation: elu, state_dependent_std: false}", {"activation": "elu"}),
    "rsl_rl 3, CNN": (
        "policy:\n  actor_cnn_cfg:\n    output_channels: !!python/tuple [2, 3]\n"
        "    stride: !!python/tuple\n    - 2\n    - 1\n",
        {"cnn_cfg": {"output_channels": [2, 3], "stride": [2, 1]}},
    ),
    "rsl_rl 4": (
        "actor: {activation: selu, state_dependent_std: true}\ncritic: {activation: elu}",
        {
            "activation": "selu",
            "distribution_cfg": {"class_name": "HeteroscedasticGaussianDistribution", "std_type": "scalar"},
        },
    ),
    "rsl_rl 5": (
        "actor: {activation: elu, cnn_cfg: null, distribution_cfg: {class_name: BetaDistribution}}\npolicy: null\n",
        {"activation": "elu", "distribution_cfg": {"class_name": "BetaDistribution"}},
    ),
    "distillation": ("student: {activation: relu}\nteacher: {activation: elu}", {"activation": "relu"}),
    "objects": (
        "actor:\n  activation: relu\n  model: !!python/name:torch.nn.ELU ''\n  x: !!python/object:a.B {c: 1}\n",
        {"activation": "relu"},
    ),
    "nothing": ("", {}),
    "a list": ("- 1", {}),
    "a text": ("actor: none", {}),
}


@pytest.mark.parametrize("release", AGENTS)
def test_the_configuration_of_any_release_is_read_in_the_names_of_rsl_rl_5(release, tmp_path):
    text, expected = AGENTS[release]
    (tmp_path / "agent.yaml").write_text(text)
    assert agent_config(tmp_path / "agent.yaml") == expected


def test_where_there_is_no_configuration_nothing_is_said(tmp_path):
    assert agent_config(tmp_path / "agent.yaml") == {}


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "\tx: 1",
        "a: 2024-99-99",
        "a: !!bool x",
        "a: !!int ''",
        "a: *b",
        "a: " + "[" * 999,
        "? [x]\n: y",
        "\x00",
    ],
)
def test_a_configuration_that_is_no_yaml_is_told(text, tmp_path):
    (tmp_path / "agent.yaml").write_text(text)
    with pytest.raises(CheckpointError, match=r"agent\.yaml: expected YAML, got ") as error:
        agent_config(tmp_path / "agent.yaml")
    assert str(error.value).isprintable()


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
    (tmp_path / "agent.yaml").write_text(text.format(f"touch {tmp_path / 'marker'}"))
    assert agent_config(tmp_path / "agent.yaml") == {}
    assert not (tmp_path / "marker").exists()
