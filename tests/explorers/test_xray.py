"""Explorer *x-ray*: it shows the measurements of a run, for every kind of policy, and in a self-contained page."""

import dataclasses
import io
import itertools
import re
import shutil

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from playwright.sync_api import expect

from rsl_edu import diagnosis
from rsl_edu.checkpoint import Checkpoint, Policy, Run, read_run
from rsl_edu.data import example_run, height_scans
from rsl_edu.diagnosis.findings import FINDINGS
from rsl_edu.diagnosis.learning_state import OptimizerMeasures
from rsl_edu.diagnosis.sample import Sample
from rsl_edu.explorers import XRay
from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.xray import findings as told
from rsl_edu.explorers.xray import panels as panels
from rsl_edu.modules import CNN, MLP, RNN, BetaDistribution, EmpiricalNormalization, GaussianDistribution

CLOSE = {"rtol": 1e-6, "atol": 1e-9}


@pytest.fixture(scope="module")
def xray():
    return XRay()


def run(*policies, path="mine"):
    """Return a run with one checkpoint per policy."""
    checkpoints = (Checkpoint(path, (5,), 50 * i, p.eval(), 1e-3, False, ()) for i, p in enumerate(policies))
    return Run(path, tuple(checkpoints), {})


def mlp_policy(distribution=None, seed=0, features=4, normalizer=True):
    torch.manual_seed(seed)
    distribution = distribution or GaussianDistribution(2)
    norm = EmpiricalNormalization(features) if normalizer else None
    policy = Policy(MLP(features, distribution.input_dim, [8, 6]), distribution, norm)
    if norm is not None:
        norm.update(torch.randn(256, features))
    return policy.requires_grad_(False)


def panel(explorer, title, **changes):
    figure = explorer.render(**changes)
    return next(axes for axes in figure.axes if title in (axes.get_title("left"), axes.get_title()))


def line(axes, label):
    return next(found for found in axes.lines if found.get_label() == label)


def test_default_is_the_last_checkpoint_and_the_slider_has_all_of_them(xray):
    iterations = [checkpoint.iteration for checkpoint in read_run(example_run()).checkpoints]
    assert xray.at().iteration == iterations[-1]
    assert list(xray.controls["iteration"].positions()) == iterations


def test_histories_match_the_files(xray):
    checkpoints = read_run(example_run()).checkpoints
    stored = [float(c.policy.distribution.std_param.mean()) for c in checkpoints]
    mean = line(panel(xray, "std of the actions"), "mean")
    np.testing.assert_allclose(mean.get_ydata(), stored, **CLOSE)
    np.testing.assert_array_equal(mean.get_xdata(), [c.iteration for c in checkpoints])
    rate = line(panel(xray, "KL and learning rate"), "learning rate")
    assert list(rate.get_ydata()) == [checkpoint.learning_rate for checkpoint in checkpoints]


@pytest.mark.parametrize("reference", ["before", "first", "last"])
def test_kl_is_measured_from_the_reference(xray, reference):
    measures = xray.examination.measures
    shown = line(panel(xray, "KL and learning rate", reference=reference), "KL (nats)").get_ydata()
    for i, (now, value) in enumerate(zip(measures, shown, strict=True)):
        old = {"before": measures[i - 1] if i else None, "first": measures[0], "last": measures[-1]}[reference]
        if old is None or old is now:
            assert np.isnan(value)
            continue
        gaussians = [torch.distributions.Normal(*m.params) for m in (old, now)]
        expected = torch.distributions.kl_divergence(*gaussians).sum(-1).mean()
        assert value == pytest.approx(float(expected), rel=1e-4)


def test_layers_and_weights_match_the_chosen_checkpoint(xray):
    now, policy = xray.examination.measures[7], xray.examination.run.checkpoints[7].policy
    axes = {axes.get_title("left"): axes for axes in xray.render(iteration=now.iteration).axes}
    np.testing.assert_array_equal(axes["std of layers"].lines[0].get_xdata(), now.layers.std)
    for label, layer in (("layer 1", policy.mlp[0]), ("output", policy.mlp[-1])):
        shown = line(axes["singular values"], label).get_ydata()
        np.testing.assert_allclose(shown, torch.linalg.svdvals(layer.weight), rtol=1e-4)


