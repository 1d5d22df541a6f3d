import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rsl_edu.modules
from rsl_edu.modules import EmpiricalDiscountedVariationNormalization, EmpiricalNormalization

law = settings(max_examples=25, deadline=None, derandomize=True)
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
MERGED = {"rtol": 1e-4, "atol": 1e-5}  # rounding errors of a few dozen merges in single precision
EPS = 1e-2


def batches(seed, sizes, features=3):
    """Return batches of features that differ in mean and scale; the last feature never varies."""
    generator = torch.Generator().manual_seed(seed)
    scale, shift = torch.tensor([1.0, 30.0, 0.0]), torch.tensor([0.0, -5.0, 2.0])
    return [torch.randn(size, features, generator=generator) * scale[:features] + shift[:features] for size in sizes]


def learned(stream, **options):
    norm = EmpiricalNormalization(stream[0].shape[1:], **options)
    for x in stream:
        norm.update(x)
    return norm


def moments(x):
    """Return mean and population standard deviation, computed by a loop in double precision."""
    rows = x.double().tolist()
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    columns = zip(zip(*rows, strict=True), mean, strict=True)
    std = [(sum((value - m) ** 2 for value in column) / len(rows)) ** 0.5 for column, m in columns]
    return torch.tensor(mean), torch.tensor(std)


def assert_unchanged(norm, before):
    torch.testing.assert_close(dict(norm.state_dict()), before, rtol=0, atol=0)


def copied(norm):
    return {name: value.clone() for name, value in norm.state_dict().items()}


sizes = st.lists(st.integers(1, 20), min_size=1, max_size=6)


@law
@given(sizes=sizes, seed=st.integers(0, 2**31))
def test_merged_batches_have_the_moments_of_all_samples(sizes, seed):
    stream = batches(seed, sizes)
    norm = learned(stream)
    mean, std = moments(torch.cat(stream))
    torch.testing.assert_close(norm.mean, mean, **MERGED)
    torch.testing.assert_close(norm.std, std, **MERGED)
    assert norm.count == sum(sizes)


@law
@given(sizes=sizes, seed=st.integers(0, 2**31), order=st.randoms())
def test_the_order_of_the_batches_does_not_matter(sizes, seed, order):
    stream = batches(seed, sizes)
    shuffled = order.sample(stream, len(stream))
    torch.testing.assert_close(dict(learned(stream).state_dict()), dict(learned(shuffled).state_dict()), **MERGED)


@law
@given(seed=st.integers(0, 2**31), eps=st.floats(1e-6, 1.0))
def test_inverse_undoes_forward(seed, eps):
    norm = learned(batches(seed, [50]), eps=eps)
    (x,) = batches(seed + 1, [5])
    torch.testing.assert_close(norm.inverse(norm(x)), x, **MERGED)
    torch.testing.assert_close(norm(norm.inverse(x)), x, rtol=1e-3, atol=1e-3 / eps)


@pytest.mark.parametrize("shape", [3, (3,), [2, 3], ()])
@pytest.mark.parametrize("options", [{}, {"eps": 0.5}, {"until": 12}, {"until": 0}])
def test_stream_gives_the_statistics_and_outputs_of_rsl_rl(peer, shape, options):
    ours, theirs = EmpiricalNormalization(shape, **options), peer.EmpiricalNormalization(shape, **options)
    sizes = [shape] if isinstance(shape, int) else shape
    for _ in range(5):
        x = torch.randn(4, *sizes) * 30 + 5
        for norm in (ours, theirs):
            norm.update(x)
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), **CLOSE)
        torch.testing.assert_close(ours(x), theirs(x), **CLOSE)
        torch.testing.assert_close(ours.inverse(x), theirs.inverse(x), **CLOSE)
        torch.testing.assert_close((ours.mean, ours.std), (theirs.mean, theirs.std), **CLOSE)


def test_forward_subtracts_the_mean_and_divides_by_std_plus_eps():
    (x,) = stream = batches(0, [50])
    mean, std = moments(x)
    torch.testing.assert_close(learned(stream)(x), (x - mean) / (std + EPS), **MERGED)


def test_before_the_first_update_the_mean_is_zero_and_the_std_one():
    norm, x = EmpiricalNormalization(3), torch.randn(5, 3)
    torch.testing.assert_close(norm(x), x / (1 + EPS), **CLOSE)


