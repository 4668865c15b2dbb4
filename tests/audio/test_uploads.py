"""What strangers send: every format we promise, and nothing that reaches beyond its bytes."""

import io
import random
import struct
import wave

import av
import numpy as np
import pytest

from narration.audio import uploads
from narration.audio.checking import check_recording, normalise
from narration.audio.codec import encode_flac
from narration.audio.loudness import measure
from narration.audio.uploads import Limits, Upload, decode_upload, find_format
from narration.exceptions import UploadRefused
from narration.values import Waveform

RATE = 48_000
CHANCE = np.random.default_rng(5)


def build_speech(seconds=8.0, *, rate=RATE, level=0.3, noise=0.0002):
    """Syllables of a sort: bursts of a tone with pauses between, over a little noise."""
    at = np.arange(int(seconds * rate)) / rate
    bursts = (np.sin(2 * np.pi * 2 * at) > -0.3).astype(np.float64)
    samples = level * bursts * np.sin(2 * np.pi * 180 * at)
    samples += noise * CHANCE.standard_normal(len(at))
    return Waveform(samples.astype(np.float32), rate)


def encode(waveform, form, codec, *, channels=1):
    file = io.BytesIO()
    layout = "stereo" if channels == 2 else "mono"
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=waveform.sample_rate, layout=layout)
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=waveform.sample_rate
        )
        frame = av.AudioFrame.from_ndarray(waveform.samples[None, :], "fltp", "mono")
        frame.sample_rate = waveform.sample_rate
        size = stream.codec_context.frame_size or 4096
        fifo = av.AudioFifo()
        for piece in resampler.resample(frame):
            piece.pts = None
            fifo.write(piece)
        while piece := fifo.read(size, partial=True):
            piece.pts = None
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


def refuse(content, limits=uploads.LIMITS):
    with pytest.raises(UploadRefused) as refusal:
        decode_upload(content, limits)
    return refusal.value.code


