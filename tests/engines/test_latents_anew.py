"""Latents made anew under the name they had, as for another model, are those that are used."""

import numpy as np

from narration.engines.latents import LatentsShelf, encode_latents, get_latents_path

VOICE = "@" + "b" * 64


def test_what_was_made_anew_is_read_anew(tmp_path):
    path = get_latents_path(str(tmp_path), VOICE)
    path.parent.mkdir()
    shelf = LatentsShelf(str(tmp_path))
    for hertz in (100, 200):
        partial = path.with_suffix(".partial")
        partial.write_bytes(encode_latents({"hertz": np.full(1, hertz, np.float32)}).data)
        partial.replace(path)
        first = shelf.get(VOICE)
        assert first["hertz"] == [hertz]
        assert shelf.get(VOICE) is first
