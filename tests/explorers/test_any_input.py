"""Explorers do not depend on the learner's settings, accept data in many forms, and raise clear errors."""

import contextlib
import dataclasses
import threading
import warnings

import matplotlib as mpl
import numpy as np
import pytest
import torch

from rsl_edu import explorers
from rsl_edu.data import Motion, motion
from rsl_edu.explorers.bench.usual_settings import usual_settings
from rsl_edu.modules import CNN, MLP, RNN

NAMES = list(explorers.EXPLORERS)


def _own_data(name, change=lambda x: x):
    """Return a learner's own data for an explorer; ``change`` is applied to each tensor."""
    draw = torch.Generator("cpu").manual_seed(0)

    def drawn(*shape):
        return change(torch.randn(shape, generator=draw, dtype=torch.float32, device="cpu"))

    return explorers.EXPLORERS[name].own_data(drawn)


def _said(explorer, *states):
    """Return the texts of some states, by default of the current one."""
    results = [explorer.compute(state) for state in states or [explorer.at()]]
    return [[explorer.describe(result), explorer.numbers(result)] for result in results]


@pytest.fixture(scope="module", params=NAMES)
def usual(request):
    """Return the name of an explorer, and its texts and picture for own data with the usual settings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explorer = explorers.EXPLORERS[request.param](*_own_data(request.param))
        return request.param, (_said(explorer), explorer.live.svg)


# Settings -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def _default_device(device):
    torch.set_default_device(device)
    try:
        yield
        assert torch.get_default_device().type == device
    finally:
        torch.set_default_device(None)


@contextlib.contextmanager
def _everything_else():
    """Set unusual settings of NumPy and Matplotlib, warnings as errors, autocast and anomaly detection."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(torch.autograd.detect_anomaly())  # it warns that it is slow
        warnings.simplefilter("error")
        stack.enter_context(np.errstate(all="raise"))
        stack.enter_context(np.printoptions(precision=1, threshold=2))
        stack.enter_context(torch.autocast("cpu", torch.bfloat16))
        stack.enter_context(mpl.rc_context({"text.color": "red", "lines.linewidth": 9, "axes.unicode_minus": False}))
        before = dict(mpl.rcParams)
        yield
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")
        assert torch.is_autocast_enabled("cpu")
        assert torch.is_anomaly_enabled()
        assert dict(mpl.rcParams) == before


@contextlib.contextmanager
def _float64():
    with _default_dtype(torch.float64), _default_device("meta"), torch.no_grad():
        yield


@contextlib.contextmanager
def _bfloat16():
    with _everything_else(), _default_dtype(torch.bfloat16), torch.inference_mode():
        yield


@pytest.mark.parametrize("settings", [_float64, _bfloat16])
def test_pictures_and_texts_do_not_depend_on_the_settings_and_restore_them(usual, settings):
    name, expected = usual
    torch.manual_seed(7)
    random = torch.get_rng_state()
    with settings():
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        explorer = explorers.EXPLORERS[name](*_own_data(name))
        said = _said(explorer)
        picture = (
            explorer.live.svg if settings is _bfloat16 else expected[1]
        )  # only for one setting, because drawing is slow
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == modes
    assert said == expected[0]
    assert picture == expected[1]
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("name", ["Signal", "Memory", "Rewards", "Divergence"])
def test_explorer_can_be_moved_under_other_settings(name):
    explorer = explorers.EXPLORERS[name](*_own_data(name))
    low = list(explorer.corners())[-2]
    expected = _said(explorers.EXPLORERS[name](*_own_data(name)), low)
    with _bfloat16():
        explorer.go(low)
        assert _said(explorer) == expected
    assert _said(explorer) == expected


def test_sweep_works_under_unusual_settings():
    with _bfloat16():
        assert "pictures drawn" in explorers.StickFigure(*_own_data("StickFigure")).sweep()


