"""What XTTS v2 needs to imitate a voice, from decoded recordings.

The library's own entry point reads files through torchaudio, which needs a system FFmpeg; the two
functions behind it take samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
import torchaudio
from torch import Tensor

from narration.engines.latents import Arrays
from narration.engines.xtts.checkpoint import LATENTS
from narration.exceptions import EngineError
from narration.values import Waveform

#: The rate at which the library loads recordings.
RATE = 22_050
#: The library hears no shorter piece.
SHORTEST_S = 0.33


def compute_latents(model: Any, recordings: Iterable[Waveform]) -> Arrays:
    """As ``Xtts.get_conditioning_latents`` does, with the lengths of the model's configuration.

    Of each recording the first ``max_ref_len`` seconds count for the vocoder's embedding, which
    is their mean; of all together the first ``gpt_cond_len`` seconds for the decoder's prompt.
    Recordings below a third of a second count for nothing; ``EngineError``
    (``recording_too_short``) when there is none else.
    """
    config = model.config
    sounds = [_prepare(recording, config.max_ref_len, model.device) for recording in recordings]
    sounds = [sound for sound in sounds if sound.shape[1] >= SHORTEST_S * RATE]
    if not sounds:
        raise EngineError(
            f"A voice cannot be heard in less than {SHORTEST_S} s.", code="recording_too_short"
        )
    embedding = torch.stack([model.get_speaker_embedding(sound, RATE) for sound in sounds])
    prompt = model.get_gpt_cond_latents(
        torch.cat(sounds, dim=-1),
        RATE,
        length=config.gpt_cond_len,
        chunk_length=config.gpt_cond_chunk_len,
    )
    arrays = (prompt, embedding.mean(dim=0))
    return {
        key: np.ascontiguousarray(tensor.float().cpu().numpy())
        for key, tensor in zip(LATENTS, arrays, strict=True)
    }


def _prepare(recording: Waveform, seconds: int, device: torch.device) -> Tensor:
    """(1, n) at the library's rate, within [-1, 1], cut to what counts."""
    sound = torch.from_numpy(recording.samples.copy())[None]
    if recording.sample_rate != RATE:
        sound = torchaudio.functional.resample(sound, recording.sample_rate, RATE)
    return sound.clip(-1, 1)[:, : RATE * seconds].to(device)
