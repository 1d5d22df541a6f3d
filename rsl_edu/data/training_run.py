"""An example of a training run of rsl_rl, for learners who do not have one yet."""

from pathlib import Path


def example_run() -> Path:
    """Return the folder of a run that rsl_rl 5.5.1 wrote on ``InvertedPendulum-v5``: ``model_0.pt`` to ``model_59.pt``.

    The run has 32 robots, 60 iterations of 32 steps, and episodes of 100 steps; actor and critic are MLPs with two
    hidden layers of 16 units and a normalizer. Two things are wrong: ``entropy_coef`` is 0.05, too much for this robot,
    and the environment reports no ``time_outs``. The files contain the optimizer's settings but not its moments.
    """
    return Path(__file__).with_name("example_run")
