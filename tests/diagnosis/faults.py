"""What tests of several files share: faults for the fixture ``edited`` to plant in the files of a run."""

import torch

ROBOT = "InvertedPendulum-v5"


def names(diagnosis):
    return [finding.name for finding in diagnosis.findings]


def actor(stored):
    return stored["actor_state_dict"]


def nan_weight(stored, last):
    if last:
        actor(stored)["mlp.0.weight"][0, 0] = torch.nan


def no_normalizer(stored, last):
    for name in [name for name in actor(stored) if name.startswith("obs_normalizer")]:
        del actor(stored)[name]


def std_of(value):
    def edit(stored, last):
        if last:
            actor(stored)["distribution.std_param"].fill_(value)

    return edit
