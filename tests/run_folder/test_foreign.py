"""Files that are not rsl_rl checkpoints are described by their kind, and damaged checkpoints as damaged."""

import bz2
import collections
import gzip
import io
import json
import lzma
import pickle
import re
import shutil
import tarfile
import zipfile

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rsl_edu.run_folder import what_is

NOT = "expected a checkpoint of rsl_rl, such as model_50.pt"
STATE = {"actor_state_dict": {"mlp.0.weight": torch.ones(2, 3)}, "optimizer_state_dict": {"state": {}}, "iter": 7}


def in_memory(write):
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def zipped(*names):
    def write(stream):
        with zipfile.ZipFile(stream, "w") as archive:
            for name in names:
                archive.writestr(name, "x")

    return in_memory(write)


def tarred(mode):
    def write(stream):
        with tarfile.open(fileobj=stream, mode=mode) as archive:
            archive.addfile(tarfile.TarInfo("run/model_0.pt"))

    return in_memory(write)


def safetensors(header):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(24)


def onnx_model(**options):
    onnx = pytest.importorskip("onnx")
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3]) for name in ("obs", "actions")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Elu", ["obs"], ["actions"])], "main", value[:1], value[1:])
    return onnx.helper.make_model(graph, **options).SerializeToString()


def scripted():
    return in_memory(
        lambda stream: torch.jit.save(torch.jit.script(torch.nn.Sequential(torch.nn.Linear(1, 1))), stream)
    )


def traced():
    return in_memory(lambda stream: torch.jit.save(torch.jit.trace(torch.nn.Linear(1, 1), torch.ones(1, 1)), stream))


