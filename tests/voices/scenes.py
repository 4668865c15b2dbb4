"""Small scenes: a person, their word, a voice that imitates theirs."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.utils import timezone

from narration import storage
from narration.audio.codec import encode_flac
from narration.models import Consent, ReferenceRecording, Voice, VoiceKind
from narration.values import Waveform

RATE = 24_000


def make_consent(person="Ada", **changes):
    facts = {
        "person": person,
        "statement_version": "1",
        "statement": "I agree.",
        "evidence": "A letter, in the safe.",
        "given_at": timezone.now() - timedelta(days=1),
    }
    return Consent.objects.create(**{**facts, **changes})


def build_tone(hertz=333.0, seconds=1.0, rate=RATE, level=0.3):
    at = np.arange(int(seconds * rate)) / rate
    return Waveform((level * np.sin(2 * np.pi * hertz * at)).astype(np.float32), rate)


def add_recording(voice, hertz=333.0):
    """A recording as it is kept, without the doors it comes in through."""
    waveform = build_tone(hertz)
    file = storage.write("references", f"{voice.uid}:{hertz}", "flac", encode_flac(waveform))
    return ReferenceRecording.objects.create(
        voice=voice,
        name=f"{hertz}.wav",
        file=file.name,
        sha256=file.sha256,
        size=file.size,
        duration_ms=waveform.duration_ms,
    )


def make_voice(name="Ada's voice", *, consent=None, hertz=(333.0,), **changes):
    """A cloned voice of the dummy engine with its recordings: it hums at that pitch."""
    facts = {
        "engine": "dummy",
        "languages": ["en"],
        "kind": VoiceKind.CLONED,
        "consent": consent or make_consent(),
    }
    voice = Voice.objects.create(name=name, **{**facts, **changes})
    for pitch in hertz:
        add_recording(voice, pitch)
    return voice
