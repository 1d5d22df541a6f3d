"""A comparison says nothing that is false: what it could not try it does not rule out, and its causes have evidence."""

import copy

import pytest
import torch
from exporters import FEATURES, Apply, IsaacLab, OnnxMemory, in_this_process, policy, save, script, to_onnx
from torch import nn

from rsl_edu.compare import compare_export
from rsl_edu.exported import ExportError

MAIN = policy(0)
NORMALIZER = MAIN.obs_normalizer
CLIP, SCALED = "actions clipped", "actions scaled or shifted"


@pytest.fixture(autouse=True)
def here(monkeypatch):
    in_this_process(monkeypatch)


@pytest.fixture
def main(tmp_path):
    return save(MAIN, tmp_path / "model_3.pt")


def compare(checkpoint, module, **options):
    export = script(module.eval(), checkpoint.parent / "policy.ts")
    return compare_export(checkpoint, export, activation="elu", **options)


def names(comparison):
    return [reason.name for reason in comparison.reasons]


# Other checkpoints ----------------------------------------------------------------------------------------------------


@pytest.fixture
def long_run(tmp_path, monkeypatch):
    """A run of which only the first, middle and last file are read at once."""
    from rsl_edu.checkpoint import read_run
    from rsl_edu.compare.exports import siblings

    monkeypatch.setattr(siblings, "read_run", lambda *given: read_run(*given, most=3))
    for number in range(9):
        save(policy(number + 1), tmp_path / f"model_{number}.pt")
    return tmp_path


def test_all_files_of_a_long_run_are_looked_at(long_run):
    other = policy(4)
    comparison = compare(long_run / "model_8.pt", IsaacLab(other, other.obs_normalizer))
    assert names(comparison) == ["another checkpoint"]
    assert "model_3.pt does what the export does" in comparison.reasons[0].found
    mixed = compare(long_run / "model_8.pt", IsaacLab(policy(9), other.obs_normalizer))
    assert names(mixed) == ["normalizer of another checkpoint"]
    assert "with the normalizer of model_3.pt" in mixed.reasons[0].found


def test_files_that_were_not_read_are_not_ruled_out(long_run):
    other = policy(4)
    frozen = torch.jit.freeze(torch.jit.script(IsaacLab(other, other.obs_normalizer).eval()))
    frozen.save(str(long_run / "policy.ts"))
    comparison = compare_export(long_run / "model_8.pt", long_run / "policy.ts", activation="elu")
    assert not comparison.reasons
    assert "another checkpoint" not in comparison.ruled_out
    assert comparison.unchecked["another checkpoint"].startswith("6 files of the run not read: its weights have no")


def test_damaged_files_are_told(main):
    (main.parent / "model_1.pt").write_bytes(b"cut off")
    comparison = compare(main, IsaacLab(MAIN, NORMALIZER, before=Apply(low=-2.0, high=2.0)))
    assert "another checkpoint" not in comparison.unchecked  # by its tensors, it is of this one
    other = compare(main, IsaacLab(policy(5), NORMALIZER))
    assert "1 file damaged or of another network (model_1.pt)" in other.unchecked["another checkpoint"]


# Observations that say little -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module", [IsaacLab(MAIN), IsaacLab(policy(5)), IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.5))]
)
def test_a_constant_recording_shows_no_clip_and_no_scale(module, main):
    comparison = compare(main, module, observations=torch.ones(1, FEATURES).expand(50, -1) * 0.3)
    assert not {CLIP, SCALED, "actions in another order", "actions squashed"} & {*names(comparison)}
    assert not {CLIP, SCALED} & {*comparison.ruled_out}
    assert comparison.unchecked[SCALED] == "needs 32 observations, none like another"
    assert comparison.unchecked["what depends on features that do not vary"] == "they are 6 of 6"


def test_a_recording_of_repeated_rows_makes_no_clip_of_its_extremes(main):
    rows = NORMALIZER.mean + torch.randn(40, FEATURES, generator=torch.Generator().manual_seed(0))
    comparison = compare(main, IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.5)), observations=rows.repeat(2, 1))
    assert names(comparison) == [SCALED]
    assert "clipped" not in comparison.reasons[0].found


# What a file holds ----------------------------------------------------------------------------------------------------


class Renamed(nn.Module):
    """A normalizer whose buffers have other names."""

    def __init__(self, normalizer, low=-1e9):
        super().__init__()
        self.register_buffer("mu", normalizer.mean.clone())
        self.register_buffer("sigma", normalizer.std + normalizer.eps)
        self.low = low

    def forward(self, x):
        return ((x - self.mu) / self.sigma).clamp_min(self.low)


def test_a_normalizer_under_other_names_is_not_denied(main):
    comparison = compare(main, IsaacLab(MAIN, Renamed(NORMALIZER, low=-1.0)))
    assert not comparison.reasons
    assert "the means of its normalizer are those of model_3.pt" in comparison.notes[0]
    other = save(policy(2), main.parent / "model_1.pt")
    swapped = compare(main, IsaacLab(MAIN, Renamed(policy(2).obs_normalizer)))
    assert names(swapped) == ["normalizer of another checkpoint"]
    assert other.name in swapped.reasons[0].found
    left = compare(main, IsaacLab(MAIN))
    assert "no normalizer was found in it" in left.reasons[0].found


def test_the_normalizer_of_the_critic_is_named(main):
    theirs = policy(3).obs_normalizer
    stored = torch.load(main, weights_only=True)
    stored["critic_state_dict"] = {f"obs_normalizer.{name}": x for name, x in theirs.state_dict().items()}
    stored["critic_state_dict"] |= {"mlp.0.weight": torch.ones(1, FEATURES), "mlp.0.bias": torch.ones(1)}
    torch.save(stored, main)
    assert names(compare(main, IsaacLab(MAIN, theirs))) == ["normalizer of the critic"]


