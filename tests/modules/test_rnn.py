import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rsl_edu import modules
from rsl_edu.modules import RNN, split_and_pad_trajectories, unpad_trajectories

law = settings(max_examples=25, deadline=None, derandomize=True)
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
INPUT, HIDDEN, LAYERS, ENVS = 3, 4, 2, 3
types = pytest.mark.parametrize("type", ["lstm", "gru"])
DTYPES = [torch.bool, torch.float32, torch.uint8, torch.int64]


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def random_state(type, envs=ENVS):
    hidden, cell = torch.randn(2, LAYERS, envs, HIDDEN)
    return (hidden, cell) if type == "lstm" else hidden


def warm(type, **options):
    """Return a network after two steps."""
    rnn = RNN(INPUT, HIDDEN, LAYERS, type, **options)
    for _ in range(2):
        rnn(torch.randn(ENVS, INPUT))
    return rnn


def as_numbers(state):
    return tuple(part.detach().clone() for part in parts(state))


def gru_step(cell, x, h):
    (r_x, z_x, n_x) = (cell.weight_ih_l0 @ x + cell.bias_ih_l0).chunk(3)
    (r_h, z_h, n_h) = (cell.weight_hh_l0 @ h + cell.bias_hh_l0).chunk(3)
    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    return (1 - z) * torch.tanh(n_x + r * n_h) + z * h


def lstm_step(cell, x, h, c):
    gates = cell.weight_ih_l0 @ x + cell.bias_ih_l0 + cell.weight_hh_l0 @ h + cell.bias_hh_l0
    i, f, g, o = gates.chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def test_a_gru_step_follows_its_equation():
    rnn, h = RNN(INPUT, HIDDEN, type="gru").double(), torch.zeros(HIDDEN, dtype=torch.float64)
    for x in torch.randn(5, INPUT, dtype=torch.float64):
        h = gru_step(rnn.rnn, x, h)
        torch.testing.assert_close(rnn(x[None])[0, 0], h)


def test_an_lstm_step_follows_its_equation():
    rnn, h, c = RNN(INPUT, HIDDEN).double(), *torch.zeros(2, HIDDEN, dtype=torch.float64)
    for x in torch.randn(5, INPUT, dtype=torch.float64):
        h, c = lstm_step(rnn.rnn, x, h, c)
        torch.testing.assert_close(rnn(x[None])[0, 0], h)
        torch.testing.assert_close(rnn.hidden_state[1][0, 0], c)


@pytest.mark.parametrize(("name", "cell"), [("lstm", nn.LSTM), ("LSTM", nn.LSTM), ("gru", nn.GRU), ("GRU", nn.GRU)])
def test_type_selects_the_cell(name, cell):
    assert type(RNN(INPUT, type=name).rnn) is cell


@types
def test_rollout_with_resets_equals_that_of_rsl_rl(peer, type):
    torch.manual_seed(1)
    ours = RNN(INPUT, HIDDEN, LAYERS, type)
    torch.manual_seed(1)
    theirs = peer.RNN(INPUT, HIDDEN, LAYERS, type)
    with torch.no_grad():  # rsl_rl's reset writes in place
        for x, dones in zip(torch.randn(6, ENVS, INPUT), torch.rand(6, ENVS) < 0.4, strict=True):
            torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)
            for rnn in (ours, theirs):
                rnn.reset(dones)
            torch.testing.assert_close(ours.hidden_state, theirs.hidden_state, rtol=0, atol=0)


@types
def test_batched_mode_equals_that_of_rsl_rl(peer, type):
    ours, theirs = RNN(INPUT, HIDDEN, LAYERS, type), peer.RNN(INPUT, HIDDEN, LAYERS, type)
    theirs.load_state_dict(ours.state_dict())
    padded, masks = split_and_pad_trajectories(torch.randn(6, ENVS, INPUT), torch.rand(6, ENVS) < 0.4)
    state = random_state(type, padded.shape[1])
    torch.testing.assert_close(ours(padded, masks, state), theirs(padded, masks, state), rtol=0, atol=0)


@law
@given(
    time=st.integers(1, 7),
    envs=st.integers(1, 4),
    type=st.sampled_from(["lstm", "gru"]),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**31),
)
def test_batched_mode_reproduces_the_rollout(time, envs, type, dtype, seed):
    torch.manual_seed(seed)
    rnn, x = RNN(INPUT, HIDDEN, LAYERS, type), torch.randn(time, envs, INPUT)
    dones = (torch.rand(time, envs) < 0.3).to(dtype)
    rnn.reset(hidden_state=random_state(type, envs))
    outputs, states = [], []
    for step, done in zip(x, dones, strict=True):
        states.append(parts(rnn.hidden_state))
        outputs.append(rnn(step)[0])
        rnn.reset(done)
    starts = []  # of each trajectory, env by env, like rsl_rl's storage
    for part in range(len(states[0])):
        stored = torch.stack([state[part] for state in states])  # [time, layers, envs, hidden]
        columns = [stored[t, :, e] for e in range(envs) for t in range(time) if t == 0 or dones[t - 1, e] == 1]
        starts.append(torch.stack(columns, 1))
    before = as_numbers(rnn.hidden_state)
    batched = rnn(*split_and_pad_trajectories(x, dones), tuple(starts) if type == "lstm" else starts[0])
    torch.testing.assert_close(batched, torch.stack(outputs), **CLOSE)
    torch.testing.assert_close(as_numbers(rnn.hidden_state), before, rtol=0, atol=0)  # batched mode does not change it


