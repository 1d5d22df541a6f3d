"""Reports contain no false statements: untried causes are not ruled out, and causes need evidence."""

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
    """Return a run of which only the first, middle and last files are read in the first pass."""
    from rsl_edu.checkpoint import read_run
    from rsl_edu.compare.exports import siblings

    monkeypatch.setattr(siblings, "read_run", lambda *given: read_run(*given, most=3))
    for number in range(9):
        save(policy(number + 1), tmp_path / f"model_{number}.pt")
    return tmp_path


def test_all_files_of_a_long_run_are_considered(long_run):
    other = policy(4)
    comparison = compare(long_run / "model_8.pt", IsaacLab(other, other.obs_normalizer))
    assert names(comparison) == ["another checkpoint"]
    assert "model_3.pt reproduces the export's actions" in comparison.reasons[0].found
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
    assert comparison.unchecked["another checkpoint"].startswith(
        "6 files of the run not read, because the export's weights"
    )


def test_damaged_files_are_listed(main):
    (main.parent / "model_1.pt").write_bytes(b"cut off")
    comparison = compare(main, IsaacLab(MAIN, NORMALIZER, before=Apply(low=-2.0, high=2.0)))
    assert "another checkpoint" not in comparison.unchecked  # its tensors match this checkpoint
    other = compare(main, IsaacLab(policy(5), NORMALIZER))
    assert "1 file damaged or from another network (model_1.pt)" in other.unchecked["another checkpoint"]


# Observations with little information ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module", [IsaacLab(MAIN), IsaacLab(policy(5)), IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.5))]
)
def test_constant_recording_shows_no_clip_and_no_scale(module, main):
    comparison = compare(main, module, observations=torch.ones(1, FEATURES).expand(50, -1) * 0.3)
    assert not {CLIP, SCALED, "actions in another order", "actions squashed"} & {*names(comparison)}
    assert not {CLIP, SCALED} & {*comparison.ruled_out}
    assert comparison.unchecked[SCALED] == "needs 32 different observations"
    assert comparison.unchecked["effects of features that do not vary"] == "6 of 6 features are constant here"


def test_extremes_of_a_recording_with_repeated_rows_are_not_a_clip(main):
    rows = NORMALIZER.mean + torch.randn(40, FEATURES, generator=torch.Generator().manual_seed(0))
    comparison = compare(main, IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.5)), observations=rows.repeat(2, 1))
    assert names(comparison) == [SCALED]
    assert "clipped" not in comparison.reasons[0].found


# Contents of a file ---------------------------------------------------------------------------------------------------


class Renamed(nn.Module):
    """A normalizer whose buffers have other names."""

    def __init__(self, normalizer, low=-1e9):
        super().__init__()
        self.register_buffer("mu", normalizer.mean.clone())
        self.register_buffer("sigma", normalizer.std + normalizer.eps)
        self.low = low

    def forward(self, x):
        return ((x - self.mu) / self.sigma).clamp_min(self.low)


def test_normalizer_under_other_names_is_found(main):
    comparison = compare(main, IsaacLab(MAIN, Renamed(NORMALIZER, low=-1.0)))
    assert not comparison.reasons
    assert "the means of the export's normalizer match model_3.pt" in comparison.notes[0]
    other = save(policy(2), main.parent / "model_1.pt")
    swapped = compare(main, IsaacLab(MAIN, Renamed(policy(2).obs_normalizer)))
    assert names(swapped) == ["normalizer of another checkpoint"]
    assert other.name in swapped.reasons[0].found
    left = compare(main, IsaacLab(MAIN))
    assert "the export contains no normalizer" in left.reasons[0].found


def test_normalizer_of_the_critic_is_named(main):
    theirs = policy(3).obs_normalizer
    stored = torch.load(main, weights_only=True)
    stored["critic_state_dict"] = {f"obs_normalizer.{name}": x for name, x in theirs.state_dict().items()}
    stored["critic_state_dict"] |= {"mlp.0.weight": torch.ones(1, FEATURES), "mlp.0.bias": torch.ones(1)}
    torch.save(stored, main)
    assert names(compare(main, IsaacLab(MAIN, theirs))) == ["normalizer of the critic"]


