"""The hidden state of a recurrent network is reset, replaced, detached and kept as in rsl_rl."""

import collections

import exchange
import pytest
import torch
from exchange import Difference, Refusal, state, steps
from exchange_refusals import MEMORY as PEER_REFUSES

ENVS = 4
KINDS = {
    "gru": lambda package: package.RNN(3, 5, 1, "gru"),
    "gru-2": lambda package: package.RNN(3, 5, 2, "gru"),
    "lstm": lambda package: package.RNN(3, 5, 1),
    "lstm-2": lambda package: package.RNN(3, 5, 2, "lstm"),
}
MASKS = torch.tensor([[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [1, 0, 1, 0, 1]]).bool()  # 12 steps: three for each of 4 envs
DTYPES = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.float16, torch.float32, torch.float64]


def step(rnn, envs=ENVS):
    return rnn(torch.randn(envs, 3))


def zeros(rnn, envs=ENVS, value=0.5):
    part = torch.full((rnn.rnn.num_layers, envs, 5), value)
    return (part, part + 1) if isinstance(rnn.rnn, torch.nn.LSTM) else part


def parts(memory):
    return list(memory) if isinstance(memory, (tuple, list)) else [memory]


def after(change):
    """Return a program with two steps, a change, and two more steps."""

    def program(rnn):
        outputs = [step(rnn), step(rnn)]
        given = change(rnn)
        memory = [part if part is None else part.detach().clone() for part in parts(rnn.hidden_state)]
        return [*outputs, memory, given, step(rnn), step(rnn), parts(rnn.hidden_state)]

    return program


def without_gradient(change):
    def program(rnn):
        with torch.no_grad():
            return after(change)(rnn)

    return program


def in_inference(change):
    """Return a program with two steps and a change in inference mode, then a step and a loss for training."""

    def program(rnn):
        with torch.inference_mode():
            step(rnn)
            step(rnn)
            change(rnn)
        loss = step(rnn).square().sum()
        loss.backward()
        return [loss, rnn.rnn.weight_ih_l0.grad]

    return program


def batched(masks=MASKS, memory=None, sequence=None):
    def program(rnn):
        inputs = torch.randn(3, 5, 3) if sequence is None else sequence
        step(rnn)
        given = (memory or (lambda net: zeros(net, 5)))(rnn)
        output = rnn(inputs, masks, given)
        output.square().sum().backward()
        return [output, rnn.rnn.weight_ih_l0.grad, parts(rnn.hidden_state)]

    return program


def held(rnn):
    """Change the hidden state manually."""
    rnn.hidden_state = zeros(rnn, ENVS, 2.0)


def others(rnn):
    rnn.reset()
    step(rnn, 7)
    rnn.reset()


def trained(rnn):
    losses = []
    for _ in range(3):
        loss = step(rnn).square().sum()
        loss.backward()
        rnn.detach_hidden_state()
        losses.append(loss)
    return [losses, [parameter.grad for parameter in rnn.parameters()]]


def dones(values, dtype=torch.float32):
    return torch.tensor(values).to(dtype)