@types
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(ENVS,), (ENVS, 1)])
@pytest.mark.parametrize("flags", [(0, 1, 0), (1, 1, 0), (0, 0, 0), (1, 1, 1)])
def test_reset_sets_only_done_environments_to_zero(type, dtype, shape, flags):
    rnn = warm(type)
    before = as_numbers(rnn.hidden_state)
    rnn.reset(torch.tensor(flags).to(dtype).reshape(shape))
    for old, new in zip(before, parts(rnn.hidden_state), strict=True):
        keep = 1 - torch.tensor(flags).reshape(ENVS, 1)
        torch.testing.assert_close(new, old * keep, rtol=0, atol=0)


@types
def test_reset_with_dones_uses_their_part_of_a_given_state(type):
    rnn, given_state = warm(type), random_state(type)
    before = as_numbers(rnn.hidden_state)
    rnn.reset(torch.tensor([1, 0, 0]), given_state)
    for old, given_part, new in zip(before, parts(given_state), parts(rnn.hidden_state), strict=True):
        torch.testing.assert_close(new, torch.cat([given_part[:, :1], old[:, 1:]], 1), rtol=0, atol=0)


@types
def test_reset_without_dones_replaces_the_hidden_state(type):
    rnn, state = warm(type), random_state(type, envs=5)
    rnn.reset(hidden_state=state)
    assert all(mine is given for mine, given in zip(parts(rnn.hidden_state), parts(state), strict=True))
    rnn.reset()
    assert rnn.hidden_state is None
    rnn.reset(torch.tensor([1, 0, 0]))  # nothing to reset yet
    rnn.detach_hidden_state()
    assert rnn.hidden_state is None


@types
def test_reset_does_not_change_a_stored_state(type):
    rnn = warm(type)
    stored = rnn.hidden_state
    before = as_numbers(stored)
    rnn.reset(torch.tensor([1, 1, 1]))
    torch.testing.assert_close(as_numbers(stored), before, rtol=0, atol=0)


@types
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", ["reset", "detach_hidden_state"])
def test_gradient_through_a_reset_passes_only_running_environments(type, dtype, operation):
    rnn, x = RNN(INPUT, HIDDEN, LAYERS, type), torch.randn(3, ENVS, INPUT, requires_grad=True)
    rnn(x[0])
    getattr(rnn, operation)(torch.tensor([0, 1, 0]).to(dtype))
    rnn(x[1])
    rnn(x[2]).square().sum().backward()
    reached = x.grad.abs().sum(-1) > 0  # [time, envs]
    assert reached.tolist() == [[True, False, True], [True] * 3, [True] * 3]
    assert all(parameter.grad.isfinite().all() for parameter in rnn.parameters())


@types
@pytest.mark.parametrize("dones", [None, torch.tensor([1, 0, 1])])
def test_detach_does_not_change_the_hidden_state(type, dones):
    rnn = warm(type)
    before = as_numbers(rnn.hidden_state)
    rnn.detach_hidden_state(dones)
    torch.testing.assert_close(as_numbers(rnn.hidden_state), before, rtol=0, atol=0)


@types
def test_backward_stops_at_a_detached_hidden_state(type):
    rnn = warm(type)
    for _ in range(2):  # a second backward into the first graph would raise
        rnn.detach_hidden_state()
        rnn(torch.randn(ENVS, INPUT)).sum().backward()


@types
@pytest.mark.parametrize("operation", [RNN.reset, RNN.detach_hidden_state, lambda rnn: rnn.reset(torch.zeros(ENVS))])
def test_a_rollout_in_inference_mode_can_be_followed_by_training(type, operation):
    rnn = RNN(INPUT, HIDDEN, LAYERS, type)
    with torch.inference_mode():
        rnn(torch.randn(ENVS, INPUT))
    operation(rnn)
    rnn(torch.randn(ENVS, INPUT)).sum().backward()
    assert rnn.rnn.weight_ih_l0.grad.abs().sum() > 0


