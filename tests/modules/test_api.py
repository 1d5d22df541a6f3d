"""Our modules have the names, signatures, defaults, parameters and initial weights of rsl_rl's."""

import inspect
import typing

import pytest
import torch

from rsl_edu import modules

NAMES = [
    "CNN",
    "MLP",
    "RNN",
    "BetaDistribution",
    "Distribution",
    "EmpiricalDiscountedVariationNormalization",
    "EmpiricalNormalization",
    "GaussianDistribution",
    "HeteroscedasticGaussianDistribution",
    "HiddenState",
]
CLASSES = [name for name in NAMES if name != "HiddenState"]
EXAMPLES = [
    ("MLP", (3, 2, [4, -1])),
    ("MLP", (3, (2, 2), [4], "tanh", "sigmoid")),
    ("CNN", ((9, 9), 2, [3, 4], 3)),
    ("CNN", ((9, 9), 2, [3, 4], [3, 2], 1, 1, "zeros", ["batch", "layer"], "relu", True, "avg")),
    ("RNN", (3,)),
    ("RNN", (3, 4, 2, "gru")),
    ("EmpiricalNormalization", (3,)),
    ("EmpiricalNormalization", ([2, 3],)),
    ("EmpiricalDiscountedVariationNormalization", ([],)),
    ("Distribution", (3,)),
    ("GaussianDistribution", (3, 0.3)),
    ("GaussianDistribution", (3, 0.3, (0.1, 2.0), "log", False)),
    ("HeteroscedasticGaussianDistribution", (3,)),
    ("BetaDistribution", (3,)),
]
examples = pytest.mark.parametrize(("name", "arguments"), EXAMPLES)


def parameters(function):
    return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]


def split(values, size):
    return values[:size], values[size:]


def public(owner):
    """Return the public methods and properties that the class or a parent in its package defines."""
    package = owner.__module__.split(".")[0]
    parents = [parent for parent in owner.__mro__ if parent.__module__.startswith(package)]
    return {name for parent in parents for name in vars(parent) if not name.startswith("_")}


def both(peer, name, arguments):
    modules_of = []
    for package in (modules, peer):
        torch.manual_seed(1)
        modules_of.append(getattr(package, name)(*arguments))
    return modules_of


def test_every_public_name_of_rsl_rl_exists_here(peer):
    assert set(NAMES) == set(peer.__all__)
    assert set(peer.__all__) <= set(modules.__all__)
    assert all(hasattr(modules, name) for name in modules.__all__)


def test_the_hidden_state_is_the_same_type(peer):
    assert modules.HiddenState == peer.HiddenState
    assert set(typing.get_args(modules.HiddenState)) == {torch.Tensor, tuple[torch.Tensor, torch.Tensor], type(None)}


@pytest.mark.parametrize("name", CLASSES)
def test_constructor_has_the_signature_of_rsl_rl(peer, name):
    assert parameters(getattr(modules, name)) == parameters(getattr(peer, name))


@pytest.mark.parametrize("name", CLASSES)
def test_public_methods_have_the_signature_of_rsl_rl_plus_optional_arguments(peer, name):
    ours, theirs = getattr(modules, name), getattr(peer, name)
    assert public(theirs) <= public(ours)
    assert public(theirs)  # the comparison below is not empty
    for member in public(theirs):
        mine, its = inspect.getattr_static(ours, member), inspect.getattr_static(theirs, member)
        assert isinstance(mine, property) == isinstance(its, property), member
        if callable(its):
            same, more = split(parameters(getattr(ours, member)), len(parameters(getattr(theirs, member))))
            assert same == parameters(getattr(theirs, member)), member
            assert all(default is not inspect.Parameter.empty for _, default, _ in more), member


@pytest.mark.parametrize("name", CLASSES)
def test_parent_classes_are_those_of_rsl_rl(peer, name):
    ours, theirs = getattr(modules, name).__mro__, getattr(peer, name).__mro__
    assert [parent.__name__ for parent in ours] == [parent.__name__ for parent in theirs]


@examples
def test_public_attributes_of_an_object_are_a_superset_with_the_same_values(peer, name, arguments):
    ours, theirs = both(peer, name, arguments)
    for attribute, value in vars(theirs).items():
        if not attribute.startswith("_") and isinstance(value, (int, float, str, list, tuple, type(None))):
            assert getattr(ours, attribute) == pytest.approx(value), attribute


@examples
def test_same_seed_gives_the_same_parameters_in_the_same_order(peer, name, arguments):
    ours, theirs = both(peer, name, arguments)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    assert [p.requires_grad for p in ours.parameters()] == [p.requires_grad for p in theirs.parameters()]


@examples
def test_checkpoints_load_strictly_both_ways(peer, name, arguments):
    ours, theirs = both(peer, name, arguments)
    for source, target in ((ours, theirs), (theirs, ours)):
        with torch.no_grad():
            for value in (*source.parameters(), *source.buffers()):
                value.copy_(torch.rand(value.shape) * 10)
        target.load_state_dict(source.state_dict(), strict=True)
        torch.testing.assert_close(target.state_dict(), source.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("name", modules.__all__)
def test_every_public_name_has_a_docstring(name):
    assert name == "HiddenState" or inspect.getdoc(getattr(modules, name))
