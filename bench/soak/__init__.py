"""``python -m bench.soak``: lessons arrive, texts change, anything is killed."""
