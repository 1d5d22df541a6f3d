"""Untrusted files are read as plain data or refused; nothing in them is run, and they take no memory."""

import collections
import contextlib
import io
import os
import pickle
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from actors import SAVED, Calls, built, contents, refusal, saved, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from peak_memory import peak_memory

from rsl_edu import checkpoint
from rsl_edu.checkpoint import CheckpointError, Policy

law = settings(max_examples=60, deadline=None, derandomize=True)


# Plain data.


def test_plain_data_next_to_the_networks_is_accepted(tmp_path):
    infos = {"level": [1, (2.5, None)], 3: "x", "tensor": torch.ones(2)}
    assert checkpoint.read(saved(tmp_path, contents(infos=infos))).iteration == 7


def test_file_in_torchs_format_before_zip_archives_is_read(tmp_path):
    path = saved(tmp_path, contents(), _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(path)
    torch.testing.assert_close(dict(checkpoint.read(path).policy.state_dict()), dict(built().state_dict()))


def test_a_checkpoint_of_a_gpu_is_read_without_one(tmp_path):
    source = SAVED / "5.5.1-mlp.pt"
    cpu, cuda = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"  # the device of a tensor in a pickle
    with zipfile.ZipFile(source) as read_from, zipfile.ZipFile(tmp_path / "model_1.pt", "w") as written:
        for entry in read_from.infolist():
            content = read_from.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert cpu in content
            written.writestr(entry.filename, content.replace(cpu, cuda))
    moved, stayed = (checkpoint.read(file).policy for file in (tmp_path / "model_1.pt", source))
    x = torch.randn(3, moved.features)
    torch.testing.assert_close(moved(x), stayed(x), rtol=0, atol=0)


def test_missing_file_raises_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoint.read(tmp_path / "model_1.pt")
    with pytest.raises(IsADirectoryError):
        checkpoint.read(tmp_path)


# Harmful files.


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
    assert re.match(r"expected tensors and plain data, but the file refers to \S+; it is not loaded because", message)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_in_a_bare_pickle_is_called(protocol, tmp_path):
    path = tmp_path / "model_1.pt"
    path.write_bytes(pickle.dumps(harmful(tmp_path / "marker")["system"], protocol))
    refusal(path)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("kind", harmful("x"))
def test_unsafe_loading_would_call_the_harmful_pickles(kind, tmp_path):
    torch.load(saved(tmp_path, harmful(tmp_path / "marker")[kind]), weights_only=False)
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        (np.array([object()], dtype=object), "numpy"),
        (np.float64(1), "numpy"),
        (built(), "rsl_edu.checkpoint.policy.Policy"),
        (Path("x"), "pathlib"),
    ],
    ids=["array", "number", "module", "path"],
)
def test_object_that_is_not_plain_data_is_named(content, asked, tmp_path):
    assert f"the file refers to {asked}" in refusal(saved(tmp_path, contents(infos=content)))


@pytest.mark.parametrize("kind", ["items", "values", "keys", "get", "__getitem__", "__class__", "__iter__"])
@pytest.mark.parametrize("part", ["actor_state_dict", None])
def test_attributes_of_stored_dictionaries_are_ignored(kind, part, tmp_path):
    table = contents()[part] if part else contents()
    changed = Calls(collections.OrderedDict, (list(table.items()),), {kind: bytearray})
    path = saved(tmp_path, contents(**{part: changed}) if part else changed, "best.pt")
    assert checkpoint.read(path).iteration == 3
    torch.testing.assert_close(dict(checkpoint.read(path).policy.state_dict()), dict(built().state_dict()))


def test_dictionary_cannot_hide_its_entries_from_the_checks(tmp_path):
    entries = list(contents({"mlp.2.bias": "x"})["actor_state_dict"].items())
    hidden = Calls(collections.OrderedDict, (entries,), {"items": collections.Counter})
    path = saved(tmp_path, contents(actor_state_dict=hidden))
    assert refusal(path) == "expected a tensor at actor_state_dict['mlp.2.bias'], got str"


# Damaged files and other files.


