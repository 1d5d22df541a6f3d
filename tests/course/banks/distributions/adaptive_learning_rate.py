"""Answers that people give to `adaptive_learning_rate`. The name of each wrong answer starts with its mistake."""

import math

import numpy as np
import torch


class Right:
    def as_rsl_rl(rate, kl, desired_kl):
        learning_rate = rate
        if kl > desired_kl * 2.0:
            learning_rate = max(1e-5, learning_rate / 1.5)
        elif kl < desired_kl / 2.0 and kl > 0.0:
            learning_rate = min(1e-2, learning_rate * 1.5)
        return learning_rate

    def by_steps(rate, kl, desired_kl):
        step = int(0 < kl < 0.5 * desired_kl) - int(kl > 2 * desired_kl)
        return np.float32({-1: np.maximum(rate / 1.5, 1e-5), 0: rate, 1: np.minimum(1.5 * rate, 0.01)}[step])

    def in_tensors(rate, kl, desired_kl):
        """Written so that nothing waits for the device."""
        rate, kl = torch.tensor(rate), torch.tensor(kl)
        lower, higher = (rate / 1.5).clamp(min=1e-5), (rate * 1.5).clamp(max=1e-2)
        return torch.where(kl > 2 * desired_kl, lower, torch.where((kl > 0) & (kl < desired_kl / 2), higher, rate))

    def in_logs(rate, kl, desired_kl):
        if kl <= 0 or abs(math.log2(kl / desired_kl)) <= 1:
            return rate
        new = math.exp(math.log(rate) - math.copysign(math.log(1.5), math.log(kl / desired_kl)))
        return sorted([1e-5, new, 1e-2])[1]

    def by_ratio(rate, kl, desired_kl):
        targets = kl / desired_kl
        if targets > 2:
            return max(rate * (1 / 1.5), 0.00001)
        if targets < 0.5 and targets > 0:
            return min(rate + rate / 2, 0.01)
        return rate

    def by_numpy(rate, kl, desired_kl):
        higher = np.where((kl > 0) & (kl < 0.5 * desired_kl), np.minimum(1e-2, rate * 1.5), rate)
        return np.where(kl > 2 * desired_kl, np.maximum(1e-5, rate / 1.5), higher)

    def resting_first(rate, kl, desired_kl):
        kl, desired_kl = torch.tensor([kl, desired_kl])
        if kl <= 0 or desired_kl / 2 <= kl <= desired_kl + desired_kl:
            return rate
        rate = rate / 1.5 if kl > desired_kl else rate * 1.5
        if rate < 1e-5:
            rate = 1e-5
        if rate > 1e-2:
            rate = 1e-2
        return rate


