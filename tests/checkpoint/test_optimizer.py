"""Adam's moments are read under the names of their parameters; an invalid state raises no error."""

import collections

import pytest
import torch
from actors import SAVED, Calls, contents, saved, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from peak_memory import peak_memory
from tiers import exhaustive

from rsl_edu import checkpoint

MANY = 1 + 4 + 6
"""Parameters of the actor and the critic of ``trained``."""


def read(folder, stored):
    return checkpoint.read(saved(folder, stored))


def test_sums_of_the_moments_equal_those_of_torch(tmp_path):
    stored = trained(steps=3)
    adam = read(tmp_path, stored).optimizer
    assert adam.step == 3
    assert adam.eps == 1e-8
    state = stored["optimizer_state_dict"]["state"]
    names = [
        f"{owner}mlp.{i}.{kind}"
        for owner, last in (("", 2), ("critic's ", 4))
        for i in range(0, last + 1, 2)
        for kind in ("weight", "bias")
    ]
    assert [moments.name for moments in adam.moments] == ["distribution.std_param", *names]
    for index, moments in enumerate(adam.moments):
        square = state[index]["exp_avg_sq"]
        assert (moments.step, moments.size) == (3, square.numel())
        assert moments.square == pytest.approx(float(square.double().sum()) / (1 - 0.999**3), rel=1e-5)
    actor, critic = adam.moments[:5], adam.moments[5:]
    assert adam.square("actor") == pytest.approx(sum(moments.square for moments in actor))
    assert adam.square("critic") == pytest.approx(sum(moments.square for moments in critic))
    assert adam.size("critic") == sum(moments.size for moments in critic)


@pytest.mark.parametrize("name", ["2.1.2-mlp", "5.5.1-mlp"])
def test_moments_that_rsl_rl_wrote_have_the_names_of_their_parameters(name):
    adam = checkpoint.read(SAVED / f"{name}.pt").optimizer
    assert adam.step == 8  # two iterations of two epochs and two batches
    assert [moments.owner for moments in adam.moments] == ["actor"] * 7 + ["critic"] * 6
    assert adam.moments[0].name == "distribution.std_param"
    assert adam.moments[-1].name == "critic's mlp.4.bias"
    assert all(moments.step == 8 and moments.square > 0 for moments in adam.moments)


def test_parameter_without_a_gradient_has_no_steps(tmp_path):
    stored = trained()
    del stored["optimizer_state_dict"]["state"][3]
    moments = read(tmp_path, stored).optimizer.moments[3]
    assert (moments.name, moments.size, moments.step, moments.square) == ("mlp.2.weight", 0, 0, 0)


def test_moments_of_unknown_parameters_are_named_by_number(tmp_path):
    stored = trained()
    stored["critic_state_dict"]["mlp.0.weight"] = torch.ones(6, 3)
    adam = read(tmp_path, stored).optimizer
    assert [moments.name for moments in adam.moments] == [f"parameter {index}" for index in range(MANY)]
    assert {moments.owner for moments in adam.moments} == {""}


def test_shared_part_belongs_to_the_actor(tmp_path):
    shared = torch.nn.Linear(4, 4)
    adam = torch.optim.Adam([*shared.parameters()])
    shared(torch.ones(1, 4)).sum().backward()
    adam.step()
    stored = contents(actor_state_dict={"distribution.std_param": torch.ones(4)}, critic_state_dict={})
    stored["actor_state_dict"] = {f"mlp.0.{name}": x for name, x in shared.state_dict().items()}
    stored["critic_state_dict"] = {f"mlp.0.{name}": x for name, x in shared.state_dict().items()}
    settings = adam.state_dict()
    settings["param_groups"][0]["params"] = [0, 1, 0, 1]  # torch stores this if parameters are given twice
    config = {"distribution_cfg": {"class_name": "HeteroscedasticGaussianDistribution"}}
    found = checkpoint.read(saved(tmp_path, stored | {"optimizer_state_dict": settings}), config=config).optimizer
    assert [moments.name for moments in found.moments] == ["mlp.0.weight", "mlp.0.bias"]