def test_tiny_deviations_in_the_first_batch_are_not_lost():
    x = torch.tensor([[1e-5], [-1e-5]])
    torch.testing.assert_close(learned([x]).std, torch.tensor([1e-5]), **CLOSE | {"atol": 0})


def test_all_leading_dimensions_count_as_the_batch():
    x = torch.randn(4, 5, 3)
    torch.testing.assert_close(learned([x.flatten(0, 1)]).state_dict(), learned_in_one(x).state_dict())
    assert learned_in_one(x).count == 20
    assert learned_in_one(x[0, 0]).count == 1


def learned_in_one(x):
    norm = EmpiricalNormalization(3)
    norm.update(x)
    return norm


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.float64, torch.bool])
def test_update_takes_samples_of_any_dtype(dtype):
    x = torch.tensor([[0, 1], [1, 1], [1, 0]]).to(dtype)
    mean, std = moments(x)
    norm = learned([x, x])
    torch.testing.assert_close((norm.mean, norm.std), (mean, std), **CLOSE)
    assert {value.dtype for value in norm.state_dict().values()} == {torch.float32, torch.int64}


def test_a_module_in_double_precision_learns_in_double_precision():
    norm = EmpiricalNormalization(2).double()
    x = torch.randn(30, 2, dtype=torch.float64)
    for part in x.split([3, 7, 20]):
        norm.update(part)
    torch.testing.assert_close(norm.std, x.std(0, correction=0), rtol=1e-12, atol=0)


def test_forward_does_not_change_the_statistics():
    norm = learned(batches(0, [10]))
    before = copied(norm)
    norm(torch.randn(7, 3))
    assert_unchanged(norm, before)


def test_statistics_do_not_change_in_evaluation_mode():
    norm = learned(batches(0, [10]))
    before = copied(norm)
    norm.eval().update(torch.randn(7, 3))
    assert_unchanged(norm, before)


def test_batch_that_crosses_until_counts_and_the_next_does_not():
    norm = learned(batches(0, [4, 4]), until=5)
    assert norm.count == 8
    before = copied(norm)
    for poison in (1e9, float("inf"), float("nan")):
        norm.update(torch.full((4, 3), poison))
    assert_unchanged(norm, before)


@pytest.mark.parametrize("seen", [[], [10]])
def test_an_empty_batch_changes_nothing(seen):
    norm = learned([torch.zeros(0, 3), *batches(0, seen)])
    before = copied(norm)
    norm.update(torch.zeros(0, 3))
    norm.update(torch.zeros(4, 0, 3))
    assert_unchanged(norm, before)
    assert norm(torch.zeros(0, 3)).shape == (0, 3)


def test_mean_and_std_are_copies():
    norm = learned(batches(0, [10]))
    before = copied(norm)
    norm.mean.zero_()
    norm.std.zero_()
    assert_unchanged(norm, before)
    assert norm.mean.shape == norm.std.shape == (3,)


def test_saved_statistics_continue_where_they_stopped():
    first, second = batches(0, [10, 20])
    saved = EmpiricalNormalization(3)
    saved.load_state_dict(learned([first]).state_dict())
    saved.update(second)
    torch.testing.assert_close(saved.state_dict(), learned([first, second]).state_dict(), rtol=0, atol=0)


def test_an_update_in_inference_mode_can_be_followed_by_training():
    norm, x = EmpiricalNormalization(3), torch.randn(4, 3, requires_grad=True)
    with torch.inference_mode():
        norm.update(torch.randn(10, 3))
    norm(x).sum().backward()
    torch.testing.assert_close(x.grad, (1 / (norm.std + EPS)).expand(4, 3))
    norm.update(x)
    assert not any(buffer.requires_grad for buffer in norm.buffers())


def test_an_update_between_forward_and_backward_does_not_break_the_gradient():
    norm, x = learned(batches(0, [10])), torch.randn(4, 3, requires_grad=True)
    expected = (1 / (norm.std + EPS)).expand(4, 3)
    y = norm(x)
    norm.update(torch.randn(10, 3))
    y.sum().backward()
    torch.testing.assert_close(x.grad, expected)


# Hard streams in single precision.

U = 2.0**-24  # the largest relative rounding error in single precision


