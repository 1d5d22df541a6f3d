"""What a checkpoint contains and lacks to resume training, to run the policy, and to load it in a different release.

The entries for rsl_rl 5 describe release 5.5.1; tests load such files with this release. The entries for other releases
follow from the source code of these releases.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from rsl_edu.checkpoint import Contents, read_contents
from rsl_edu.checkpoint.contents import OUTPUTS
from rsl_edu.printable import printable
from rsl_edu.report import line, page
from rsl_edu.run_folder import RunSettings, checkpoint_files, run_settings

RELEASES = (2, 3, 4, 5)
_OK, _ERROR, _SILENT, _UNUSED = "ok", "error", "silent", "-"
_LEGEND = "ok: found; error: loading fails; silent: no error, but the part is lost or wrong; -: not needed"
_NEVER = "never in a file"
_WITHOUT_OPTIMIZER = {
    False: "runner.load(path, load_optimizer=False)",
    True: 'runner.load(path, load_cfg={"actor": True, "critic": True, "iteration": True})',
}
"""How to load a file without the optimizer. The key True is for release 4 and later."""
_WITHOUT_REST = {
    False: "runner.load(path, load_optimizer=False) leaves the optimizer out",
    True: 'runner.load(path, load_cfg={"actor": True}) loads only the actor',
}
"""How to load the actor if other parts are missing in the file. The key True is for release 4 and later."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A row of the table: one part of a training run.

    Attributes:
        name: Name of the part.
        held: The contents of the file that belong to this part, in words; ``no`` if there are none.
        resume: What happens to it when training is resumed from this file, in the release that wrote it.
        play: What happens to it when the policy is loaded to be run.
        releases: What happens to it in rsl_rl 2, 3, 4 and 5.
    """

    name: str
    held: str
    resume: str
    play: str
    releases: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ContentsTable:
    """What a checkpoint contains and lacks, as text and, in a notebook, as a table.

    Attributes:
        about: The file and the release that wrote it, in words.
        parts: Rows of the table.
        notes: What goes wrong and what to do, for each column.
    """

    about: str
    parts: tuple[Part, ...]
    notes: dict[str, str]

    def __str__(self) -> str:
        """Return the table as text for a terminal, in lines of at most 100 characters."""
        lines = [line("file", self.about), ""]
        lines += _cells("part", "in the file", ["resume", "play", *(f"rsl_rl {release}" for release in RELEASES)])
        for part in self.parts:
            lines += _cells(part.name, part.held, [part.resume, part.play, *part.releases])
        return "\n".join([*lines, "", *(line(name, words) for name, words in self._below().items())])

    def _repr_html_(self) -> str:
        rows = [
            {"part": part.name, "in the file": part.held, "to resume": part.resume, "to play": part.play}
            | {f"in rsl_rl {release}": what for release, what in zip(RELEASES, part.releases, strict=True)}
            for part in self.parts
        ]
        return page({"file": self.about}, "What happens to each part when the file is loaded.", rows, self._below())

    def _below(self) -> dict[str, str]:
        return {"legend": _LEGEND} | self.notes


def contents_table(run: str | Path, settings: RunSettings | None = None) -> ContentsTable:
    """List what the last checkpoint of a run contains and lacks.

    Args:
        run: The run folder, or one of its files.
        settings: The result of :func:`.run_settings`; None reads the files next to the checkpoint.

    Raises:
        CheckpointError: There is no checkpoint, it cannot be read, or the settings that the user gave belong to a
            different network.
        OSError: The folder or the file cannot be read.
    """
    held = read_contents(checkpoint_files(Path(run))[-1])
    about = f"{held.path.name}, written by rsl_rl {' or '.join(map(str, held.releases))}"
    settings = run_settings(run) if settings is None else settings
    settings = settings.fitting(held.shown) if held.shown else settings
    return ContentsTable(about, tuple(_parts(held, settings.source)), _notes(held, settings))


def _cells(name: str, held: str, outcomes: list[str]) -> list[str]:
    """Return the lines of text for one row."""
    first, *more = textwrap.wrap(printable(held), 28)
    row = f"{name:<21}{first:<30}" + "".join(f"{outcome:<7}" for outcome in outcomes[:2])
    row += "".join(f"{outcome:<9}" for outcome in outcomes[2:])
    return [row.rstrip(), *(f"{'':<21}{words}" for words in more)]


def _parts(held: Contents, source: str) -> list[Part]:
    """Return the rows of the table; ``source`` is the file with the configuration, or empty."""
    own = max(held.releases)

    def model(release: int) -> str:
        known = (release < 4) == (own < 4) and (release > 2 or _known_to_2(held))
        return _OK if known else _ERROR

    def std(release: int) -> str:
        return _ERROR if {release, own} == {4, 5} else model(release)

    def statistics(release: int) -> str:
        return {(2, 3): _SILENT, (3, 2): _ERROR}.get((own, release)) or model(release)

    def moments(release: int) -> str:
        same = len({min(release, 4), min(own, 4)}) == 1  # releases 4 and 5 have an RNN's parameters in the same order
        return _OK if same or not held.remembers else _SILENT

    def rate(release: int) -> str:
        return _OK if release == 5 else _SILENT

    restored = _OK if own == 5 else _SILENT
    learned = _OK if held.counted else _SILENT
    started = _SILENT if held.renumbered else _OK
    adam = _OK if held.moments else _SILENT
    unused, lost = (_UNUSED, _UNUSED), (_SILENT, _SILENT)
    rows = [
        _part(held, "student" if held.distilled else "actor", held.actor, model),
        _part(held, "std", held.std, std),
        _part(held, "its normalizer", held.normalizer, statistics, (learned, _OK), unused),
    ]
    if held.distilled:
        rows.append(_part(held, "teacher", held.teacher, model, (_OK, _UNUSED)))
    else:
        rows.append(_part(held, "critic", held.critic, model, (_OK, _UNUSED)))
        rows.append(_part(held, "critic's normalizer", held.critic_normalizer, statistics, (learned, _UNUSED), unused))
    rows += [
        _part(held, "optimizer", held.optimizer, moments if held.moments else lambda _: _SILENT, (adam, _UNUSED)),
        _part(held, "learning rate", held.learning_rate, rate, (restored, _UNUSED), unused),
        _part(held, "iteration", held.iteration, lambda _: started, (started, _UNUSED)),
        _part(held, "infos", held.infos),
        _part(held, "RND", held.rnd, lambda _: _OK, (_OK, _UNUSED), unused),
    ]
    if held.others:
        rows.append(_part(held, "other parts", held.others, lambda _: _ERROR))
    rows.append(_part(held, "curriculum, episodes", _NEVER, lambda _: _SILENT, (_SILENT, _UNUSED)))
    rows.append(_part(held, "configuration", f"{_NEVER}; see {source}" if source else _NEVER, lambda _: _SILENT, lost))
    return rows


def _part(
    held: Contents,
    name: str,
    words: str,
    other: Callable[[int], str] = lambda _: _OK,
    present: tuple[str, str] = (_OK, _OK),
    missing: tuple[str, str] = (_ERROR, _ERROR),
) -> Part:
    """Return a row.

    Args:
        held: The contents of the file.
        name: Name of the part.
        words: The contents of the file that belong to this part; empty if there are none.
        other: What happens to it in a release that did not write the file.
        present: What happens when training is resumed and when the policy is run, if the file has this part.
        missing: What happens in these two cases if the file does not have this part.
    """
    resume, play = present if words else missing
    releases = tuple(other(r) if words and r not in held.releases else resume for r in RELEASES)
    return Part(name, words or "no", resume, play, releases)


def _notes(held: Contents, settings: RunSettings) -> dict[str, str]:
    """Return what goes wrong and what to do, for each column."""
    own = max(held.releases)
    notes = {"resume": " ".join(_when_resumed(held, own)), "play": " ".join(_when_played(held, own, settings))}
    notes |= {f"rsl_rl {r}": " ".join(_elsewhere(held, own, r)) for r in RELEASES if r not in held.releases}
    return {column: words for column, words in notes.items() if words}


def _when_resumed(held: Contents, own: int) -> list[str]:
    said = []
    if not held.optimizer:
        said.append(
            f"KeyError: 'optimizer_state_dict'; {_WITHOUT_OPTIMIZER[own > 3]} loads the rest, and Adam starts from "
            "scratch."
        )
    elif not held.moments:
        said.append("Adam starts from scratch: its first steps are as large as the learning rate allows.")
    if held.learning_rate and own < 5:
        said.append(
            "Before rsl_rl 5.4.2, an adaptive schedule restarts at the configured learning rate, not at the stored one."
        )
    if held.renumbered:
        said.append(f"Iterations continue from {held.iteration}, not from the number in the file's name.")
    if not held.iteration:
        said.append("KeyError: 'iter'.")
    if not held.infos:
        said.append("KeyError: 'infos'.")
    if not held.critic and not held.distilled:
        said.append("KeyError: 'critic_state_dict'." if own > 3 else "Missing key(s): the critic.")
    if not held.counted:
        said.append("Without its count, a normalizer loses its statistics at the first batch.")
    if not held.rnd:
        said.append("With rnd_cfg: KeyError: 'rnd_state_dict'.")
    said.append("Curriculum and terrain levels, episodes and seeds start from scratch.")
    return said


def _when_played(held: Contents, own: int, settings: RunSettings) -> list[str]:
    said = []
    asked = {"critic": held.critic or held.distilled, "optimizer": held.optimizer, "iteration": held.iteration}
    missing = [name for name, kept in asked.items() if not kept]
    if missing:
        said.append(f"runner.load(path) also needs {', '.join(missing)}, and fails; {_WITHOUT_REST[own > 3]}.")
    if not held.normalizer:
        said.append("There is no normalizer; if the configuration turns it on, loading fails with Missing key(s).")
    said += _configured(held, settings)
    said.append(
        "Activation, order and scale of the observations, and scale and offset of the actions are only in the "
        "configuration: with a different configuration, the file loads without error, but the robot acts differently."
    )
    return said


def _configured(held: Contents, settings: RunSettings) -> list[str]:
    """Describe what the settings next to a checkpoint show about running its policy."""
    said = [f"{file} is not used: {why}." for file, why in settings.unread.items()]
    distribution = settings.actor.get("distribution_cfg")
    kind = distribution.get("class_name") if isinstance(distribution, Mapping) else None
    told = [f"the activation {settings.actor['activation']}"] if settings.actor.get("activation") else []
    told += [f"the distribution {kind}"] if kind and held.std == OUTPUTS else []
    if told:
        said.append(f"{settings.source} sets {' and '.join(told)}.")
    if held.std == OUTPUTS and not kind:
        said.append("No file next to the checkpoint says which distribution its outputs parametrize.")
    return said


def _elsewhere(held: Contents, own: int, release: int) -> list[str]:
    """Describe what goes wrong in a different release."""
    said = []
    if (own < 4) != (release < 4):
        said.append(_regrouped(held, release))
    elif {own, release} == {4, 5}:
        said.append(f"Missing key(s): rename {_std_name(held, own)} to {_std_name(held, release)}.")
    elif held.normalizer and (own, release) == (2, 3):
        said.append(
            "obs_norm_state_dict is not read. If actor_obs_normalization is on, loading fails with Missing key(s); if "
            "it is off, the policy runs without its normalizer, and nothing warns you."
        )
    elif held.normalizer and (own, release) == (3, 2):
        said.append("Unexpected key(s): move the statistics to obs_norm_state_dict, next to the model.")
    if own == 3 and release == 2 and not _known_to_2(held):
        said.append("This release has neither CNNs nor a std that depends on the state.")
    if held.remembers and held.moments and min(own, 4) != min(release, 4):
        said.append(
            "The parameters are in a different order, so Adam's moments would be mixed up: leave the optimizer out."
        )
    return said


def _regrouped(held: Contents, release: int) -> str:
    """Explain how to turn one model into two models, or two models into one."""
    first, second = ("student", "teacher") if held.distilled else ("actor", "critic")
    networks = {"mlp": (first, second)}
    named = {"rnn": (f"memory_{first[0]}", f"memory_{second[0]}"), "cnns": (f"{first}_cnns", f"{second}_cnns")}
    networks |= {name: names for name, names in named.items() if name in held.actor + held.critic + held.teacher}
    if release >= 4:
        told = [f"{one} and {other} as {name}" for name, (one, other) in networks.items()]
        told += ["the statistics as obs_normalizer"] if held.normalizer else []
        return (
            f"KeyError: '{first}_state_dict'. Save two models, {first}_state_dict and {second}_state_dict, with "
            f"{', '.join(told)}, and the std in the {first} as {_std_name(held, release)}."
        )
    told = [f"{name} as {one} or {other}" for name, (one, other) in networks.items()]
    if held.normalizer and release == 2:
        told.append("the statistics as obs_norm_state_dict next to it")
    elif held.normalizer:
        told.append(f"obs_normalizer as {first}_obs_normalizer or {second}_obs_normalizer")
    return (
        f"KeyError: 'model_state_dict'. Save both models as one under this key, with {', '.join(told)}, and the std "
        f"as {_std_name(held, release)}."
    )


def _std_name(held: Contents, release: int) -> str:
    log = "log_" if held.std.startswith("log") else ""
    return f"distribution.{log}std_param" if release == 5 else f"{log}std"


def _known_to_2(held: Contents) -> bool:
    """Return whether rsl_rl 2 has networks of this kind."""
    return "cnns" not in held.actor and held.std != OUTPUTS
