"""``rsl-edu compare``: report whether the policies in two files behave the same, and if not, why."""

from __future__ import annotations

import argparse
import re
import zipfile
from pathlib import Path
from typing import Any

from rsl_edu.printable import printable

from .arguments import path_argument, system_error, try_page, writing_html

_PAIRS = "a checkpoint (or a run folder) and an export of it (TorchScript or ONNX), or two recordings"
_CHECKPOINT, _EXPORT, _RECORDING, _RUN = "a checkpoint", "an export", "a recording", "a folder"
_WEIGHTS = "a state_dict"


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "compare",
        help="compare an export with its checkpoint, or two recordings with each other",
        description=f"Compare two files: {_PAIRS}. Report whether they are the same, and if not, why. No code in a "
        "file runs outside a sandbox, except with --unsafe. Exit status: 0 if they are the same, 1 if not, 2 if "
        "the command cannot tell or fails.",
    )
    parser.add_argument("first", type=path_argument, metavar="FIRST", help="checkpoint, run folder or recording")
    parser.add_argument(
        "second", type=path_argument, metavar="SECOND", help="export (policy.pt, policy.onnx) or recording"
    )
    parser.add_argument(
        "--obs", type=path_argument, metavar="FILE", help="observations for both policies: .pt, .npy or .npz"
    )
    parser.add_argument(
        "--activation",
        metavar="NAME",
        help="activation of the checkpoint's hidden layers; needed only if no file next to the checkpoint names it",
    )
    parser.add_argument("--config", type=path_argument, metavar="FILE", help="agent.yaml of the run")
    parser.add_argument(
        "--checkpoint", type=path_argument, metavar="FILE", help="for two recordings: the policy that acted in them"
    )
    parser.add_argument("--html", type=path_argument, metavar="OUT", help="also write a page that opens offline")
    parser.add_argument(
        "--unsafe", action="store_true", help="run TorchScript without a sandbox; only for a file that you trust"
    )
    parser.set_defaults(command=_compare)


def _compare(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from rsl_edu.run_folder import regular

    try:
        given = (options.first, options.second, options.obs, options.config, options.checkpoint)
        for path in filter(None, given):
            if not path.is_dir():
                regular(path).open("rb").close()
        if options.html is not None:
            try_page(parser, options.html, options.first, options.second, options.obs, options.config)
        kinds = [_kind(options.first), _kind(options.second)]
        if kinds == [_RECORDING, _RECORDING]:
            comparison = _recordings(parser, options)
        elif kinds.count(_EXPORT) == 1 and _RECORDING not in kinds:  # the loader explains what to do with a state_dict
            if options.checkpoint is not None:
                parser.error("--checkpoint is for two recordings, but you gave a checkpoint and an export")
            files = [options.first, options.second]
            export = files.pop(kinds.index(_EXPORT))
            comparison = _export(files[0], export, options)
        else:
            parser.error(
                f"expected {_PAIRS}, got {kinds[0]} and {kinds[1]}{_advice(kinds, [options.first, options.second])}"
            )
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(system_error(error))
    print(comparison)
    if options.html is not None:
        from rsl_edu.explorers.bench.static_page import document

        page = document(f"{options.first.name} and {options.second.name}", comparison._repr_html_())
        with writing_html(parser, options.html):
            options.html.write_text(page, "utf-8")
        print(printable(f"\n{options.html}: the page, {len(page) / 1e3:.0f} KB", keep="\n"))
    return int(comparison.status)


def _export(checkpoint: Path, export: Path, options: argparse.Namespace) -> Any:
    """Compare a checkpoint with an export."""
    from rsl_edu.run_folder import checkpoint_files, run_settings

    checkpoint_files(checkpoint)
    config = run_settings(checkpoint, options.config)

    from rsl_edu.compare import compare_export
    from rsl_edu.diagnosis import load

    observations = None if options.obs is None else load(options.obs)
    shown = {"observations": observations, "source": str(options.obs), "unsafe": options.unsafe}
    return compare_export(checkpoint, export, activation=options.activation, config=config, **shown)


def _recordings(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Any:
    """Compare two recordings."""
    if options.obs is not None or options.activation is not None or options.unsafe:
        parser.error("--obs, --activation and --unsafe are for a checkpoint and an export, but you gave two recordings")
    settings = _settings(options)
    from rsl_edu.compare import compare_recordings

    return compare_recordings(options.first, options.second, settings=settings, checkpoint=options.checkpoint)


def _settings(options: argparse.Namespace) -> Any:
    """Return the settings of the run folder that contains a recording; None if the settings name no terms.

    The recording may be in the folder itself or up to two folders deeper.
    """
    from rsl_edu.run_folder import run_settings

    if options.config is not None:
        names_only = options.config.name == "env.yaml"  # the agent.yaml that run_settings expects is next to it
        return run_settings(options.config.parent, None if names_only else options.config)
    for path in filter(None, (options.checkpoint, options.first, options.second)):
        for folder in list(path.resolve().parents)[:3]:
            settings = run_settings(folder)
            if settings.names_source:
                return settings
    return None


def _kind(path: Path) -> str:
    """Return the kind of a file, judged by its contents.

    Raises:
        ValueError: If this kind of file cannot be compared.
    """
    from rsl_edu.run_folder import export_format, what_is

    if path.is_dir():
        return _RUN
    if export_format(path) or path.suffix == ".onnx":
        return _EXPORT
    if path.suffix in (".npy", ".npz"):
        return _RECORDING
    if what := what_is(path):
        said, _, advice = what.partition("; expected")
        raise ValueError(f"{path}: {said}" + (f"; expected {_PAIRS}" if advice else ""))
    with path.open("rb") as file:
        begin = file.read(1 << 16)  # enough for a file written before torch saved zip archives
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                place = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
                with archive.open(place) as pickled:
                    begin = pickled.read(1 << 20)
        except Exception:  # zipfile can raise almost anything for a damaged archive
            return _CHECKPOINT  # the loader of checkpoints reports what is wrong with it
    elif not begin.startswith(b"\x80\x02\x8a\x0a"):
        raise ValueError(f"{path}: not a file written by torch.save and not an export; expected {_PAIRS}")
    if b"_state_dict" in begin:
        return _CHECKPOINT
    return _WEIGHTS if re.search(rb"\.(weight|bias)", begin) else _RECORDING


def _advice(kinds: list[str], paths: list[Path]) -> str:
    """Suggest a command that the user may have meant."""
    if kinds.count(_EXPORT) == 2:
        return ". Compare each of them with the checkpoint"
    if _WEIGHTS in kinds:
        return (
            '. To use a state_dict as a checkpoint, save {"actor_state_dict": state_dict}; to make an export, '
            "call torch.jit.script(module).save(...)"
        )
    if _EXPORT not in kinds and _RECORDING not in kinds:
        from rsl_edu.run_folder import exports_beside

        for folder in filter(Path.is_dir, reversed(paths)):
            inside = [file for file in exports_beside(folder) if ".." not in file.relative_to(folder).parts]
            if inside:
                return f". Give the exported file: {inside[0]}"
        return ". `rsl-edu xray RUN` compares the checkpoints of a run"
    if _RECORDING in kinds and _EXPORT in kinds:
        return ". Compare the export with its checkpoint, and give the recording with --obs"
    return ". To run a policy on a recording, use `rsl-edu xray RUN --obs RECORDING`"
