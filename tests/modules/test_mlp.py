import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812

from rsl_edu.modules import MLP
from rsl_edu.modules.mlp import ACTIVATIONS

law = settings(max_examples=25, deadline=None, derandomize=True)
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
SINGLE_PRECISION = 1e-5
FUNCTIONS = {
    "elu": F.elu,
    "selu": F.selu,
    "relu": torch.relu,
    "crelu": F.celu,
    "lrelu": F.leaky_relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: (1 + x.exp()).log(),
    "gelu": lambda x: 0.5 * x * (1 + (x / 2**0.5).erf()),
    "swish": lambda x: x * torch.sigmoid(x),
    "mish": lambda x: x * torch.tanh((1 + x.exp()).log()),
    "identity": lambda x: x,
}


def linear_layers(mlp):
    return [layer for layer in mlp if isinstance(layer, nn.Linear)]


def test_the_activations_are_those_of_the_specification():
    assert set(ACTIVATIONS) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_is_linear_activation_linear(name):
    mlp, x = MLP(3, 2, [4], name), torch.randn(5, 3)
    first, last = linear_layers(mlp)
    hidden = FUNCTIONS[name](x @ first.weight.T + first.bias)
    torch.testing.assert_close(mlp(x), hidden @ last.weight.T + last.bias, **CLOSE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_last_activation_follows_the_output(name):
    torch.manual_seed(1)
    linear = MLP(3, (2, 2), [4])
    torch.manual_seed(1)
    mlp, x = MLP(3, (2, 2), [4], last_activation=name), torch.randn(5, 3)
    torch.testing.assert_close(mlp(x), FUNCTIONS[name](linear(x)), **CLOSE)


@pytest.mark.parametrize("name", ["elu", "ELU", *FUNCTIONS])
@pytest.mark.parametrize(("output_dim", "last"), [(2, None), ((2, 3), "tanh"), ([4], None)])
def test_same_seed_gives_the_weights_and_outputs_of_rsl_rl(peer, name, output_dim, last):
    arguments, x = (3, output_dim, [6, -1], name, last), torch.randn(5, 3)
    torch.manual_seed(1)
    ours = MLP(*arguments)
    torch.manual_seed(1)
    theirs = peer.MLP(*arguments)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)


@law
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    output_dim=st.one_of(st.integers(1, 4), st.lists(st.integers(1, 3), min_size=1, max_size=3)),
    batch=st.lists(st.integers(0, 3), max_size=3),
)
def test_the_output_shape_is_the_batch_and_output_dim(sizes, output_dim, batch):
    output_shape = [output_dim] if isinstance(output_dim, int) else output_dim
    y = MLP(sizes[0], output_dim, sizes[1:])(torch.randn(*batch, sizes[0]))
    assert list(y.shape) == batch + output_shape


def test_without_hidden_layers_it_is_a_linear_map():
    mlp = MLP(3, 2, [])
    x = torch.randn(5, 3)
    assert torch.equal(mlp(x), x @ mlp[0].weight.T + mlp[0].bias)
    assert len(mlp) == 1
    with pytest.raises(ValueError, match=r"activation: .* got 'swoosh'"):
        MLP(3, 2, [], activation="swoosh")


def test_minus_one_in_hidden_dims_stands_for_the_input_dim():
    assert [layer.out_features for layer in linear_layers(MLP(7, 2, [-1, 5, -1]))] == [7, 5, 7, 2]


def test_every_layer_has_its_own_activation_object():
    activations = [layer for layer in MLP(3, 2, [4, 4, 4], last_activation="elu") if isinstance(layer, nn.ELU)]
    assert len({id(layer) for layer in activations}) == 4


@pytest.mark.parametrize("scales", [2.0, [2.0, 0.5, 0.01], (0, 1, 2)])
def test_init_weights_draws_orthogonal_weights_and_zero_biases(scales):
    mlp = MLP(4, 3, [6, 5])
    mlp.init_weights(scales)
    for i, layer in enumerate(linear_layers(mlp)):
        gain = scales if isinstance(scales, float) else scales[i]
        w = layer.weight if layer.out_features <= layer.in_features else layer.weight.T
        torch.testing.assert_close(w @ w.T, gain**2 * torch.eye(len(w)), atol=SINGLE_PRECISION, rtol=0)
        assert not layer.bias.any()


def test_init_weights_with_one_gain_equals_that_of_rsl_rl(peer):
    ours, theirs = MLP(4, 3, [6, 5]), peer.MLP(4, 3, [6, 5])
    for mlp in (ours, theirs):
        torch.manual_seed(1)
        mlp.init_weights(0.5)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript_computes_the_same():
    mlp, x = MLP(3, (2, 2), [4, 4], last_activation="tanh"), torch.randn(5, 3)
    torch.testing.assert_close(torch.jit.script(mlp)(x), mlp(x), **CLOSE)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.filterwarnings("error::torch.jit.TracerWarning")
def test_tracing_records_any_batch_size_without_a_warning():
    mlp, x = MLP(3, 2, [4]), torch.randn(5, 3)
    torch.testing.assert_close(torch.jit.trace(mlp, torch.randn(2, 3))(x), mlp(x), **CLOSE)


@pytest.mark.parametrize(
    ("changes", "name", "got"),
    [
        ({"input_dim": 0}, "input_dim", "0"),
        ({"input_dim": -3}, "input_dim", "-3"),
        ({"input_dim": 2.5}, "input_dim", "2.5"),
        ({"output_dim": 0}, "output_dim", "0"),
        ({"output_dim": (2, -1)}, "output_dim", "-1"),
        ({"output_dim": ()}, "output_dim", "empty"),
        ({"output_dim": "2"}, "output_dim", "'2'"),
        ({"hidden_dims": [4, 0]}, "hidden_dims", "0"),
        ({"hidden_dims": [4, -2]}, "hidden_dims", "-2"),
        ({"hidden_dims": 4}, "hidden_dims", "4"),
        ({"activation": "rellu"}, "activation", "'rellu'"),
        ({"activation": None}, "activation", "None"),
        ({"last_activation": "softmax"}, "last_activation", "'softmax'"),
    ],
)
def test_the_constructor_names_a_bad_argument(changes, name, got):
    with pytest.raises((ValueError, TypeError), match=rf"^{name}: expected .*{got}"):
        MLP(**({"input_dim": 3, "output_dim": 2, "hidden_dims": [4]} | changes))


def test_an_unknown_activation_lists_all_that_are_known():
    with pytest.raises(ValueError, match=", ".join(FUNCTIONS)):
        MLP(3, 2, [4], "rellu")


@pytest.mark.parametrize(
    ("scales", "got"), [([1.0], "1 values"), ([1.0, float("nan")], "nan"), ("one", "'one'"), (1e999, "inf")]
)
def test_a_failed_init_weights_names_scales_and_changes_nothing(scales, got):
    mlp = MLP(3, 2, [4])
    before = {name: value.clone() for name, value in mlp.state_dict().items()}
    with pytest.raises((ValueError, TypeError), match=f"^scales: expected .*got .*{got}"):
        mlp.init_weights(scales)
    torch.testing.assert_close(dict(mlp.state_dict()), before, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("x", "got"), [(torch.ones(5, 4), r"\[5, 4\]"), (torch.ones(()), r"\[\]"), ([1.0] * 3, "list")]
)
def test_forward_names_a_wrong_input(x, got):
    with pytest.raises((ValueError, TypeError), match=f"^x: expected .*got {got}"):
        MLP(3, 2, [4])(x)