def test_parameters_of_several_groups_are_concatenated(tmp_path):
    stored = trained()
    (group,) = stored["optimizer_state_dict"]["param_groups"]
    halves = [group | {"params": list(range(5))}, group | {"params": list(range(5, MANY))}]
    expected = read(tmp_path, stored).optimizer
    stored["optimizer_state_dict"]["param_groups"] = halves
    assert read(tmp_path, stored).optimizer == expected


def test_steps_stored_as_plain_numbers_are_read(tmp_path):
    stored = trained()
    expected = read(tmp_path, stored).optimizer
    for entry in stored["optimizer_state_dict"]["state"].values():
        entry["step"] = int(entry["step"])
    assert read(tmp_path, stored).optimizer == expected


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.RMSprop])
def test_state_of_another_optimizer_is_not_read_as_adams(kind, tmp_path):
    weight = torch.nn.Parameter(torch.ones(2))
    other = kind([weight], lr=0.1, momentum=0.9)
    weight.sum().backward()
    other.step()
    found = read(tmp_path, contents(optimizer_state_dict=other.state_dict()))
    assert (found.optimizer, found.learning_rate) == (None, 0.1)


def test_settings_without_moments_give_no_state(tmp_path):
    assert checkpoint.read(SAVED / "5.5.1-lstm.pt").optimizer is None
    assert read(tmp_path, contents()).optimizer is None


# Broken values.


def spoiled(where):
    stored = trained()
    state, critic = stored["optimizer_state_dict"]["state"], stored["critic_state_dict"]
    if where == "critic":
        critic["mlp.2.bias"][1] = torch.nan
    elif where == "critic's normalizer":
        critic["obs_normalizer._var"][0, 2] = torch.inf
    elif where == "moment of the critic":
        state[5]["exp_avg_sq"][0, 0] = -torch.inf
    elif where == "moment":
        state[1]["exp_avg"][0, 0] = torch.nan
    elif where == "another model":
        stored["rnd_state_dict"] = {"predictor.0.weight": torch.tensor([1.0, torch.nan])}
    return stored


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("critic", "critic's mlp.2.bias"),
        ("critic's normalizer", "critic's obs_normalizer._var"),
        ("moment of the critic", "Adam's second moment of the critic's mlp.0.weight"),
        ("moment", "Adam's first moment of mlp.0.weight"),
        ("another model", "rnd_state_dict's predictor.0.weight"),
    ],
)
def test_broken_values_anywhere_in_a_file_are_named(where, name, tmp_path):
    assert read(tmp_path, spoiled(where)).broken == (name,)


def test_healthy_file_has_no_broken_values(tmp_path):
    assert read(tmp_path, trained()).broken == ()
    assert checkpoint.read(SAVED / "2.1.2-privileged.pt").broken == ()


@pytest.mark.parametrize("file", ["2.1.2-privileged", "2.3.3-privileged", "3.1.3-mlp", "5.5.1-mlp"])
def test_normalizers_of_all_releases_are_checked(file, tmp_path):
    stored = torch.load(SAVED / f"{file}.pt", weights_only=True)
    tables = [table for table in stored.values() if isinstance(table, dict) and "state" not in table]
    means = [(table, name) for table in tables for name in table if name.rpartition(".")[2] == "_mean"]
    assert len(means) == 2
    for table, name in means:
        table[name][0, 0] = torch.nan
    assert set(read(tmp_path, stored).broken) == {"obs_normalizer._mean", "critic's obs_normalizer._mean"}


def test_large_weights_do_not_count_as_broken(tmp_path):
    stored = trained()
    stored["critic_state_dict"]["mlp.0.weight"].fill_(3e38)  # the sum is infinite
    stored["optimizer_state_dict"]["state"][5]["exp_avg_sq"].fill_(3e38)
    found = read(tmp_path, stored)
    assert found.broken == ()
    assert found.optimizer.moments[5].square == pytest.approx(24 * 3e38 / (1 - 0.999**3), rel=1e-5)


# Untrusted optimizer states.


