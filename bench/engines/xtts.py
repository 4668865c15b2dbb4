"""XTTS v2: our engine, and ``Xtts.inference`` with the voice's latents kept, as its manual says."""

from __future__ import annotations

from typing import Any

import torch

from bench.engines.clock import Clock
from bench.engines.lesson import Sentence
from bench.engines.models import Models
from bench.engines.sides import DifferentWork, Said
from narration.engines.neural.quiet import import_quietly
from narration.engines.xtts import XttsEngine
from narration.values import Utterance

VOICE, LANGUAGE = "Ana Florence", "en"
#: Tokens of a greedy sentence, with which both sides are shown to compute the same.
SHORT = 12
#: Less likely than any other: the lesson says how many tokens there are.
NEVER = -1e9


def import_libraries(models: Models) -> None:
    """Once for both sides, or the first would pay for it."""
    with import_quietly(models.models_dir):
        from narration.engines.xtts import model  # noqa: F401


class Ours:
    """``XttsEngine.speak`` in this process."""

    def __init__(self, models: Models, device: torch.device, profile: str):
        options = {"models_dir": str(models.models_dir), "device": str(device), "profile": profile}
        self.engine = XttsEngine(options)
        self.clock = Clock(device)
        with self.clock.timed("load"):
            self.engine.load()
        self.loaded: Any = self.engine._get_loaded()  # noqa: SLF001 - its parts are timed
        _never_end(self.loaded.model)
        self.clock.wrap(self.loaded, "encode", "front end")
        self.clock.wrap(self.loaded.decoder, "decode", "decoding")
        self.clock.wrap(self.loaded, "vocode", "vocoder")

    def prepare(self, sentence: Sentence) -> None:
        self.loaded.decoder.limit = sentence.tokens

    def speak(self, sentence: Sentence) -> Said:
        result = self.engine.speak(Utterance(sentence.text, LANGUAGE, VOICE))
        return Said(result.evidence["tokens"], result.waveform.samples)

    def decode_greedily(self, text: str) -> list[int]:
        from narration.engines.xtts.sampling import Sampling

        uniforms = torch.zeros(SHORT, dtype=torch.float64, device=self.clock.device)
        prompt = self.loaded.get_voice(VOICE).prompt
        self.loaded.decoder.limit = SHORT
        with torch.inference_mode():
            tokens = self.loaded.encode(text, LANGUAGE)
            decoded = self.loaded.decoder.decode(
                tokens, prompt, Sampling(is_greedy=True), uniforms, SHORT
            )
        codes: list[int] = decoded.codes
        return codes


class Library:
    """``TTS.tts.models.xtts.Xtts`` from its published files, by its own loading."""

    def __init__(self, models: Models, device: torch.device):
        self.clock = Clock(device)
        with import_quietly(models.models_dir):
            settled = models.published / "model.pth"
            before = settled.stat().st_mtime_ns
            self._load(models, device)
            if settled.stat().st_mtime_ns != before:
                # The first time, the library rewrites the checkpoint: that is not loading.
                self.clock.take()
                self._load(models, device)
        _never_end(self.model)
        voice = self.model.speaker_manager.speakers[VOICE]
        self.voice = [voice[key].to(device) for key in ("gpt_cond_latent", "speaker_embedding")]
        self._codes: list[int] = []
        self.clock.wrap(self.model.tokenizer, "encode", "front end")
        self.clock.wrap(self.model.gpt, "generate", "decoding", self._hear)
        self.clock.wrap(self.model.gpt, "forward", "second pass")
        self.clock.wrap(self.model.hifigan_decoder, "forward", "vocoder")
        self.settings: dict[str, Any] = {
            "temperature": 0.75, "top_k": 50, "top_p": 0.85, "repetition_penalty": 5.0,
        }  # fmt: skip

    def _load(self, models: Models, device: torch.device) -> None:
        from TTS.tts.configs.xtts_config import XttsConfig
        from TTS.tts.models.xtts import Xtts

        with self.clock.timed("load"):
            config = XttsConfig()
            config.load_json(models.published / "config.json")
            self.model: Any = Xtts(config)
            self.model.load_checkpoint(config, checkpoint_dir=models.published)
            self.model.to(device)

    def _hear(self, _args: Any, codes: Any) -> None:
        self._codes = codes[0].tolist()

    def prepare(self, sentence: Sentence) -> None:
        self.model.gpt.max_gen_mel_tokens = sentence.tokens

    def speak(self, sentence: Sentence) -> Said:
        said = self._infer(sentence.text, **self.settings)
        return Said(len(self._codes), said["wav"])

    def _infer(self, text: str, **settings: Any) -> Any:
        return self.model.inference(text, LANGUAGE, *self.voice, **settings)

    def decode_greedily(self, text: str) -> list[int]:
        self.model.gpt.max_gen_mel_tokens = SHORT
        self._infer(text, **{**self.settings, "do_sample": False})
        return self._codes


def check_sense(ours: Ours, library: Library, lesson: list[Sentence]) -> int:
    """Greedy codes equal the library's and depend on the text; how many sentences that was."""
    found = []
    for sentence in lesson[:3]:
        codes = ours.decode_greedily(sentence.text)
        theirs = library.decode_greedily(sentence.text)
        if codes != theirs:
            raise DifferentWork(f"{codes} here, {theirs} in the library: {sentence.text!r}")
        found.append(tuple(codes))
    if len(set(found)) != len(found):
        raise DifferentWork("Different texts gave the same codes: these weights show nothing.")
    return len(found)


def _never_end(model: Any) -> None:
    model.gpt.mel_head.bias.data[model.gpt.stop_audio_token] = NEVER