def test_observations_are_drawn_in_stds_of_the_normalizer_and_far_ones_are_marked():
    policy = mlp_policy()
    seen = policy.normalizer.mean + policy.normalizer.std * torch.randn(500, 4)
    seen[:, 2] += 50 * policy.normalizer.std[2]
    explorer = XRay(run(policy), seen)
    axes = panel(explorer, "observations")
    near, far = axes.collections[-2:]
    assert [round(x) for ((x, _), _) in near.get_segments()] == [0, 1, 3]
    (((x, low), (_, high)),) = far.get_segments()
    assert x == 2
    scale = float(policy.normalizer.std[2]) + policy.normalizer.eps
    assert (low + high) / 2 == pytest.approx(float((seen[:, 2].mean() - policy.normalizer.mean[2]) / scale), rel=1e-4)
    assert "normalizer stale" in explorer.describe(explorer.compute(explorer.at()))


def test_diagnosis_follows_the_slider():
    explorer = XRay()
    assert [finding.name for finding in explorer.diagnosis().findings] == ["std growing"]
    explorer.set(iteration=8)
    assert not explorer.diagnosis().findings
    assert "No finding" in repr(explorer)


def test_guess_is_drawn_at_the_last_checkpoint(xray):
    fresh = XRay(xray.examination)
    fresh.predict(7.5)
    guess = next(line for line in panel(fresh, "std of the actions").lines if line.get_marker() == "X")
    assert guess.get_xydata().tolist() == [[59, 7.5]]
    low, high = guess.axes.get_ylim()
    assert low < 0.98 < 7.5 < high


def test_single_checkpoint_can_be_drawn():
    explorer = XRay(run(mlp_policy()))
    assert explorer.live.moving0.startswith("<g")
    assert explorer.numbers(explorer.compute(explorer.at()))["KL"] == "–"
    for title, label, values in (
        ("KL and learning rate", "learning rate", [1e-3]),
        ("std of the actions", "mean", [1.0]),
    ):
        axes = panel(explorer, title)
        shown = line(axes, label)
        assert shown.get_xydata().tolist() == [[0, values[0]]]
        assert shown.get_marker() == "o"  # a line of a single point is invisible
        low, high = axes.get_ylim()
        assert low < values[0] < high
        assert axes.get_xticks().tolist() == [0]
    stds = [found for found in panel(explorer, "std of the actions").lines if found.get_marker() == "_"]
    assert [found.get_ydata().tolist() for found in stds] == [[1.0], [1.0]]


@pytest.mark.parametrize("reference", ["before", "first", "last"])
@pytest.mark.parametrize("stds", [(1, 0.02, 0.001), (1, 0.999, 0.998)], ids=["large", "small"])
def test_kl_and_learning_rate_are_within_their_axis_limits(stds, reference):
    policies = [mlp_policy(GaussianDistribution(2, init_std=std), seed=i) for i, std in enumerate(stds)]
    if stds[1] > 0.9:
        policies = [mlp_policy(GaussianDistribution(2, init_std=std)) for std in stds]
    axes = panel(XRay(run(*policies), torch.randn(64, 4)), "KL and learning rate", reference=reference)
    low, high = axes.get_ylim()
    values = np.concatenate([line(axes, name).get_ydata() for name in ("KL (nats)", "learning rate")])
    known = values[np.isfinite(values)]
    assert len(known) == 5
    assert low < known.min() < known.max() < high
    assert (known.max() > 100) == (stds[1] < 0.9)
    assert high / low < 1e3 * known.max() / known.min()  # the limits are tight
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert 2 <= len(labels) <= 8
    assert all(len(text) <= 5 for text in labels)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_recurrent_policy_shows_the_effect_of_missed_resets_instead_of_its_actions(kind):
    torch.manual_seed(0)
    rnn = RNN(3, 5, type=kind)
    policy = Policy(MLP(5, 2, [6]), GaussianDistribution(2), EmpiricalNormalization(3), rnn)
    x, dones = torch.randn(30, 4, 3), torch.rand(30, 4) < 0.1
    explorer = XRay(run(policy.requires_grad_(False)), {"observations": x, "dones": dones})
    assert explorer.examination.measures[0].rows == ("input", "memory", "1", "output")
    leak = panel(explorer, "without reset").lines[0].get_ydata()
    assert leak[0] > leak[-1] > 0