@pytest.fixture(scope="module")
def files():
    """The bytes of a checkpoint as a zip archive and in the format of older torch versions."""
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
def test_truncated_checkpoint_is_refused(files, drafts, data, old):
    content = files[old]
    refusal(written(drafts, content[: data.draw(st.integers(0, len(content) - 1))]))


@settings(law, max_examples=300)
@given(data=st.data(), old=st.booleans())
def test_checkpoint_with_changed_bytes_is_read_or_refused(files, drafts, data, old):
    content = bytearray(files[old])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(drafts, bytes(content))
    with contextlib.suppress(CheckpointError):
        assert isinstance(checkpoint.read(path).policy, Policy)


@law
@given(content=st.binary(min_size=1, max_size=200))
def test_random_bytes_are_refused(drafts, content):
    for start in (b"", b"PK\x03\x04", b"\x80\x02"):
        refusal(written(drafts, start + content))


def test_empty_file_and_lfs_pointer_are_described(tmp_path):
    assert "an empty file (0 bytes)" in refusal(written(tmp_path, b""))
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 36288\n"
    assert "a Git LFS pointer to a file of 36,288 bytes" in refusal(written(tmp_path, pointer))


def test_other_archives_are_refused(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(__file__, "storages")
    assert "an archive (tar); unpack it first" in refusal(written(tmp_path, packed.getvalue()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("notes.txt", "a text")
    assert "a zip archive without a checkpoint" in refusal(written(tmp_path, packed.getvalue()))


def test_only_files_that_begin_like_torchs_are_called_damaged(files, tmp_path):
    for content in files:
        assert refusal(written(tmp_path, content[: len(content) // 2])).startswith("damaged")
    for other in (b"\x13\x37" * 50, b"a text\n", pickle.dumps({"cfg": [1]}), b"\x93NUMPY\x01\x00v\x00"):
        assert "damaged" not in refusal(written(tmp_path, other))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_warnings_of_torch_are_not_shown(protocol, tmp_path, recwarn, capfd):
    (tmp_path / "cfgs.pkl").write_bytes(pickle.dumps([{"env": {"dt": 0.02}}, {"activation": "tanh"}], protocol))
    assert "pickle" in refusal(tmp_path / "cfgs.pkl")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model_1.pt")
    assert "a complete module (torch.nn.modules.linear.Linear)" in refusal(tmp_path / "model_1.pt")
    assert (recwarn.list, *capfd.readouterr()) == ([], "", "")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_archive_is_not_unpacked(method, tmp_path, files):
    path = tmp_path / "model_1.pt"
    with zipfile.ZipFile(io.BytesIO(files[0])) as plain, zipfile.ZipFile(path, "w", method) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
        packed.writestr("archive/data/99", bytes(50_000_000 if method == zipfile.ZIP_DEFLATED else 10))
    assert path.stat().st_size < 100_000
    assert "a compressed archive" in refusal(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of TorchScript
def test_exported_policy_is_recognized(tmp_path):
    torch.jit.trace(built().mlp, torch.ones(1, 4)).save(str(tmp_path / "policy.pt"))
    assert "an exported policy (TorchScript); expected a checkpoint" in refusal(tmp_path / "policy.pt")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([1, 2], "got type list"),
        (torch.ones(3), "a recording of a single tensor \\[3\\]"),
        (None, "got type NoneType"),
        ({}, "the file contains nothing"),
        (built().mlp.state_dict(), "the file contains 4 → 8 → 2; if"),
        ({"policy": {}, "value": {}, "optimizer": {}}, "the file contains policy, value, optimizer"),
        (
            {"policy": {"net_container.0.weight": torch.ones(3, 2)}},
            "an agent of skrl.* the file contains policy .net_container: 2",
        ),
        (
            {"model": {"a2c_network.mu.weight": torch.ones(2)}, "epoch": 1},
            "of rl_games, .* the file contains model .*, epoch",
        ),
        ({1: 2, (3, "x"): 4}, r"the file contains 1, \(3, 'x'\)"),
        ({"\x1b[2J\n\u202e": 1}, r"the file contains \?\[2J\?\?"),
        ({"x" * 100_000: 1}, "the file contains xxx"),
        (contents(actor_state_dict=[1]), "expected names and tensors in actor_state_dict, got list"),
        (contents(actor_state_dict={}), "expected an actor in actor_state_dict; the file contains nothing"),
        (
            contents(actor_state_dict={"net.0.weight": torch.ones(1)}),
            r"expected an actor .* the file contains net \[1\]",
        ),
        (contents(actor_state_dict={5: torch.ones(1)}), "expected names in actor_state_dict, got 5"),
    ],
)
def test_contents_of_a_file_without_an_actor_are_described(content, found, tmp_path):
    assert re.search(found, refusal(saved(tmp_path, content)))


# Entries that are not plain tensors, or that declare more numbers than the file has.


@pytest.mark.filterwarnings("ignore:.*(prototype|deprecated|beta state).*")
@pytest.mark.parametrize("name", tuple(built().state_dict()))
def test_entry_that_is_not_a_plain_tensor_is_named(name, tmp_path):
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


def repeated(*shape):
    return torch.ones(1).expand(shape)


def chain(first, second, size):
    """An actor with one huge hidden layer."""
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
        (contents({"mlp.0.weight": repeated(10**7, 10**6)}), r"declares 40,000,\S+ bytes of numbers, but the file has"),
        (contents({"mlp.2.bias": repeated(10**9)}), "declares 4,000,000,"),
        (contents(actor_state_dict=chain(repeated(10**6, 1), repeated(1, 10**6), 10**6)), "declares 12,000,008 bytes"),
        (
            {"actor_state_dict": chain(torch.ones(10**5, 1), torch.ones(10**5, 1), 10**5), "spare": bytes(10**6)},
            "the actor's parts do not fit together",
        ),
        (contents({"obs_normalizer._mean": torch.empty(0, 10**8)}), "expected obs_normalizer._mean of shape .1, "),
        (contents({"mlp.0.weight": torch.empty(2**62, 0), "mlp.2.weight": torch.empty(2**62, 0)}), "actor"),
        (
            {"actor_state_dict": {"mlp.0.weight": torch.empty(10**8, 0), "distribution.std_param": torch.ones(2)}},
            "actor",
        ),
        (
            contents({"rnn.rnn.weight_ih_l0": torch.ones(48_000, 1), "rnn.rnn.weight_hh_l0": torch.ones(1, 16_000)}),
            "expected 3 gates",
        ),
        (contents({"cnns.scan.0.weight": torch.ones(1, 1, 40_000, 1)}), "expected square filters"),
        (contents({"more": Calls(bytearray, (10**14,))}), "damaged"),
        (contents({"mlp.0.weight": Calls(torch.Tensor, (10**6, 10**7))}), "damaged|declares"),
    ],
    ids=range(11),
)
def test_small_file_that_declares_terabytes_takes_no_memory(content, message, tmp_path):
    path = saved(tmp_path, content)
    before = peak_memory()
    assert re.search(message, refusal(path, images={"scan": (8, 8)}))
    assert peak_memory() - before < 200_000  # KiB


def test_tensors_shared_by_actor_and_critic_are_counted_once(tmp_path):
    actor = built(hidden=(64, 64, 64)).mlp
    joint = {f"{owner}.{name}": x for owner in ("actor", "critic") for name, x in actor.state_dict().items()}
    path = saved(tmp_path, {"model_state_dict": joint | {"std": torch.ones(2)}})
    assert sum(4 * x.numel() for x in joint.values()) > path.stat().st_size
    read = checkpoint.read(path)
    torch.testing.assert_close(read.critic.weights["mlp.2.weight"], read.policy.mlp[2].weight.data)
    more = joint | {f"{owner}.4.weight": joint["actor.2.weight"] for owner in ("actor", "critic")}
    assert "declares" in refusal(saved(tmp_path, {"model_state_dict": more}))


def flipped(path):
    """Change one number of the last tensor in an archive, like a faulty disk."""
    with zipfile.ZipFile(path) as archive:
        entry = [entry for entry in archive.infolist() if "/data/" in entry.filename][-1]
        number = archive.read(entry)
    content = path.read_bytes()
    place = content.rindex(number)
    path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
    return path


def test_changed_number_is_detected(tmp_path):
    path = flipped(saved(tmp_path, trained()))
    assert torch.load(path, weights_only=True)["iter"] == 7
    said = r"damaged; copy or download it again, or take an earlier checkpoint \(the checksum of model_7/data/\d+ does"
    assert re.match(said, refusal(path))
    saved(tmp_path, trained(), "model_3.pt")
    run = checkpoint.read_run(tmp_path)
    assert [found.iteration for found in run.checkpoints] == [3]
    assert "model_7.pt: damaged" in run.skipped[path]


def test_changed_name_in_the_archive_is_detected(tmp_path):
    path = saved(tmp_path, trained())
    content = bytearray(path.read_bytes())
    content[content.index(b"model_7/data/1")] = 0x80  # in the copy of the name before the numbers, which torch ignores
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)["iter"] == 7
    assert refusal(path).startswith("damaged; ")


@pytest.mark.skipif(not hasattr(torch.serialization, "set_crc32_options"), reason="torch always writes checksums")
def test_a_file_without_checksums_is_read(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        path = saved(tmp_path, trained())
    finally:
        torch.serialization.set_crc32_options(True)
    assert checkpoint.read(path).iteration == 7


def test_legacy_file_that_declares_terabytes_takes_no_memory(tmp_path):
    path = saved(tmp_path, contents(), _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    size = pickle.dumps(32, 2)[2:-1] + b"N"  # numbers in mlp.0.weight, before "no view"
    assert content.count(size) == 1
    path.write_bytes(content.replace(size, b"\x8a\x06" + (10**12).to_bytes(6, "little") + b"N"))
    before = peak_memory()
    assert "damaged" in refusal(path)
    assert peak_memory() - before < 200_000  # KiB


class Scalar:
    """An object that is pickled as a call, like NumPy's numbers in files of rl_games."""

    def __reduce__(self):
        return (os.path.join, ("a", "b"))


def test_another_library_is_recognized_in_a_refused_file(tmp_path):
    stored = {"model": {"a2c_network.mu.weight": torch.zeros(1, 1)}, "epoch": 3, "last_mean_rewards": Scalar()}
    assert refusal(saved(tmp_path, stored)).startswith("a checkpoint of rl_games, ")
    own = {"actor_state_dict": {"a2c_network.x": torch.zeros(1)}, "infos": Scalar()}
    assert "refers to posixpath.join; it is not loaded" in refusal(saved(tmp_path, own))


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ({"policy": torch.zeros(5, 2, 4), "dones": torch.zeros(5, 2)}, "policy [5, 2, 4]; dones [5, 2]"),
        (torch.zeros(7, 4), "a single tensor [7, 4]"),
    ],
)
def test_recording_is_recognized(stored, found, tmp_path):
    run = tmp_path / "runs" / "run"
    run.mkdir(parents=True)
    path = saved(run, stored, "obs.pt")
    said = f"a recording of {found}; to show it to a policy: rsl-edu xray RUN --obs obs.pt"
    assert refusal(path) == said
    with pytest.raises(CheckpointError, match=r"no checkpoint .*obs.pt is a recording \(give it with --obs\)"):
        checkpoint.read_run(run)
    with pytest.raises(CheckpointError, match=r"^(?!.*run in it)"):
        checkpoint.read_run(run.parent)


def test_error_for_a_bare_state_dict_says_how_to_wrap_it(tmp_path):
    actor = built().state_dict()
    wrapped = saved(tmp_path, {"actor_state_dict": actor})
    assert checkpoint.read(wrapped).policy.actions == 2
    said = refusal(saved(tmp_path, actor))
    assert 'wrap it: torch.save({"actor_state_dict": state_dict}, "model_0.pt")' in said
    old = {name.replace("mlp", "actor"): tensor for name, tensor in actor.items()}
    assert 'torch.save({"model_state_dict": state_dict}' in refusal(saved(tmp_path, old))
