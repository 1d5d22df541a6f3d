"""What rsl_rl saved is read, of every release, and plays the same; what anyone else saved is refused, and not run."""

import collections
import contextlib
import copy
import functools
import io
import itertools
import os
import pickle
import re
import resource
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peer import CLOSE, DISTRIBUTIONS, NETWORKS, Recorded, configuration, needs_rsl_rl

from rsl_edu import checkpoint
from rsl_edu.checkpoint import CheckpointError, Policy
from rsl_edu.modules import CNN, MLP, RNN, EmpiricalNormalization, GaussianDistribution

SAVED = Path(__file__).parent / "checkpoints"
law = settings(max_examples=60, deadline=None, derandomize=True)


def built(rnn=None, cnns=None, hidden=(8,), features=4):
    """An actor of two actions, with weights that differ."""
    latent = features if rnn is None else 3
    latent += sum(cnn.output_dim for cnn in (cnns or {}).values())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        memory = rnn and RNN(features, 3, 2, rnn)
        return Policy(
            MLP(latent, 2, list(hidden)), GaussianDistribution(2), EmpiricalNormalization(features), memory, cnns
        )


def contents(weights=None, **others):
    """What rsl_rl 5 writes; ``weights`` replace some of the actor's."""
    actor = dict(built().state_dict()) | (weights or {})
    optimizer = {"state": {}, "param_groups": [{"lr": 0.01}]}
    stored = {"actor_state_dict": actor, "critic_state_dict": {}, "optimizer_state_dict": optimizer, "iter": 3}
    return stored | {"infos": None} | others


def without(table, name):
    return {key: value for key, value in table.items() if key != name}


def saved(folder, content, name="model_7.pt", **options):
    torch.save(content, folder / name, **options)
    return folder / name


def refusal(path, **options):
    """The message with which a file is refused: one line, and about this file."""
    with pytest.raises(CheckpointError) as error:
        checkpoint.read(path, **options)
    message = str(error.value)
    assert message.startswith(f"{path.name}: ")
    assert message.isprintable()
    assert len(message) <= 1000
    return message.removeprefix(f"{path.name}: ")


class Calls:
    """Pickles as a call, which a careless reader makes."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


# What rsl_rl trained.


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Trains a network with a distribution, once: its algorithm, its configuration, and the checkpoint's path."""

    @functools.cache
    def train(network, distribution):
        folder = tmp_path_factory.mktemp(f"{network}-{distribution}")
        config = configuration(network, distribution)
        recorded = Recorded(config).learn(2)
        recorded.runner.save(str(folder / "model_2.pt"))
        return recorded.runner.alg, config, folder / "model_2.pt"

    return train


@functools.cache
def episodes(steps=6, envs=5):
    """Observations, scans, and where an episode ends after the step."""
    generator = torch.Generator().manual_seed(1)
    observed = torch.randn(steps, envs, 4, generator=generator)
    scans = torch.randn(steps, envs, 1, 8, 8, generator=generator)
    return list(zip(observed, scans, torch.rand(steps, envs, generator=generator) < 0.3, strict=True))


def answers(policy, network):
    """Actions, then std and entropy of a policy of rsl_rl over the episodes."""
    from tensordict import TensorDict

    groups = [
        TensorDict({"policy": observed} | ({"scan": scan} if network == "cnn" else {}), [len(observed)])
        for observed, scan, _ in episodes()
    ]
    dones = [done for *_, done in episodes()]
    actions, spread = [], []
    policy.eval()
    policy.reset()
    for group, done in zip(groups, dones, strict=True):
        actions.append(policy(group))
        policy.reset(done)
    policy.reset()
    for group, done in zip(groups, dones, strict=True):
        policy(group, stochastic_output=True)
        spread += [policy.output_std, policy.output_entropy]
        policy.reset(done)
    return actions, spread


def rebuilt_answers(policy):
    actions, spread = [], []
    for observed, scan, done in episodes():
        actions.append(policy(observed, {"scan": scan}))
        policy.reset(done)
    policy.reset()
    for observed, scan, done in episodes():
        policy.distribution.update(policy.mlp(policy.latent(observed, {"scan": scan})))
        spread += [policy.distribution.std, policy.distribution.entropy]
        policy.reset(done)
    return actions, spread


@needs_rsl_rl
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_policy_that_rsl_rl_trained_plays_the_same_when_rebuilt(network, distribution, trained):
    algorithm, config, path = trained(network, distribution)
    theirs = algorithm.get_policy()
    found = checkpoint.read(path, config=config["actor"], images={"scan": (8, 8)} if network == "cnn" else None)
    with torch.inference_mode():
        expected, played = answers(theirs, network), rebuilt_answers(found.policy)
    torch.testing.assert_close(played, expected, **CLOSE)
    assert (found.layout, found.iteration) == ("rsl_rl 5" if "gaussian" in distribution else "rsl_rl 4 or 5", 2)
    assert (found.policy.features, found.policy.actions) == (4, 1)
    assert found.policy.normalizer.count == theirs.obs_normalizer.count
    assert found.critic_normalized
    assert found.learning_rate == algorithm.learning_rate
    assert found.unread == ()


