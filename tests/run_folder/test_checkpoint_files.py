"""The checkpoints in a folder are found under any name; if there are none, the message says what else is there."""

import os
import pickle
import re
import zipfile
from pathlib import Path

import pytest
import torch

from rsl_edu.run_folder import (
    CheckpointError,
    checkpoint_files,
    doubles,
    exports_beside,
    iteration_in_name,
    run_settings,
    what_is,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


def saved(folder, *names, **options):
    """A folder with a torch file under each name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        torch.save({"iter": 1}, folder / name, **options)
    return folder


def exported(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.jit.script(torch.nn.Linear(1, 1)).save(file)


def found(folder):
    return [file.name for file in checkpoint_files(folder)]


def refusal(folder):
    with pytest.raises(CheckpointError) as error:
        checkpoint_files(folder)
    return str(error.value).replace(f"{folder}", "RUN")


def test_checkpoints_are_in_the_order_of_their_iterations(tmp_path):
    for name in ("model_100.pt", "model_50.pt", "model_0.pt", "best.pt", "model_x.pt"):
        (tmp_path / name).touch()
    assert found(tmp_path) == ["model_0.pt", "model_50.pt", "model_100.pt"]
    assert checkpoint_files(tmp_path / "best.pt") == [tmp_path / "best.pt"]


def test_file_with_the_shortest_name_is_read_if_several_have_the_same_iteration(tmp_path):
    saved(tmp_path, "model_050.pt", "model_50.pt", "model_0050.pt", "model_100.pt")
    assert found(tmp_path) == ["model_50.pt", "model_100.pt"]
    others = {tmp_path / name: tmp_path / "model_50.pt" for name in ("model_0050.pt", "model_050.pt")}
    assert doubles(tmp_path) == others
    assert doubles(tmp_path / "model_50.pt") == {}


def test_missing_run_raises_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        checkpoint_files(tmp_path / "nowhere")


# Other names.


@pytest.mark.parametrize(
    "name",
    [
        "model_8k.pt",
        "model_final.pt",
        "best.pt",
        "model_best.pt",
        "checkpoint.pt",
        "policy.pt",
        "model_random_1499.pt",
        "ac_weights_last.pt",
        "final.pth",
        "epoch=3.ckpt",
        "policy_1.pt",
    ],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_single_checkpoint_is_found_under_any_name(name, zipped, tmp_path):
    saved(tmp_path, name, _use_new_zipfile_serialization=zipped)
    assert found(tmp_path) == [name]


@pytest.mark.parametrize(
    "names",
    [
        ["model_8k.pt", "model_10k.pt"],
        ["go2_800.pt", "go2_8k.pt", "go2_10k.pt"],
        ["ac_weights_000400.pt", "ac_weights_001200.pt"],
        ["checkpoint-9.pt", "checkpoint-10.pt"],
        ["7.pt", "12.pt"],
    ],
)
def test_names_that_differ_only_in_a_number_give_the_order(names, tmp_path):
    assert found(saved(tmp_path, *names)) == names
    assert found(saved(tmp_path, "best.pt")) == names


@pytest.mark.parametrize(
    ("name", "iteration"),
    [
        ("model_8k.pt", 8000),
        ("ac_weights_000400.pt", 400),
        ("model_0.pt", 0),
        ("go2_1500.pth", 1500),
        ("best.pt", None),
    ],
)
def test_iteration_is_read_from_the_name(name, iteration, tmp_path):
    assert iteration_in_name(tmp_path / name) == iteration


@pytest.mark.parametrize(
    "names",
    [
        ["best.pt", "final.pt"],
        ["best.pt", "best.pth"],
        ["best.pt", "model_8k.pt"],
        ["a_1.pt", "b_2.pt"],
        ["a_1.pt", "a_01.pt"],
        ["a_1k.pt", "a_1000.pt"],
        [f"{letter}.pt" for letter in "abcdefgh"],
    ],
)
def test_files_in_an_unknown_order_raise_an_error_that_lists_them(names, tmp_path):
    message = refusal(saved(tmp_path, *names))
    assert re.fullmatch(
        rf"RUN: {len(names)} files may be checkpoints, but their names do not show their order \(.+\); "
        rf"give one of them: RUN/{re.escape(min(names))}",
        message,
    )
    assert all(name in message for name in names[:6])
    assert "g.pt" not in message


def test_export_is_not_used_as_a_checkpoint_whatever_its_name(tmp_path):
    for name in ("policy.pt", "policy_1.pt", "a.pt"):
        exported(tmp_path / name)
    (tmp_path / "z.pt").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "env.pt").write_bytes(pickle.dumps({}))
    assert "RUN/a.pt is an exported policy; to check an export" in refusal(tmp_path)
    saved(tmp_path, "best.pt")
    assert found(tmp_path) == ["best.pt"]


def test_damaged_file_is_returned_so_that_reading_it_raises_the_error(tmp_path):
    saved(tmp_path, "best.pt")
    (tmp_path / "best.pt").write_bytes((tmp_path / "best.pt").read_bytes()[:-30])
    assert found(tmp_path) == ["best.pt"]


# Folders without checkpoints.


def test_folder_without_checkpoints_is_reported(tmp_path):
    assert refusal(tmp_path) == "RUN: no checkpoint (model_0.pt, model_50.pt, …) in this folder, nor in its subfolders"
    (tmp_path / "model_0.pt").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model_final.pt").touch()
    assert refusal(tmp_path).endswith("nor in its subfolders")


def test_runs_in_subfolders_are_listed_as_paths_with_the_latest_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    below = "logs/rsl_rl/anymal"
    for day in range(1, 6):
        run = saved(tmp_path / below / f"2025-01-0{day}", "model_0.pt", "model_50.pt")
        os.utime(run / "model_50.pt", (0, (100 - day) * 3600))
    for start in ("logs", "logs/rsl_rl", below):
        with pytest.raises(CheckpointError) as error:
            checkpoint_files(Path(start))
        assert str(error.value) == (
            f"{start}: no checkpoint (model_0.pt, model_50.pt, …) in this folder; give one of the 5 runs in it: "
            f"{below}/2025-01-01, {below}/2025-01-02, {below}/2025-01-03, …"
        )
    for file in (tmp_path / below).rglob("*.pt"):  # in a clone, all files have the same time, so names give the order
        os.utime(file, (0, 3600))
    assert f"runs in it: RUN/{below}/2025-01-05, RUN/{below}/2025-01-04" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["model_0.pt", "model_8k.pt", "best.pt"])
def test_listed_run_can_be_opened(name, tmp_path):
    run = saved(tmp_path / "runs" / "a", name)
    exported(tmp_path / "runs" / "b" / "policy.pt")
    assert refusal(tmp_path / "runs").endswith("in this folder; give the run in it: RUN/a")
    assert found(run) == [name]


def test_parent_folder_is_mentioned_if_it_has_checkpoints(tmp_path, monkeypatch):
    exported(saved(tmp_path / "run", "model_0.pt") / "exported" / "policy.pt")
    message = refusal(tmp_path / "run" / "exported")
    assert f"; its parent folder has some: {tmp_path / 'run'}; RUN/policy.pt is an exported policy; " in message
    monkeypatch.chdir(tmp_path / "run" / "exported")
    with pytest.raises(CheckpointError, match=r"its parent folder has some: \.\.;"):
        checkpoint_files(Path())


def test_export_in_a_subfolder_is_mentioned(tmp_path):
    exported(tmp_path / "exported" / "policy.pt")
    assert "nor in its subfolders; RUN/exported/policy.pt is an exported policy" in refusal(tmp_path)


def test_files_of_other_kinds_are_described(tmp_path):
    with zipfile.ZipFile(tmp_path / "best_model.zip", "w") as archive:
        archive.writestr("_stable_baselines3_version", "2.4")
    (tmp_path / "model.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3628\n")
    (tmp_path / "README.md").write_text("A robot.\n")
    assert refusal(tmp_path).endswith(
        ", nor in its subfolders; best_model.zip is a model of Stable-Baselines3, which is another library; "
        "model.pt is a Git LFS pointer to a file of 3,628 bytes"
    )


def test_folder_of_another_library_is_described(tmp_path):
    (tmp_path / "rllib_checkpoint.json").write_text("{}")
    assert "in this folder: it is a checkpoint of RLlib, which is another library" in refusal(tmp_path)


# The search is bounded.


@pytest.fixture
def reads(monkeypatch):
    """Counts how often folders are listed, names are read and files are opened."""
    counted = {"folders": 0, "names": 0, "files": 0}
    scandir = os.scandir

    class Counted:
        def __init__(self, path):
            counted["folders"] += 1
            self.entries = scandir(path)

        def __iter__(self):
            for entry in self.entries:
                counted["names"] += 1
                yield entry

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.entries.close()

    opened = Path.open

    def open_counted(self, *arguments, **options):
        counted["files"] += 1
        return opened(self, *arguments, **options)

    monkeypatch.setattr(os, "scandir", Counted)
    monkeypatch.setattr(Path, "open", open_counted)
    return counted


def test_folder_of_many_checkpoints_is_listed_once_without_opening_files(tmp_path, reads):
    for number in range(2000):
        (tmp_path / f"model_{number}.pt").touch()
    assert len(checkpoint_files(tmp_path)) == 2000
    assert reads == {"folders": 1, "names": 2000, "files": 0}


def test_the_search_below_reads_a_thousand_folders_at_most(tmp_path, reads):
    for number in range(1100):
        (tmp_path / f"{number:04}").mkdir()
    assert "nor in its first 1,000 subfolders" in refusal(tmp_path)
    assert reads["folders"] <= 1020


def test_the_search_below_goes_six_folders_deep_and_follows_no_link(tmp_path, reads):
    saved(tmp_path / "1/2/3/4/5/6", "model_0.pt")
    assert refusal(tmp_path).endswith("RUN/1/2/3/4/5/6")
    (tmp_path / "1/2/3/4/5/6").rename(tmp_path / "1/2/3/4/5/x")
    saved(tmp_path / "1/2/3/4/5/x/7", "model_0.pt")
    (tmp_path / "1/2/3/4/5/x/model_0.pt").unlink()
    (tmp_path / "1/loop").symlink_to(tmp_path)
    reads["folders"] = 0
    assert refusal(tmp_path).endswith("nor in its subfolders, 6 levels deep")
    assert reads["folders"] < 20


def test_a_folder_of_other_files_is_not_read_file_by_file(tmp_path, reads):
    for number in range(3000):
        (tmp_path / f"{number}.png").touch()
        (tmp_path / f"{number}.zip").touch()
    refusal(tmp_path)
    assert reads["names"] < 30_000  # Python 3.14 lists a folder once more
    assert reads["files"] < 200


def test_unreadable_subfolder_is_skipped(tmp_path, monkeypatch):
    saved(tmp_path / "a", "model_0.pt")
    (tmp_path / "b").mkdir()
    scandir = os.scandir

    def refused(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert refusal(tmp_path).endswith("give the run in it: RUN/a")
    with pytest.raises(PermissionError):
        checkpoint_files(tmp_path / "b")


# Pipes and devices: opening a pipe could block forever, and a device never ends.


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_and_devices_are_named_and_not_opened(tmp_path):
    pipe, device, run = tmp_path / "pipe", Path("/dev/null"), tmp_path / "run"
    os.mkfifo(pipe)
    run.mkdir()
    (run / "model_5.pt").symlink_to("/dev/zero")
    for path, says in ((pipe, "a named pipe"), (device, "a device"), (run, "a device")):
        with pytest.raises(OSError, match=says):
            checkpoint_files(path)
    with pytest.raises(OSError, match="a named pipe"):
        what_is(pipe)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipe_next_to_a_run_is_not_opened(tmp_path):
    run = saved(tmp_path / "run", "model_0.pt")
    (run / "params").mkdir()
    for name in ("policy.pt", "policy.onnx", "model_7.pt", "params/agent.yaml"):
        os.mkfifo(run / name)
    (run / "agent.yaml").symlink_to("/dev/zero")
    (run / "cfgs.pkl").mkdir()
    assert found(run) == ["model_0.pt", "model_7.pt"]  # model_7.pt is skipped later, with the reason
    assert exports_beside(run) == []
    assert run_settings(run).unread == {
        "params/agent.yaml": "a named pipe, not a file",
        "agent.yaml": "a device, not a file",
        "cfgs.pkl": "Is a directory",
    }
