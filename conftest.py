"""What all tests share, the notebooks' kernels included."""

import os

import torch

from rsl_edu.folders import ensure_home

ensure_home()
os.environ["TQDM_DISABLE"] = "1"  # a progress bar that shows on a slow day is no output to compare
torch.set_num_threads(1)  # the tests run side by side
