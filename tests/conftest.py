"""What all tests share."""

import os

import torch

os.environ.setdefault("MPLBACKEND", "agg")
torch.set_num_threads(1)  # the tests run side by side