def test_threads_with_other_settings_do_not_disturb_each_other():
    names = ["Signal", "Memory", "Rewards"]
    expected = {name: repr(explorers.EXPLORERS[name](*_own_data(name))) for name in names}
    found, start = [], threading.Barrier(2 * len(names))

    def show(name, mode):
        start.wait()
        with mode():
            found.append((name, repr(explorers.EXPLORERS[name](*_own_data(name))), torch.is_grad_enabled()))

    with _default_dtype(torch.float64):
        modes = (torch.no_grad, torch.enable_grad)
        threads = [threading.Thread(target=show, args=(name, mode)) for name in names for mode in modes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == sorted((name, expected[name], grad) for name in names for grad in (False, True))


def test_settings_are_restored_after_an_error():
    with _default_dtype(torch.float64), np.errstate(all="raise"), torch.no_grad():
        with pytest.raises(ValueError, match="observations: expected shape"):
            explorers.Stream(torch.zeros(3))
        with usual_settings(), usual_settings():
            assert torch.get_default_dtype() == torch.float32
        assert torch.get_default_dtype() == torch.float64
        assert np.geterr()["divide"] == "raise"
        assert not torch.is_grad_enabled()


def test_data_recorded_under_other_settings_are_the_same():
    expected = repr(explorers.StickFigure({"mine": motion("Ant-v5", steps=12)}))
    with _bfloat16():
        recorded = motion("Ant-v5", steps=12)
    assert repr(explorers.StickFigure({"mine": recorded})) == expected


def test_motion_can_have_gradients():
    recorded = motion("Ant-v5", steps=12)
    learned = dataclasses.replace(recorded, ends=recorded.ends.clone().requires_grad_())
    assert isinstance(learned, Motion)
    assert repr(explorers.StickFigure({"a": learned})) == repr(explorers.StickFigure({"a": recorded}))


# Forms of data ------------------------------------------------------------------------------------------------------


def _read_only(x):
    array = x.numpy().copy()
    array.setflags(write=False)
    return array


class _LikeAnArray:
    """An array of another library, such as JAX or pandas."""

    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return self._array


def _as_inference_tensor(x):
    with torch.inference_mode():
        return x * 1


FORMS = {
    "reversed": lambda x: x.flip(0).numpy()[::-1],
    "foreign byte order": lambda x: x.numpy().astype(">f4"),
    "foreign byte order, float64": lambda x: x.numpy().astype(">f8"),
    "read-only": _read_only,
    "Fortran order": lambda x: np.asfortranarray(x.numpy()),
    "long double": lambda x: x.numpy().astype(np.longdouble),
    "masked array, nothing masked": lambda x: np.ma.masked_array(x.numpy()),
    "like an array": lambda x: _LikeAnArray(x.numpy()),
    "parameter": torch.nn.Parameter,
    "inference tensor": _as_inference_tensor,
    "sparse": lambda x: x.to_sparse(),
    "negative bit": lambda x: torch.complex(torch.zeros_like(x), -x).conj().imag,
    "list": lambda x: x.tolist(),
    "list of tensors": lambda x: list(x) if x.dim() > 1 else x.tolist(),
    "tuple of arrays": lambda x: tuple(x.numpy()),
    "lists of lists of arrays": lambda x: [list(row) for row in x.numpy()] if x.dim() > 2 else x.numpy(),
}
QUICK = ["Signal", "Features", "Rewards", "Stream", "Divergence", "StdTraining", "StickFigure"]


@pytest.mark.parametrize("form", FORMS)
def test_data_are_accepted_in_every_form(form):
    for name in QUICK:
        if name == "Rewards":  # own_data compares its second argument with a number
            rewards, dones = _own_data(name)
            data = FORMS[form](rewards), dones.numpy()[::-1][::-1]
        else:
            data = _own_data(name, FORMS[form]) if name != "Divergence" else _changed(_own_data(name), FORMS[form])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert repr(explorers.EXPLORERS[name](*data)) == _expected(name), name


def _changed(policies, change):
    return tuple(tuple(change(parameter) for parameter in policy) for policy in policies)


_words = {}


def _expected(name):
    if name not in _words:
        _words[name] = repr(explorers.EXPLORERS[name](*_own_data(name)))
    return _words[name]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int8, torch.int64, torch.uint16, torch.bool])