def test_effect_of_missed_resets_is_empty_for_single_steps():
    policy = Policy(MLP(5, 2, [6]), GaussianDistribution(2), None, RNN(3, 5, type="gru"))
    explorer = XRay(run(policy.requires_grad_(False)), torch.randn(40, 3))
    assert explorer.examination.measures[0].memory.leak.size == 0
    assert explorer.live.moving0.startswith("<g")


def test_policy_with_images_shows_the_layers_of_its_cnn():
    torch.manual_seed(0)
    cnn = CNN((8, 8), 1, [2, 3], 3, norm="layer")
    policy = Policy(MLP(4 + cnn.output_dim, 2, [6]), GaussianDistribution(2), None, cnns={"scan": cnn})
    shown = {"policy": torch.randn(40, 4), "scan": height_scans(40, 8)}
    explorer = XRay(run(policy.requires_grad_(False)), shown)
    measures = explorer.examination.measures[0]
    assert measures.rows == ("input", "scan 1", "scan 2", "1", "output")
    assert set(measures.spectra) == {"scan 1", "scan 2", "1", "output"}
    assert explorer.live.moving0.startswith("<g")


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["mlp.0.weight", "distribution.std_param", "obs_normalizer._mean"])
def test_broken_policy_is_drawn_and_reported(broken):
    well, ill = mlp_policy(), mlp_policy()
    ill.state_dict()[broken].flatten()[0] = float("nan")
    explorer = XRay(run(well, ill), torch.randn(64, 4))
    assert explorer.live.moving0.startswith("<g")
    words = explorer.describe(explorer.compute(explorer.at()))
    assert "Its weights contain NaN." in words
    assert "broken weights" in words
    assert not re.search(r"\bnan\b", words + str(explorer.spots(explorer.compute(explorer.at()))))
    explorer.set(iteration=0)
    assert "NaN" not in explorer.describe(explorer.compute(explorer.at()))


def test_beta_actions_can_be_drawn():
    explorer = XRay(run(mlp_policy(BetaDistribution(2)), mlp_policy(BetaDistribution(2), seed=1)))
    assert explorer.live.moving0.startswith("<g")


def test_many_features_and_actions_have_few_ticks():
    policy = mlp_policy(GaussianDistribution(23), features=235)
    explorer = XRay(run(policy), torch.randn(100, 235))
    for title, most in (("observations", 235), ("mean action and noise", 23)):
        ticks = panel(explorer, title).get_xticks()
        assert 4 <= len(ticks) <= 6
        assert ticks[-1] < most


def test_critic_and_gradients_match_the_files(xray):
    measures = xray.examination.measures
    axes = panel(xray, "critic")
    for label, values in (
        ("critic's last layer", [m.critic.gain for m in measures]),
        ("critic's values", [m.critic.value for m in measures]),
    ):
        np.testing.assert_allclose(line(axes, label).get_ydata(), values)
    assert [
        found.get_label() for found in axes.lines if "gradient" in found.get_label()
    ] == []  # the files contain no moments
    low, high = axes.get_ylim()
    assert low < min(m.critic.value for m in measures) < max(m.critic.value for m in measures) < high

    adam = [OptimizerMeasures(40 * (i + 1), 0.1 * (i + 1), 2.0, ()) for i in range(len(measures))]
    changed = tuple(dataclasses.replace(m, critic=None, optimizer=o) for m, o in zip(measures, adam, strict=True))
    axes = panel(XRay(dataclasses.replace(xray.examination, measures=changed)), "gradients")
    np.testing.assert_allclose(line(axes, "actor's gradient").get_ydata(), [o.actor for o in adam])
    assert "critic's values" not in [found.get_label() for found in axes.lines]


