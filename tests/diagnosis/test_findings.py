"""Healthy runs give no finding; each planted fault gives its own, and names configuration fields that exist."""

import functools
import importlib.util
import inspect
import itertools
import re
from pathlib import Path

import pytest
import torch
from faults import ROBOT, actor, names, nan_weight, no_normalizer, policy_of, save_names, save_run, std_of
from tiers import tiers

from rsl_edu.checkpoint import Run, read, read_run
from rsl_edu.data import rollout
from rsl_edu.data.training_run import example_run
from rsl_edu.diagnosis import Finding, examine, findings, play
from rsl_edu.report import LESSON_TITLES

SAVED = Path(__file__).parents[1] / "checkpoint" / "files"


def found(run, observations=None, activation=None, **options):
    """The names of all findings, after checking their texts."""
    robot = ROBOT if observations is None else None
    diagnosis = examine(run, observations, robot, activation, **options).diagnosis()
    for finding in diagnosis.findings:
        well_said(finding)
    return names(diagnosis)


def well_said(finding):
    """Assert that a finding is complete, and that the fields to change exist in rsl_rl."""
    assert re.search(r"\d|are not$", finding.figure)  # an absent normalizer has no number
    assert finding.threshold
    assert finding.meaning.endswith(".")
    assert finding.lesson in LESSON_TITLES
    words = " ".join(vars(finding)[field] for field in ("figure", "threshold", "meaning", "change"))
    assert not re.search(r"[{}]|\bnan\b|\binf\b|  ", words)
    for place in fields(finding.change):
        assert place in known(), place


def fields(change):
    """The fields of rsl_rl's configuration that a change names."""
    return re.findall(
        r"(?:actor|algorithm|policy)\.[a-z_.]*[a-z_](?!\w*\()|check_for_nan|empirical_normalization|obs_groups", change
    )


@functools.cache
def known():
    """The configuration fields of the installed rsl_rl."""
    models = pytest.importorskip("rsl_rl.models")
    from rsl_rl.algorithms import PPO
    from rsl_rl.modules import EmpiricalNormalization, GaussianDistribution
    from rsl_rl.runners import OnPolicyRunner

    def parameters(function, prefix):
        return {prefix + name for name in inspect.signature(function).parameters}

    assert "until" in parameters(EmpiricalNormalization, "")
    assert 'cfg.get("check_for_nan"' in inspect.getsource(OnPolicyRunner)
    assert 'cfg["obs_groups"]' in inspect.getsource(PPO)
    actor = parameters(models.MLPModel, "actor.") | {"actor.class_name"}
    spread = parameters(GaussianDistribution, "actor.distribution_cfg.")
    return actor | spread | parameters(PPO, "algorithm.") | {"check_for_nan", "obs_groups"}


# The table.


