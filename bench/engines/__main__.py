"""``python -m bench.engines``: our engines against their libraries, in one process and one run.

Lines of JSON on stdout, a table on stderr; what the figures mean is in docs/benchmarks/engines.md.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

ENGINES = ("xtts", "styletts2")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.engines", description=__doc__)
    parser.add_argument("--size", choices=("small", "full"), default="full", help="Of the models.")
    parser.add_argument("--only", choices=ENGINES, help="One engine.")
    parser.add_argument("--sentences", type=int, default=6, help="How long the lesson is.")
    parser.add_argument("--rounds", type=int, default=3, help="How often it is spoken.")
    parser.add_argument("--median", type=int, help="Characters of the sentence in the middle.")
    parser.add_argument("--profile", default="fp32", help="Of our engine; the library has fp32.")
    parser.add_argument("--device", help="cpu or cuda; without it, whatever there is.")
    parser.add_argument("--threads", type=int, help="Of the processor; torch chooses otherwise.")
    parser.add_argument("--cache", type=Path, default=Path("var/bench-engines"))
    options = parser.parse_args(arguments)
    if options.threads:
        # Before torch is imported, for libraries that read it once.
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
    measure(options)


def measure(options: argparse.Namespace) -> None:
    from narration.engines.neural.quiet import settle

    settle(options.cache)
    import torch

    from bench import report
    from bench.engines import figures, machine
    from bench.engines.lesson import MEDIAN, build_lesson

    if options.threads:
        torch.set_num_threads(options.threads)
    print(json.dumps({"machine": machine.describe_machine()}), flush=True)
    lesson = build_lesson(options.sentences, median=options.median or MEDIAN)
    for device in choose_devices(options.device):
        for name in [options.only] if options.only else ENGINES:
            figures.measure(name, device, lesson, options)
    report.show()


def choose_devices(wanted: str | None) -> list[str]:
    """The processor, and the first card where there is one; that there is none is said."""
    import torch

    from bench import report

    if wanted:
        return [wanted]
    if torch.cuda.is_available():
        return ["cpu", "cuda:0"]
    report.skip("engines on a graphics card", "there is none on this machine")
    return ["cpu"]


if __name__ == "__main__":
    main()