class Policy(torch.nn.Module):
    """A module of a user."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(1, 1)


def own_module():
    return in_memory(lambda stream: torch.save(Policy(), stream))


def module():
    return in_memory(lambda stream: torch.save(torch.nn.Sequential(torch.nn.Linear(1, 1)), stream))


def program(folder):
    torch.export.save(torch.export.export(torch.nn.Linear(1, 1), (torch.ones(1, 1),)), folder / "policy.pt2")
    return (folder / "policy.pt2").read_bytes()


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:159d90\nsize 4612345\n"
FILES = {
    "empty": (b"", r"an empty file \(0 bytes\); copy or download it again"),
    "zeros": (bytes(9000), r"damaged: it begins with zeros, as after a crash or with a full disk; .*"),
    "LFS": (LFS, r"a Git LFS pointer to a file of 4,612,345 bytes; fetch the file with: git lfs pull .*"),
    "LFS, other": (LFS[:43], "a Git LFS pointer; fetch the file with: git lfs pull .*"),
    "no text": (b"\1\2 no text", None),
    "HTML": ("\n\n<!DOCTYPE html><html><body>Sign in</body></html>", r"a web page \(HTML\), not the file; download .*"),
    "HTML, short": ("<html>", r"a web page \(HTML\).*"),
    "XML": ("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", rf"a text \(XML\), such as .*; {NOT}"),
    "URDF": ('<?xml version="1.0"?>\n<robot name="go2"></robot>', rf"a description of a robot; {NOT}"),
    "MJCF": ('<mujoco model="go2"></mujoco>', rf"a description of a robot; {NOT}"),
    "JSON": (json.dumps({"error": "x"}), rf"a text \(JSON\); {NOT}"),
    "YAML": (
        "seed: 42\npolicy:\n  activation: elu\n",
        r"a text \(YAML\), such as agent.yaml; give the run folder, .*--config.*",
    ),
    "answer": ("Entry not found", rf"a text, which begins 'Entry not found'; {NOT}"),
    "error 404": ("404: Not Found", rf"a text, which begins '404: Not Found'; {NOT}"),
    "Chinese": ("模型" * 3000, rf"a text, which begins '模型.*; {NOT}"),
    "zip of a run": (
        zipped("run/model_0.pt", "run/params/agent.yaml"),
        "a zip archive with checkpoints in it; unpack it.*",
    ),
    "zip": (zipped("a.txt"), "a zip archive without a checkpoint; .*"),
    "no zip entries": (zipped(), "a zip archive without a checkpoint; .*"),
    "SB3": (
        zipped("data", "policy.pth", "policy.optimizer.pth", "_stable_baselines3_version", "system_info.txt"),
        "a model of Stable-Baselines3, which is another library; .*",
    ),
    "npz": (
        in_memory(lambda stream: np.savez(stream, a=np.ones(3))),
        r"arrays of NumPy \(.npz\), .*give observations with --obs",
    ),
    "npy": (
        in_memory(lambda stream: np.save(stream, np.ones(3))),
        r"an array of NumPy \(.npy\), .*give observations with --obs",
    ),
    "Keras": (zipped("metadata.json", "config.json", "model.weights.h5"), "a model of Keras; .*"),
    "gzip": (gzip.compress(b"x"), r"a compressed file \(gzip\); unpack it first, .*"),
    "tar.gz": (tarred("w:gz"), r"a compressed file \(gzip\); unpack it first, .*"),
    "tar": (tarred("w"), r"an archive \(tar\); unpack it first, .*"),
    "xz": (lzma.compress(b"x"), r"a compressed file \(xz\); unpack it first, .*"),
    "bz2": (bz2.compress(b"x"), r"a compressed file \(bzip2\); unpack it first, .*"),
    "7z": (b"7z\xbc\xaf'\x1c\0\4" + bytes(30), r"a compressed file \(7z\); unpack it first, .*"),
    "zstd": (b"(\xb5/\xfd\x04\x58" + bytes(30), r"a compressed file \(zstd\); unpack it first, .*"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(90), rf"an HDF5 file, .*; {NOT}"),
    "safetensors": (
        safetensors({"a": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}}),
        rf"tensors without settings \(safetensors\); {NOT}",
    ),
    "msgpack": (msgpack.packb({"params": {"a": [1.5]}}), rf"parameters in msgpack, as Flax \(JAX\) saves them; {NOT}"),
    "pickle 0": (pickle.dumps({"a": [1, 2]}, 0), "a pickle, not loaded because .*"),
    "pickle 1": (pickle.dumps([{"a": 1}], 1), "a pickle, not loaded because .*"),
    "pickle 2": (pickle.dumps({"a": [1, 2]}, 2), "a pickle, not loaded because .*"),
    "pickle 4": (pickle.dumps({"a": [1, 2]}, 4), "a pickle, not loaded because .*"),
    "pickle 5": (pickle.dumps(collections.OrderedDict(a=1), 5), "a pickle, not loaded because .*"),
    "Brax": (b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x13brax.training.types\x94.", rf"parameters of Brax \(JAX\); {NOT}"),
    "joblib": (b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle\x94.", rf"a pickle of joblib, .*; {NOT}"),
    "TensorRT": (b"ftrt" + bytes(range(60)), rf"an engine of TensorRT; {NOT}.*"),
    "wandb": (b":W&B\xe1\xbe\0" + bytes(60), "a log of Weights & Biases; download the run's model_N.pt .*"),
    "USD": (b"PXR-USDC" + bytes(60), rf"a description of a robot or a scene \(USD\); {NOT}"),
    "USD, text": (b"#usda 1.0\n", rf"a description of a robot or a scene \(USD\); {NOT}"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(60), rf"a TensorFlow Lite model; {NOT}"),
}


def written(folder, content, name="model_1.pt"):
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / name


@pytest.mark.parametrize("kind", FILES)
def test_file_is_described_by_its_content(kind, tmp_path):
    content, said = FILES[kind]
    told = what_is(written(tmp_path, content))
    assert told is None if said is None else re.fullmatch(said, told)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("write", "said"),
    [
        (
            scripted,
            r"an exported policy \(TorchScript\); expected a checkpoint such as model_50.pt; .*rsl-edu compare .*",
        ),
        (
            traced,
            r"an exported policy \(TorchScript\); expected a checkpoint such as model_50.pt; .*rsl-edu compare .*",
        ),
        (
            module,
            r"a complete module \(torch.nn.modules.container.Sequential\), .*; save its state_dict\(\) instead, or .*",
        ),
        (own_module, rf"a complete module \({__name__}.Policy\), which could execute code when it is loaded; .*"),
        (onnx_model, rf"an exported policy \(ONNX\); {NOT}; .*rsl-edu compare .*"),
        (lambda: onnx_model(producer_name="pytorch", ir_version=6), r"an exported policy \(ONNX\); .*"),
        (lambda: onnx_model(doc_string="x" * 9000, producer_version="2"), r"an exported policy \(ONNX\); .*"),
        (lambda: onnx_model()[:60], r"an exported policy \(ONNX\); .*"),
    ],
)
def test_exports_of_torch_and_onnx_are_described(write, said, tmp_path):
    assert re.fullmatch(said, what_is(written(tmp_path, write())))


@pytest.mark.filterwarnings("ignore")
def test_exported_program_is_described(tmp_path):
    assert what_is(written(tmp_path, program(tmp_path))).startswith("an exported program (torch.export, .pt2); ")
    older = zipped("serialized_exported_program.json", "serialized_state_dict.pt", "version")
    assert what_is(written(tmp_path, older)).startswith("an exported program (torch.export, .pt2); ")


def test_tensorboard_log_is_described(tmp_path):
    writers = pytest.importorskip("torch.utils.tensorboard")
    with writers.SummaryWriter(tmp_path) as writer:
        writer.add_scalar("reward", 1.0, 0)
    (log,) = tmp_path.iterdir()
    assert what_is(log).startswith("a log of TensorBoard; ")


# Files of torch.save, complete or damaged.


class Named:
    """An object of a class."""


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {},
        torch.ones(3),
        torch.nn.Linear(1, 1).state_dict(),
        {"model_state_dict": torch.nn.Linear(1, 1).state_dict()},
        {"amp_normalizer": Named(), "model_state_dict": {}},
        {"parameter": torch.nn.Parameter(torch.ones(1))},
        Named(),
    ],
    ids=["checkpoint", "nothing", "tensor", "state dict", "rsl_rl 2", "with an object", "parameter", "object"],
)
def test_files_of_torch_save_are_not_described(content, new, tmp_path):
    torch.save(content, tmp_path / "model_1.pt", _use_new_zipfile_serialization=new)
    assert what_is(tmp_path / "model_1.pt") is None


def checkpoints():
    new, old = io.BytesIO(), io.BytesIO()
    torch.save(STATE, new)
    torch.save(STATE, old, _use_new_zipfile_serialization=False)
    return new.getvalue(), old.getvalue()


NEW, OLD = checkpoints()


@pytest.mark.parametrize("length", [5, 64, 100, 500, len(NEW) // 2, len(NEW) - 30, len(NEW) - 1])
def test_truncated_checkpoint_is_described_as_damaged(length, tmp_path):
    assert what_is(written(tmp_path, NEW[:length])).startswith(
        "damaged: the table of contents at its end is missing or "
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which files are overwritten many times."""
    return tmp_path_factory.mktemp("any")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from([NEW, OLD]), st.floats(0, 1), st.binary(min_size=1, max_size=4))