@pytest.mark.parametrize("release", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", findings.FINDINGS, ids=lambda kind: kind.name)
def test_row_of_the_table_is_complete_for_every_release(kind, release):
    finding = Finding(
        kind.name,
        "1",
        findings.fill_in(kind.threshold, release, (0.1, 2.0)),
        kind.meaning,
        kind.lesson,
        findings.fill_in(kind.change, release, (0.1, 2.0)),
    )
    assert all(vars(finding).values())
    assert not any(brace in finding.threshold + finding.change for brace in "{}")
    if release == 5:
        well_said(finding)


def test_names_in_the_table_are_unique_and_rows_with_a_shared_listed_name_are_consecutive():
    rows = [kind.name for kind in findings.FINDINGS]
    listed = [name for name, _ in itertools.groupby(kind.listed_as for kind in findings.FINDINGS)]
    assert len(set(rows)) == len(rows)
    assert len(set(listed)) == len(listed)


# Healthy.


@pytest.mark.parametrize("seed", tiers(range(5), [3]))
def test_healthy_policy_that_learned_gives_no_finding(seed, trained):
    examination = examine(trained(seed), robot=ROBOT)
    before = play(examination.run.checkpoints[0].policy, ROBOT)
    assert 2 * examination.sample.dones.sum() < before.dones.sum()  # it falls less often
    diagnosis = examination.diagnosis()
    assert names(diagnosis) == []
    assert diagnosis.summary == "No findings"


@pytest.mark.parametrize(
    ("activation", "options"),
    [("elu", {"network": "gru"}), ("relu", {"activation": "relu"}), ("tanh", {"activation": "tanh"})],
)
def test_healthy_policy_of_another_kind_gives_no_finding(activation, options, trained):
    examination = examine(trained(**options), robot=ROBOT, activation=activation)
    before = play(examination.run.checkpoints[0].policy, ROBOT)
    assert 2 * examination.sample.dones.sum() < before.dones.sum()
    assert names(examination.diagnosis()) == []


@pytest.mark.parametrize("seed", [0, 4])
def test_any_single_checkpoint_of_a_healthy_run_gives_no_finding(seed, trained):
    for checkpoint in read_run(trained(seed)).checkpoints:
        assert names(examine(Run(checkpoint.path, (checkpoint,), {}), robot=ROBOT).diagnosis()) == []


def test_healthy_policy_that_hardly_moves_gives_no_finding(trained):
    policy = read_run(trained()).checkpoints[-1].policy
    still = policy.normalizer.mean + 1e-3 * policy.normalizer.std * torch.randn(500, 4)
    assert found(trained(), {"policy": still}) == []


# Planted faults, in the files.


def nan_std(stored, last):
    if last:
        actor(stored)["distribution.std_param"][0] = torch.nan


def infinite_bias(stored, last):
    if last:
        actor(stored)["mlp.4.bias"][0] = torch.inf


def estimator(stored, last):
    actor(stored)["estimator.0.weight"] = torch.zeros(2, 2)


def dead(stored, last):
    actor(stored)["mlp.2.bias"][:8] = -1e3


def saturated(stored, last):
    actor(stored)["mlp.2.bias"][:8] = 50


def scaled(name, factor, where="last"):
    def edit(stored, last):
        if last or where == "all" or (where == "first" and stored["iter"] == 0):
            actor(stored)[name] *= factor

    return edit


def empty(stored, last):
    for name, value in (("_mean", 0), ("_var", 1), ("_std", 1), ("count", 0)):
        actor(stored)[f"obs_normalizer.{name}"].fill_(value)


def no_normalizer_at_all(stored, last):
    no_normalizer(stored, last)
    for name in [name for name in stored["critic_state_dict"] if name.startswith("obs_normalizer")]:
        del stored["critic_state_dict"][name]


def frozen(stored, last):
    actor(stored)["obs_normalizer.count"].fill_(5_000)


def log_of_std(value):
    def edit(stored, last):
        std = actor(stored).pop("distribution.std_param")
        actor(stored)["distribution.log_std_param"] = torch.full_like(std, value) if last else std.log()

    return edit


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        (nan_weight, "broken weights"),
        (nan_std, "broken weights"),
        (infinite_bias, "broken weights"),
        (estimator, "parts that were not read"),
        (scaled("mlp.2.weight", 1e-4), "signal lost"),
        (scaled("mlp.0.weight", 1e3), "signal exploded"),
        (no_normalizer, "normalizer absent"),
        (empty, "normalizer empty"),
        (frozen, "normalizer frozen"),
        (std_of(-0.1), "std clamped"),
        (std_of(1e-6), "std clamped"),
        (log_of_std(-20.0), "std clamped"),
        (std_of(0.005), "std collapsed"),
        (log_of_std(-6.0), "std collapsed"),
        (std_of(1.0), "std growing"),
        (scaled("mlp.4.weight", 30, "first"), "last layer too large"),
        (scaled("mlp.4.weight", 30), "last layer too large"),
    ],
)
def test_planted_fault_is_found_and_nothing_else(fault, finding, trained, edited):
    assert found(edited(trained(), fault)) == [finding]


@pytest.mark.parametrize(("activation", "fault"), [("relu", dead), ("tanh", saturated)])
def test_dead_and_saturated_units_are_found_and_nothing_else(activation, fault, trained, edited):
    run = edited(trained(activation=activation), fault)
    assert found(run, activation=activation) == ["dead units"]
    (finding,) = examine(run, robot=ROBOT, activation=activation).diagnosis().findings
    assert "of layer 2 " in finding.figure
    assert int(finding.figure.split()[0]) >= 50


def test_broken_weights_report_their_first_iteration(trained, edited):
    def fault(stored, last):
        if stored["iter"] >= 10:
            nan_weight(stored, True)

    (finding,) = examine(edited(trained(), fault), robot=ROBOT).diagnosis().findings
    assert finding.figure == "NaN or infinity in mlp.0.weight, since iteration 10"