def test_exported_teacher_is_named(main):
    teacher = policy(6)
    stored = torch.load(main, weights_only=True)
    stored["teacher_state_dict"] = {f"mlp.{name}": x for name, x in teacher.mlp.state_dict().items()}
    torch.save(stored, main)
    comparison = compare(main, IsaacLab(teacher, NORMALIZER))
    assert names(comparison) == ["another network from the file"]
    assert "the export's network is the teacher of model_3.pt" in comparison.reasons[0].found


def test_other_kind_of_recurrent_layer_is_named(tmp_path):
    lstm, gru = policy(rnn="lstm"), policy(rnn="gru")
    comparison = compare(save(lstm, tmp_path / "model_3.pt"), IsaacLab(gru, gru.obs_normalizer))
    assert names(comparison) == ["another kind of network"]
    assert comparison.reasons[0].found == "the checkpoint's recurrent layer is an LSTM, the export's is a GRU"


# Random numbers and hidden states -------------------------------------------------------------------------------------


class Filter(nn.Module):
    """Mix each action with the previous output."""

    def __init__(self, part):
        super().__init__()
        self.part = part
        self.register_buffer("last", torch.zeros(1, 3))

    def forward(self, x):
        self.last = self.part * x + (1 - self.part) * self.last
        return self.last


def test_export_that_keeps_a_state_is_named(main):
    comparison = compare(main, IsaacLab(MAIN, NORMALIZER, after=Filter(0.8)))
    assert names(comparison) == ["the export keeps a state"]
    assert "0.8 x the checkpoint's action + 0.2 x its own previous action" in comparison.reasons[0].found


@pytest.fixture
def onnx(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return lambda module, *more: to_onnx(module, tmp_path / "policy.onnx", *more)


class Sampled(IsaacLab):
    def forward(self, x):
        mean = self.actor(self.normalizer(x))
        return mean + torch.randn_like(mean) * torch.tensor([0.3, 0.5, 0.7])


def test_sampled_onnx_is_recognized(onnx, main):
    comparison = compare_export(main, onnx(Sampled(MAIN, NORMALIZER)))
    assert names(comparison) == ["actions are sampled"]
    assert any("graph draws random numbers" in note for note in comparison.notes)


# The same policy with other inputs or outputs -------------------------------------------------------------------------


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


def test_export_with_unknown_inputs_is_not_judged(onnx, main, tmp_path):
    path = onnx(Parts(MAIN, NORMALIZER), (torch.zeros(1, 4), torch.zeros(1, 2)), (["obs", "command"], ["actions"]))
    with pytest.raises(ExportError, match=r"takes the 6 features in 2 inputs \(obs, command\)"):
        compare_export(main, path)
    with pytest.raises(ExportError, match="takes 9 features, but its network takes 6"):
        compare_export(main, onnx(More(MAIN, NORMALIZER), (torch.zeros(1, 9),)))
    gru = policy(rnn="gru")
    (tmp_path / "gru").mkdir()
    given = (torch.zeros(1, FEATURES), torch.zeros(1, 1, 8), torch.ones(1, 1, 1))
    path = onnx(Masked(gru, gru.obs_normalizer), given, (["obs", "h_in", "not_done"], ["actions", "h_out"]))
    with pytest.raises(ExportError, match="its inputs not_done were set to 0"):
        compare_export(save(gru, tmp_path / "gru" / "model_3.pt"), path)


def test_value_returned_first_is_not_mistaken_for_another_task(main):
    class Value(IsaacLab):
        def forward(self, x):
            return x[:, :1], self.actor(self.normalizer(x))

    with pytest.raises(ExportError, match="first output is a single number, such as a value"):
        compare(main, Value(copy.deepcopy(MAIN), NORMALIZER))


def test_clip_in_a_file_saved_in_training_mode_is_not_blamed_on_the_mode(main):
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
def test_few_observations_give_no_verdict(rows, main):
    swapped = IsaacLab(MAIN, NORMALIZER, before=Apply(order=[1, 0, *range(2, FEATURES)]))
    comparison = compare(main, swapped, observations=torch.zeros(rows, FEATURES))
    assert comparison.same is None
    assert comparison.verdict.startswith(
        "Cannot tell: the actions are the same, but there are fewer than 32 different observations"
    )


def test_effect_of_eval_is_a_note_if_the_actions_are_the_same(main):
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
