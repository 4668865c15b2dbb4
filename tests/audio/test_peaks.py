from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from narration.audio.peaks import WAVE_COLOUR, build_peaks, draw_waveform
from narration.values import Waveform

from .samples import silence, speech, tone


def open_png(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == "PNG"
        return image


def test_peaks_hold_the_least_and_greatest_of_each_stretch():
    samples = np.array([0.5, -0.25, 0.0, 0.125, -1.0, 1.0, 0.25], np.float32)
    peaks = build_peaks(Waveform(samples, 24_000), count=4)
    assert peaks.samples_per_peak == 2
    assert peaks.data == (-32, 64, 0, 16, -128, 127, 32, 32)


@pytest.mark.parametrize("ms", [1, 30, 1000, 60_000])
def test_peaks_are_few_and_their_json_small(ms):
    peaks = build_peaks(speech(ms))
    document = json.loads(peaks.to_json())
    assert document["length"] * 2 == len(document["data"]) <= 1600
    assert document["samples_per_pixel"] * document["length"] >= ms * 24
    assert document["bits"] == 8
    assert len(peaks.to_json()) < 10_000


def test_no_sound_has_no_peaks_but_a_picture():
    peaks = build_peaks(silence(0))
    assert peaks.data == ()
    assert open_png(draw_waveform(peaks)).size == (1200, 120)


def test_the_picture_shows_where_sound_is():
    peaks = build_peaks(tone(1000, lead_ms=1000))
    alpha = np.asarray(open_png(draw_waveform(peaks, (400, 80))))[:, :, 3]
    columns = alpha.max(axis=1), (alpha > 128).sum(axis=0)
    assert columns[1][:196].max() <= 4
    assert columns[1][204:].max() >= 70
    assert alpha[0].max() < 255


def test_the_picture_is_clear_between_the_bars_and_shows_on_white_and_black():
    image = open_png(draw_waveform(build_peaks(speech(3000))))
    assert image.mode == "RGBA"
    assert image.getpixel((3, 0))[3] == 0
    linear = [
        (c / 255 / 12.92) if c < 11 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in WAVE_COLOUR[:3]
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 3
    assert (luminance + 0.05) / 0.05 >= 3


def test_a_quiet_track_fills_the_height_too():
    quiet, loud = (draw_waveform(build_peaks(tone(500, level=some))) for some in (0.125, 0.5))
    assert np.asarray(open_png(quiet)).sum() == pytest.approx(
        np.asarray(open_png(loud)).sum(), rel=0.05
    )


def test_equal_peaks_make_equal_bytes():
    peaks = build_peaks(speech(900))
    assert draw_waveform(peaks) == draw_waveform(peaks)