def rounding(mean, std, merges):
    """Return a limit for the relative rounding error in the std of a stream.

    Each merge rounds the variance up or down, depending on the order of sums and therefore on the machine. The errors
    add up like a random walk, while each merge shrinks earlier errors by its own share of the samples. In the end, the
    variance has an error of U √merges / 3 and the std one of U √merges / 6 (one standard deviation). The limit is six
    of these, plus four rounding errors for the sums inside the merges.

    The variance is measured from the rounded part of the mean, which can be off by U mean.
    """
    return U * (merges**0.5 + 4) + (U * mean / std) ** 2 / 2


def stds_of_stream(peer, mean, std, batch, samples, features=4):
    """Return the std of a stream from our normalizer, from rsl_rl's, and computed in double precision."""
    norms = EmpiricalNormalization(features), peer.EmpiricalNormalization(features)
    generator = torch.Generator().manual_seed(0)
    first, second = torch.zeros(2, features, dtype=torch.float64)
    for _ in range(samples // batch):
        x = (torch.randn(batch, features, generator=generator, dtype=torch.float64) * std + mean).float()
        for norm in norms:
            norm.update(x)
        d = x.double() - mean
        first += d.mean(0)
        second += d.square().mean(0)
    batches = samples // batch
    true = (second / batches - (first / batches).square()).sqrt()
    return [norm.std.double() for norm in norms], true


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "std"), [(1e4, 1.0), (1e5, 0.5), (-3e3, 1e-2)])
@pytest.mark.parametrize(
    ("batch", "samples"),
    [(1, 5_000), (16, 30_000), (4096, 200_000), pytest.param(4096, 10_000_000, marks=pytest.mark.exhaustive)],
)
def test_std_of_a_hard_stream_is_at_least_twice_as_exact_as_that_of_rsl_rl(peer, mean, std, batch, samples):
    (ours, theirs), true = stds_of_stream(peer, mean, std, batch, samples)
    error, its_error = ((each - true).abs().max() / true.max() for each in (ours, theirs))
    assert error <= its_error / 2
    torch.testing.assert_close(ours, true, rtol=rounding(mean, std, samples // batch), atol=0)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (5.0, 1.0)])
@pytest.mark.parametrize(("batch", "samples"), [(1, 5_000), (16, 30_000), (4096, 200_000)])
def test_std_of_an_easy_stream_has_only_rounding_errors_like_that_of_rsl_rl(peer, mean, std, batch, samples):
    stds, true = stds_of_stream(peer, mean, std, batch, samples)
    for each in stds:
        torch.testing.assert_close(each, true, rtol=rounding(mean, std, samples // batch), atol=0)


def test_a_feature_that_jumps_and_then_stays_has_a_finite_std():
    norm = learned([torch.full((1, 1), 5.0), torch.full((100_000, 1), 7.3)])
    torch.testing.assert_close(norm.mean, torch.tensor([7.3]), rtol=1e-5, atol=0)
    # The variance is E[d²] - E[d]² with d = 2.3, of which only 1e-5 remains. A pairwise sum of 100,000 numbers has 17
    # levels, so the terms differ by at most 3 · 17 rounding errors, which is 30 % of the remainder.
    torch.testing.assert_close(norm.std, torch.tensor([2.3 * 1e-5**0.5]), rtol=0.15, atol=0)


# NaN and infinity.


@law
@given(sizes=sizes, seed=st.integers(0, 2**31), bad=st.sampled_from([float("nan"), float("inf"), -float("inf")]))
def test_nan_and_infinity_count_as_the_running_mean(sizes, seed, bad):
    first, *rest = stream = batches(seed, [3, *sizes])
    spoilt = [first, *(x.clone() for x in rest)]
    for k in range(1, len(spoilt)):
        spoilt[k][0, 1] = bad
        stream[k][0, 1] = learned(stream[:k]).mean[1]
    torch.testing.assert_close(dict(learned(spoilt).state_dict()), dict(learned(stream).state_dict()), **MERGED)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e30, 3e38])
@pytest.mark.parametrize("position", [0, 5])
@pytest.mark.parametrize("seen", [[], [10]])
def test_statistics_recover_from_one_bad_number(bad, position, seen):
    x = torch.randn(8, 3)
    x[position, 1] = bad
    norm = learned([*batches(0, seen), x])
    assert all(buffer.isfinite().all() for buffer in norm.buffers())
    (good,) = batches(1, [2000])
    for _ in range(5):
        norm.update(good)
    assert norm(good).isfinite().all()
    if abs(bad) == float("inf") or bad != bad:
        torch.testing.assert_close(norm.std[1], good[:, 1].std(), rtol=0.05, atol=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("position", [0, 5])
def test_a_bad_number_in_the_first_batch_counts_as_the_mean_of_the_others(bad, position):
    x = torch.randn(4096, 2) + 1e5
    rest = torch.cat((x[:position], x[position + 1 :]))
    x[position, 0] = bad
    norm = learned([x])
    if bad != 1e30:  # this counts as a large distance
        torch.testing.assert_close(norm.mean, moments(rest)[0].float(), rtol=1e-6, atol=0)
        torch.testing.assert_close(norm.std, moments(rest)[1].float(), rtol=1e-2, atol=0)
    assert norm.mean.isfinite().all()


def test_manually_written_mean_has_no_rest_of_the_old_one():
    norm = learned([torch.full((64, 3), 1e5 + 1 / 3), torch.randn(64, 3) + 1e5])
    fresh = EmpiricalNormalization(3)
    for each in (norm, fresh):
        each._mean.fill_(0)
        each._var.fill_(1)
        each.count.fill_(1000)
        each.update(torch.zeros(1, 3))
    torch.testing.assert_close(dict(norm.state_dict()), dict(fresh.state_dict()), rtol=0, atol=0)


def test_features_can_be_removed_manually():
    norm, cut = (learned(batches(0, [50, 20])) for _ in range(2))
    for name in ("_mean", "_var", "_std"):
        setattr(cut, name, getattr(cut, name)[:, :2].clone())
    (x,) = batches(1, [30])
    norm.update(x)
    cut.update(x[:, :2])
    torch.testing.assert_close((cut.mean, cut.std), (norm.mean[:2], norm.std[:2]), **MERGED)


def test_a_count_that_is_infinite_freezes_the_statistics():
    norm = learned(batches(0, [10]))
    mean, std = norm.mean, norm.std
    norm.count = torch.tensor(float("inf"))
    norm.update(torch.randn(5, 3) + 100)
    torch.testing.assert_close((norm.mean, norm.std), (mean, std), rtol=0, atol=0)


def count_five(norm):
    torch.set_num_threads(1)
    norm.update(torch.full((10, 3), 5.0))


@pytest.mark.slow
def test_count_of_another_process_in_shared_memory_is_read():
    norm = EmpiricalNormalization(3).share_memory()
    norm.update(torch.zeros(10, 3))
    process = torch.multiprocessing.get_context("spawn").Process(target=count_five, args=(norm,))
    process.start()
    process.join()
    norm.update(torch.zeros(10, 3))
    assert norm.count == 30
    torch.testing.assert_close(norm.mean, torch.full((3,), 5 / 3), **CLOSE)


def test_torch_error_is_raised_if_the_shape_is_right():
    with pytest.raises(RuntimeError, match="device"):
        EmpiricalNormalization(3)(torch.ones(2, 3, device="meta"))


def test_batch_of_one_nan_does_not_change_mean_and_std():
    norm = learned(batches(0, [100]))
    mean = norm.mean
    norm.update(torch.full((1, 3), float("nan")))
    torch.testing.assert_close(norm.mean, mean, rtol=0, atol=0)


def test_loaded_statistics_replace_the_old_ones_completely():
    norm = learned([torch.full((7, 3), 1e5 + 1 / 3), torch.full((5, 3), 1e5)])
    norm.load_state_dict(EmpiricalNormalization(3).state_dict())
    x = torch.randn(50, 3) * 1e-3
    norm.update(x)
    torch.testing.assert_close(dict(norm.state_dict()), dict(learned([x]).state_dict()), rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript_computes_the_same():
    norm, x = learned(batches(0, [10])), torch.randn(4, 3)
    torch.testing.assert_close(torch.jit.script(norm)(x), norm(x), **CLOSE)


@pytest.mark.parametrize("kind", [EmpiricalNormalization, EmpiricalDiscountedVariationNormalization])
@pytest.mark.parametrize(
    ("arguments", "name", "got"),
    [
        ({"shape": [2, -2]}, "shape", "-2"),
        ({"shape": (3, -1)}, "shape", "-1"),
        ({"shape": "3"}, "shape", "'3'"),
        ({"shape": 2.0}, "shape", "2.0"),
        ({"shape": 3, "eps": -1e-2}, "eps", "-0.01"),
        ({"shape": 3, "eps": float("nan")}, "eps", "nan"),
        ({"shape": 3, "eps": "0.1"}, "eps", ".*0.1"),
        ({"shape": 3, "eps": torch.ones(2)}, "eps", "tensor"),
        ({"shape": 3, "until": -1}, "until", "-1"),
        ({"shape": 3, "until": float("nan")}, "until", "nan"),
    ],
)
def test_the_constructors_name_a_bad_argument(kind, arguments, name, got):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected .*got {got}"):
        kind(**arguments)


@pytest.mark.parametrize("gamma", [-0.1, 1.1, float("nan"), "high"])
def test_gamma_must_be_between_zero_and_one(gamma):
    with pytest.raises((ValueError, TypeError), match=f"^gamma: expected .*got {gamma!r}"):
        EmpiricalDiscountedVariationNormalization((), gamma=gamma)


@pytest.mark.parametrize(("operation", "name"), [("forward", "x"), ("update", "x"), ("inverse", "y")])
@pytest.mark.parametrize(
    ("x", "got"), [(torch.ones(5, 4), r"\[5, 4\]"), (torch.ones(3, 1), r"\[3, 1\]"), (1.0, "float")]
)
def test_a_failed_call_names_the_argument_and_changes_nothing(operation, name, x, got):
    norm = learned(batches(0, [10]))
    before = copied(norm)
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected .*got {got}"):
        getattr(norm, operation)(x)
    assert_unchanged(norm, before)


# Rewards.


def test_rewards_are_divided_by_the_std_of_all_discounted_returns():
    gamma, envs = 0.9, 4
    norm = EmpiricalDiscountedVariationNormalization((), gamma=gamma)
    returns, current = [], [0.0] * envs
    for rew in torch.randn(20, envs) * 5 + 1:
        current = [gamma * old + new for old, new in zip(current, rew.tolist(), strict=True)]
        returns += current
        _, std = moments(torch.tensor(returns)[:, None])
        torch.testing.assert_close(norm(rew), rew / std, **MERGED)


@pytest.mark.parametrize(("shape", "rewards"), [((), (8, 4)), ([], (8, 1)), (1, (8, 4, 1))])
@pytest.mark.parametrize("options", [{}, {"gamma": 0.5, "eps": 0.3}, {"until": 6}])
def test_scaled_rewards_equal_those_of_rsl_rl(peer, shape, rewards, options):
    ours, theirs = (
        module.EmpiricalDiscountedVariationNormalization(shape, **options) for module in (rsl_edu.modules, peer)
    )
    for step, rew in enumerate(torch.randn(*rewards)):
        for norm in (ours, theirs):
            norm.train(step != 5)
        torch.testing.assert_close(ours(rew), theirs(rew), **CLOSE)
        torch.testing.assert_close(ours.disc_avg.avg, theirs.disc_avg.avg, **CLOSE)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), **CLOSE)


def test_rewards_are_not_scaled_while_the_returns_do_not_vary():
    norm, rew = EmpiricalDiscountedVariationNormalization(2), torch.tensor([[3.0, -2.0], [3.0, 4.0]])
    torch.testing.assert_close(norm(rew), rew / torch.tensor([1.0, 3.0]), **CLOSE)


def test_rewards_do_not_change_the_statistics_in_evaluation_mode():
    norm = EmpiricalDiscountedVariationNormalization(())
    norm(torch.randn(4))
    before, average = copied(norm), norm.disc_avg.avg
    norm.eval()(torch.randn(4))
    assert_unchanged(norm, before)
    assert norm.disc_avg.avg is average


def test_integer_rewards_are_accepted():
    norm, same = (EmpiricalDiscountedVariationNormalization(()) for _ in range(2))
    for rew in torch.randint(5, (6, 4)):
        torch.testing.assert_close(norm(rew), same(rew.float()), **CLOSE)


def test_the_caller_may_overwrite_the_rewards():
    norm, rew = EmpiricalDiscountedVariationNormalization(()), torch.ones(4)
    norm(rew)
    rew.zero_()
    assert norm.disc_avg.avg.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("rew", "message"),
    [(torch.ones(5), r"rew: expected shape \[4\] .*got \[5\]"), ([1.0], "rew: expected a tensor, got list")],
)
def test_failed_rewards_name_the_shape_and_change_nothing(rew, message):
    norm = EmpiricalDiscountedVariationNormalization(())
    norm(torch.randn(4))
    before, average = copied(norm), norm.disc_avg.avg
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        norm(rew)
    assert_unchanged(norm, before)
    assert norm.disc_avg.avg is average


def test_empty_rewards_change_nothing():
    norm = EmpiricalDiscountedVariationNormalization(())
    norm(torch.zeros(0))
    assert norm.disc_avg.avg is None
    norm(torch.randn(4))
    before = copied(norm)
    assert norm(torch.zeros(0)).shape == (0,)
    assert_unchanged(norm, before)


def test_rewards_from_inference_mode_can_be_followed_by_training():
    norm = EmpiricalDiscountedVariationNormalization(())
    with torch.inference_mode():
        norm(torch.randn(4))
    rew = torch.randn(4, requires_grad=True)
    norm(rew).sum().backward()
    assert rew.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float32])