@types
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda rnn: pickle.loads(pickle.dumps(rnn))])
def test_a_copy_can_be_taken_in_the_middle_of_a_rollout(type, copied):
    rnn, x = RNN(INPUT, HIDDEN, LAYERS, type), torch.randn(ENVS, INPUT)
    assert copied(rnn).hidden_state is None
    rnn(x)
    other = copied(rnn)
    torch.testing.assert_close(other(x), rnn(x))
    rnn(x).sum().backward()


@types
def test_reset_of_a_nan_hidden_state_gives_zero(type):
    rnn = RNN(INPUT, HIDDEN, LAYERS, type)
    x = torch.randn(ENVS, INPUT)
    x[1] = float("nan")
    rnn(x)
    rnn.reset(torch.tensor([0, 1, 0]))
    for part in parts(rnn.hidden_state):
        assert not part[:, 1].any()
        assert part.isfinite().all()


@types
def test_an_empty_batch_changes_nothing(type):
    rnn = RNN(INPUT, HIDDEN, LAYERS, type)
    assert rnn(torch.zeros(0, INPUT)).shape == (1, 0, HIDDEN)
    assert rnn.hidden_state is None
    rnn = warm(type)
    before = rnn.hidden_state
    rnn(torch.zeros(0, INPUT))
    assert rnn.hidden_state is before


def test_example_of_split_and_pad_in_the_docstring_is_right():
    rollout = torch.tensor([[1, 7], [2, 8], [3, 9], [4, 10], [5, 11], [6, 12]])
    dones = torch.tensor([[0, 0], [0, 1], [0, 0], [1, 0], [0, 1], [0, 0]])
    padded, masks = split_and_pad_trajectories(rollout, dones)
    assert padded.T.tolist() == [
        [1, 2, 3, 4, 0, 0],
        [5, 6, 0, 0, 0, 0],
        [7, 8, 0, 0, 0, 0],
        [9, 10, 11, 0, 0, 0],
        [12, 0, 0, 0, 0, 0],
    ]
    torch.testing.assert_close(masks, padded > 0)


rollouts = given(
    time=st.integers(1, 6),
    envs=st.integers(1, 4),
    features=st.lists(st.integers(1, 3), max_size=2),
    column=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**31),
)


def random_rollout(time, envs, features, column, dtype, seed):
    torch.manual_seed(seed)
    dones = (torch.rand(time, envs, *[1] * column) < 0.4).to(dtype)
    return torch.randn(time, envs, *features), dones


@law
@rollouts
def test_unpad_undoes_split_and_pad(**shape):
    x, dones = random_rollout(**shape)
    before = dones.clone()
    padded, masks = split_and_pad_trajectories(x, dones)
    torch.testing.assert_close(unpad_trajectories(padded, masks), x, rtol=0, atol=0)
    torch.testing.assert_close(dones, before, rtol=0, atol=0)
    assert masks.sum() == shape["time"] * shape["envs"]
    assert not padded[~masks].any()


@law
@rollouts
def test_split_and_pad_equals_that_of_rsl_rl(peer, **shape):
    from rsl_rl.utils import split_and_pad_trajectories as theirs

    x, dones = random_rollout(**shape)
    torch.testing.assert_close(split_and_pad_trajectories(x, dones), theirs(x, dones), rtol=0, atol=0)


def test_gradients_flow_through_split_and_unpad():
    x = torch.randn(5, 2, 3, requires_grad=True)
    padded, masks = split_and_pad_trajectories(x, torch.rand(5, 2) < 0.4)
    unpad_trajectories(2 * padded, masks).sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 2.0))


@pytest.mark.parametrize(
    ("changes", "name", "got"),
    [
        ({"input_size": 0}, "input_size", "0"),
        ({"hidden_dim": -1}, "hidden_dim", "-1"),
        ({"num_layers": 0}, "num_layers", "0"),
        ({"num_layers": 1.5}, "num_layers", "1.5"),
        ({"type": "rnn"}, "type", "'rnn'"),
        ({"type": None}, "type", "None"),
    ],
)
def test_the_constructor_names_a_bad_argument(changes, name, got):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected .*got {got}"):
        RNN(**{"input_size": INPUT} | changes)


MASKS = torch.ones(5, ENVS, dtype=torch.bool)
SEQUENCE = torch.zeros(5, ENVS, INPUT)
PAIR = (torch.zeros(LAYERS, ENVS, HIDDEN),) * 2


