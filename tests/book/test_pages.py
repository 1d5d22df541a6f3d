"""The reference pages agree with rsl_rl, the lessons and the program."""

import ast
import functools
import inspect
import json
import os
import re
from pathlib import Path

import pytest
import torch

if os.environ.get("CI") != "true":  # in CI, the tests must not be skipped
    pytest.importorskip("rsl_rl.modules")

from peer import Recorded, configuration
from rsl_rl import algorithms, extensions, models, modules
from rsl_rl.algorithms import distillation, ppo
from rsl_rl.runners import on_policy_runner
from rsl_rl.utils import logger

from rsl_edu import checkpoint, cli, diagnosis, run_folder
from rsl_edu.diagnosis import findings, sample
from rsl_edu.modules import validate

BOOK = Path(__file__).parents[2] / "book"
FIELDS = (BOOK / "from_rsl_rl.md").read_text("utf-8")
GLOSSARY = (BOOK / "glossary.md").read_text("utf-8")
REST = "What no field sets"

SECTIONS = {  # sections about the configuration of each class
    models.MLPModel: ["Actor and critic"],
    models.CNNModel: ["Actor and critic", "CNNModel"],
    models.RNNModel: ["Actor and critic", "RNNModel"],
    modules.CNN: ["CNN"],
    modules.GaussianDistribution: ["Gaussian"],
    modules.HeteroscedasticGaussianDistribution: ["State-dependent Gaussian"],
    modules.BetaDistribution: ["Beta"],
    algorithms.PPO: ["Algorithm: PPO", "Further fields"],
    algorithms.Distillation: ["Distillation"],
    extensions.RandomNetworkDistillation: ["RND"],
    extensions.Symmetry: ["Symmetry"],
    modules.MLP: [],
    modules.RNN: [],
    modules.EmpiricalNormalization: [],
    modules.EmpiricalDiscountedVariationNormalization: [],
}
READ_BEFORE = {"class_name", "share_cnn_encoders"}  # removed from the configuration before the class is called


def rows(section, page=FIELDS):
    """Return the table of a section: a list of cells for each row."""
    (text,) = re.findall(rf"^#+ {re.escape(section)}\n(.*?)(?=^#+ |^\[|\Z)", page, re.MULTILINE | re.DOTALL)
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return lines[2:]  # without the header and its rule


def named(cell):
    """Return the fields in a cell, ``name`` = ``default``, with the text of their defaults."""
    return {name: default or None for name, default in re.findall(r"`(\w+)`(?: = `([^`]+)`)?", cell)}


def fields(section):
    """Return the fields in the first column of a section's table."""
    found = {}
    for first, *_ in rows(section):
        found |= named(first.split(", required")[0])
    return found


def parameters(cls):
    """Return the arguments of a class, except ``self``."""
    return {name: one for name, one in inspect.signature(cls.__init__).parameters.items() if name != "self"}


def stated(cls):
    """Return what the page lists for a class: its fields, and the arguments that no field sets."""
    found = {}
    for section in SECTIONS[cls]:
        found |= fields(section)
    for classes, arguments, _ in rows(REST):
        if cls.__name__ in named(classes):
            found |= named(arguments)
    return found