def test_raw_observations_of_a_humanoid_are_found(trained):
    run = trained(robot="Humanoid-v5", envs=4, iterations=1, obs_normalization=False)
    diagnosis = examine(run, robot="Humanoid-v5").diagnosis()
    assert names(diagnosis) == ["input not normalized"]
    well_said(diagnosis.findings[0])
    assert diagnosis.findings[0].figure.startswith("cfrc_ext[")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda x: x + torch.tensor([0, 5.0, 0, 0]), id="shifted"),
        pytest.param(lambda x: x[..., [0, 3, 2, 1]], id="another order"),
        pytest.param(lambda x: x * torch.tensor([1, 180 / torch.pi, 1, 1]), id="degrees"),
    ],
)
def test_observations_unlike_those_of_the_training_are_found(changed, trained):
    run = read_run(trained())
    seen = play(run.checkpoints[-1].policy, ROBOT).observations
    assert found(run, {"policy": seen}) == []
    assert "normalizer stale" in found(run, {"policy": changed(seen)})
    (finding,) = [f for f in examine(run, changed(seen)).diagnosis().findings if f.name == "normalizer stale"]
    assert "feature 1" in finding.figure


class Played:
    """A policy that is played with or without noise, and with or without resets."""

    def __init__(self, policy, noise, resets):
        self.policy, self.noise, self.resets = policy, noise, resets

    def __call__(self, observations):
        distribution = self.policy.distribution
        distribution.update(self.policy.mlp(self.policy.latent(observations)))
        return distribution.sample() if self.noise else distribution.mean.clone()

    def reset(self, dones):
        if self.resets:
            self.policy.reset(dones)


def recorded(policy, noise, resets):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        policy.reset()
        played = rollout(ROBOT, 64, 16, policy=Played(policy, noise, resets))
        policy.reset()
    return {"policy": played.observations, "dones": played.dones, "actions": played.actions}


@pytest.fixture
def forgetful(trained, edited):
    """A GRU policy whose hidden state has a large effect compared with its noise."""

    def fault(stored, last):
        scaled("mlp.4.weight", 3)(stored, last)
        std_of(0.2)(stored, last)

    return read_run(edited(trained(network="gru"), fault))


@pytest.mark.parametrize("noise", [False, True])
def test_missing_reset_is_found_in_a_recording(noise, forgetful):
    policy = forgetful.checkpoints[-1].policy
    diagnoses = [examine(forgetful, recorded(policy, noise, resets)).diagnosis() for resets in (True, False)]
    assert [names(diagnosis) for diagnosis in diagnoses] == [[], ["hidden state not reset"]]
    assert all("hidden state not reset" not in diagnosis.unchecked for diagnosis in diagnoses)
    well_said(diagnoses[1].findings[0])


def test_missing_reset_is_found_in_long_episodes(forgetful):
    policy = forgetful.checkpoints[-1].policy
    mean, std = policy.normalizer.mean, policy.normalizer.std
    observations = mean + std * torch.randn(400, 16, 4, generator=torch.Generator().manual_seed(0))
    dones = torch.zeros(400, 16, dtype=torch.bool)
    dones[200] = True  # all robots time out
    found_by = {}
    for resets in (True, False):
        played, actions = Played(policy, False, resets), []
        policy.reset()
        for observed, done in zip(observations, dones, strict=True):
            actions.append(played(observed))
            played.reset(done)
        policy.reset()
        seen = {"policy": observations, "dones": dones, "actions": torch.stack(actions)}
        found_by[resets] = names(examine(forgetful, seen).diagnosis())
    assert found_by == {True: [], False: ["hidden state not reset"]}


def test_hidden_state_without_effect_needs_no_reset(trained, edited):
    def fault(stored, last):
        actor(stored)["rnn.rnn.weight_hh_l0"].zero_()
        actor(stored)["rnn.rnn.bias_ih_l0"][8:16] = -1e3  # the gate of the old state is closed

    run = read_run(edited(trained(network="gru"), fault))
    draw = torch.Generator().manual_seed(0)
    seen = {"policy": torch.randn(64, 16, 4, generator=draw), "actions": torch.randn(64, 16, 1, generator=draw)}
    diagnosis = examine(run, seen | {"dones": torch.rand(64, 16, generator=draw) < 0.1}).diagnosis()
    assert "hidden state not reset" in diagnosis.absent


def test_hidden_state_with_less_effect_than_the_noise_is_left_unchecked(trained, edited):
    run = read_run(edited(trained(network="gru"), scaled("rnn.rnn.weight_hh_l0", 1e-3, "all")))
    run = read_run(edited(run.path, scaled("mlp.4.weight", 1e-3, "all")))
    diagnosis = examine(run, recorded(run.checkpoints[-1].policy, True, False)).diagnosis()
    assert "hidden state not reset" not in names(diagnosis)
    missing = "needs more episodes, as the hidden state has little effect on the actions"
    assert diagnosis.unchecked["hidden state not reset"] == missing


