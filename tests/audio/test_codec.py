from __future__ import annotations

import io

import av
import numpy as np
import pytest

from narration.audio.codec import decode, encode_flac
from narration.audio.encode import encode_mp3
from narration.audio.frames import FRAME_SAMPLES, quantise, resample
from narration.exceptions import StorageCorrupt
from narration.values import Waveform

from .samples import find_onset_ms, silence, speech, tone


@pytest.mark.parametrize("rate", [8000, 22_050, 24_000, 44_100, 48_000])
def test_flac_gives_back_every_sample(rate):
    stored = quantise(speech(700, rate, level=0.4).samples).astype(np.float32) / 32_768
    back = decode(encode_flac(Waveform(stored, rate)), "flac")
    assert back.sample_rate == rate
    assert back.samples.dtype == np.float32
    np.testing.assert_array_equal(back.samples, stored)


def test_flac_rounds_to_the_nearest_step_and_clips_full_scale():
    samples = np.array([0.4 / 32_768, 0.6 / 32_768, 1.0, 7.0, -1.0, -7.0], np.float32)
    back = decode(encode_flac(Waveform(samples, 24_000)), "flac").samples * 32_768
    assert back.tolist() == [0, 1, 32_767, 32_767, -32_768, -32_768]


def test_flac_longer_than_a_frame_is_whole_and_equal_bytes_come_of_equal_sound():
    waveform = speech(FRAME_SAMPLES * 1000 // 24_000 * 2 + 77)
    data = encode_flac(waveform)
    assert data == encode_flac(waveform)
    assert len(decode(io.BytesIO(data), "flac").samples) == len(waveform.samples)


def test_flac_of_nothing_is_nothing():
    assert len(decode(encode_flac(silence(0)), "flac").samples) == 0


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.95])
def test_a_truncated_flac_is_corrupt(share):
    data = encode_flac(speech(3000))
    with pytest.raises(StorageCorrupt):
        decode(data[: int(len(data) * share)], "flac")


def test_a_flac_that_lacks_its_last_frame_is_corrupt():
    data = encode_flac(speech(3000))
    with av.open(io.BytesIO(data), format="flac") as container:
        last = max(packet.pos for packet in container.demux() if packet.pos is not None)
    with pytest.raises(StorageCorrupt, match="ends after"):
        decode(data[:last], "flac")


def test_the_format_is_never_guessed():
    with pytest.raises(StorageCorrupt, match="flac"):
        decode(encode_mp3(speech(500)), "flac")


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_resampling_keeps_length_level_and_onset(rate):
    given = tone(500, rate, hertz=440, lead_ms=100, tail_ms=100)
    made = resample(given, 24_000)
    assert made.sample_rate == 24_000
    assert abs(len(made.samples) - 700 * 24) <= 1
    assert abs(find_onset_ms(made, 0, threshold=0.25) - 100) < 0.3
    middle = made.samples[200 * 24 : 500 * 24]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.002)


def test_the_right_rate_is_left_alone():
    given = tone(100)
    assert resample(given, 24_000) is given