@pytest.mark.parametrize("name", ["Signal", "StickFigure"])
def test_result_does_not_depend_on_the_dtype(name, dtype):
    whole = _own_data(name, lambda x: (3 * x).round().abs().clamp(0, 1))
    other = _own_data(name, lambda x: (3 * x).round().abs().clamp(0, 1).to(dtype))
    assert _said(explorers.EXPLORERS[name](*other)) == _said(explorers.EXPLORERS[name](*whole))


def test_overwriting_the_data_does_not_change_the_picture():
    (observations,) = _own_data("Stream")
    explorer = explorers.Stream(observations)
    observations.fill_(torch.nan)
    explorer.set(seed=1)
    explorer.reset()
    assert repr(explorer) == _expected("Stream")


# Networks -----------------------------------------------------------------------------------------------------------


NETWORKS = {
    "Signal": lambda: MLP(6, 2, [4]),
    "Memory": lambda: RNN(3, 4, num_layers=1, type="lstm"),
    "Features": lambda: CNN((24, 20), 1, (2, 2), 3, 2),
}


def _network(name):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return NETWORKS[name]()


@pytest.mark.parametrize("name", NETWORKS)
def test_network_is_accepted_in_every_mode_and_dtype(name):
    kind, data = explorers.EXPLORERS[name], _own_data(name)
    expected = _said(kind(*data, _network(name)))
    with torch.inference_mode():
        made = _network(name)
        assert _said(kind(*data, made)) == expected
    assert _said(kind(*data, made)) == expected
    assert _said(kind(*data, _network(name).double().requires_grad_(False))) == expected


@pytest.mark.parametrize("name", NETWORKS)
def test_network_on_the_meta_device_raises_an_error(name):
    with torch.device("meta"):
        network = _network(name)
    kind = type(network).__name__
    with pytest.raises(
        ValueError, match=rf"^network: expected a network that can be copied to the CPU, got {kind} \(Cannot"
    ):
        explorers.EXPLORERS[name](*_own_data(name), network=network)


# Extremes -----------------------------------------------------------------------------------------------------------


SIZES = {"tiny": 1e-30, "small": 1e-8, "large": 1e6, "huge": 2e11}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["Signal", "Features", "Memory", "Rewards", "Stream", "StdTraining", "StickFigure"])
def test_texts_are_valid_for_data_of_any_size(name, size):
    _check_words(explorers.EXPLORERS[name](*_own_data(name, lambda x: SIZES[size] * x.double().clamp(-4, 4))))


@pytest.mark.parametrize("value", [0.0, 1.0, 9.99e11])
@pytest.mark.parametrize("name", ["Signal", "Features", "Memory", "Rewards", "Stream"])
def test_texts_are_valid_for_constant_data(name, value):
    explorer = explorers.EXPLORERS[name](*_own_data(name, lambda x: torch.full_like(x, value).float()))
    _check_words(explorer)


def test_single_large_value_of_x_can_be_drawn():
    explorer = explorers.HeteroscedasticFit(torch.full((9,), 9.99e11), torch.arange(9.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Matplotlib warns of an axis without length
        explorer.render()


def _check_words(explorer):
    for caption, numbers in _said(explorer, explorer.at(), list(explorer.corners())[-2], list(explorer.corners())[-1]):
        words = " ".join([caption, *numbers.values()]).split()
        assert not {"nan", "inf", "None", "-0"} & {word.strip(".,;:()") for word in words}, words
        assert len(caption) <= 420


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("Divergence", "XRay")])
def test_too_large_values_raise_an_error_with_the_limits(name):
    data = _own_data(name, lambda x: x.abs().double().clamp(1, 9) * 1e300)
    if not data:
        pytest.skip("it takes no data")
    with pytest.raises(ValueError, match=r"^\w+: expected values from -1e12 to 1e12, got (\d|\.)+e\+300$"):
        explorers.EXPLORERS[name](*data)