def test_example_run_has_the_one_finding_of_a_large_entropy_bonus():
    diagnosis = examine(example_run(), robot=ROBOT).diagnosis()
    assert names(diagnosis) == ["std growing"]
    assert "a factor of 2.2" in diagnosis.findings[0].figure
    well_said(diagnosis.findings[0])
    assert names(examine(example_run(), robot=ROBOT).diagnosis(last=3)) == []


# Other releases.


def releases():
    """The module with the configuration of every release that wrote a checkpoint for the tests."""
    pytest.importorskip("tensordict")
    source = importlib.util.spec_from_file_location("write", SAVED / "write.py")
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "file", ["2.1.2-mlp", "2.2.4-log", "2.3.3-log", "3.0.1-log", "3.3.0-log", "4.0.1-log", "5.0.1-log", "5.5.1-log"]
)
def test_findings_name_the_fields_of_the_release_that_wrote_the_run(file, tmp_path):
    stored = torch.load(SAVED / f"{file}.pt", weights_only=True)
    weights = stored.get("actor_state_dict") or stored["model_state_dict"]
    (std,) = [name for name in weights if re.fullmatch(r"std|log_std|distribution\.(log_)?std_param", name)]
    weights[std].fill_(-20)
    (bias,) = [name for name in weights if re.fullmatch(r"(actor|mlp)\.2\.bias", name)]
    weights[bias][:4] = -1e3
    torch.save(stored, tmp_path / "model_50.pt")
    seen = torch.load(SAVED / f"{file}.played.pt", weights_only=True)["observations"].repeat(7, 1, 1)
    seen += 1e-3 * torch.randn(
        seen.shape, generator=torch.Generator().manual_seed(0)
    )  # otherwise too few of them are different
    diagnosis = examine(tmp_path, seen).diagnosis()
    assert names(diagnosis)[:2] == ["dead units", "std clamped"]

    version = file.partition("-")[0]
    release = releases()
    config = release.settings(tuple(map(int, version.split("."))), "mlp" if version == "2.1.2" else "log")
    for finding in diagnosis.findings[:2]:
        assert "{" not in finding.change
        for place in fields(finding.change):
            at = config
            for name in place.split("."):
                if place != "policy.noise_std_type" or version != "2.1.2":  # it came with 2.2
                    assert name in at or place.startswith("algorithm."), place
                    at = at.get(name, {})


@pytest.mark.parametrize(
    ("file", "field"),
    [("3.1.3-plain", "policy.actor_obs_normalization"), ("5.5.1-plain", "actor.obs_normalization")],
)
def test_missing_normalizer_is_reported_with_the_fields_of_the_release(file, field):
    checkpoint = read(SAVED / f"{file}.pt")
    seen = 100 * torch.randn(50, checkpoint.policy.features)
    diagnosis = examine(Run(checkpoint.path, (checkpoint,), {}), seen).diagnosis()
    (finding,) = [f for f in diagnosis.findings if f.name == "input not normalized"]
    assert field in finding.change


# Unchecked.


def test_with_random_numbers_findings_that_need_observations_are_listed_as_unchecked(trained, edited):
    examination = examine(trained())
    assert not examination.sample.real
    diagnosis = examination.diagnosis()
    assert (
        diagnosis.about["shown"] == "random numbers with the normalizer's mean and std, as no observations were given"
    )
    assert names(diagnosis) == []
    assert diagnosis.unchecked == dict.fromkeys(("normalizer stale", "last layer too large"), "needs observations")

    bare = examine(edited(trained(), no_normalizer)).diagnosis()
    assert bare.unchecked == dict.fromkeys(
        ("dead units", "signal lost or exploded", "input not normalized", "last layer too large"), "needs observations"
    )
    together = "not checked dead units, signal lost or exploded, input not normalized, last layer too large: needs obs"
    assert together in re.sub(r"\s+", " ", str(bare))


def test_one_checkpoint_has_no_history(trained):
    run = read_run(sorted(trained().glob("model_*.pt"))[0])
    diagnosis = examine(run, robot=ROBOT).diagnosis()
    history = {"normalizer frozen", "std collapsed", "std growing", "learning rate at its floor"}
    assert {
        name for name, missing in diagnosis.unchecked.items() if missing == "needs two checkpoints or more"
    } >= history


@pytest.mark.parametrize("left_out", [("dones",), ("actions",), ("dones", "actions")])
def test_memory_without_dones_or_actions_is_not_checked(left_out, forgetful):
    seen = recorded(forgetful.checkpoints[-1].policy, False, False)
    diagnosis = examine(forgetful, {name: x for name, x in seen.items() if name not in left_out}).diagnosis()
    assert diagnosis.unchecked["hidden state not reset"].startswith(
        "needs observations recorded with dones and actions"
    )
    assert "hidden state not reset" not in names(diagnosis)