@needs_rsl_rl
def test_the_names_of_a_rebuilt_policy_are_those_of_rsl_rl(trained):
    for network in NETWORKS:
        algorithm, config, path = trained(network, "gaussian")
        policy = checkpoint.read(path, config=config["actor"], images={"scan": (8, 8)}).policy
        torch.testing.assert_close(dict(policy.state_dict()), dict(algorithm.get_policy().state_dict()), rtol=0, atol=0)


@needs_rsl_rl
def test_the_folder_that_rsl_rl_writes_is_read_in_order(tmp_path):
    recorded = Recorded(configuration("mlp", "gaussian") | {"save_interval": 2}, tmp_path).learn(6)
    run = checkpoint.read_run(tmp_path)
    assert [found.iteration for found in run.checkpoints] == [0, 2, 4, 5]
    assert (run.path, run.skipped, run.left_out) == (tmp_path, {}, 0)
    counts = [int(found.policy.normalizer.count) for found in run.checkpoints]
    assert counts == [60, 180, 300, 360]  # 6 robots and 10 steps in each iteration
    with torch.inference_mode():
        expected, played = answers(recorded.policy, "mlp"), rebuilt_answers(run.checkpoints[-1].policy)
    torch.testing.assert_close(played, expected, **CLOSE)


@needs_rsl_rl
def test_what_the_file_does_not_say_must_be_given(trained):
    assert re.match(
        "the actor sees 'scan'.* how large that is.*images=", refusal(trained("cnn", "gaussian")[2], config={})
    )
    for distribution in ("heteroscedastic", "beta"):
        path = trained("mlp", distribution)[2]
        assert "depends on the state, or the actions are of a Beta" in refusal(path)
        assert "give distribution_cfg" in refusal(path, config={"distribution_cfg": {"class_name": "Own"}})


@needs_rsl_rl
def test_another_size_or_configuration_of_the_image_is_told(trained):
    _, config, path = trained("cnn", "gaussian")
    assert "the actor does not fit together" in refusal(path, config=config["actor"], images={"scan": (9, 9)})
    unpadded = copy.deepcopy(config["actor"])
    unpadded["cnn_cfg"] |= {"norm": "none"}
    assert "the actor does not fit together" in refusal(path, config=unpadded, images={"scan": (8, 8)})
    assert "stride" in refusal(path, config={"cnn_cfg": {"stride": "two"}}, images={"scan": (8, 8)})
    assert "input_dim" in refusal(path, images={"scan": 8})


# What older releases saved.

FIXTURES = sorted(file.name.removesuffix(".played.pt") for file in SAVED.glob("*.played.pt"))


def settings_of(kind, played):
    """The configuration that a fixture needs."""
    config = {"activation": played.get("activation", "elu")}
    if kind.startswith("heteroscedastic"):
        name = "HeteroscedasticGaussianDistribution"
        config["distribution_cfg"] = {"class_name": name, "std_type": "log" if kind.endswith("log") else "scalar"}
    if kind == "beta":
        action_range = played["action_range"].tolist()
        config["distribution_cfg"] = {"class_name": "rsl_rl.modules:BetaDistribution", "action_range": action_range}
    if kind == "cnn":
        config["cnn_cfg"] = played["cnn"]
    return config


@pytest.mark.parametrize("major", "2345")
def test_there_are_checkpoints_of_each_major_release(major):
    assert any(name.startswith(major) for name in FIXTURES)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_checkpoint_of_any_release_plays_what_that_release_played(name):
    played = torch.load(SAVED / f"{name}.played.pt", weights_only=True)
    kind, observations = played["kind"], played["observations"]
    scans = played.get("scan", [None] * len(observations))
    images = {"scan": (8, 8)} if kind == "cnn" else None
    found = checkpoint.read(SAVED / f"{name}.pt", config=settings_of(kind, played), images=images)
    policy = found.policy
    with torch.inference_mode():
        for observed, scan, action, done in zip(observations, scans, played["actions"], played["dones"], strict=True):
            torch.testing.assert_close(policy(observed, {"scan": scan}), action, **CLOSE)
            policy.reset(done)
        policy.reset()
        for observed, scan, std, done in zip(observations, scans, played["std"], played["dones"], strict=True):
            policy.distribution.update(policy.mlp(policy.latent(observed, {"scan": scan})))
            torch.testing.assert_close(policy.distribution.std, std, **CLOSE)
            policy.reset(done)

    major = played["release"][0]
    assert major in found.layout.split()
    if kind == "mlp":
        assert found.layout == f"rsl_rl {major}"
    normalized = kind != "plain"
    assert (policy.normalizer is not None, found.critic_normalized) == (normalized, normalized)
    assert (policy.features, policy.actions) == (observations.shape[-1], played["actions"].shape[-1])
    assert (found.iteration, found.learning_rate, found.unread) == (1, 0.01, ())