def test_checkpoint_with_changed_bytes_is_damaged_or_not_described(folder, content, place, noise):
    start = 15 + int(place * (len(content) - 20))  # after the marker of the format
    damaged = content[:start] + noise + content[start + len(noise) :]
    said = what_is(written(folder, damaged))
    assert said is None or said.startswith("damaged: ")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PK\3\4", b"PK\5\6", b"\x80\2", b"\x08\x07\x12", b"{", b"<", b"\x81\xa1"]),
)
def test_random_bytes_are_described_in_one_line_or_not_at_all(folder, content, start):
    said = what_is(written(folder, start + content))
    assert said is None or (said and "\n" not in said)


def test_nothing_in_a_file_is_loaded(tmp_path):
    class Calls:
        def __reduce__(self):
            return open, (str(tmp_path / "marker"), "w")

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        what_is(written(tmp_path, pickle.dumps(Calls(), protocol)))
    for new in (True, False):
        torch.save(Calls(), tmp_path / "model_1.pt", _use_new_zipfile_serialization=new)
        what_is(tmp_path / "model_1.pt")
    assert not (tmp_path / "marker").exists()


def test_a_compressed_pickle_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "model_1.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\2c__main__\nX\n." + bytes(200 << 20))
    assert what_is(tmp_path / "model_1.pt") is None


# Folders.


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["rllib_checkpoint.json", "algorithm_state.pkl"], "a checkpoint of RLlib"),
        (["algorithm_state.pkl", "policies/default_policy/policy_state.pkl"], "a checkpoint of RLlib"),
        (["000206438400/ppo_network_config.json", "000206438400/_METADATA", "config.json"], "a checkpoint of JAX"),
        (["_METADATA", "_CHECKPOINT_METADATA", "manifest.ocdbt", "d/x"], "a checkpoint of JAX"),
        (["orbax.checkpoint"], "a checkpoint of JAX"),
        (["saved_model.pb", "variables/variables.index"], "a TensorFlow model"),
        ([".metadata", "config.json"], None),
        (["000206438400/model_0.pt", "1"], None),
        ([], None),
    ],
)
def test_folder_is_described_by_the_names_in_it(files, said, tmp_path):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = what_is(tmp_path)
    assert (found or "").partition(" (")[0].partition(",")[0].partition(";")[0] == (said or "")


@pytest.mark.filterwarnings("ignore")
def test_distributed_checkpoint_is_described(tmp_path):
    checkpoint = pytest.importorskip("torch.distributed.checkpoint")
    checkpoint.save({"a": torch.ones(2)}, checkpoint_id=tmp_path / "saved", no_dist=True)
    assert what_is(tmp_path / "saved").startswith(
        "a distributed checkpoint of torch; convert it to a single file with: python -m torch"
    )


def test_missing_file_or_folder_raises_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        what_is(tmp_path / "nowhere")
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError):
        what_is(tmp_path)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_some_files_are_described_by_their_name(tmp_path):
    (tmp_path / "policy.onnx.data").write_bytes(bytes(range(1, 99)))
    assert what_is(tmp_path / "policy.onnx.data").startswith("the weights of an exported policy (ONNX), which belong")
    (tmp_path / "actuator_nets").mkdir()
    for name in ("actuator_nets/net.pt", "anydrive_v3_lstm.pt"):
        torch.jit.script(torch.nn.Linear(6, 1)).save(tmp_path / name)
        assert what_is(tmp_path / name).startswith("an actuator network (TorchScript), judging by its name")