def test_earlier_checkpoints_are_not_judged_by_observations_of_the_last(trained):
    examination = examine(trained(), robot=ROBOT)
    assert "normalizer stale" in examination.diagnosis(0).unchecked
    assert "normalizer stale" in examination.diagnosis().absent


def test_findings_about_a_broken_policy_are_not_listed_as_absent(trained, edited):
    diagnosis = examine(edited(trained(), nan_weight), robot=ROBOT).diagnosis()
    assert "signal lost or exploded" in diagnosis.unchecked
    assert set(diagnosis.absent) <= {kind.listed_as for kind in findings.FINDINGS if kind.holds_with_nan}


# Not applicable.

WITH_NORMALISER = {"normalizer empty", "normalizer frozen", "normalizer stale", "inputs that never varied"}
WITHOUT = {"normalizer absent", "input not normalized"}


def listed(run, **options):
    """What the report lists as found, not found or not checked, and what it does not list."""
    diagnosis = examine(run, **options).diagnosis()
    kinds = {kind.name: kind.listed_as for kind in findings.FINDINGS}
    here = {*diagnosis.absent, *diagnosis.unchecked, *(kinds[name] for name in names(diagnosis))}
    return here, set(kinds.values()) - here


def test_report_lists_every_finding_that_applies_and_no_other(trained, edited):
    memory = {"hidden state not reset"}
    actor = WITH_NORMALISER | WITHOUT | memory
    assert listed(trained())[1] & actor == WITHOUT | memory
    assert listed(edited(trained(), no_normalizer_at_all))[1] & actor == WITH_NORMALISER | memory
    assert listed(trained(network="gru"))[1] & actor == WITHOUT


def test_statistics_of_an_empty_normalizer_are_not_checked(trained, edited):
    here, not_listed = listed(edited(trained(), empty))
    assert "normalizer empty" in here
    assert WITH_NORMALISER - {"normalizer empty"} <= not_listed


def test_std_clamped_does_not_apply_to_a_std_that_depends_on_the_state():
    config = {"distribution_cfg": {"class_name": "HeteroscedasticGaussianDistribution"}}
    here, not_listed = listed(SAVED / "5.5.1-heteroscedastic.pt", config=config)
    assert "std clamped" in not_listed
    assert "std collapsed" in here


def test_normalizer_of_rsl_rl_2_stops_at_1e8_samples_on_purpose(tmp_path):
    stored = torch.load(SAVED / "2.3.3-mlp.pt", weights_only=True)
    stored["obs_norm_state_dict"]["count"].fill_(100_003_840)
    for iteration in (1400, 1450):
        torch.save(stored, tmp_path / f"model_{iteration}.pt")
    diagnosis = examine(tmp_path).diagnosis()
    assert "normalizer frozen" in diagnosis.absent
    stored["obs_norm_state_dict"]["count"].fill_(100_003)
    for iteration in (1400, 1450):
        torch.save(stored, tmp_path / f"model_{iteration}.pt")
    assert "normalizer frozen" in names(examine(tmp_path).diagnosis())


# Inputs that never varied.


def test_inputs_that_never_varied_are_found_and_named(tmp_path):
    std = [1.0, 0.0, 1e-3, 5e-5, 0.0, 2.0]
    run = save_run(tmp_path, {500: {}}, policy_of(norm_std=std))
    (finding,) = examine(run).diagnosis().findings
    assert finding.name == "inputs that never varied"
    assert finding.figure == "3 of 6 features: feature 1, feature 3, feature 4; std up to 5·10⁻⁵ in 1,000 samples"
    assert "does no harm while it stays constant" in finding.meaning
    well_said(finding)


def test_at_most_six_inputs_that_never_varied_are_named(tmp_path):
    run = save_run(tmp_path, {500: {}}, policy_of(features=8, norm_std=[0.0] * 8))
    save_names(run, pose=8)
    (finding,) = examine(run).diagnosis().findings
    named = ", ".join(f"pose[{i}]" for i in range(6))
    assert finding.figure == f"8 of 8 features: {named} and 2 more; std 0 in 1,000 samples"


def test_inputs_that_vary_a_little_are_not_found(tmp_path):
    run = save_run(tmp_path, {500: {}}, policy_of(norm_std=[2e-4, 0.01, 1.0, 1.0, 1.0, 1.0]))
    assert "inputs that never varied" in examine(run).diagnosis().absent