@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_sum_is_reset_at_the_end_of_an_episode(dtype, column, shape):
    norm = EmpiricalDiscountedVariationNormalization(shape, gamma=0.5)
    dones = torch.tensor([False, True, False]).to(dtype)
    rew = torch.ones(3, *shape)
    norm(rew, dones.reshape(3, 1) if column else dones)
    assert norm.emp_norm.count == 3  # the return of the ended episode was counted, too
    norm(rew, torch.zeros_like(dones))
    expected = torch.tensor([1.5, 1.0, 1.5]).reshape(3, *[1] * len(shape)).expand(3, *shape)
    torch.testing.assert_close(norm.disc_avg.avg, expected)


def test_every_dimension_of_a_vector_reward_has_its_own_scale():
    scale = torch.tensor([1.0, 100.0])
    norm = EmpiricalDiscountedVariationNormalization(2, gamma=0.0)
    for rew in torch.randn(50, 64, 2) * scale:
        scaled = norm(rew)
    torch.testing.assert_close(scaled, rew / scale, rtol=0.05, atol=0)


def test_discounted_sums_move_with_the_module():
    norm = EmpiricalDiscountedVariationNormalization(())
    norm(torch.randn(4))
    assert norm.to(torch.float64).disc_avg.avg.dtype == torch.float64
    assert norm.to("meta").disc_avg.avg.device.type == "meta"


