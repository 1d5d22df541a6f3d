"""A policy is rebuilt from the shapes of its weights; weights that do not fit together are refused."""

import copy
import re

import pytest
import torch
from actors import built, contents, refusal, saved, without
from peak_memory import peak_memory
from peer import needs_rsl_rl

from rsl_edu import checkpoint
from rsl_edu.checkpoint import Policy
from rsl_edu.modules import CNN, MLP, GaussianDistribution


def test_the_order_of_the_parameters_in_a_file_does_not_matter(tmp_path):
    weights = dict(reversed(built("lstm", hidden=(7,) * 11).state_dict().items()))  # mlp.10 after mlp.2
    found = checkpoint.read(saved(tmp_path, {"actor_state_dict": weights})).policy
    torch.testing.assert_close(dict(found.state_dict()), weights, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_are_converted_to_single_precision(dtype, tmp_path):
    weights = {name: tensor.to(dtype) for name, tensor in built().state_dict().items() if tensor.is_floating_point()}
    policy = checkpoint.read(saved(tmp_path, contents(weights))).policy
    assert {tensor.dtype for tensor in policy.state_dict().values()} == {torch.float32, torch.int64}
    torch.testing.assert_close(policy.mlp[0].weight, weights["mlp.0.weight"].float(), rtol=0, atol=0)
    assert policy(torch.ones(3, 4)).dtype == torch.float32


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_with_nan_or_infinity_are_read(value, tmp_path):
    policy = checkpoint.read(saved(tmp_path, contents({"mlp.2.bias": torch.full((2,), value)}))).policy
    assert not policy(torch.ones(3, 4)).isfinite().any()


def test_reading_draws_no_random_numbers_and_needs_no_gradients(tmp_path):
    cnn = CNN((8, 8), 1, [2], 3, norm="batch")
    policies = {
        "mlp": built(),
        "gru": built("gru"),
        "lstm": built("lstm"),
        "cnn": built(cnns={"scan": cnn}),
    }
    for name, policy in policies.items():
        path = saved(tmp_path, {"actor_state_dict": policy.state_dict()}, f"{name}.pt")
        before = torch.get_rng_state()
        found = checkpoint.read(path, config={"cnn_cfg": {"norm": "batch"}}, images={"scan": (8, 8)}).policy
        assert torch.equal(torch.get_rng_state(), before)
        assert not any(module.training for module in found.modules())
        assert not any(tensor.requires_grad for tensor in found.parameters())
        assert not found(torch.ones(2, 4), {"scan": torch.ones(2, 1, 8, 8)}).requires_grad


def test_several_images_are_used_in_the_order_of_the_file(tmp_path):
    policy = built(cnns={"left": CNN((8, 8), 1, [2], 3), "arm": CNN((6, 4), 3, [4], 3)}).eval()
    path = saved(tmp_path, {"actor_state_dict": policy.state_dict()})
    found = checkpoint.read(path, images={"arm": (6, 4), "left": (8, 8)}).policy
    images = {"arm": torch.rand(2, 3, 6, 4), "left": torch.rand(2, 1, 8, 8)}
    torch.testing.assert_close(found(torch.ones(2, 4), images), policy(torch.ones(2, 4), images))


def test_actor_with_images_only_is_read_without_its_empty_normalizer(tmp_path):
    torch.manual_seed(0)
    cnn = CNN((8, 8), 1, [2], 3)
    own = Policy(MLP(cnn.output_dim, 2, [6]), GaussianDistribution(2), None, cnns={"scan": cnn}).eval()
    nothing = {"_mean": torch.zeros(1, 0), "_var": torch.ones(1, 0), "_std": torch.ones(1, 0), "count": torch.tensor(5)}
    weights = own.state_dict() | {f"obs_normalizer.{name}": tensor for name, tensor in nothing.items()}
    policy = checkpoint.read(saved(tmp_path, {"actor_state_dict": weights}), images={"scan": (8, 8)}).policy
    seen = {"scan": torch.randn(3, 1, 8, 8)}
    assert policy.features == 0
    torch.testing.assert_close(policy(torch.empty(3, 0), seen), own(torch.empty(3, 0), seen))


# Settings that are not in the file.


@needs_rsl_rl
def test_settings_that_are_not_in_the_file_must_be_given(trained):
    assert re.match(
        "the actor takes the image 'scan', but .* its size.*images=", refusal(trained("cnn", "gaussian")[2], config={})
    )
    for distribution in ("heteroscedastic", "beta"):
        path = trained("mlp", distribution)[2]
        assert "either the std depends on the state or the actions have a Beta" in refusal(path)
        assert "give distribution_cfg" in refusal(path, config={"distribution_cfg": {"class_name": "Own"}})


@needs_rsl_rl
def test_wrong_size_or_configuration_of_an_image_is_reported(trained):
    _, config, path = trained("cnn", "gaussian")
    assert "the actor's parts do not fit together" in refusal(path, config=config["actor"], images={"scan": (9, 9)})
    unpadded = copy.deepcopy(config["actor"])
    unpadded["cnn_cfg"] |= {"norm": "none"}
    assert "the actor's parts do not fit together" in refusal(path, config=unpadded, images={"scan": (8, 8)})
    assert "stride" in refusal(path, config={"cnn_cfg": {"stride": "two"}}, images={"scan": (8, 8)})
    assert "input_dim" in refusal(path, images={"scan": 8})


def test_invalid_configuration_is_reported(tmp_path):
    path = saved(tmp_path, contents())
    assert "activation: expected one of elu" in refusal(path, activation="mean")
    assert "std_range" in refusal(path, config={"distribution_cfg": {"std_range": 5}})
    for nonsense in ("Beta", 5, ["x"]):
        refusal(path, config={"distribution_cfg": nonsense})
    bare = saved(tmp_path, {"actor_state_dict": without(contents()["actor_state_dict"], "distribution.std_param")})
    beta = {"class_name": "BetaDistribution", "action_range": (1, 1)}
    assert "action_range" in refusal(bare, config={"distribution_cfg": beta})
    odd = {name: tensor for name, tensor in built().state_dict().items() if "std" not in name}
    odd |= {"mlp.2.weight": torch.ones(3, 8), "mlp.2.bias": torch.ones(3)}
    message = refusal(saved(tmp_path, {"actor_state_dict": odd}), config={"distribution_cfg": beta})
    assert message == "BetaDistribution needs two outputs for each action, but the MLP has 3"


# Weights that do not fit together.


NAMES = {kind: tuple(built(kind).state_dict()) for kind in (None, "gru", "lstm")}


@pytest.mark.parametrize(
    ("rnn", "name"), [pytest.param(rnn, name, id=f"{rnn}-{name}") for rnn in NAMES for name in NAMES[rnn]]
)
def test_missing_parameter_is_reported(rnn, name, tmp_path):
    weights = without(built(rnn).state_dict(), name)
    message = refusal(saved(tmp_path, {"actor_state_dict": weights}))
    assert re.match("the actor('s parts do not fit together| has no| has an RNN without)", message)


@pytest.mark.parametrize("name", ["mlp.99.weight", "mlp.99.bias", "mlp.x", "obs_normalizer.more", "cnns", "rnn.rnn.x"])
@pytest.mark.parametrize("shape", [(2,), (2, 2)])
def test_unexpected_parameter_is_named(name, shape, tmp_path):
    message = refusal(saved(tmp_path, contents({name: torch.ones(shape)})))
    assert message.startswith("the actor's parts do not fit together")
    assert name in message


@pytest.mark.parametrize("name", NAMES["gru"])
def test_parameter_of_the_wrong_shape_is_reported(name, tmp_path):
    """For all shapes, including empty ones, which a file of any size can declare."""
    weights = dict(built("gru").state_dict())
    shapes = [(), (1,), (5,), (1, 5), (5, 1), (9, 7), (2, 3, 4), (2, 1, 3, 3)]
    shapes += [(0,), (0, 4), (8, 0), (0, 10**8), (10**8, 0), (2**62, 0), (0, 2**62), (1, 0)]
    before = peak_memory()
    for shape in shapes:
        if shape != tuple(weights[name].shape):
            refusal(saved(tmp_path, {"actor_state_dict": weights | {name: torch.empty(shape)}}))
    assert peak_memory() - before < 200_000  # KiB


def test_normalizer_whose_mean_is_not_a_vector_is_reported(tmp_path):
    weights = {f"obs_normalizer.{name}": torch.ones(1, 2, 2) for name in ("_mean", "_var", "_std")}
    assert refusal(saved(tmp_path, contents(weights))) == (
        "expected obs_normalizer._mean of shape [1, features], got [1, 2, 2]"
    )


@pytest.mark.parametrize("rnn", ["gru", "lstm"])
def test_rnn_that_does_not_fit_the_mlp_is_reported(rnn, tmp_path):
    weights = built(rnn).state_dict() | {"mlp.0.weight": torch.ones(8, 5)}
    assert refusal(saved(tmp_path, {"actor_state_dict": weights})) == (
        "the actor's parts do not fit together: its RNN returns 3 features, but its MLP takes 5"
    )
    statistics = {f"obs_normalizer.{name}": torch.ones(1, 6) for name in ("_mean", "_var", "_std")}
    path = saved(tmp_path, {"actor_state_dict": built(rnn).state_dict() | statistics})
    assert "its normalizer has 6 features, but its network takes 4" in refusal(path)


def test_images_with_too_many_features_for_the_mlp_are_reported(tmp_path):
    weights = built(cnns={"scan": CNN((8, 8), 1, [2], 3)}).state_dict()
    bare = {name: tensor for name, tensor in weights.items() if "normalizer" not in name}
    assert refusal(saved(tmp_path, {"actor_state_dict": bare}), images={"scan": (20, 20)}) == (
        "the actor's parts do not fit together: its CNN returns 648 features, but its MLP takes 76"
    )