def slug(heading):
    """Return the anchor that MyST makes for a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace(" ", "-"))


@functools.cache
def anchors(notebook):
    """Return the anchors in a lesson."""
    cells = json.loads((BOOK / notebook).read_text("utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return {slug(heading) for heading in re.findall(r"^#{1,3} (.+)$", text, re.MULTILINE)}


def broken(links):
    """Return the links whose lesson or section does not exist."""
    split = [link.partition("#") for link in links]
    return [
        notebook + hash_ + anchor
        for notebook, hash_, anchor in split
        if not (BOOK / notebook).is_file() or (anchor and anchor not in anchors(notebook))
    ]


def entries():
    """Return the entries of the glossary: terms, and the paragraphs of their definitions."""
    (text,) = re.findall(r"^```\{glossary\}\n(.*?)^```", GLOSSARY, re.MULTILINE | re.DOTALL)
    parts = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: re.split(r"\n\s*\n", part.split("\n", 1)[1].strip()) for part in parts}


@pytest.mark.parametrize("cls", SECTIONS, ids=lambda cls: cls.__name__)
def test_every_argument_is_named_with_its_default(cls):
    found = stated(cls)
    for name, one in parameters(cls).items():
        assert name in found, f"{cls.__name__}: `{name}` is missing from the page"
        if one.default is inspect.Parameter.empty:
            assert found[name] is None, f"{cls.__name__}: `{name}` has no default"
        else:
            assert found[name] is not None, f"{cls.__name__}: `{name}` has the default {one.default!r}"
            value = ast.literal_eval(found[name])
            assert (type(value), value) == (type(one.default), one.default), f"{cls.__name__}: `{name}`"


@pytest.mark.parametrize("cls", SECTIONS, ids=lambda cls: cls.__name__)
def test_every_field_on_the_page_is_an_argument(cls):
    assert stated(cls).keys() <= parameters(cls).keys() | READ_BEFORE


def test_runner_section_names_every_key_that_is_read():
    source = "".join(inspect.getsource(module) for module in (on_policy_runner, ppo, distillation, logger))
    assert fields("Runner").keys() == set(re.findall(r'\bcfg(?:\[|\.get\()"(\w+)"', source))


def test_defaults_of_the_runner_are_those_of_the_source():
    source = inspect.getsource(on_policy_runner) + inspect.getsource(logger)
    read = dict(re.findall(r'\bcfg\.get\("(\w+)", ([^)]+)\)', source))
    found = {name: default for name, default in fields("Runner").items() if default not in (None, "None")}
    assert found == read


def test_class_names_and_shared_encoders_are_read_where_the_page_says():
    for section in ("Actor and critic", "Distribution", "Algorithm: PPO", "Distillation"):
        assert "class_name" in fields(section)
    assert "share_cnn_encoders" in fields("Further fields")
    assert 'alg_cfg.pop("share_cnn_encoders", None)' in inspect.getsource(ppo)


def test_every_field_has_a_lesson_or_none():
    sections = ["Runner", "Distribution", *dict.fromkeys(name for names in SECTIONS.values() for name in names)]
    for section in sections:
        for first, _, where in rows(section):
            assert re.search(r"\[\d\.\d\]", where) or where.strip() == "none", f"{section}: {first}"


def test_there_are_ten_symptoms_and_each_has_a_lesson():
    symptoms = rows("My training fails: where do I look?")
    assert len(symptoms) == 10
    assert all(re.search(r"\[\d\.\d\]", lesson) for *_, lesson in symptoms)


def test_links_of_the_fields_lead_to_the_named_sections():
    targets = dict(re.findall(r"^\[(\d\.\d)\]: (\S+)$", FIELDS, re.MULTILINE))
    assert set(re.findall(r"\[(\d\.\d)\](?!:)", FIELDS)) == targets.keys()
    assert broken(targets.values()) == []
    for label, target in targets.items():
        lesson, section = label.split(".")
        assert target.startswith(f"../notebooks/{lesson}_")
        assert f"#{section}--" in target


def test_glossary_is_sorted():
    terms = list(entries())
    assert 60 <= len(terms) <= 90
    assert terms == sorted(terms, key=str.casefold)


@pytest.mark.parametrize("term", entries())
def test_glossary_entry_has_symbol_shape_text_and_lesson(term):
    first, text = entries()[term]
    assert re.fullmatch(r"(\$.+\$|no symbol) · (scalar|\$.*\[.+\].*\$(, bool)?)|no symbol, no shape", first)
    links = re.findall(r"\[Lesson (\d)\]\((\S+?)\)", text)
    assert len(links) == 1
    ((lesson, link),) = links
    assert link.startswith(f"../notebooks/{lesson}_")
    assert broken([link]) == []


def test_glossary_entries_refer_to_existing_terms():
    named_terms = re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", GLOSSARY)
    assert named_terms
    assert set(named_terms) <= entries().keys()


# --- the x-ray --------------------------------------------------------------------------------------------------------

XRAY = (BOOK / "xray.md").read_text("utf-8")


def declared():
    """Yield the findings that the program declares: name, threshold, number of the lesson, what to change."""
    limits = inspect.signature(modules.GaussianDistribution).parameters["std_range"].default
    for kind in findings.FINDINGS:
        threshold, change = (findings.fill_in(text, 5, limits) for text in (kind.threshold, kind.change))
        yield [kind.name, threshold, kind.lesson, change]


PROGRAM = [file for part in (checkpoint, findings, run_folder) for file in Path(part.__file__).parent.glob("*.py")]
PROGRAM += [Path(part.__file__) for part in (sample, validate, cli.arguments, cli.xray)]


def messages(*files):
    """Yield the texts in the program's files, with "…" instead of inserted values."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            yield from texts(node)