def test_checkpoints_load_both_ways_after_training_and_with_another_number_of_environments(peer):
    ours, theirs = EmpiricalDiscountedVariationNormalization(()), peer.EmpiricalDiscountedVariationNormalization(())
    for norm in (ours, theirs):
        for rew in torch.randn(5, 4):
            norm(rew)
    for source, target in ((ours, peer), (theirs, rsl_edu.modules)):
        loaded = target.EmpiricalDiscountedVariationNormalization(())
        loaded.load_state_dict(source.state_dict(), strict=True)
        torch.testing.assert_close(loaded.emp_norm.state_dict(), source.emp_norm.state_dict(), rtol=0, atol=0)
        assert loaded.disc_avg.avg is None
        loaded(torch.randn(7))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_bad_reward_adds_nothing_to_the_sum(bad):
    norm = EmpiricalDiscountedVariationNormalization((), gamma=0.5)
    norm(torch.ones(2))
    norm(torch.tensor([bad, 1.0]))
    assert norm.disc_avg.avg.tolist() == [0.5, 1.5]
    assert norm(torch.ones(2)).isfinite().all()


def test_failed_update_does_not_change_the_sums():
    norm = EmpiricalDiscountedVariationNormalization((), gamma=0.5)
    norm(torch.ones(2))
    with pytest.raises(RuntimeError):
        norm(torch.ones(2, device="meta"))
    assert norm.disc_avg.avg.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("dones", "got"), [(torch.zeros(3), r"\[3\]"), ([0, 1], "list")])
def test_failed_dones_are_named_and_change_nothing(dones, got):
    norm = EmpiricalDiscountedVariationNormalization(())
    norm(torch.randn(2))
    before = copied(norm)
    with pytest.raises((ValueError, TypeError), match=f"^dones: expected .*got {got}"):
        norm(torch.randn(2), dones)
    assert_unchanged(norm, before)
