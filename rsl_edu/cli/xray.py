"""``rsl-edu xray``: report what is wrong with a policy."""

from __future__ import annotations

import argparse
from typing import Any

from rsl_edu.printable import printable

from .arguments import path_argument, system_error, try_page, writing_html


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "xray",
        help="report what is wrong with a policy that rsl_rl trained",
        description="Read the checkpoints that any release of rsl_rl saved in RUN (model_0.pt, model_50.pt, ...), and "
        "report what is likely wrong with the policy. No code in a checkpoint is executed.",
    )
    parser.add_argument("run", type=path_argument, metavar="RUN", help="run folder, or one checkpoint")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--obs", type=path_argument, metavar="FILE", help="observations for the policy: .pt, .npy or .npz"
    )
    shown.add_argument("--robot", metavar="NAME", help="run the policy on this Gymnasium robot, such as Hopper-v5")
    parser.add_argument(
        "--html", type=path_argument, metavar="OUT", help="also write a page with all pictures that opens offline"
    )
    parser.add_argument(
        "--activation",
        metavar="NAME",
        help="activation of the hidden layers (default: the one named in a file of the run, otherwise elu)",
    )
    parser.add_argument(
        "--config",
        type=path_argument,
        metavar="FILE",
        help="agent.yaml or cfgs.pkl of the run (default: the one next to it)",
    )
    parser.add_argument(
        "--contents",
        action="store_true",
        help="print a different report: what the last checkpoint contains and lacks if you resume training, run the "
        "policy, or load the file in another release of rsl_rl",
    )
    parser.set_defaults(command=_xray)


def _xray(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.contents and (options.html or options.obs or options.robot):
        parser.error("--contents only prints a table: leave out --html, --obs and --robot")
    try:
        examined = _examined(parser, options)
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(system_error(error))
    if options.contents:
        print(examined)
        return 0
    print(examined.diagnosis())
    if not examined.sample.real:
        print("\nFor a more precise answer, give observations: --obs FILE, or --robot NAME for a Gymnasium robot.")
    if options.html is not None:
        from rsl_edu.explorers import XRay

        page = XRay(examined).page()
        with writing_html(parser, options.html):
            options.html.write_text(page, "utf-8")
        print(printable(f"\n{options.html}: the page, {len(page) / 1e6:.1f} MB", keep="\n"))
    return 0


def _examined(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Any:
    """Return the examination of a run, or the table of what its last checkpoint contains."""
    # Check the arguments first: importing torch and Matplotlib takes seconds.
    from rsl_edu.run_folder import checkpoint_files, regular, run_settings

    if options.html is not None:
        try_page(parser, options.html, options.run, options.obs, options.config)
    if options.obs is not None:
        regular(options.obs).open("rb").close()
    if options.config is not None and not options.config.is_file():
        parser.error(f"--config: expected a file, got {options.config}")
    checkpoint_files(options.run)
    config = run_settings(options.run, options.config)

    from rsl_edu import diagnosis

    if options.contents:
        return diagnosis.contents_table(options.run, config)
    observations = None if options.obs is None else diagnosis.load(options.obs)
    given = (options.run, observations, options.robot, options.activation, config)
    return diagnosis.examine(*given, source=str(options.obs))