@pytest.mark.parametrize(("mean", "std"), [(9e5, 1e-6), (-1e6, 1.0), (1e3, 4e5), (0.0, 5e5)])
def test_integral_of_a_far_policy_equals_its_closed_form(mean, std):
    far = torch.tensor([mean]), torch.tensor([std])
    explorer = explorers.Divergence(far, ([mean + 2 * std], [2 * std]))
    for state in explorer.corners():
        if state.mistake == "right":
            assert not explorer.compute(state).wrong.any(), explorer.write(state)
    kl = np.log(2) + (1 + 2**2) / (2 * 2**2) - 0.5
    assert explorer.compute(explorer.start).integral[2] == pytest.approx(kl, rel=1e-3)


@pytest.mark.parametrize(
    ("policy", "got"),
    [
        (([1e30], [1.0]), r"mean of 1e\+30"),
        (([torch.nan], [1.0]), "mean of nan"),
        (([0.0], [0.0]), "std of 0"),
        (([0.0], [1e7]), r"std of 1e\+07"),
    ],
)
def test_policy_beyond_the_limits_raises_an_error(policy, got):
    with pytest.raises(
        ValueError, match=rf"^old: expected .* from -1e6 to 1e6 and stds from 1e-06 to 1e6, got a {got}$"
    ):
        explorers.Divergence(policy, ([0.0], [1.0]))


def test_actions_too_large_for_the_reward_model_raise_an_error():
    observations, _, rewards = _own_data("AdaptiveRate")[:3]
    actions = torch.full((*rewards.shape, 2), -7.3e11)
    with pytest.raises(ValueError, match=r"^actions: expected smaller values, got up to 7\.3e\+11$"):
        explorers.AdaptiveRate(observations, actions, rewards)


# Names and answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "error", "got"),
    [
        (("a", "b"), ValueError, "2: a, b"),
        (list("abcdefghij"), ValueError, "10: a, b, c, d, e, f, g, h, ..."),
        ((), ValueError, r"\(\)"),
        ("abcdef", TypeError, "'abcdef'"),
        (range(6), TypeError, r"range\(0, 6\)"),
        (6, ValueError, "6"),
    ],
)
def test_wrong_number_of_names_raises_an_error(names, error, got):
    with pytest.raises(error, match=f"^names: expected 6 names, one for each feature, got {got}$"):
        explorers.Stream(*_own_data("Stream"), names)


def test_wrong_number_of_names_for_x_and_y_raises_an_error():
    x, y = _own_data("HeteroscedasticFit")
    with pytest.raises(ValueError, match=r"^names: expected 2 names, one for each of x and y, got 1: angle$"):
        explorers.HeteroscedasticFit(x, y, ("angle",))


def test_names_can_be_an_array():
    explorer = explorers.Stream(*_own_data("Stream"), np.array(list("abcdef")), feature=2)
    assert explorer.names == tuple("abcdef")
    assert explorer.compute(explorer.at()).name == "c"


@pytest.mark.parametrize("question", [2, -1, 5, True, "0", None])
def test_unknown_question_raises_an_error(question):
    quiz = explorers.Quiz(explorers.Divergence(), {"How large?": None, "Which?": ("old", "new")})
    with pytest.raises(ValueError, match=rf"^question: expected a number from 0 to 1, got {question!r}$"):
        quiz.answer(question, 1.0)


def test_quiz_works_under_other_settings():
    with _bfloat16():
        quiz = explorers.Quiz(explorers.Divergence(), {"How large?": None, "Which?": ("old", "new")})
        quiz.answer(np.int64(0), np.float32(0.5))
        with pytest.raises(ValueError, match=r"^answer: expected one of 'old', 'new'; got array\(\[1, 2\]\)$"):
            quiz.answer(1, np.array([1, 2]))
    assert quiz.answers == {"How large?": "0.5 nats"}