def test_the_teacher_is_named(main):
    teacher = policy(6)
    stored = torch.load(main, weights_only=True)
    stored["teacher_state_dict"] = {f"mlp.{name}": x for name, x in teacher.mlp.state_dict().items()}
    torch.save(stored, main)
    comparison = compare(main, IsaacLab(teacher, NORMALIZER))
    assert names(comparison) == ["another network of the file"]
    assert "its network is the teacher of model_3.pt" in comparison.reasons[0].found


def test_another_memory_is_named(tmp_path):
    lstm, gru = policy(rnn="lstm"), policy(rnn="gru")
    comparison = compare(save(lstm, tmp_path / "model_3.pt"), IsaacLab(gru, gru.obs_normalizer))
    assert names(comparison) == ["another kind of network"]
    assert comparison.reasons[0].found == "the checkpoint's memory is an LSTM, the export's a GRU"


# Random numbers and memory --------------------------------------------------------------------------------------------


class Filter(nn.Module):
    """Mixes each action with its last, and delays."""

    def __init__(self, part):
        super().__init__()
        self.part = part
        self.register_buffer("last", torch.zeros(1, 3))

    def forward(self, x):
        self.last = self.part * x + (1 - self.part) * self.last
        return self.last


def test_an_export_that_remembers_is_named(main):
    comparison = compare(main, IsaacLab(MAIN, NORMALIZER, after=Filter(0.8)))
    assert names(comparison) == ["it remembers"]
    assert "0.8 x the checkpoint's + 0.2 x its own of the step before" in comparison.reasons[0].found


@pytest.fixture
def onnx(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return lambda module, *more: to_onnx(module, tmp_path / "policy.onnx", *more)


class Sampled(IsaacLab):
    def forward(self, x):
        mean = self.actor(self.normalizer(x))
        return mean + torch.randn_like(mean) * torch.tensor([0.3, 0.5, 0.7])


def test_a_sampled_onnx_is_recognized(onnx, main):
    comparison = compare_export(main, onnx(Sampled(MAIN, NORMALIZER)))
    assert names(comparison) == ["actions are sampled"]
    assert any("its graph draws random numbers" in note for note in comparison.notes)


# The same policy in other clothes -------------------------------------------------------------------------------------


class Parts(IsaacLab):
    def forward(self, x, command):
        return self.actor(self.normalizer(torch.cat([x, command], -1)))


class More(IsaacLab):
    def forward(self, x):
        return self.actor(self.normalizer(x[:, :FEATURES]))


class Masked(OnnxMemory):
    def forward(self, x, h, mask):
        x, h = self.rnn(self.normalizer(x).unsqueeze(0), h * mask)
        return self.actor(x.squeeze(0)), h


def test_what_cannot_be_fed_is_not_judged(onnx, main, tmp_path):
    path = onnx(Parts(MAIN, NORMALIZER), (torch.zeros(1, 4), torch.zeros(1, 2)), (["obs", "command"], ["actions"]))
    with pytest.raises(ExportError, match=r"takes the 6 features in 2 inputs \(obs, command\)"):
        compare_export(main, path)
    with pytest.raises(ExportError, match="it takes 9 features and its network 6"):
        compare_export(main, onnx(More(MAIN, NORMALIZER), (torch.zeros(1, 9),)))
    gru = policy(rnn="gru")
    (tmp_path / "gru").mkdir()
    given = (torch.zeros(1, FEATURES), torch.zeros(1, 1, 8), torch.ones(1, 1, 1))
    path = onnx(Masked(gru, gru.obs_normalizer), given, (["obs", "h_in", "not_done"], ["actions", "h_out"]))
    with pytest.raises(ExportError, match="its inputs not_done were 0"):
        compare_export(save(gru, tmp_path / "gru" / "model_3.pt"), path)


def test_a_value_that_is_returned_first_is_no_other_task(main):
    class Value(IsaacLab):
        def forward(self, x):
            return x[:, :1], self.actor(self.normalizer(x))

    with pytest.raises(ExportError, match="what it returns first is one number, such as a value"):
        compare(main, Value(copy.deepcopy(MAIN), NORMALIZER))


def test_a_clip_in_a_file_that_was_saved_in_training_mode_is_no_training_mode(main):
    class Clipped(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = IsaacLab(MAIN, NORMALIZER)

        def forward(self, x):
            mean, far = self.inner.normalizer._mean, 5 * self.inner.normalizer._std
            return self.inner(torch.minimum(torch.maximum(x, mean - far), mean + far))

    export = script(Clipped().train(), main.parent / "policy.ts")
    comparison = compare_export(main, export, activation="elu")
    assert comparison.same is False
    assert "exported in training mode" not in names(comparison)


@pytest.mark.parametrize("rows", [1, 5])
def test_a_few_observations_carry_no_verdict(rows, main):
    swapped = IsaacLab(MAIN, NORMALIZER, before=Apply(order=[1, 0, *range(2, FEATURES)]))
    comparison = compare(main, swapped, observations=torch.zeros(rows, FEATURES))
    assert comparison.same is None
    assert comparison.verdict.startswith("Cannot tell: the same actions, on too few different observations")


def test_what_eval_changes_is_a_note_where_the_actions_agree(main):
    class Halved(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = IsaacLab(MAIN, NORMALIZER)

        def forward(self, x):
            actions = self.inner(x)
            return actions if self.training else actions / 2

    export = script(Halved().train(), main.parent / "policy.ts")
    comparison = compare_export(main, export, activation="elu")
    assert comparison.same
    assert any("after .eval()" in note for note in comparison.notes)
