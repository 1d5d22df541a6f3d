import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rsl_edu.modules import CNN

law = settings(max_examples=60, deadline=None, derandomize=True)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SAMPLING_ERROR = 0.05
PADDINGS = ["none", "zeros", "reflect", "replicate", "circular"]
SMALL = {"input_dim": (6, 7), "input_channels": 2, "output_channels": [3, 4], "kernel_size": 3}


def convolution(x, weight, bias, stride, dilation):
    """Compute a layer by a loop over every position of the filter, in double precision."""
    out, _, k, _ = weight.shape
    height, width = ((n - dilation * (k - 1) - 1) // stride + 1 for n in x.shape[-2:])
    y = torch.zeros(len(x), out, height, width, dtype=torch.float64)
    span = dilation * (k - 1) + 1
    for i in range(height):
        for j in range(width):
            patch = x[:, :, i * stride : i * stride + span : dilation, j * stride : j * stride + span : dilation]
            y[:, :, i, j] = torch.einsum("bcuv,ocuv->bo", patch, weight) + bias
    return y


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize("padding", PADDINGS)
def test_a_layer_is_the_convolution_of_the_padded_map(padding, stride, dilation):
    cnn = CNN((7, 8), 2, [3], 3, stride, dilation, padding, activation="identity", flatten=False)
    x, layer = torch.randn(2, 2, 7, 8), cnn[0]
    mode = {"none": "constant", "zeros": "constant"}.get(padding, padding)
    vertical, horizontal = layer.padding
    padded = nn.functional.pad(x, (horizontal, horizontal, vertical, vertical), mode).double()
    expected = convolution(padded, layer.weight.double(), layer.bias.double(), stride, dilation)
    torch.testing.assert_close(cnn(x).double(), expected, **CLOSE)


@pytest.mark.parametrize("padding", PADDINGS[1:])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_padded_layer_divides_the_size_by_the_stride(padding, stride, kernel_size):
    cnn = CNN((12, 12), 1, [1], kernel_size, stride, padding=padding, flatten=False)
    assert cnn.output_dim == (12 // stride, 12 // stride)


def test_input_shape_is_the_shape_of_a_sample():
    cnn = CNN(**SMALL)
    assert cnn.input_shape == (2, 6, 7)
    assert cnn(torch.zeros(3, *cnn.input_shape)).shape == (3, cnn.output_dim)


def test_a_layer_is_convolution_then_norm_then_activation_then_pool():
    cnn = CNN(
        (9, 9), 1, [2, 2], 3, norm=["batch", "layer"], activation="tanh", max_pool=[True, False], global_pool="avg"
    )
    assert [type(layer) for layer in cnn] == [
        *(nn.Conv2d, nn.BatchNorm2d, nn.Tanh, nn.MaxPool2d),
        *(nn.Conv2d, nn.LayerNorm, nn.Tanh, nn.AdaptiveAvgPool2d, nn.Flatten),
    ]
    assert (cnn[3].kernel_size, cnn[3].stride, cnn[3].padding) == (3, 2, 1)


@pytest.mark.parametrize(("pool", "reduce"), [("max", torch.amax), ("avg", torch.mean)])
def test_global_pooling_reduces_each_map_to_one_number(pool, reduce):
    torch.manual_seed(1)
    cnn, x = CNN(**SMALL, global_pool=pool), torch.randn(5, 2, 6, 7)
    torch.manual_seed(1)
    maps = CNN(**SMALL, flatten=False)(x)
    torch.testing.assert_close(cnn(x), reduce(maps, (2, 3)), **CLOSE)


@pytest.mark.parametrize(
    "changes",
    [
        *({"padding": padding} for padding in PADDINGS),
        *({"norm": norm} for norm in ("batch", "layer", ["none", "batch"], ("layer", "none"))),
        *({"global_pool": pool, "flatten": flatten} for pool in ("max", "avg") for flatten in (True, False)),
        {"kernel_size": [3, 2], "stride": (1, 2), "dilation": [2, 1], "max_pool": [False, True]},
        {"max_pool": True, "padding": "circular", "activation": "mish", "flatten": False},
    ],
)
def test_same_seed_gives_the_weights_outputs_and_shapes_of_rsl_rl(peer, changes):
    x = torch.randn(5, 2, 6, 7)
    torch.manual_seed(1)
    ours = CNN(**SMALL | changes)
    torch.manual_seed(1)
    theirs = peer.CNN(**SMALL | changes)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)  # running statistics too
    assert (ours.output_dim, ours.output_channels) == (theirs.output_dim, theirs.output_channels)
    for cnn in (ours, theirs):
        torch.manual_seed(1)
        cnn.init_weights()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


@st.composite
def configurations(draw):
    depth = draw(st.integers(1, 3))

    def one_or_each(values):
        return draw(st.one_of(values, st.lists(values, min_size=depth, max_size=depth)))

    return {
        "input_dim": draw(st.tuples(st.integers(1, 12), st.integers(1, 12))),
        "input_channels": draw(st.integers(1, 2)),
        "output_channels": draw(st.lists(st.integers(1, 3), min_size=depth, max_size=depth)),
        "kernel_size": one_or_each(st.integers(1, 4)),
        "stride": one_or_each(st.integers(1, 3)),
        "dilation": one_or_each(st.integers(1, 2)),
        "padding": draw(st.sampled_from(PADDINGS)),
        "norm": one_or_each(st.sampled_from(["none", "batch", "layer"])),
        "max_pool": one_or_each(st.booleans()),
        "global_pool": draw(st.sampled_from(["none", "max", "avg"])),
        "flatten": draw(st.booleans()),
    }


@law
@given(config=configurations(), batch=st.integers(0, 3))
def test_output_dim_is_the_actual_shape_or_the_constructor_raises(config, batch):
    try:
        cnn = CNN(**config)
    except ValueError as error:
        assert str(error).startswith("layer ")  # noqa: PT017 (a property with two cases)
        with pytest.raises((RuntimeError, ValueError)):
            unchecked(config)
        return
    y = cnn.eval()(torch.randn(batch, config["input_channels"], *config["input_dim"]))
    expected = [cnn.output_dim] if config["flatten"] else [cnn.output_channels, *cnn.output_dim]
    assert list(y.shape) == [batch, *expected]


def unchecked(config):
    """Run the layers of a configuration without our checks."""
    from rsl_edu.modules.cnn import _pad

    x = torch.zeros(1, config["input_channels"], *config["input_dim"])
    for i, out in enumerate(config["output_channels"]):
        k, s, d, pool = (
            value[i] if isinstance(value, list) else value
            for value in (config[name] for name in ("kernel_size", "stride", "dilation", "max_pool"))
        )
        padding = config["padding"]
        pad = (0, 0) if padding == "none" else tuple(_pad(n, k, s, d) for n in x.shape[-2:])
        x = nn.Conv2d(x.shape[1], out, k, s, pad, d, padding_mode="zeros" if padding == "none" else padding)(x)
        if pool:
            x = nn.functional.max_pool2d(x, 3, 2, 1)


@pytest.mark.parametrize("padding", ["reflect", "circular"])
@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", range(1, 9))
def test_padding_is_refused_exactly_if_torch_cannot_apply_it(padding, side, kernel_size):
    x, pad = torch.zeros(1, 1, side, 9), kernel_size // 2
    try:
        nn.functional.pad(x, (0, 0, pad, pad), padding)
    except RuntimeError:
        with pytest.raises(ValueError, match=f"^layer 0: padding '{padding}'"):
            CNN((side, 9), 1, [1], kernel_size, padding=padding)
    else:
        CNN((side, 9), 1, [1], kernel_size, padding=padding)(x)


def test_every_layer_has_its_own_activation_object():
    activations = [layer for layer in CNN((9, 9), 1, [2, 2, 2], 3) if isinstance(layer, nn.ELU)]
    assert len({id(layer) for layer in activations}) == 3


def test_init_weights_draws_kaiming_variance_and_zero_biases():
    cnn = CNN((8, 8), 16, [64], 3)
    cnn.init_weights()
    assert cnn[0].weight.var().item() == pytest.approx(2 / (16 * 3 * 3), rel=SAMPLING_ERROR)
    assert not cnn[0].bias.any()


@pytest.mark.parametrize("flatten", [True, False])
def test_an_empty_batch_changes_nothing(flatten):
    cnn = CNN(**SMALL, norm="batch", flatten=flatten)
    cnn(torch.randn(4, 2, 6, 7))
    before = {name: value.clone() for name, value in cnn.state_dict().items()}
    training = cnn(torch.zeros(0, 2, 6, 7))
    torch.testing.assert_close(dict(cnn.state_dict()), before, rtol=0, atol=0)
    assert training.shape == cnn.eval()(torch.zeros(0, 2, 6, 7)).shape


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("padding", PADDINGS)
def test_torchscript_computes_the_same(padding):
    cnn = CNN(**SMALL, padding=padding, norm=["batch", "layer"], max_pool=[False, True], global_pool="max").eval()
    x = torch.randn(5, 2, 6, 7)
    torch.testing.assert_close(torch.jit.script(cnn)(x), cnn(x), **CLOSE)


@pytest.mark.parametrize(
    ("changes", "name", "got"),
    [
        ({"input_dim": 6}, "input_dim", "6"),
        ({"input_dim": (6, 7, 8)}, "input_dim", r"\(6, 7, 8\)"),
        ({"input_dim": (6, 0)}, "input_dim", "0"),
        ({"input_channels": -1}, "input_channels", "-1"),
        ({"output_channels": []}, "output_channels", r"\[\]"),
        ({"output_channels": 4}, "output_channels", "4"),
        ({"output_channels": [3, 0]}, "output_channels", "0"),
        ({"kernel_size": [3]}, "kernel_size", "1 values"),
        ({"kernel_size": 0}, "kernel_size", "0"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size", "3 values"),
        ({"stride": [1, 1, 1]}, "stride", "3 values"),
        ({"stride": 0}, "stride", "0"),
        ({"dilation": [1]}, "dilation", "1 values"),
        ({"dilation": [1, -2]}, "dilation", "-2"),
        ({"padding": "same"}, "padding", "'same'"),
        ({"norm": "group"}, "norm", "'group'"),
        ({"norm": ["batch"]}, "norm", "1 values"),
        ({"norm": ["batch", None]}, "norm", "None"),
        ({"activation": "rellu"}, "activation", "'rellu'"),
        ({"max_pool": [True]}, "max_pool", "1 values"),
        ({"max_pool": "none"}, "max_pool", "'none'"),
        ({"flatten": "no"}, "flatten", "'no'"),
        ({"global_pool": "mean"}, "global_pool", "'mean'"),
    ],
)
def test_the_constructor_names_a_bad_argument(changes, name, got):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected .*got .*{got}"):
        CNN(**SMALL | changes)


@pytest.mark.parametrize(
    ("argument", "allowed"),
    [
        ("padding", "none, zeros, reflect, replicate, circular"),
        ("norm", "none, batch, layer"),
        ("global_pool", "none, max, avg"),
    ],
)
def test_an_unknown_choice_lists_all_that_are_known(argument, allowed):
    with pytest.raises(ValueError, match=f"{argument}: expected one of {allowed}; got 'other'"):
        CNN(**SMALL | {argument: "other"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel_size": [3, 5]}, r"^layer 1: kernel_size 5 .* 4 × 5"),
        ({"dilation": [3, 1]}, r"^layer 0: kernel_size 3 with dilation 3 spans 7 pixels.* 6 × 7"),
        ({"input_dim": (2, 9), "padding": "reflect", "kernel_size": 6}, r"^layer 0: padding 'reflect'.*\(2, 9\)"),
        ({"input_dim": (1, 9), "padding": "circular", "kernel_size": 6}, r"^layer 0: padding 'circular'.*\(1, 9\)"),
    ],
)
def test_a_map_too_small_for_its_layer_names_the_layer(changes, message):
    with pytest.raises(ValueError, match=message):
        CNN(**SMALL | changes)


@pytest.mark.parametrize(
    ("x", "got"),
    [
        (torch.ones(5, 2, 6, 6), r"\[5, 2, 6, 6\]"),
        (torch.ones(5, 3, 6, 7), r"\[5, 3, 6, 7\]"),
        (torch.ones(2, 6, 7), r"\[2, 6, 7\]"),
        ("map", "str"),
    ],
)
def test_forward_names_a_wrong_input(x, got):
    with pytest.raises((ValueError, TypeError), match=f"^x: expected .*got {got}"):
        CNN(**SMALL)(x)


def test_any_image_size_is_accepted_after_a_global_pooling_was_inserted():
    cnn = CNN(**SMALL)
    cnn.insert(len(cnn) - 1, nn.AdaptiveAvgPool2d((2, 2)))
    assert cnn(torch.ones(5, 2, 9, 11)).shape == cnn(torch.ones(5, 2, 6, 7)).shape