def test_of_a_distillation_of_rsl_rl_3_the_student_is_read(tmp_path):
    student = built(hidden=(5,)).state_dict()
    names = {"mlp": "student", "obs_normalizer": "student_obs_normalizer", "distribution": ""}
    weights = {"std": student["distribution.std_param"]}
    for name, tensor in student.items():
        first, _, rest = name.partition(".")
        if names[first]:
            weights[f"{names[first]}.{rest}"] = tensor
            weights[f"{names[first]}.{rest}".replace("student", "teacher")] = tensor + 1
    found = checkpoint.read(saved(tmp_path, {"model_state_dict": weights}))
    torch.testing.assert_close(dict(found.policy.state_dict()), dict(student), rtol=0, atol=0)
    assert (found.layout, found.critic_normalized, found.unread) == ("rsl_rl 3", False, ())


def test_the_order_of_the_parameters_in_a_file_does_not_matter(tmp_path):
    weights = dict(reversed(built("lstm", hidden=(7,) * 11).state_dict().items()))  # mlp.10 after mlp.2
    found = checkpoint.read(saved(tmp_path, {"actor_state_dict": weights})).policy
    torch.testing.assert_close(dict(found.state_dict()), weights, rtol=0, atol=0)


@pytest.mark.parametrize("path", sorted(SAVED.glob("*-distillation.pt")), ids=lambda path: path.stem)
def test_of_a_distillation_the_student_is_read(path):
    found = checkpoint.read(path)
    stored = torch.load(path, weights_only=True)
    student = stored.get("student_state_dict") or stored["model_state_dict"]
    first = student.get("mlp.0.weight", student.get("student.0.weight"))
    assert torch.equal(found.policy.mlp[0].weight, first)
    assert not found.critic_normalized  # there is none
    assert (found.iteration, found.learning_rate, found.unread) == (1, 0.01, ())


def test_the_number_of_a_checkpoint_is_in_its_name(tmp_path):
    assert checkpoint.read(saved(tmp_path, contents(), "model_250.pt")).iteration == 250
    assert checkpoint.read(saved(tmp_path, contents(), "best.pt")).iteration == 3


@pytest.mark.parametrize("unknown", ["x", None, 1.5, [1]])
def test_without_a_number_the_iteration_is_0(unknown, tmp_path):
    assert checkpoint.read(saved(tmp_path, contents(iter=unknown), "best.pt")).iteration == 0
    assert checkpoint.read(saved(tmp_path, without(contents(), "iter"), "best.pt")).iteration == 0


@pytest.mark.parametrize(
    "optimizer",
    [5, [], {}, {"param_groups": []}, {"param_groups": [{"lr": "fast"}]}, {"param_groups": torch.ones(2)}]
    + [{"param_groups": [{"lr": rate}]} for rate in (None, torch.ones(3), 10**400)],
)
def test_a_learning_rate_that_is_not_there_is_none(optimizer, tmp_path):
    assert checkpoint.read(saved(tmp_path, contents(optimizer_state_dict=optimizer))).learning_rate is None
    assert checkpoint.read(saved(tmp_path, without(contents(), "optimizer_state_dict"))).learning_rate is None


def test_plain_data_beside_the_networks_is_no_harm(tmp_path):
    infos = {"level": [1, (2.5, None)], 3: "x", "tensor": torch.ones(2)}
    assert checkpoint.read(saved(tmp_path, contents(infos=infos))).iteration == 7


def test_parameters_of_no_model_of_rsl_rl_are_named(tmp_path):
    weights = {"encoder.0.weight": torch.ones(2), "memory.x": torch.ones(1)}
    assert checkpoint.read(saved(tmp_path, contents(weights))).unread == tuple(weights)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_any_precision_become_single(dtype, tmp_path):
    weights = {name: tensor.to(dtype) for name, tensor in built().state_dict().items() if tensor.is_floating_point()}
    policy = checkpoint.read(saved(tmp_path, contents(weights))).policy
    assert {tensor.dtype for tensor in policy.state_dict().values()} == {torch.float32, torch.int64}
    torch.testing.assert_close(policy.mlp[0].weight, weights["mlp.0.weight"].float(), rtol=0, atol=0)
    assert policy(torch.ones(3, 4)).dtype == torch.float32


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_read(value, tmp_path):
    policy = checkpoint.read(saved(tmp_path, contents({"mlp.2.bias": torch.full((2,), value)}))).policy
    assert not policy(torch.ones(3, 4)).isfinite().any()