@pytest.mark.parametrize(
    ("form", "codec", "name"),
    [
        ("wav", "pcm_s16le", "wav"),
        ("wav", "pcm_s24le", "wav"),
        ("flac", "flac", "flac"),
        ("mp3", "libmp3lame", "mp3"),
        ("ogg", "libopus", "ogg"),
        ("ipod", "aac", "mov"),
        ("webm", "libopus", "matroska"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_people_record_in(form, codec, name, channels):
    speech = build_speech(4.0)
    upload = decode_upload(encode(speech, form, codec, channels=channels))
    assert upload.source["format"] == name
    assert upload.source["channels"] == channels
    assert upload.waveform.sample_rate == 24_000
    assert upload.waveform.duration_ms == pytest.approx(4000, abs=120)
    assert np.abs(upload.waveform.samples).max() == pytest.approx(0.3, abs=0.2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#EXTM3U\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<MPD></MPD>" * 10,
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
        bytes(1000),
    ],
)
def test_what_is_no_sound_is_not_tried(content, monkeypatch):
    monkeypatch.setattr(uploads, "_run", None)
    assert refuse(content) == "upload_unknown"


@pytest.mark.parametrize("form", ["wav", "flac", "mp3", "ogg", "mov", "matroska"])
def test_a_playlist_behind_the_right_bytes_opens_nothing(form, tmp_path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encode(build_speech(4.0), "wav", "pcm_s16le"))
    heads = {
        "wav": b"RIFF\xff\xff\0\0WAVE",
        "flac": b"fLaC",
        "mp3": b"ID3\x03\0\0\0\0\0\0",
        "ogg": b"OggS",
        "mov": b"\0\0\0\x18ftypM4A ",
        "matroska": b"\x1a\x45\xdf\xa3",
    }
    content = heads[form] + f"\n#EXTM3U\n#EXTINF:4,\nfile://{secret}\n".encode() * 40
    assert find_format(content) == form
    assert refuse(content) in ("upload_unreadable", "upload_silent")


def test_a_day_of_silence_is_left_after_the_seconds_we_want():
    """Some hundred kilobytes that are half an hour."""
    silence = encode_flac(Waveform(np.zeros(8000 * 1800, np.float32), 8000))
    assert len(silence) < 1_500_000
    assert refuse(silence, Limits(sound_seconds=5)) == "upload_too_long"


def test_a_file_that_is_too_big_is_not_read():
    assert refuse(b"RIFF____WAVE" + bytes(100), Limits(size=100)) == "upload_too_big"


def test_who_takes_too_long_is_killed(monkeypatch):
    started = []
    popen = uploads.subprocess.Popen

    def hang(command, **options):
        started.append(popen(["sleep", "60"], **options))
        return started[0]

    monkeypatch.setattr(uploads.subprocess, "Popen", hang)
    content = encode(build_speech(1.0), "wav", "pcm_s16le")
    assert refuse(content, Limits(wall_seconds=0.2)) == "upload_too_slow"
    assert started[0].returncode == -9


def test_who_crashes_crashes_alone(monkeypatch):
    popen = uploads.subprocess.Popen
    monkeypatch.setattr(
        uploads.subprocess, "Popen", lambda _command, **o: popen(["sh", "-c", "kill -SEGV $$"], **o)
    )
    assert refuse(encode(build_speech(1.0), "wav", "pcm_s16le")) == "upload_unreadable"


def test_a_header_that_promises_gigabytes_gets_none():
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(bytes(200))
    content = bytearray(file.getvalue())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFF_FFF0)
    upload = decode_upload(bytes(content))
    assert upload.waveform.duration_ms < 10


@pytest.mark.parametrize(
    ("form", "codec"),
    [("wav", "pcm_s16le"), ("flac", "flac"), ("mp3", "libmp3lame"), ("ogg", "libopus"),
     ("ipod", "aac"), ("webm", "libopus")],
)  # fmt: skip
def test_broken_files_are_sound_or_refused(form, codec):
    """Cut off, and with bytes changed: some still sound; none does anything else."""
    chance = random.Random(7)
    whole = encode(build_speech(1.0), form, codec)
    for attempt in range(4):
        broken = bytearray(whole[: chance.randrange(16, len(whole))])
        for _ in range(attempt * 8):
            broken[chance.randrange(12, len(broken))] = chance.randrange(256)
        try:
            upload = decode_upload(bytes(broken), Limits(sound_seconds=5, wall_seconds=20))
        except UploadRefused as refusal:
            assert refusal.code.startswith("upload_")  # noqa: PT017
        else:
            assert np.isfinite(upload.waveform.samples).all()


# What people are told of their recording.


def check(waveform, **source):
    return check_recording(Upload(waveform, {"clipped": 0.0, "rate": RATE, **source}))


def test_a_good_recording_needs_no_advice():
    found = check(build_speech(12.0))
    assert (found.refusal, found.advice) == ("", ())
    assert found.measures["speech_s"] == pytest.approx(7.2, abs=1)


@pytest.mark.parametrize(
    ("waveform", "source", "code"),
    [
        (build_speech(12.0), {"clipped": 0.01}, "clipping"),
        (build_speech(12.0, noise=0.05), {}, "noise"),
        (build_speech(12.0, level=0.01, noise=0.00001), {}, "quiet"),
        (build_speech(7.0), {}, "short"),
        (build_speech(90.0), {}, "long"),
        (build_speech(12.0), {"rate": 8000}, "narrow"),
    ],
)
def test_advice_names_what_should_be_better(waveform, source, code):
    found = check(waveform, **source)
    assert (found.refusal, found.advice) == ("", (code,))


def test_pauses_are_told():
    speech = build_speech(12.0).samples
    silence = 0.0002 * CHANCE.standard_normal(RATE * 12)
    found = check(Waveform(np.concatenate([speech, silence]).astype(np.float32), RATE))
    assert "pauses" in found.advice


def test_silence_and_a_cough_are_refused():
    assert check(Waveform(np.zeros(RATE * 5, np.float32), RATE)).refusal == "recording_silent"
    assert check(build_speech(2.0)).refusal == "recording_too_short"


def test_cut_peaks_are_seen_in_the_file_itself():
    loud = build_speech(4.0, level=3.0)
    clipped = Waveform(np.clip(loud.samples, -1, 1), RATE)
    upload = decode_upload(encode(clipped, "wav", "pcm_s16le"))
    assert upload.source["clipped"] > 0.1
    assert "clipping" in check_recording(upload).advice
    assert decode_upload(encode(build_speech(4.0), "wav", "pcm_s16le")).source["clipped"] == 0


def test_recordings_are_levelled():
    for level in (0.01, 0.9):
        levelled = normalise(build_speech(8.0, level=level, noise=0.00001))
        loudness = measure(levelled)
        assert loudness.lufs == pytest.approx(-23, abs=0.5)
        assert loudness.true_peak_db <= -0.9