def test_run_without_critic_and_moments_has_no_critic_panel():
    titles = {axes.get_title("left") for axes in XRay(run(mlp_policy())).render().axes}
    assert {"std of the actions", "entropy", "KL and learning rate", "mean action and noise"} <= titles
    assert not {title for title in titles if "critic" in title or "gradients" in title}


# Names of the features


def named(*terms):
    return [f"{term}[{i}]" for term, size in terms for i in range(size)]


def test_labels_of_terms_are_horizontal_if_they_fit():
    labels = panels.label_terms(named(("qpos", 2), ("qvel", 4)))
    assert labels.texts == ("qpos", "qvel")
    assert labels.places.tolist() == [0.5, 3.5]
    assert labels.edges.tolist() == [1.5]
    assert labels.slots is None
    assert labels.height == 0


def test_labels_of_terms_are_vertical_if_there_is_less_space():
    names = named(("projected_gravity", 6), ("joint_pos", 12), ("joint_vel", 12), ("actions", 12))
    labels = panels.label_terms(names)
    assert labels.texts == ("projected_gravity", "joint_pos", "joint_vel", "actions")
    np.testing.assert_allclose(labels.slots, labels.places)
    assert labels.places.tolist() == [2.5, 11.5, 23.5, 35.5]
    assert 0.3 < labels.height < 0.55


def test_vertical_labels_are_moved_apart_in_order():
    sizes = {"lin_vel": 3, "ang_vel": 3, "gravity": 3, "command": 3, "pos": 12, "vel": 12, "actions": 12, "scan": 187}
    labels = panels.label_terms(named(*sizes.items()))
    assert labels.texts == tuple(sizes)
    inches = (labels.slots + 0.5) * panels.WIDTH / 235
    assert np.diff(inches).min() >= panels.LINE - 1e-9
    assert 0 <= inches.min() <= inches.max() <= panels.WIDTH
    assert labels.slots[-1] == pytest.approx(labels.places[-1], abs=6)  # it had enough space


def test_terms_with_a_history_are_one_block_each():
    frames = [f"joint_pos[{i}]{back}" for back in (" (t-2)", " (t-1)", "") for i in range(5)]
    assert panels.label_terms([*frames, *named(("gravity", 9))]).texts == ("joint_pos", "gravity")


def test_features_have_no_labels_if_names_are_unknown_or_too_many():
    assert panels.label_terms([]) is None
    assert panels.label_terms([f"sensor {i}" for i in range(200)]) is None


def test_observations_are_labelled_by_the_terms_of_the_run():
    policy = mlp_policy(features=45)
    names = named(("base_ang_vel", 3), ("projected_gravity", 3), ("command", 3), ("joint_pos", 24), ("actions", 12))
    seen = policy.normalizer.mean + policy.normalizer.std * torch.randn(500, 45)
    seen[:, 12] += 50
    explorer = XRay(
        dataclasses.replace(diagnosis.examine(run(policy), seen), sample=Sample(seen[None], "", True, names))
    )
    axes = panel(explorer, "observations")
    labels = {text.get_text(): text for text in axes.get_xticklabels()}
    assert {"base_ang_vel", "command", "joint_pos", "actions"} <= set(labels)
    assert dict(zip(labels, axes.get_xticks(), strict=True))["joint_pos"] == pytest.approx(20.5)
    assert axes.get_xlabel() == ""
    words = explorer.describe(explorer.compute(explorer.at()))
    assert "Far off: 1 of 45 features, most of all joint_pos[3]." in words

    drawing = Drawing(explorer)  # labels overlap neither each other nor the panel below
    axes = next(axes for axes in drawing.figure.axes if axes.get_title("left") == "observations")
    renderer = drawing.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in axes.get_xticklabels()]
    assert min(box.y0 for box in boxes) >= axes.get_window_extent().y0 - 5
    assert all(left.x1 <= right.x0 + 1 for left, right in itertools.pairwise(boxes))