def entry(**changes):
    return {"step": torch.tensor(3.0), "exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)} | changes


def state_of(**changes):
    return {
        "state": {0: entry(**changes)},
        "param_groups": [{"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8, "params": [0]}],
    }


def grouped(**changes):
    (group,) = state_of()["param_groups"]
    return state_of() | {"param_groups": [group | changes]}


@pytest.mark.filterwarnings("ignore:.*(prototype|deprecated|beta state).*")
@pytest.mark.parametrize(
    "stored",
    [
        None,
        5,
        [],
        {},
        torch.ones(3),
        {"state": torch.ones(2), "param_groups": torch.ones(2)},
        state_of() | {"state": {0: 5}},
        state_of() | {"state": [entry()]},
        state_of() | {"state": {"0": entry()}},
        state_of() | {"state": {0: entry(), "0": entry()}},
        state_of() | {"state": {7: entry()}},
        state_of(step=torch.tensor(torch.nan)),
        state_of(step=torch.tensor(-1.0)),
        state_of(step=torch.ones(3)),
        state_of(step=10**400),
        state_of(step="x"),
        state_of(exp_avg_sq=torch.ones(3)),
        state_of(exp_avg_sq=torch.ones(2).to_sparse()),
        state_of(exp_avg_sq=torch.ones(2, dtype=torch.complex64)),
        state_of(exp_avg_sq=torch.ones(2, device="meta")),
        state_of(
            exp_avg=Calls(torch._tensor._rebuild_from_type_v2, (torch.Tensor, torch.Tensor, (2,), {"sum": bytearray}))
        ),
        grouped(params=[0.0]),
        grouped(params=torch.zeros(1, dtype=torch.int64).expand(10**12)),
        grouped(params=[torch.zeros(1)]),
        grouped(params="0"),
        grouped(betas=5),
        grouped(betas=(0.9, "x")),
        grouped(eps=torch.ones(4)),
        {"state": {0: entry(exp_avg=torch.ones(1).expand(10**10), exp_avg_sq=torch.ones(1).expand(10**10))}}
        | {"param_groups": grouped()["param_groups"]},
        {"state": {i: entry(exp_avg_sq=torch.ones(1).expand(50_000)) for i in range(100)}}
        | {"param_groups": grouped(params=list(range(100)))["param_groups"]},
    ],
    ids=range(30),
)
def test_invalid_state_raises_no_error_and_takes_no_memory(stored, tmp_path):
    path = saved(tmp_path, contents(optimizer_state_dict=stored))
    before = peak_memory()
    found = checkpoint.read(path)
    assert (found.optimizer, found.broken) == (None, ())
    assert peak_memory() - before < 200_000  # KiB


@pytest.mark.parametrize("kind", ["items", "get", "keys", "__getitem__", "values"])
def test_attributes_of_stored_dictionaries_are_ignored(kind, tmp_path):
    stored = trained()
    expected = read(tmp_path, stored).optimizer
    optimizer = stored["optimizer_state_dict"]
    for table, name in ((optimizer["state"], 0), (optimizer, "state"), (stored, "optimizer_state_dict")):
        table[name] = Calls(collections.OrderedDict, (list(table[name].items()),), {kind: bytearray})
    assert read(tmp_path, stored).optimizer == expected


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([torch.ones(2), torch.tensor(2.0)]),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.integers(0, 2) | st.sampled_from(["step", "exp_avg", "exp_avg_sq", "params", "lr"]), inside, max_size=3
        )
    ),
    max_leaves=6,
)


@exhaustive
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_checkpoint_is_read_whatever_its_optimizer_state_contains(drafts, data):
    stored = trained(steps=1)["optimizer_state_dict"]
    group = stored["param_groups"][0]
    places = [(stored, "state"), (stored, "param_groups"), (stored["state"], 0), (stored["param_groups"], 0)]
    places += [(stored["state"][3], name) for name in ("step", "exp_avg", "exp_avg_sq")]
    places += [(group, name) for name in ("params", "betas", "eps", "lr")]
    for _ in range(data.draw(st.integers(1, 3))):
        table, name = data.draw(st.sampled_from(places))
        table[name] = data.draw(anything)
    found = checkpoint.read(saved(drafts, contents(optimizer_state_dict=stored)))
    assert found.policy.actions == 2