def test_a_file_as_torch_wrote_it_before_it_wrote_zips_is_read(tmp_path):
    path = saved(tmp_path, contents(), _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(path)
    torch.testing.assert_close(dict(checkpoint.read(path).policy.state_dict()), dict(built().state_dict()))


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


def test_several_images_enter_in_the_order_of_the_file(tmp_path):
    policy = built(cnns={"left": CNN((8, 8), 1, [2], 3), "arm": CNN((6, 4), 3, [4], 3)}).eval()
    path = saved(tmp_path, {"actor_state_dict": policy.state_dict()})
    found = checkpoint.read(path, images={"arm": (6, 4), "left": (8, 8)}).policy
    images = {"arm": torch.rand(2, 3, 6, 4), "left": torch.rand(2, 1, 8, 8)}
    torch.testing.assert_close(found(torch.ones(2, 4), images), policy(torch.ones(2, 4), images))


# What nobody should run.


def harmful(marker):
    command = f"touch {marker}"
    return {
        "system": Calls(os.system, (command,)),
        "eval": Calls(eval, (f"open({str(marker)!r}, 'w')",)),
        "exec": Calls(exec, (f"open({str(marker)!r}, 'w')",)),
        "set state": Calls(collections.OrderedDict, (), {"x": Calls(os.system, (command,))}),
    }


@pytest.mark.parametrize("kind", harmful("x"))
@pytest.mark.parametrize("where", ["infos", "actor_state_dict", "iter"])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_nothing_in_a_file_is_called(kind, where, new, tmp_path):
    content = contents(**{where: harmful(tmp_path / "marker")[kind]})
    path = saved(tmp_path, content, _use_new_zipfile_serialization=new)
    message = refusal(path)
    assert re.match(r"expected tensors and plain data, but it asks for \S+; not loaded, as that could run", message)
    assert not (tmp_path / "marker").exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_in_a_bare_pickle_is_called(protocol, tmp_path):
    path = tmp_path / "model_1.pt"
    path.write_bytes(pickle.dumps(harmful(tmp_path / "marker")["system"], protocol))
    refusal(path)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("kind", harmful("x"))
def test_a_careless_reader_would_have_called_it(kind, tmp_path):
    torch.load(saved(tmp_path, harmful(tmp_path / "marker")[kind]), weights_only=False)
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        (np.array([object()], dtype=object), "numpy"),
        (np.float64(1), "numpy"),
        (built(), "rsl_edu.checkpoint.Policy"),
        (Path("x"), "pathlib"),
    ],
    ids=["array", "number", "module", "path"],
)
def test_an_object_that_is_no_plain_data_is_named(content, asked, tmp_path):
    assert f"it asks for {asked}" in refusal(saved(tmp_path, contents(infos=content)))


@pytest.mark.parametrize("kind", ["items", "values", "keys", "get", "__getitem__", "__class__", "__iter__"])
@pytest.mark.parametrize("part", ["actor_state_dict", None])
def test_attributes_that_a_file_gives_to_its_tables_change_nothing(kind, part, tmp_path):
    table = contents()[part] if part else contents()
    changed = Calls(collections.OrderedDict, (list(table.items()),), {kind: bytearray})
    path = saved(tmp_path, contents(**{part: changed}) if part else changed, "best.pt")
    assert checkpoint.read(path).iteration == 3
    torch.testing.assert_close(dict(checkpoint.read(path).policy.state_dict()), dict(built().state_dict()))


def test_a_table_cannot_hide_its_entries_from_the_checks(tmp_path):
    entries = list(contents({"mlp.2.bias": "x"})["actor_state_dict"].items())
    hidden = Calls(collections.OrderedDict, (entries,), {"items": collections.Counter})
    path = saved(tmp_path, contents(actor_state_dict=hidden))
    assert refusal(path) == "expected a tensor at actor_state_dict['mlp.2.bias'], got str"


# What is damaged, or something else.


@pytest.fixture(scope="module")
def files():
    """A checkpoint's bytes, as zip and as older versions of torch wrote it."""
    new, old = io.BytesIO(), io.BytesIO()
    torch.save(contents(), new)
    torch.save(contents(), old, _use_new_zipfile_serialization=False)
    return new.getvalue(), old.getvalue()


def written(folder, content):
    path = folder / "model_7.pt"
    path.write_bytes(content)
    return path