def test_caption_states_that_the_activation_is_a_guess():
    explorer = XRay(run(mlp_policy()))
    assert "if the activation is elu, a guess" in explorer.describe(explorer.compute(explorer.at()))
    known = XRay(dataclasses.replace(run(mlp_policy()), activation_from="agent.yaml"))
    assert "guess" not in known.describe(known.compute(known.at()))


def test_legends_are_below_their_axes_and_do_not_overlap_others(xray):
    drawing = Drawing(xray)
    renderer = drawing.figure.canvas.get_renderer()
    boxes = [axes.get_window_extent() for axes in drawing.figure.axes]
    legends = [(axes, axes.get_legend()) for axes in drawing.figure.axes if axes.get_legend()]
    assert len(legends) == 3
    for axes, legend in legends:
        box = legend.get_window_extent()
        assert not any(box.overlaps(other) for other in boxes)
        assert not box.overlaps(axes.xaxis.label.get_window_extent(renderer))


# Texts, spots and handles


def test_every_finding_has_a_sentence_and_a_panel():
    assert list(told.TOLD) == [kind.name for kind in FINDINGS]
    assert {each.panel for each in told.TOLD.values()} == set(told.TOPICS)
    assert all(len(each.sentence) <= 70 and not each.sentence.endswith(".") for each in told.TOLD.values())


def test_title_states_the_number_and_the_topics_of_the_findings(xray):
    titles = {it: xray.title(xray.compute(xray.at(iteration=it))) for it in (8, 59)}
    assert titles == {8: "Iteration 8 of 59: no finding.", 59: "Iteration 59 of 59: one finding about the noise."}
    for iteration in xray.controls["iteration"].positions():
        xray_then = xray.examination.diagnosis(list(xray.controls["iteration"].positions()).index(iteration))
        title = xray.title(xray.compute(xray.at(iteration=iteration)))
        assert ("no finding" in title) == (not xray_then.findings)


def test_title_of_many_findings_is_short():
    findings = [finding(name) for name in told.TOLD]
    every = [*told.TOPICS]
    assert told.topics(findings, every) == "the weights, the layers and more"
    assert told.topics(findings[:2], every) == "the weights"
    assert told.topics(findings[-1:], ["std"]) == "the noise"  # without a critic panel


def finding(name):
    return diagnosis.Finding(name, "figure", "threshold", "meaning", 1, "what to change " * 20)


def test_finding_is_listed_first_with_its_panel_and_measurement(xray):
    result = xray.compute(xray.at())
    first, *others = xray.spots(result)
    assert first.listed
    assert not any(spot.listed for spot in others)
    assert first.name == "The exploration noise grows"
    assert first.numbers == xray.diagnosis().findings[0].figure
    assert [mark.panel for mark in first.marks] == ["std"]
    assert any(line.startswith("threshold: above 1.5 times") for line in first.arithmetic)
    assert any("algorithm.entropy_coef" in line for line in first.arithmetic)
    (compared,) = (line for line in first.arithmetic if line.startswith("compared"))
    now, before, times = map(float, re.findall(r"[\d.]+", compared))
    assert now / before == pytest.approx(times, abs=0.01)
    stds = [measures.std.mean() for measures in xray.examination.measures]
    assert [now, before] == pytest.approx([stds[-1], stds[0]], rel=0.006)


def test_lines_of_every_finding_fit():
    many = told.finding_spots([finding(name) for name in told.TOLD], [*told.TOPICS], XRay().examination.measures, 3)
    assert len({spot.name for spot in many}) == len(told.TOLD)
    assert all(len(spot.arithmetic) <= 6 and max(map(len, spot.arithmetic)) <= 100 for spot in many)


def test_panels_of_the_findings_are_in_the_first_row():
    tanh = mlp_policy()
    with torch.no_grad():
        tanh.mlp[0].bias[:7] = -100.0
    explorer = XRay(dataclasses.replace(run(tanh), activation_from="agent.yaml"), torch.randn(64, 4))
    assert "dead units" in [each.name for each in explorer.diagnosis().findings]
    drawing = Drawing(explorer)
    shown = {panel.name: panel.box for panel in drawing.panels if not panel.more}
    assert list(shown)[:1] == ["std"]
    assert "dead" in shown
    assert max(top + height for _, top, _, height in shown.values()) <= min(
        panel.box[1] for panel in drawing.panels if panel.more
    )