CHANGES = {
    "nothing": lambda rnn: None,
    "reset": lambda rnn: rnn.reset(),
    "reset none": lambda rnn: rnn.reset(None, None),
    "reset to state": lambda rnn: rnn.reset(None, zeros(rnn)),
    "reset to state by name": lambda rnn: rnn.reset(hidden_state=zeros(rnn)),
    "reset to list": lambda rnn: rnn.reset(None, list(zeros(rnn)) if rnn.rnn.mode == "LSTM" else zeros(rnn)),
    "reset all": lambda rnn: rnn.reset(torch.ones(ENVS)),
    "reset no one": lambda rnn: rnn.reset(torch.zeros(ENVS)),
    "detach": lambda rnn: rnn.detach_hidden_state(),
    "detach some": lambda rnn: rnn.detach_hidden_state(dones([0, 1, 0, 1])),
    "set by hand": held,
    "set to none": lambda rnn: setattr(rnn, "hidden_state", None),
    "other environments": others,
    "eval": steps(torch.nn.Module.eval),
    **{f"reset {str(dtype)[6:]}": lambda rnn, dtype=dtype: rnn.reset(dones([0, 1, 0, 1], dtype)) for dtype in DTYPES},
    **{
        f"detach {str(dtype)[6:]}": lambda rnn, dtype=dtype: rnn.detach_hidden_state(dones([0, 1, 0, 1], dtype))
        for dtype in DTYPES
    },
    "reset other numbers": lambda rnn: rnn.reset(dones([0.5, 2.0, -1.0, 1.0])),
    "reset other integers": lambda rnn: rnn.reset(dones([3, 2, -1, 1], torch.int64)),
    "reset nan": lambda rnn: rnn.reset(dones([float("nan"), 0.0, 1.0, float("inf")])),
    "reset strided": lambda rnn: rnn.reset(torch.ones(ENVS * 2)[::2]),
    "reset tensor of one": lambda rnn: rnn.reset(torch.ones(1)),
    "reset list": lambda rnn: rnn.reset([0, 1, 0, 1]),
    "reset number": lambda rnn: rnn.reset(torch.tensor(1)),
    "reset column": lambda rnn: rnn.reset(torch.ones(ENVS, 1)),
}
PROGRAMS = {
    **{name: after(change) for name, change in CHANGES.items()},
    **{f"{name} without gradient": without_gradient(change) for name, change in CHANGES.items()},
    **{
        f"inference then {name}": in_inference(CHANGES[name])
        for name in ("nothing", "reset", "reset all", "reset bool", "reset to state", "detach")
    },
    "before any step": lambda rnn: [rnn.reset(torch.ones(ENVS)), rnn.detach_hidden_state(), rnn.hidden_state],
    "trained": trained,
    "state ignored": lambda rnn: [step(rnn), rnn(torch.randn(ENVS, 3), None, zeros(rnn)), parts(rnn.hidden_state)],
    "other number of environments": lambda rnn: [step(rnn), step(rnn, 7)],
    "sequence in rollout mode": lambda rnn: rnn(torch.randn(2, ENVS, 3)),
    "double": lambda rnn: [rnn.double()(torch.ones(ENVS, 3).double()), state(rnn)],
    "flattened": lambda rnn: [rnn.rnn.flatten_parameters(), step(rnn)],
    "batched": batched(),
    "batched without masks removed": batched(torch.ones(3, 5).bool()),
    "batched strided masks": batched(MASKS.T.contiguous().T),
    "batched list": batched(MASKS, lambda rnn: list(zeros(rnn, 5)) if rnn.rnn.mode == "LSTM" else zeros(rnn, 5)),
    "batched deque": batched(MASKS, lambda rnn: collections.deque(zeros(rnn, 5)) if "LSTM" in rnn.rnn.mode else 0),
    "batched uint8 masks": batched(MASKS.to(torch.uint8)),
    "batched int64 masks": batched(MASKS.long()),
    "batched float masks": batched(MASKS.float()),
    "batched no state": batched(MASKS, lambda rnn: None),
    "batched eval": lambda rnn: batched()(rnn.eval()),
    "batched expanded state": batched(
        MASKS,
        lambda rnn: (
            tuple(part[:, :1].expand(-1, 5, -1).contiguous() for part in zeros(rnn))
            if rnn.rnn.mode == "LSTM"
            else zeros(rnn)[:, :1].expand(-1, 5, -1)
        ),
    ),
    "batched double sequence": batched(sequence=torch.ones(3, 5, 3).double()),
}


def programmed(kind, program):
    return lambda package: PROGRAMS[program](KINDS[kind](package))


CASES = {f"{kind} {program}": programmed(kind, program) for kind in KINDS for program in PROGRAMS}
IGNORED = Refusal("with dones as a list, nothing is reset", lambda value: value[2][0][:, 1].all())
ANY_NUMBER = Difference(
    "every nonzero number means done; rsl_rl resets only for 1",
    lambda ours, theirs: (ours[2][0] == 0).sum() > (theirs[2][0] == 0).sum(),
)
DIFFERS = {f"* reset {dones}*": ANY_NUMBER for dones in ("other numbers", "other integers", "nan")}
EXCHANGE = exchange.Exchange(CASES, PEER_REFUSES, {"* reset list*": IGNORED}, DIFFERS)


def test_every_pattern_in_the_lists_matches_a_case():
    EXCHANGE.check_lists()


@pytest.mark.parametrize("name", CASES)
def test_ours_has_the_hidden_states_of_rsl_rl(peer, name):
    EXCHANGE.check(peer, name)
