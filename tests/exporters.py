"""Policies, their checkpoints as rsl_rl saves them, and exporters that people use."""

import copy
import io
import warnings

import torch
from torch import nn

from rsl_edu.checkpoint import Policy
from rsl_edu.exported import run, worker
from rsl_edu.modules import MLP, RNN, EmpiricalNormalization, GaussianDistribution

FEATURES, ACTIONS = 6, 3


def policy(seed=0, activation="elu", rnn=None, normalized=True, layers=1, hidden=(16, 16)):
    """Return an actor whose normalizer has statistics."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        normalizer = EmpiricalNormalization(FEATURES) if normalized else None
        if normalizer is not None:
            spread = torch.tensor([0.3, 1.0, 2.0, 0.5, 3.0, 0.1])
            normalizer.update(torch.randn(200, FEATURES) * spread + torch.linspace(-2, 2, FEATURES))
        memory = rnn and RNN(FEATURES, 8, layers, rnn)
        mlp = MLP(FEATURES if rnn is None else 8, ACTIONS, list(hidden), activation)
        actor = Policy(mlp, GaussianDistribution(ACTIONS, init_std=0.5), normalizer, memory)
        with torch.no_grad():  # a mean other than zero, and different stds
            mlp[-1].bias.copy_(torch.tensor([0.2, -0.4, 0.1]))
            actor.distribution.std_param.copy_(torch.tensor([0.3, 0.5, 0.7]))
    return actor.eval().requires_grad_(False)


def save(actor, path, release=5):
    """Save a policy as the given release of rsl_rl does."""
    state = {name: x.clone() for name, x in actor.state_dict().items()}
    others = {"optimizer_state_dict": {"state": {}, "param_groups": [{"lr": 1e-3}]}, "iter": 0, "infos": None}
    if release == 5:
        torch.save({"actor_state_dict": state, "critic_state_dict": {}} | others, path)
        return path
    normalizer = {name.removeprefix("obs_normalizer."): x for name, x in state.items() if "normalizer" in name}
    old = {"distribution.std_param": "std"}
    model = {
        old.get(name, name.replace("mlp.", "actor.").replace("rnn.rnn.", "memory_a.rnn.")): x
        for name, x in state.items()
        if "normalizer" not in name
    }
    torch.save({"model_state_dict": model, "obs_norm_state_dict": normalizer} | others, path)
    return path


class IsaacLab(nn.Module):
    """Isaac Lab's exporter, with hooks for mistakes before and after the network."""

    def __init__(self, actor, normalizer=None, before=None, after=None):
        super().__init__()
        self.actor = copy.deepcopy(actor.mlp)
        self.is_recurrent = actor.rnn is not None
        self.before = nn.Identity() if before is None else before
        self.after = nn.Identity() if after is None else after
        if actor.rnn is not None:
            self.rnn = copy.deepcopy(actor.rnn.rnn)
            shape = self.rnn.num_layers, 1, self.rnn.hidden_size
            self.register_buffer("hidden_state", torch.zeros(shape))
            self.register_buffer("cell_state", torch.zeros(shape))
            self.forward = self.forward_lstm if isinstance(self.rnn, nn.LSTM) else self.forward_gru
        self.normalizer = nn.Identity() if normalizer is None else copy.deepcopy(normalizer)

    def forward_lstm(self, x):
        x = self.normalizer(self.before(x))
        x, (h, c) = self.rnn(x.unsqueeze(0), (self.hidden_state, self.cell_state))
        self.hidden_state[:] = h
        self.cell_state[:] = c
        return self.after(self.actor(x.squeeze(0)))

    def forward_gru(self, x):
        x = self.normalizer(self.before(x))
        x, h = self.rnn(x.unsqueeze(0), self.hidden_state)
        self.hidden_state[:] = h
        return self.after(self.actor(x.squeeze(0)))

    def forward(self, x):
        return self.after(self.actor(self.normalizer(self.before(x))))


class OnnxMemory(nn.Module):
    """Isaac Lab's ONNX exporter for a recurrent policy: the hidden state is an input and an output."""

    def __init__(self, actor, normalizer=None):
        super().__init__()
        self.normalizer = nn.Identity() if normalizer is None else copy.deepcopy(normalizer)
        self.actor, self.rnn = copy.deepcopy(actor.mlp), copy.deepcopy(actor.rnn.rnn)

    def forward(self, x, h, c=None):
        x, state = self.rnn(self.normalizer(x).unsqueeze(0), h if c is None else (h, c))
        return self.actor(x.squeeze(0)), *(state if isinstance(state, tuple) else (state,))

    def inputs(self):
        state = torch.zeros(self.rnn.num_layers, 1, self.rnn.hidden_size)
        return (torch.zeros(1, FEATURES), *[state] * (1 + isinstance(self.rnn, nn.LSTM)))

    def names(self):
        states = "hc"[: len(self.inputs()) - 1]
        return ["obs", *(f"{name}_in" for name in states)], ["actions", *(f"{name}_out" for name in states)]


class Apply(nn.Module):
    """A torch function as a module that TorchScript can compile."""

    def __init__(self, scale=1.0, offset=0.0, low=-1e9, high=1e9, tanh=False, noise=0.0, order=()):
        super().__init__()
        self.tanh = tanh
        self.register_buffer("noise", torch.as_tensor(noise))
        self.register_buffer("scale", torch.as_tensor(scale))
        self.register_buffer("offset", torch.as_tensor(offset))
        self.register_buffer("low", torch.as_tensor(low))
        self.register_buffer("high", torch.as_tensor(high))
        self.register_buffer("order", torch.tensor(order, dtype=torch.long))

    def forward(self, x):
        if self.order.numel() > 0:
            x = x.index_select(-1, self.order)
        if self.tanh:
            x = torch.tanh(x)
        x = torch.minimum(torch.maximum(x * self.scale + self.offset, self.low), self.high)
        return x + torch.randn_like(x) * self.noise if bool((self.noise > 0).any()) else x


def script(module, path):
    """Export to TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save(str(path))
    return path


def to_onnx(module, path, inputs=None, names=(("obs",), ("actions",)), **options):
    """Export with the older of torch's exporters, as many people do; the newer one takes seconds."""
    options = {"opset_version": 17, "dynamo": False} | options
    given = (torch.zeros(1, FEATURES),) if inputs is None else inputs
    options |= {"input_names": list(names[0]), "output_names": list(names[1])}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), given, str(path), **options)
    return path


def in_this_process(monkeypatch):
    """Run exports in this process: the tests' own files can be trusted, and a sandbox takes seconds to start."""

    def answer(export, request, unsafe, limits):
        out = io.BytesIO()
        worker.answer(request, out)
        torch.set_grad_enabled(True)
        return out.getvalue(), "in this process"

    monkeypatch.setattr(run, "_answer", answer)