@pytest.mark.parametrize(
    ("call", "name", "got"),
    [
        (lambda rnn: rnn(torch.zeros(ENVS, 9)), "input", r"\[3, 9\]"),
        (lambda rnn: rnn(SEQUENCE), "input", r"\[5, 3, 3\]"),
        (lambda rnn: rnn([0.0]), "input", "list"),
        (lambda rnn: rnn(torch.zeros(7, INPUT)), "stored hidden state", r"\[2, 3, 4\]"),
        (lambda rnn: rnn(SEQUENCE, MASKS), "hidden_state", "None"),
        (lambda rnn: rnn(SEQUENCE, MASKS, PAIR[0]), "hidden_state", "Tensor"),
        (lambda rnn: rnn(SEQUENCE, MASKS, PAIR * 2), "hidden_state", "tuple"),
        (lambda rnn: rnn(SEQUENCE, MASKS, (PAIR[0], PAIR[0][:1])), "hidden_state", r"\[1, 3, 4\]"),
        (lambda rnn: rnn(SEQUENCE, MASKS, (1, 2)), "hidden_state", "int"),
        (lambda rnn: rnn(SEQUENCE[0], MASKS, PAIR), "input", r"\[3, 3\]"),
        (lambda rnn: rnn(SEQUENCE, MASKS[:3], PAIR), "masks", r"\[3, 3\]"),
        (lambda rnn: rnn(SEQUENCE, MASKS.float(), PAIR), "masks", "torch.float32"),
        (lambda rnn: rnn(SEQUENCE, [True], PAIR), "masks", "list"),
        (lambda rnn: rnn.reset(torch.zeros(7)), "dones", r"\[7\]"),
        (lambda rnn: rnn.reset([0, 0, 1]), "dones", "list"),
        (lambda rnn: rnn.reset(torch.zeros(ENVS), PAIR[0]), "hidden_state", "Tensor"),
        (lambda rnn: rnn.reset(torch.zeros(ENVS), (PAIR[0][:, :1],) * 2), "hidden_state", r"\[2, 1, 4\]"),
        (lambda rnn: rnn.reset(None, PAIR[0]), "hidden_state", "Tensor"),
        (lambda rnn: rnn.reset(None, (PAIR[0], PAIR[0][..., :2])), "hidden_state", r"\[2, 3, 2\]"),
        (lambda rnn: rnn.reset(None, "zeros"), "hidden_state", "str"),
        (lambda rnn: rnn.detach_hidden_state(torch.zeros(ENVS, 2)), "dones", r"\[3, 2\]"),
    ],
)
def test_failed_call_names_the_argument_and_does_not_change_the_hidden_state(call, name, got):
    rnn = warm("lstm")
    before = rnn.hidden_state
    with pytest.raises((ValueError, TypeError), match=rf"^{name}.*: .*got {got}"):
        call(rnn)
    assert rnn.hidden_state is before


@pytest.mark.parametrize("call", [RNN.reset, lambda rnn, *state: rnn(SEQUENCE, MASKS, state[1])])
def test_gru_refuses_a_pair_of_states(call):
    with pytest.raises(TypeError, match="hidden_state: expected one tensor for a GRU, got tuple"):
        call(warm("gru"), None, PAIR)


@pytest.mark.parametrize(
    ("call", "name", "got"),
    [
        (lambda: split_and_pad_trajectories(torch.zeros(5), MASKS), "tensor", r"\[5\]"),
        (lambda: split_and_pad_trajectories(torch.zeros(0, 2), MASKS[:0, :2]), "tensor", r"\[0, 2\]"),
        (lambda: split_and_pad_trajectories([1], MASKS), "tensor", "list"),
        (lambda: split_and_pad_trajectories(SEQUENCE, MASKS[:4]), "dones", r"\[4, 3\]"),
        (lambda: split_and_pad_trajectories(SEQUENCE, [0]), "dones", "list"),
        (lambda: unpad_trajectories(torch.zeros(5), MASKS), "trajectories", r"\[5\]"),
        (lambda: unpad_trajectories(SEQUENCE, MASKS[:4]), "masks", r"\[4, 3\]"),
        (lambda: unpad_trajectories(SEQUENCE, MASKS.long()), "masks", "torch.int64"),
        (lambda: unpad_trajectories(SEQUENCE, MASKS.tril()), "masks", "12"),
    ],
)
def test_the_trajectory_functions_name_a_bad_argument(call, name, got):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected .*got {got}"):
        call()


@pytest.mark.parametrize(
    "inside", [lambda: torch.nn.LSTM(3, 8, proj_size=4), lambda: torch.nn.GRU(3, 4, bidirectional=True)]
)
def test_another_recurrent_network_can_replace_the_rnn(peer, inside):
    answers = []
    for package in (modules, peer):
        torch.manual_seed(0)
        rnn = package.RNN(3, 8, 1, "lstm")
        rnn.rnn = inside()
        output = rnn(torch.ones(5, 3))
        rnn.reset(torch.tensor([1, 0, 0, 0, 1]))
        batched = rnn(torch.ones(4, 5, 3), torch.ones(4, 5, dtype=torch.bool), rnn.hidden_state)
        answers.append((output, batched, rnn.hidden_state))
    torch.testing.assert_close(*answers)