class Wrong:
    def swapped(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            rate = min(1e-2, rate * 1.5)
        elif 0 < kl < desired_kl / 2:
            rate = max(1e-5, rate / 1.5)
        return rate

    def other_factor__two(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            rate = max(1e-5, rate / 2)
        elif 0 < kl < desired_kl / 2:
            rate = min(1e-2, rate * 2)
        return rate

    def other_factor__halves(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate * 0.5)
        if 0 < kl < desired_kl / 2:
            return min(1e-2, rate * 1.5)
        return rate

    def limits_missing__both(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            rate /= 1.5
        elif 0 < kl < desired_kl / 2:
            rate *= 1.5
        return rate

    def limits_missing__safe_side(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return min(1e-2, rate / 1.5)
        if 0 < kl < desired_kl / 2:
            return max(1e-5, rate * 1.5)
        return rate

    def lower_limit_missing(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return rate / 1.5
        return min(0.01, rate * 1.5) if 0 < kl < desired_kl / 2 else rate

    def upper_limit_missing(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(0.00001, rate / 1.5)
        return rate * 1.5 if 0 < kl < desired_kl / 2 else rate

    def min_and_max_swapped(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            rate = min(1e-5, rate / 1.5)
        elif 0 < kl < desired_kl / 2:
            rate = max(1e-2, rate * 1.5)
        return rate

    def limits_always(rate, kl, desired_kl):
        return float(np.clip(Wrong.limits_missing__both(rate, kl, desired_kl), 1e-5, 1e-2))

    def threshold_at_desired(rate, kl, desired_kl):
        if kl > desired_kl:
            rate = max(1e-5, rate / 1.5)
        elif 0 < kl < desired_kl:
            rate = min(1e-2, rate * 1.5)
        return rate

    def factor_as_threshold(rate, kl, desired_kl):
        if kl > desired_kl * 1.5:
            rate = max(1e-5, rate / 1.5)
        elif 0 < kl < desired_kl / 1.5:
            rate = min(1e-2, rate * 1.5)
        return rate

    def desired_ignored(rate, kl, desired_kl):
        if kl > 0.02:
            rate = max(1e-5, rate / 1.5)
        elif 0 < kl < 0.005:
            rate = min(1e-2, rate * 1.5)
        return rate

    def zero_raises(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        elif kl < desired_kl / 2:
            return min(1e-2, rate * 1.5)
        return rate

    def never_rests__if_else(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        else:
            return min(1e-2, rate * 1.5)

    def never_rests__thresholds_swapped(rate, kl, desired_kl):
        if kl > desired_kl / 2:
            rate = max(1e-5, rate / 1.5)
        elif 0 < kl < desired_kl * 2:
            rate = min(1e-2, rate * 1.5)
        return rate

    def never_changes__not_assigned(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            max(1e-5, rate / 1.5)
        elif 0 < kl < desired_kl / 2:
            min(1e-2, rate * 1.5)
        return rate

    def never_changes__always_both(rate, kl, desired_kl):
        rate = rate / 1.5
        return rate * 1.5

    def only_lowers(rate, kl, desired_kl):
        return max(1e-5, rate / 1.5) if kl > 2 * desired_kl else rate

    def only_raises(rate, kl, desired_kl):
        return min(1e-2, rate * 1.5) if 0 < kl < desired_kl / 2 else rate

    def proportional__guarded(rate, kl, desired_kl):
        return rate * desired_kl / kl if kl > 0 else rate

    def proportional__unguarded(rate, kl, desired_kl):
        new = rate * desired_kl / kl
        return max(1e-5, min(1e-2, new))

    def rounded__whole(rate, kl, desired_kl):
        return round(Right.as_rsl_rl(rate, kl, desired_kl))

    def rounded__floor_division(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate // 1.5)
        if 0 < kl < desired_kl / 2:
            return min(1e-2, rate * 1.5)
        return rate

    def returns_factor(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return 1 / 1.5
        return 1.5 if 0 < kl < desired_kl / 2 else 1

    def returns_change(rate, kl, desired_kl):
        return Right.as_rsl_rl(rate, kl, desired_kl) - rate

    def swapped__comparisons(rate, kl, desired_kl):
        if kl < 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        if 0 < kl > desired_kl / 2:
            return min(1e-2, rate * 1.5)
        return rate

    def at_the_threshold__both(rate, kl, desired_kl):
        if kl >= 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        elif kl <= desired_kl / 2 and kl > 0:
            return min(1e-2, rate * 1.5)
        return rate

    def at_the_threshold__high(rate, kl, desired_kl):
        if kl >= desired_kl * 2.0:
            rate = max(1e-5, rate / 1.5)
        elif kl < desired_kl / 2.0 and kl > 0.0:
            rate = min(1e-2, rate * 1.5)
        return rate

    def at_the_threshold__low(rate, kl, desired_kl):
        if kl <= 0 or 0.5 < kl / desired_kl <= 2:
            return rate
        return max(1e-5, rate / 1.5) if kl > desired_kl else min(1e-2, rate * 1.5)

    def negative_raises__not_equal(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        elif kl != 0 and kl < desired_kl / 2:
            return min(1e-2, rate * 1.5)
        return rate

    def negative_raises__truth(rate, kl, desired_kl):
        if kl and kl < desired_kl / 2:
            rate = min(1e-2, rate * 1.5)
        if kl > 2 * desired_kl:
            rate = max(1e-5, rate / 1.5)
        return rate

    def negative_raises__absolute(rate, kl, desired_kl):
        return Right.as_rsl_rl(rate, abs(kl), desired_kl)

    def zero_raises__included(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            rate = max(1e-5, rate / 1.5)
        elif 0 <= kl < desired_kl / 2:
            rate = min(1e-2, rate * 1.5)
        return rate

    def zero_resets(rate, kl, desired_kl):
        if kl == 0:
            return 1e-3
        return Right.as_rsl_rl(rate, kl, desired_kl)

    def resets(rate, kl, desired_kl):
        new_rate = 1e-3
        if kl > 2 * desired_kl:
            new_rate = max(1e-5, rate / 1.5)
        elif 0 < kl < desired_kl / 2:
            new_rate = min(1e-2, rate * 1.5)
        return new_rate

    def limits_first__conditions(rate, kl, desired_kl):
        if kl > 2 * desired_kl and rate > 1e-5:
            return rate / 1.5
        elif 0 < kl < desired_kl / 2 and rate < 1e-2:
            return rate * 1.5
        return rate

    def limits_first__one_condition(rate, kl, desired_kl):
        if kl > 2 * desired_kl and rate > 1e-5:
            return rate / 1.5
        if 0 < kl < desired_kl / 2:
            return min(1e-2, rate * 1.5)
        return rate

    def limits_first__clamped_before(rate, kl, desired_kl):
        rate = min(max(rate, 1e-5), 1e-2)
        if kl > 2 * desired_kl:
            rate /= 1.5
        elif 0 < kl < desired_kl / 2:
            rate *= 1.5
        return rate

    def limits_missing__brackets(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate) / 1.5
        if 0 < kl < desired_kl / 2:
            return min(1e-2, rate) * 1.5
        return rate

    def limits_refuse(rate, kl, desired_kl):
        new = Wrong.limits_missing__both(rate, kl, desired_kl)
        return new if 1e-5 <= new <= 1e-2 else rate

    def limits_exchanged(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-2, rate / 1.5)
        if 0 < kl < desired_kl / 2:
            return min(1e-5, rate * 1.5)
        return rate

    def other_limits(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-4, rate / 1.5)
        if 0 < kl < desired_kl / 2:
            return min(1e-3, rate * 1.5)
        return rate

    def thresholds_too_far(rate, kl, desired_kl):
        if kl > 4 * desired_kl:
            return max(1e-5, rate / 1.5)
        if 0 < kl < desired_kl / 4:
            return min(1e-2, rate * 1.5)
        return rate

    def only_lowers__floor_division(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        if 0 < kl < desired_kl // 2:
            return min(1e-2, rate * 1.5)
        return rate

    def square_for_twice(rate, kl, desired_kl):
        if kl > desired_kl**2:
            return max(1e-5, rate / 1.5)
        if 0 < kl < desired_kl**0.5:
            return min(1e-2, rate * 1.5)
        return rate

    def small_as_zero(rate, kl, desired_kl):
        if math.isclose(kl, 0, abs_tol=1e-4):
            return rate
        return Right.as_rsl_rl(rate, kl, desired_kl)

    def additive(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate - 1e-3)
        if 0 < kl < desired_kl / 2:
            return min(1e-2, rate + 1e-3)
        return rate

    def kl_for_rate(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            kl = max(1e-5, kl / 1.5)
        elif 0 < kl < desired_kl / 2:
            kl = min(1e-2, kl * 1.5)
        return kl

    def proportional__by_no_more_than_the_factor(rate, kl, desired_kl):
        if kl > 0:
            rate = rate * float(np.clip(desired_kl / kl, 1 / 1.5, 1.5))
        return min(max(rate, 1e-5), 1e-2)

    def rounded__to_digits(rate, kl, desired_kl):
        return round(Right.as_rsl_rl(rate, kl, desired_kl), 3)

    def swapped__with__other_factor(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return min(1e-2, rate * 2)
        return max(1e-5, rate / 2) if 0 < kl < desired_kl / 2 else rate

    def other_factor__with__zero_raises(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 2)
        elif kl < desired_kl / 2:
            return min(1e-2, rate * 2)
        return rate

    def other_factor__with__factor_as_threshold(rate, kl, desired_kl):
        if kl > 1.5 * desired_kl:
            return max(1e-5, rate / 2)
        elif 0 < kl < desired_kl / 1.5:
            return min(1e-2, rate * 2)
        return rate

    def other_factor__with__upper_limit_missing(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 2)
        return rate * 2 if 0 < kl < desired_kl / 2 else rate

    def limits_missing__with__threshold_at_desired(rate, kl, desired_kl):
        if kl > desired_kl:
            rate /= 1.5
        elif 0 < kl < desired_kl:
            rate *= 1.5
        return rate

    def limits_always__with__zero_raises(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            rate = rate / 1.5
        if kl < desired_kl / 2:
            rate = rate * 1.5
        return min(max(rate, 1e-5), 1e-2)

    def limits_always__with__at_the_threshold(rate, kl, desired_kl):
        if kl >= 2 * desired_kl:
            rate = rate / 1.5
        elif 0 < kl <= desired_kl / 2:
            rate = rate * 1.5
        return min(max(rate, 1e-5), 1e-2)

    def zero_raises__with__desired_ignored(rate, kl, desired_kl):
        if kl > 0.02:
            rate = max(1e-5, rate / 1.5)
        elif kl < 0.005:
            rate = min(1e-2, rate * 1.5)
        return rate

    def only_lowers__with__lower_limit_missing(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            rate /= 1.5
        return rate

    def divided_for_multiplied__both_ways(rate, kl, desired_kl):
        if kl > 2 * desired_kl or 0 < kl < desired_kl / 2:
            return max(1e-5, rate / 1.5)
        return rate

    def no_return__last(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        if 0 < kl < desired_kl / 2:
            return min(1e-2, rate * 1.5)

    def wrong_shape__tensor(rate, kl, desired_kl):
        return torch.tensor([Right.as_rsl_rl(rate, kl, desired_kl)])

    def wrong_type__with_its_reason(rate, kl, desired_kl):
        return Right.as_rsl_rl(rate, kl, desired_kl), kl > 2 * desired_kl

    def exception__by_clamp(rate, kl, desired_kl):
        return rate.clamp(1e-5, 1e-2)

    def unknown__thirds(rate, kl, desired_kl):
        return 3 * rate

    def factor_as_upper_threshold(rate, kl, desired_kl):
        if kl > 1.5 * desired_kl:
            return max(1e-5, rate / 1.5)
        return min(1e-2, rate * 1.5) if 0 < kl < desired_kl / 2 else rate

    def factor_as_lower_threshold(rate, kl, desired_kl):
        if kl > 2 * desired_kl:
            return max(1e-5, rate / 1.5)
        return min(1e-2, rate * 1.5) if 0 < kl < desired_kl / 1.5 else rate

    def lower_threshold_too_high(rate, kl, desired_kl):
        if kl > desired_kl * 2:
            rate = max(1e-5, rate / 1.5)
        elif 0 < kl < desired_kl * 2:
            rate = min(1e-2, rate * 1.5)
        return rate