def test_first_row_without_a_finding_is_std_observations_and_values(xray):
    well = XRay(run(mlp_policy()), torch.randn(64, 4))
    assert not well.diagnosis().findings
    for explorer in (well, xray):
        names = [panel.name for panel in Drawing(explorer).panels if not panel.more]
        assert names == ["std", "observations", "values"]


def test_spot_of_a_layer_has_marks_in_its_panels_and_the_norm_of_its_weights(xray):
    spots = {spot.name: spot for spot in xray.spots(xray.compute(xray.at()))}
    layer, weight = spots["layer 2"], xray.examination.run.checkpoints[-1].policy.mlp[2].weight
    assert [mark.panel for mark in layer.marks] == ["values", "layer std", "dead"]
    norm = float(layer.arithmetic[1].rsplit(" = ", 1)[1])
    assert norm == pytest.approx(weight.norm().item(), rel=0.006)
    assert f"by {torch.linalg.svdvals(weight)[0]:.4g}" in layer.arithmetic[0]


def test_cursor_can_be_dragged_over_the_iterations(xray):
    (grip,) = xray.grips(xray.compute(xray.at()))
    assert (grip.controls, grip.panel, grip.along) == (("iteration",), "std", "x")
    assert [point[0] for point in grip.points.values()] == list(xray.controls["iteration"].positions())
    assert not XRay(run(mlp_policy())).grips(None)


def test_answers_of_the_questions_match_the_run(xray):
    entropy, layer, way = xray.questions
    first, last = (xray.examination.run.checkpoints[i].policy for i in (0, -1))
    assert entropy.answer == "log q for each action"
    share = last.distribution.std_param / first.distribution.std_param
    start, *_, end = xray.compute(xray.at(**entropy.show)).entropy
    assert end - start == pytest.approx(share.log().sum().item(), abs=1e-4)
    growth = [
        (torch.linalg.svdvals(new.weight)[0] / torch.linalg.svdvals(old.weight)[0]).item()
        for old, new in zip([*first.mlp][::2], [*last.mlp][::2], strict=True)
    ]
    assert layer.answer == layer.choices[int(np.argmax(growth))]
    whole, steps = (xray.compute(xray.at(reference=reference)).kl for reference in ("first", "before"))
    ratio = whole[-1] / np.nansum(steps)
    assert way.answer == way.choices[0 if ratio < 0.8 else 2 if ratio > 1.25 else 1]
    assert xray.at(**way.show).reference == "first"


def test_question_for_state_dependent_stds_is_about_the_mean():
    explorer = XRay(run(*(mlp_policy(BetaDistribution(2), seed) for seed in (0, 1))))
    question = explorer.questions[0]
    assert not question.choices
    assert float(question.answer) == pytest.approx(explorer.examination.measures[1].std.mean(), rel=0.05)


