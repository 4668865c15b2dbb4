"""The shape of a track, for the page and for a picture."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from narration.values import Waveform

PEAK_COUNT = 800
# Contrast over 3:1 on white and on black alike.
WAVE_COLOUR = (90, 120, 200, 255)
BAR_PX = 3
BAR_GAP_PX = 1
# Drawn larger and scaled down, for round bar ends.
OVERSAMPLING = 4


@dataclass(frozen=True, slots=True)
class Peaks:
    """``data`` holds the least and the greatest 8-bit value of each stretch, in turn."""

    sample_rate: int
    samples_per_peak: int
    data: tuple[int, ...]

    def to_json(self) -> bytes:
        """JSON of the form the ``audiowaveform`` program writes and waveform players read."""
        document = {
            "version": 2,
            "channels": 1,
            "sample_rate": self.sample_rate,
            "samples_per_pixel": self.samples_per_peak,
            "bits": 8,
            "length": len(self.data) // 2,
            "data": self.data,
        }
        return json.dumps(document, separators=(",", ":")).encode()


def build_peaks(waveform: Waveform, count: int = PEAK_COUNT) -> Peaks:
    """At most ``count`` equal stretches of the sound, the last perhaps shorter; none of nothing."""
    samples = waveform.samples
    step = max(1, -(-len(samples) // count))
    if not len(samples):
        return Peaks(waveform.sample_rate, step, ())
    starts = np.arange(0, len(samples), step)
    pairs = np.stack(
        [np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)], axis=1
    )
    data = np.clip(np.rint(pairs * 128), -128, 127).astype(np.int8)
    return Peaks(waveform.sample_rate, step, tuple(data.ravel().tolist()))


def draw_waveform(
    peaks: Peaks,
    size: tuple[int, int] = (1200, 120),
    colour: tuple[int, int, int, int] = WAVE_COLOUR,
) -> bytes:
    """A PNG of rounded bars on nothing, scaled so that the loudest fills the height."""
    width, height = size
    scale = OVERSAMPLING
    image = Image.new("RGBA", (width * scale, height * scale), (*colour[:3], 0))
    draw = ImageDraw.Draw(image)
    middle = height * scale / 2
    for index, share in enumerate(_build_bars(peaks, width // (BAR_PX + BAR_GAP_PX))):
        left = index * (BAR_PX + BAR_GAP_PX) * scale
        reach = max(share * (middle - scale), BAR_PX * scale / 2)
        box = (left, middle - reach, left + BAR_PX * scale - 1, middle + reach)
        draw.rounded_rectangle(box, radius=BAR_PX * scale / 2, fill=colour)
    file = io.BytesIO()
    image.resize(size, Image.Resampling.BOX).save(file, "PNG")
    return file.getvalue()


def _build_bars(peaks: Peaks, count: int) -> list[float]:
    """``count`` heights from 0 to 1, the greatest of them 1."""
    heights = np.abs(np.array(peaks.data or (0, 0), np.float32)).reshape(-1, 2).max(axis=1)
    starts = np.arange(count) * len(heights) // count
    bars = np.maximum.reduceat(heights, starts)
    scaled: list[float] = (bars / max(1.0, float(bars.max()))).tolist()
    return scaled