def texts(node):
    """Yield the text of a syntax node, if it is a string."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    if isinstance(node, (ast.JoinedStr, ast.Constant)):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)


def test_page_lists_every_finding_with_its_threshold_and_fields():
    stated = []
    for name, threshold, _, change, lesson in rows("Findings", XRAY):
        stated.append([name.strip(), threshold, int(lesson.strip()[1]), change.replace("`", "")])
    assert stated == list(declared())


def test_page_and_program_have_the_same_limits():
    assert (
        f"If there are more than {inspect.signature(checkpoint.read_run).parameters['most'].default} checkpoints"
        in XRAY
    )
    fed, steps = f"{sample.SAMPLES:,} samples are fed", f"{sample.STEPS} steps of {sample.ENVS}"
    assert f"- {fed} to the policy; a policy with memory gets {steps}" in XRAY


def shown_messages():
    """Yield the messages that users of the program see: errors, and reasons why something was not checked."""
    seen = "CheckpointError", "OSError", "UncheckedError", "error"
    for file in PROGRAM:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in seen:
                parts = [said for part in node.args for said in texts(part)]
                yield "".join(parts).removeprefix("…: ")


EXPLAINED = [message.strip() for message, _ in rows("When something goes wrong", XRAY)]
PLAIN = {  # messages that explain themselves, or concern files that no training writes
    "--config: expected a file, got …",
    "--contents only prints a table: leave out --html, --obs and --robot",
    "--html: cannot write …: …",
    "expected YAML or a pickle of plain data, got neither",
    "expected a checkpoint of rsl_rl, got type …",
    "expected a pickle of plain data, but it …",
    "expected a plain tensor of real numbers at …[…]",
    "expected a tensor at …[…], got …",
    "expected names and tensors in …, got …",
    "expected names in …, got …",
    "expected obs_normalizer._mean of shape [1, features], got …",
    "expected settings of at most … bytes, got …",
    "expected square filters of …, got weights …",
    "expected 3 gates (GRU) or 4 gates (LSTM), got weights of shape …",
    "expected …, got …",
    "expected …; the file contains …; …",
    "expected …; the file contains ……",
    "needs moments that can be assigned to the actor and the critic",
    "needs the iteration: name the file model_ITERATION.pt",
    "the actor has an RNN without the weights of its first layer, rnn.rnn.weight_ih_l0",
    "the actor has no …0.weight with … dimensions",
    "… needs two outputs for each action, but the MLP has …",
    "…, not a file",
    "…; give the file of this run, or none",
    "…; the file contains …",
}


def test_page_explains_only_messages_of_the_program():
    known = list(messages(*PROGRAM))
    for message in EXPLAINED:
        words = message.strip(" …").removeprefix("activation: ")  # the name is inserted
        assert any(words in text for text in known), message


def test_every_message_is_on_the_page_or_needs_no_explanation():
    unexplained = set()
    for text in shown_messages():
        if re.search(r"[a-z]{4}", text) and not any(message.strip(" …,") in text for message in EXPLAINED):
            unexplained.add(text)
    assert unexplained == PLAIN


def test_report_on_the_page_and_in_the_readme_is_what_the_xray_prints(monkeypatch):
    monkeypatch.chdir(BOOK.parent)
    examined = diagnosis.examine("rsl_edu/data/example_run", robot="InvertedPendulum-v5")
    assert f"```text\n{examined.diagnosis()}\n```" in XRAY
    start, _, end = str(examined.diagnosis()).partition("1. ")[2].partition("\n\nnot found")
    assert f"```text\n1. {start}\n```" in (BOOK.parent / "README.md").read_text("utf-8")
    assert end


def test_recording_code_on_the_page_makes_a_file_that_the_xray_reads(tmp_path, monkeypatch):
    (lines,) = re.findall(r"^```python\n(.*?torch\.save.*?)^```", XRAY, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    config = configuration("gru", "gaussian")
    runner = Recorded(config, tmp_path).learn(2).runner
    policy = runner.get_inference_policy()
    exec(lines, {"torch": torch, "runner": runner, "env": runner.env, "policy": policy})
    found = diagnosis.examine(tmp_path, diagnosis.load("obs.pt")).diagnosis()
    assert "hidden state not reset" in found.absent
    assert not found.unchecked


def test_links_of_the_xray_page_lead_to_the_named_sections():
    targets = dict(re.findall(r"^\[(\d\.\d)\]: (\S+)$", XRAY, re.MULTILINE))
    assert set(re.findall(r"\[(\d\.\d)\](?!:)", XRAY)) == targets.keys()
    assert broken(targets.values()) == []
