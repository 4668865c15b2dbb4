from __future__ import annotations

import io

import av
import numpy as np
import pytest

from narration.audio.codec import decode
from narration.audio.encode import Tags, build_id3, encode_mp3, encode_opus
from narration.audio.frames import FRAME_SAMPLES
from narration.values import Waveform

from .samples import silence, speech

TAGS = Tags("Água & <sal>", "pt-BR", "Voz sintética")


def find_lag(given, decoded):
    """By how many samples the second signal comes later than the first."""
    count = min(len(given), len(decoded))
    spectrum = np.fft.rfft(decoded[:count], 2 * count) * np.conj(
        np.fft.rfft(given[:count], 2 * count)
    )
    lag = int(np.fft.irfft(spectrum).argmax())
    return lag if lag < count else lag - 2 * count


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("ms", [40, 1001, 5999])
def test_mp3_is_exact_to_the_sample(rate, ms):
    given = speech(ms, rate)
    decoded = decode(encode_mp3(given), "mp3")
    assert decoded.sample_rate == rate
    assert len(decoded.samples) == len(given.samples)
    assert find_lag(given.samples, decoded.samples) == 0


def test_opus_is_exact_to_a_tenth_of_a_millisecond():
    given = speech(6000, 48_000)
    decoded = decode(encode_opus(given), "ogg")
    assert decoded.sample_rate == 48_000
    assert len(decoded.samples) == len(given.samples)
    assert abs(find_lag(given.samples, decoded.samples)) <= 4


@pytest.mark.parametrize("encode", [encode_mp3, encode_opus])
def test_equal_sound_makes_equal_bytes_and_other_sound_other_bytes(encode):
    longer_than_a_frame = FRAME_SAMPLES * 1000 // 24_000 + 900
    data = encode(speech(longer_than_a_frame))
    assert data == encode(speech(longer_than_a_frame))
    assert data != encode(speech(longer_than_a_frame, seed=1))


def test_the_info_frame_names_an_encoder_browsers_trust():
    """Firefox reads delay and padding only after "LAME" or "Lavc"."""
    data = encode_mp3(speech(500))
    start = data.index(b"Info")
    # Flags, frames, bytes, 100 entries of the table, quality.
    assert data[start + 120 : start + 124] == b"LAME"
    delay = int.from_bytes(data[start + 141 : start + 144], "big") >> 12
    assert delay == 576


@pytest.mark.parametrize(
    ("encode", "rate"), [(encode_mp3, 64_000), (encode_opus, 32_000)], ids=["mp3", "opus"]
)
def test_bit_rates(encode, rate):
    data = encode(speech(20_000))
    assert len(data) * 8 / 20 == pytest.approx(rate, rel=0.2)


@pytest.mark.parametrize("encode", [encode_mp3, encode_opus])
def test_an_unusual_rate_is_resampled(encode):
    given = speech(1000, 23_456)
    decoded = decode(encode(given), "mp3" if encode is encode_mp3 else "ogg")
    assert decoded.duration_ms == pytest.approx(1000, abs=1)


@pytest.mark.parametrize(("encode", "kind"), [(encode_mp3, "mp3"), (encode_opus, "ogg")])
def test_silence_is_encoded(encode, kind):
    assert not np.abs(decode(encode(silence(500)), kind).samples).max() > 1e-3


def test_mp3_tags_are_read_by_another_program_and_leave_the_sound_alone():
    given = speech(1000)
    data = encode_mp3(given, TAGS)
    assert data == build_id3(TAGS) + encode_mp3(given)
    with av.open(io.BytesIO(data), format="mp3") as container:
        assert container.metadata["title"] == TAGS.title
        assert container.metadata["language"] == "por"
        assert container.metadata["comment"] == TAGS.comment
    np.testing.assert_array_equal(
        decode(data, "mp3").samples, decode(encode_mp3(given), "mp3").samples
    )


def test_opus_tags_are_read():
    with av.open(io.BytesIO(encode_opus(speech(500), TAGS)), format="ogg") as container:
        found = {**container.metadata, **container.streams.audio[0].metadata}
    assert {name: found[name] for name in ("title", "language", "comment")} == {
        "title": TAGS.title,
        "language": "pt-BR",
        "comment": TAGS.comment,
    }


def test_no_tags_are_no_bytes():
    assert build_id3(Tags()) == b""


def test_a_long_title_keeps_the_header_readable():
    tags = Tags(title="á" * 5000)
    with av.open(io.BytesIO(build_id3(tags) + encode_mp3(speech(300))), format="mp3") as container:
        assert container.metadata["title"] == tags.title


def test_samples_over_full_scale_do_not_wrap_round():
    given = Waveform(speech(2000, level=0.5).samples * 4, 24_000)
    decoded = decode(encode_opus(given), "ogg").samples[::2]
    loud = np.abs(given.samples) > 1.5
    assert np.mean(np.sign(decoded[: len(loud)][loud]) == np.sign(given.samples[loud])) > 0.98
