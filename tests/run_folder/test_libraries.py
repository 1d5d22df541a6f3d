"""A torch file of another library is recognized by the names in it; files of rsl_rl are not mistaken for one."""

import pytest

from rsl_edu.run_folder import whose

SKRL = ["net_container.0.weight", "policy_layer.weight", "value_layer.weight", "log_std_parameter"]
RL_GAMES = [
    "running_mean_std.running_mean",
    "a2c_network.sigma",
    "a2c_network.actor_mlp.0.weight",
    "a2c_network.mu.weight",
]


@pytest.mark.parametrize(
    ("keys", "names", "said"),
    [
        (["policy", "value", "optimizer"], SKRL, "an agent of skrl, "),
        (["policy", "value", "optimizer"], ["policy.net_container.0.weight"], "an agent of skrl, "),
        (["policy", "value", "optimizer", "state_preprocessor", "value_preprocessor"], [], "an agent of skrl, "),
        (["policy", "optimizer", "observation_preprocessor", "__metadata__"], [], "an agent of skrl, "),
        (
            ["model", "epoch", "frame", "optimizer", "last_mean_rewards", "env_state"],
            RL_GAMES,
            "a checkpoint of rl_games, ",
        ),
        (["model", "epoch", "optimizer"], RL_GAMES, "a checkpoint of rl_games, "),
        (RL_GAMES, [], "a checkpoint of rl_games, "),
        (
            ["actor_state_dict", "qnet_state_dict", "qnet_target_state_dict", "obs_normalizer_state", "global_step"],
            ["net.0.weight"],
            "a checkpoint of FastTD3 or another off-policy method (it contains qnet_state_dict), not of PPO; ",
        ),
        (
            ["actor", "critic", "critic_target", "log_alpha"],
            [],
            "a checkpoint of an off-policy method (it contains critic_target",
        ),
        (
            ["state_dict", "pytorch-lightning_version", "hyper_parameters", "epoch"],
            [],
            "a checkpoint of PyTorch Lightning, ",
        ),
        (
            ["actor_model_state_dict", "critic_model_state_dict", "iter", "infos"],
            ["actor_module.module.0.weight", "std"],
            "a checkpoint of HumanoidVerse or ASAP, a fork of rsl_rl ",
        ),
        (
            ["std", "adaptation_module.0.weight", "actor_body.0.weight", "critic_body.0.weight"],
            [],
            "a checkpoint of walk-",
        ),
        (
            ["model_state_dict", "iter"],
            ["actor.actor_backbone.0.weight", "std"],
            "a checkpoint of extreme-parkour or one ",
        ),
        (["actor_mean.0.weight", "actor_logstd", "critic.0.weight"], [], "an agent of CleanRL, "),
        (["model", "algo_name", "config"], [], "a policy of robomimic, "),
        (
            ["model"],
            ["_encoder.state.0.weight", "_dynamics.0.weight"],
            "a world model, such as those of TD-MPC2 and Dreamer, ",
        ),
        (
            ["model_state_dict", "optimizer_state_dict", "epoch"],
            ["conv1.weight"],
            "a checkpoint of another training program in ",
        ),
    ],
)
def test_another_library_is_recognized_by_its_names(keys, names, said):
    told = whose(keys, names)
    assert told.startswith(said)
    assert "rsl_rl" in told
    assert "{" not in told


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ([], []),
        (["iter", 3, None], [("a",)]),
        (["actor_state_dict", "critic_state_dict", "optimizer_state_dict", "iter", "infos"], ["mlp.0.weight"]),
        (
            ["model_state_dict", "optimizer_state_dict", "iter", "infos"],
            ["actor.0.weight", "std", "memory_a.rnn.weight_ih_l0"],
        ),
        (
            ["model_state_dict", "estimator_optimizer_state_dict"],
            ["estimator.target.0.weight", "estimator.encoder.0.weight"],
        ),
        (["model_state_dict", "discriminator_state_dict", "amp_normalizer"], ["trunk.0.weight", "amp_linear.weight"]),
        (["student_state_dict", "teacher_state_dict"], ["mlp.0.weight"]),
        (["obs_norm_state_dict", "privileged_obs_norm_state_dict"], ["_mean"]),
    ],
)
def test_names_of_rsl_rl_and_unknown_names_give_none(keys, names):
    assert whose(keys, names) is None


def test_stable_baselines3_policy_without_its_zip_is_recognized():
    names = ["mlp_extractor.policy_net.0.weight", "action_net.weight", "value_net.weight"]
    assert whose(names).startswith("a policy of Stable-Baselines3, ")