def test_single_checkpoint_gets_no_questions():
    assert XRay(run(mlp_policy())).questions == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"run": "nowhere"}, "run: expected a run folder of rsl_rl or a checkpoint, got 'nowhere' .no such file"),
        ({"observations": torch.zeros(5, 3)}, r"observations: expected shape \[samples, 4\]"),
        ({"robot": "Hopper-v5"}, "robot: expected one with 4 observations and 1 actions, .* Hopper-v5 has 11 and 3"),
        ({"observations": torch.zeros(5, 4), "robot": "Hopper-v5"}, "robot: expected either observations or a robot"),
        ({"activation": "elo"}, "^activation: expected one of elu, .* got 'elo'"),
        ({"run": 3}, "run: expected the path of a run folder or a checkpoint, or a Run, got 3"),
        ({"config": "x"}, "config: expected a dictionary .*, got 'x'"),
        ({"iteration": 5}, "iteration: expected one of 0, 4, 8"),
    ],
)
def test_invalid_arguments_raise_an_error(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        XRay(**arguments)


@pytest.fixture(scope="module")
def page_file(xray, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "x-ray.html"
    file.write_text(xray.page(), "utf-8")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_self_contained_page_works_offline_in_both_themes(xray, browser, page_file, scheme):
    page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    assert page.title() == "X-ray of example_run"
    assert page.get_by_text("std growing").first.is_visible()
    picture, slider = page.locator("rsl-explorer .rsl-panels"), page.get_by_role("slider", name="iteration").first
    seen = set()
    for step in (0, 5, 10, 15):
        slider.fill(str(step))
        iteration = xray.controls["iteration"].positions()[step]
        words = re.compile(f"at iteration {iteration}[.]")
        expect(picture.locator(".rsl-words")).to_have_attribute("aria-label", words)
        seen.add(picture.inner_html())
    assert len(seen) == 4
    pixels = imread(io.BytesIO(picture.screenshot()), format="png")
    assert (pixels[..., :3].mean() > 0.5) == (scheme == "light")
    assert not said
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


@pytest.mark.slow
def test_page_fits_a_phone_and_is_accessible(browser, page_file):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="to get it: pip install -e .[book]").Axe()
    page = browser.new_page(viewport={"width": 360, "height": 740}, bypass_csp=True)  # axe is a script
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
    found = axe.run(page, options=options).response["violations"]
    assert not [(each["id"], each["nodes"][0]["html"]) for each in found]
    page.close()


def test_text_in_the_page_is_escaped(tmp_path):
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    folder.mkdir()
    shutil.copy(example_run() / "model_0.pt", folder)
    page = XRay(folder).page()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


@pytest.mark.slow
def test_examined_run_is_not_measured_again(xray, monkeypatch):
    monkeypatch.setattr("rsl_edu.diagnosis.examination.measure_policy", None)
    again = XRay(xray.examination)
    assert again.live.moving0 == xray.live.moving0


def test_diagnosis_names_the_sample_of_the_examination():
    sample = Sample(torch.zeros(1, 8, 4), "my robot, last Tuesday")
    policy = mlp_policy()
    examination = diagnosis.Examination(run(policy), sample, XRay(run(policy), torch.zeros(8, 4)).examination.measures)
    assert "my robot, last Tuesday" in str(XRay(examination).diagnosis())


def test_single_actions_and_single_outputs_are_singular():
    torch.manual_seed(0)
    policy = Policy(MLP(4, 1, [8]), GaussianDistribution(1, init_std=2.178)).requires_grad_(False)
    explorer = XRay(run(policy), torch.randn(64, 4))
    spots = {spot.name: spot for spot in explorer.spots(explorer.compute(explorer.at()))}
    assert spots["std of the action"].numbers == "2.2"
    assert spots["std of the action"].arithmetic[0] == "std of the action: 2.178"
    norm = f"{policy.mlp[-1].weight.norm().item():.4g}"
    assert spots["output"].arithmetic == (
        f"the weights have a single singular value: they stretch one direction by {norm}",
        f"norm of the weights: equal to the singular value, {norm}",
    )


def test_equal_stds_and_singular_values_of_several_outputs():
    policy = mlp_policy(GaussianDistribution(2, init_std=2.178))
    explorer = XRay(run(policy), torch.randn(64, 4))
    spots = {spot.name: spot for spot in explorer.spots(explorer.compute(explorer.at()))}
    assert spots["std of the actions"].numbers == "2.2 each"
    assert spots["std of the actions"].arithmetic[0] == "mean of 2 std: (2.178 + 2.178) / 2 = 2.178"
    values = torch.linalg.svdvals(policy.mlp[-1].weight).tolist()
    found = re.search(r"one direction by (.+), another by only (.+)", spots["output"].arithmetic[0]).groups()
    assert found == tuple(f"{value:.4g}" for value in values)


def test_number_of_the_last_layer_is_its_norm_per_output(xray):
    result = xray.compute(xray.at())
    weight = xray.examination.run.checkpoints[-1].policy.mlp[-1].weight
    norm = float(xray.numbers(result)["last layer's norm per output"])
    assert norm == pytest.approx(weight.norm(dim=1).square().mean().sqrt().item(), rel=0.05)
