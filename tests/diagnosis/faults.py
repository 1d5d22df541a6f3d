"""Faults that are planted in the files of a run: ``edit(stored, last)``, as the fixture ``edited`` takes it."""

import torch

ROBOT = "InvertedPendulum-v5"


def names(diagnosis):
    return [finding.name for finding in diagnosis.findings]


def actor(stored):
    return stored["actor_state_dict"]


def nan_weight(stored, last):
    if last:
        actor(stored)["mlp.0.weight"][0, 0] = torch.nan


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


def no_normalizer(stored, last):
    for name in [name for name in actor(stored) if name.startswith("obs_normalizer")]:
        del actor(stored)[name]


def empty(stored, last):
    for name, value in (("_mean", 0), ("_var", 1), ("_std", 1), ("count", 0)):
        actor(stored)[f"obs_normalizer.{name}"].fill_(value)


def frozen(stored, last):
    actor(stored)["obs_normalizer.count"].fill_(5_000)


def log_of_std(value):
    def edit(stored, last):
        std = actor(stored).pop("distribution.std_param")
        actor(stored)["distribution.log_std_param"] = torch.full_like(std, value) if last else std.log()

    return edit


def std_of(value):
    def edit(stored, last):
        if last:
            actor(stored)["distribution.std_param"].fill_(value)

    return edit