@law
@given(data=st.data(), old=st.booleans())
def test_no_beginning_of_a_checkpoint_is_read(files, tmp_path_factory, data, old):
    content = files[old]
    refusal(written(tmp_path_factory.getbasetemp(), content[: data.draw(st.integers(0, len(content) - 1))]))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@settings(law, max_examples=300)
@given(data=st.data(), old=st.booleans())
def test_whatever_bytes_changed_a_file_is_read_or_refused(files, tmp_path_factory, data, old):
    content = bytearray(files[old])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(tmp_path_factory.getbasetemp(), bytes(content))
    with contextlib.suppress(CheckpointError):
        assert isinstance(checkpoint.read(path).policy, Policy)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@law
@given(content=st.binary(min_size=1, max_size=200))
def test_bytes_that_mean_nothing_are_refused(tmp_path_factory, content):
    for start in (b"", b"PK\x03\x04", b"\x80\x02"):
        refusal(written(tmp_path_factory.getbasetemp(), start + content))


def test_an_empty_file_and_a_text_are_refused(tmp_path):
    assert refusal(written(tmp_path, b"")) == "the file is empty (0 bytes)"
    assert "damaged, or not written by torch.save" in refusal(written(tmp_path, b"version https://git-lfs\n" * 9))


def test_other_archives_are_refused(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(__file__, "storages")
    assert "damaged, or not written by torch.save" in refusal(written(tmp_path, packed.getvalue()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notes.txt", "a text")
    assert "damaged, or not written by torch.save" in refusal(written(tmp_path, packed.getvalue()))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packed_archive_is_not_unpacked(method, tmp_path, files):
    path = tmp_path / "model_1.pt"
    with zipfile.ZipFile(io.BytesIO(files[0])) as plain, zipfile.ZipFile(path, "w", method) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
        packed.writestr("archive/data/99", bytes(50_000_000 if method == zipfile.ZIP_DEFLATED else 10))
    assert path.stat().st_size < 100_000
    assert "a compressed archive" in refusal(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of TorchScript
def test_an_exported_policy_is_told_from_a_checkpoint(tmp_path):
    torch.jit.trace(built().mlp, torch.ones(1, 4)).save(str(tmp_path / "policy.pt"))
    assert "an exported policy (TorchScript); expected a checkpoint" in refusal(tmp_path / "policy.pt")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([1, 2], "got one list"),
        (torch.ones(3), "got one Tensor"),
        (None, "got one NoneType"),
        ({}, "it holds nothing"),
        (built().mlp.state_dict(), "it holds 0.weight, 0.bias, 2.weight, 2.bias"),
        ({"policy": {}, "value": {}, "optimizer": {}}, "it holds policy, value, optimizer"),
        ({"model": {"a2c_network.mu.weight": torch.ones(2)}, "epoch": 1}, "it holds model, epoch"),
        ({1: 2, (3, "x"): 4}, r"it holds 1, \(3, 'x'\)"),
        ({"\x1b[2J\n\u202e": 1}, r"it holds \?\[2J\?\?"),
        ({"x" * 100_000: 1}, "it holds xxx"),
        (contents(actor_state_dict=[1]), "expected names and tensors in actor_state_dict, got list"),
        (contents(actor_state_dict={}), "expected an actor in actor_state_dict .* got nothing"),
        (contents(actor_state_dict={"net.0.weight": torch.ones(1)}), "expected an actor .* got net.0.weight"),
        (contents(actor_state_dict={5: torch.ones(1)}), "expected names in actor_state_dict, got 5"),
    ],
)
def test_what_else_a_file_holds_is_told(content, found, tmp_path):
    assert re.search(found, refusal(saved(tmp_path, content)))


NAMES = {kind: tuple(built(kind).state_dict()) for kind in (None, "gru", "lstm")}


@pytest.mark.parametrize(
    ("rnn", "name"), [pytest.param(rnn, name, id=f"{rnn}-{name}") for rnn in NAMES for name in NAMES[rnn]]
)
def test_a_parameter_that_is_missing_is_missed(rnn, name, tmp_path):
    weights = without(built(rnn).state_dict(), name)
    message = refusal(saved(tmp_path, {"actor_state_dict": weights}))
    assert re.match("the actor (does not fit together|has no|has a memory without)", message)


@pytest.mark.parametrize("name", ["mlp.99.weight", "mlp.99.bias", "mlp.x", "obs_normalizer.more", "cnns", "rnn.rnn.x"])
@pytest.mark.parametrize("shape", [(2,), (2, 2)])
def test_a_parameter_too_many_is_named(name, shape, tmp_path):
    message = refusal(saved(tmp_path, contents({name: torch.ones(shape)})))
    assert message.startswith("the actor does not fit together")
    assert name in message


@pytest.mark.filterwarnings("ignore:.*(prototype|deprecated|beta state).*")
@pytest.mark.parametrize("name", NAMES[None])
def test_a_tensor_that_is_none_of_a_network_is_named(name, tmp_path):
    tensor = built().state_dict()[name].float()
    whole = tensor if tensor.dim() == 2 else torch.ones(2, 2)
    tensors = [
        whole.to_sparse(),
        whole.to_sparse_csr(),
        tensor.to(torch.complex64),
        tensor.bool(),
        tensor.to("meta"),
        torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8),
        torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        torch.zeros(tensor.shape, dtype=torch.uint8).view(torch.bits8),
        Calls(torch._tensor._rebuild_from_type_v2, (torch.Tensor, torch.Tensor, (2,), {"numel": bytearray})),
    ]
    for other in tensors:
        message = refusal(saved(tmp_path, contents({name: other})))
        assert message == f"expected a plain tensor of real numbers at actor_state_dict[{name!r}]"
    for other in ("x", 1.5, None, [tensor]):
        message = refusal(saved(tmp_path, contents({name: other})))
        assert message == f"expected a tensor at actor_state_dict[{name!r}], got {type(other).__name__}"


@pytest.mark.parametrize("name", NAMES["gru"])
def test_a_parameter_of_another_shape_is_told(name, tmp_path):
    """For any shape, those without numbers included, which a file of any size can hold."""
    weights = dict(built("gru").state_dict())
    shapes = [(), (1,), (5,), (1, 5), (5, 1), (9, 7), (2, 3, 4), (2, 1, 3, 3)]
    shapes += [(0,), (0, 4), (8, 0), (0, 10**8), (10**8, 0), (2**62, 0), (0, 2**62), (1, 0)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for shape in shapes:
        if shape != tuple(weights[name].shape):
            refusal(saved(tmp_path, {"actor_state_dict": weights | {name: torch.empty(shape)}}))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_normalizer_that_is_not_of_vectors_is_told(tmp_path):
    weights = {f"obs_normalizer.{name}": torch.ones(1, 2, 2) for name in ("_mean", "_var", "_std")}
    assert refusal(saved(tmp_path, contents(weights))) == (
        "expected obs_normalizer._mean of shape [1, features], got [1, 2, 2]"
    )


@pytest.mark.parametrize("rnn", ["gru", "lstm"])
def test_a_memory_that_does_not_fit_its_network_is_told(rnn, tmp_path):
    weights = built(rnn).state_dict() | {"mlp.0.weight": torch.ones(8, 5)}
    assert refusal(saved(tmp_path, {"actor_state_dict": weights})) == (
        "the actor does not fit together: its memory makes 3 features, and its network takes 5"
    )
    statistics = {f"obs_normalizer.{name}": torch.ones(1, 6) for name in ("_mean", "_var", "_std")}
    path = saved(tmp_path, {"actor_state_dict": built(rnn).state_dict() | statistics})
    assert "its normaliser has 6 features, and its network takes 4" in refusal(path)


def test_images_that_make_more_features_than_the_network_takes_are_told(tmp_path):
    weights = built(cnns={"scan": CNN((8, 8), 1, [2], 3)}).state_dict()
    bare = {name: tensor for name, tensor in weights.items() if "normalizer" not in name}
    assert refusal(saved(tmp_path, {"actor_state_dict": bare}), images={"scan": (20, 20)}) == (
        "the actor does not fit together: its CNN makes 648 features, and its network takes 76"
    )


def repeated(*shape):
    return torch.ones(1).expand(shape)


def chain(first, second, size):
    """An actor of one hidden layer that is huge."""
    return {
        "mlp.0.weight": first,
        "mlp.0.bias": repeated(size),
        "mlp.2.weight": second,
        "mlp.2.bias": torch.ones(1),
        "distribution.std_param": torch.ones(1),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (contents({"mlp.0.weight": repeated(10**7, 10**6)}), r"claims 40,000,\S+ bytes of numbers in a file of"),
        (contents({"mlp.2.bias": repeated(10**9)}), "claims 4,000,000,"),
        (contents(actor_state_dict=chain(repeated(10**6, 1), repeated(1, 10**6), 10**6)), "claims 12,000,008 bytes"),
        (
            {"actor_state_dict": chain(torch.ones(10**5, 1), torch.ones(10**5, 1), 10**5), "spare": bytes(10**6)},
            "the actor does not fit together",
        ),
        (contents({"obs_normalizer._mean": torch.empty(0, 10**8)}), "expected obs_normalizer._mean of shape .1, "),
        (contents({"mlp.0.weight": torch.empty(2**62, 0), "mlp.2.weight": torch.empty(2**62, 0)}), "actor"),
        (
            {"actor_state_dict": {"mlp.0.weight": torch.empty(10**8, 0), "distribution.std_param": torch.ones(2)}},
            "actor",
        ),
        (
            contents({"rnn.rnn.weight_ih_l0": torch.ones(48_000, 1), "rnn.rnn.weight_hh_l0": torch.ones(1, 16_000)}),
            "expected the 3 gates of a GRU",
        ),
        (contents({"cnns.scan.0.weight": torch.ones(1, 1, 40_000, 1)}), "expected square filters"),
        (contents({"more": Calls(bytearray, (10**14,))}), "damaged"),
        (contents({"mlp.0.weight": Calls(torch.Tensor, (10**6, 10**7))}), "damaged|claims"),
    ],
    ids=range(11),
)
def test_a_small_file_that_claims_terabytes_takes_no_memory(content, message, tmp_path):
    path = saved(tmp_path, content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert re.search(message, refusal(path, images={"scan": (8, 8)}))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_legacy_file_that_claims_terabytes_takes_no_memory(tmp_path):
    path = saved(tmp_path, contents(), _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    size = pickle.dumps(32, 2)[2:-1] + b"N"  # numbers in mlp.0.weight, before "no view"
    assert content.count(size) == 1
    path.write_bytes(content.replace(size, b"\x8a\x06" + (10**12).to_bytes(6, "little") + b"N"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "damaged" in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


@pytest.mark.parametrize(
    "others",
    [
        {"critic_state_dict": {1: torch.ones(2)}},
        {"critic_state_dict": torch.ones(2)},
        {"critic_state_dict": None},
        {"teacher_state_dict": 5},
    ],
)
def test_what_stands_for_the_critic_is_not_looked_into(others, tmp_path):
    assert not checkpoint.read(saved(tmp_path, contents(**others))).critic_normalized


def test_the_normalizers_of_rsl_rl_2_are_checked(tmp_path):
    weights = {name.replace("mlp", "actor"): tensor for name, tensor in built().mlp.state_dict(prefix="mlp.").items()}
    older = {"model_state_dict": weights | {"std": torch.ones(2)}, "iter": 1}
    statistics = dict(EmpiricalNormalization(4).state_dict())
    found = checkpoint.read(saved(tmp_path, older | {"obs_norm_state_dict": statistics}))
    assert (found.layout, found.policy.normalizer.count) == ("rsl_rl 2", 0)
    wrong = [torch.ones(2), {"_mean": torch.ones(1, 5)}, without(statistics, "_std"), {"_mean": "x"}]
    for table in wrong:
        assert "obs_norm" in refusal(saved(tmp_path, older | {"obs_norm_state_dict": table}))
    found = checkpoint.read(saved(tmp_path, older | {"critic_obs_norm_state_dict": torch.ones(2)}))
    assert found.critic_normalized


def test_a_configuration_that_no_policy_can_be_built_from_is_told(tmp_path):
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
    assert message == "BetaDistribution takes two outputs for each action, but the MLP has 3"


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoint.read(tmp_path / "model_1.pt")
    with pytest.raises(IsADirectoryError):
        checkpoint.read(tmp_path)


# A folder of them.


def run_folder(folder, numbers):
    """Write checkpoints whose bias is their number."""
    for number in numbers:
        saved(folder, contents({"mlp.2.bias": torch.full((2,), float(number))}), f"model_{number}.pt")
    return folder


def numbers_of(run):
    assert [float(found.policy.mlp[2].bias[0]) for found in run.checkpoints] == [c.iteration for c in run.checkpoints]
    assert len({found.path for found in run.checkpoints}) == len(run.checkpoints)
    return [found.iteration for found in run.checkpoints]


def test_a_run_is_read_in_the_order_of_its_iterations(tmp_path):
    run_folder(tmp_path, [100, 0, 149, 50])
    for other in ("model_best.pt", "model_1.pt.bak", "events.out", "model_.pt"):
        (tmp_path / other).write_text("nothing")
    run = checkpoint.read_run(str(tmp_path))
    assert numbers_of(run) == [0, 50, 100, 149]
    assert (run.path, run.skipped, run.left_out) == (tmp_path, {}, 0)


@pytest.mark.parametrize("most", [2, 3, 5, 11, 12, 13])
def test_of_too_many_files_some_are_read_evenly_with_the_first_and_the_last(most, tmp_path):
    run = checkpoint.read_run(run_folder(tmp_path, range(0, 120, 10)), most=most)
    read = numbers_of(run)
    assert (len(read), run.left_out) == (min(most, 12), max(0, 12 - most))
    assert (read[0], read[-1]) == (0, 110)
    gaps = {later - earlier for earlier, later in itertools.pairwise(read)}
    assert max(gaps) - min(gaps) <= 10


def test_a_damaged_file_is_left_out_and_its_reason_kept(tmp_path):
    run_folder(tmp_path, [0, 50, 100])
    (tmp_path / "model_50.pt").write_bytes((tmp_path / "model_50.pt").read_bytes()[:500])
    (tmp_path / "model_70.pt").mkdir()
    run = checkpoint.read_run(tmp_path)
    assert numbers_of(run) == [0, 100]
    assert set(run.skipped) == {tmp_path / "model_50.pt", tmp_path / "model_70.pt"}
    assert run.skipped[tmp_path / "model_50.pt"].startswith("model_50.pt: damaged")


def test_another_architecture_than_the_last_one_is_left_out(tmp_path):
    run_folder(tmp_path, [50, 100])
    other = built(hidden=(6,)).state_dict()
    saved(tmp_path, {"actor_state_dict": other}, "model_0.pt")
    saved(tmp_path, {"actor_state_dict": built("gru").state_dict()}, "model_60.pt")
    run = checkpoint.read_run(tmp_path)
    assert numbers_of(run) == [50, 100]
    assert run.skipped[tmp_path / "model_0.pt"] == "model_0.pt: its mlp.0.weight is [6, 4], unlike model_100.pt"
    assert "unlike model_100.pt" in run.skipped[tmp_path / "model_60.pt"]


def test_a_run_of_damaged_files_is_an_error(tmp_path):
    for number in range(3):
        (tmp_path / f"model_{number}.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"model_2.pt: the file is empty"):
        checkpoint.read_run(tmp_path)


def test_one_file_is_a_run(tmp_path):
    run_folder(tmp_path, [0, 50])
    run = checkpoint.read_run(tmp_path / "model_50.pt")
    assert (numbers_of(run), run.path, run.left_out) == ([50], tmp_path / "model_50.pt", 0)
    shutil.copy(tmp_path / "model_50.pt", tmp_path / "best.pt")
    assert checkpoint.read_run(tmp_path / "best.pt").checkpoints[0].iteration == 3


# What Isaac Lab writes beside them.


def test_a_run_takes_the_activation_from_its_configuration_unless_it_is_given(tmp_path):
    run_folder(tmp_path, [0])
    path = tmp_path / "model_0.pt"
    observed = torch.linspace(-2, 2, 8).reshape(2, 4)
    elu, relu, tanh = (checkpoint.read(path, name).policy(observed) for name in ("elu", "relu", "tanh"))
    assert not torch.equal(elu, relu)
    assert torch.equal(checkpoint.read_run(tmp_path).checkpoints[0].policy(observed), elu)

    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "agent.yaml").write_text("policy: {activation: relu}")
    for run, options, expected in [
        (tmp_path, {}, relu),
        (path, {}, relu),
        (tmp_path, {"activation": "tanh"}, tanh),
        (tmp_path, {"config": {"activation": "tanh"}}, tanh),
        (tmp_path, {"config": {"activation": "elu"}, "activation": "tanh"}, tanh),
        (tmp_path, {"config": {}}, elu),
    ]:
        assert torch.equal(checkpoint.read_run(run, **options).checkpoints[0].policy(observed), expected)


def test_an_actor_that_sees_images_alone_is_read_without_its_normaliser_of_nothing(tmp_path):
    torch.manual_seed(0)
    cnn = CNN((8, 8), 1, [2], 3)
    own = Policy(MLP(cnn.output_dim, 2, [6]), GaussianDistribution(2), None, cnns={"scan": cnn}).eval()
    nothing = {"_mean": torch.zeros(1, 0), "_var": torch.ones(1, 0), "_std": torch.ones(1, 0), "count": torch.tensor(5)}
    weights = own.state_dict() | {f"obs_normalizer.{name}": tensor for name, tensor in nothing.items()}
    policy = checkpoint.read(saved(tmp_path, {"actor_state_dict": weights}), images={"scan": (8, 8)}).policy
    seen = {"scan": torch.randn(3, 1, 8, 8)}
    assert policy.features == 0
    torch.testing.assert_close(policy(torch.empty(3, 0), seen), own(torch.empty(3, 0), seen))


def test_a_checkpoint_of_a_gpu_is_read_without_one(tmp_path):
    source = SAVED / "5.5.1-mlp.pt"
    cpu, cuda = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"  # where a tensor was, as a pickle has it
    with zipfile.ZipFile(source) as read_from, zipfile.ZipFile(tmp_path / "model_1.pt", "w") as written:
        for entry in read_from.infolist():
            content = read_from.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert cpu in content
            written.writestr(entry.filename, content.replace(cpu, cuda))
    moved, stayed = (checkpoint.read(file).policy for file in (tmp_path / "model_1.pt", source))
    x = torch.randn(3, moved.features)
    torch.testing.assert_close(moved(x), stayed(x), rtol=0, atol=0)
