"""An import that is killed at a step of its own: ``python -m … DIR PUBLISHED STEP``."""

import os
import signal
import sys
from pathlib import Path

from narration.modelstore import import_from, install, list_models, place
from narration.values import EngineConfig

STEPS = {
    "hashing": (place, "hash_file"),
    "converting": (install, "convert"),
    "card": (install, "write_card"),
    "placing": (install.place, "put_in_place"),
    "syncing": (place, "sync_tree"),
    "exchanging": (place, "_exchange"),
}


def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def main(models_dir, published, step):
    config = EngineConfig(
        "little", "tests.modelstore.engines.SmallEngine", python=sys.executable,
        models_dir=models_dir,
    )  # fmt: skip
    (model,) = list_models([config])
    if step == "half-exchanged":  # where names cannot be exchanged: between the two renames
        place._exchange = lambda _one, _other: False
        rename = Path.rename
        Path.rename = lambda self, to: die() if to == model.folder else rename(self, to)
    elif step == "exchanged":  # the old one lies aside, and is not gone yet
        exchange = place._exchange
        place._exchange = lambda one, other: exchange(one, other) and die()
    else:
        setattr(*STEPS[step], die)
    import_from(model, Path(published))


if __name__ == "__main__":
    main(*sys.argv[1:])
