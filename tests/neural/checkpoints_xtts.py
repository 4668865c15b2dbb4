"""Random XTTS v2 checkpoints, as the published one is laid out: files, keys, pickled classes.

They speak noise, but through the real loading code. Weights are "loud": with the library's own
initialisation the codes hardly depend on the text, and a wrong decoder would pass unseen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace

SPEAKERS = ("Ana Florence", "Damien Black")
LANGUAGES = (
    *("en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru"),
    *("nl", "cs", "ar", "zh-cn", "hu", "ko", "ja", "hi"),
)
PUBLISHED_TEXT_TOKENS = 6681


@dataclass(frozen=True)
class Size:
    """How large a checkpoint is: fewer layers and channels where the architecture lets one.

    Random speech knows no end. ``stop_bias`` makes the end token unlikely at first, and
    ``stop_ramp`` likelier with every token said.
    """

    layers: int
    channels: int
    heads: int
    text_tokens: int
    stop_bias: float
    stop_ramp: float


SIZES = {
    "small": Size(2, 128, 2, 0, -2.0, 0.8),
    "full": Size(30, 1024, 16, PUBLISHED_TEXT_TOKENS, -2.0, 3.0),
}


def write_published(
    folder: Path, size: str = "small", *, seed: int = 0, stop_ramp: float | None = None
) -> Path:
    """Write the published files of a random model into ``folder``; the same for the same seed."""
    folder.mkdir(parents=True, exist_ok=True)
    scale = SIZES[size]
    if stop_ramp is not None:
        scale = replace(scale, stop_ramp=stop_ramp)
    _write_vocab(folder / "vocab.json", scale.text_tokens)
    config = _build_config(scale)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _build_model(config, folder / "vocab.json")
        state = model.state_dict()
        _make_loud(state)
        _let_it_end(state, config["model_args"]["gpt_stop_audio_token"], scale)
        state["mel_stats"] = 1 + torch.rand(80)
        _save_model(folder / "model.pth", model.config, state)
        speakers = {
            name: {
                "gpt_cond_latent": torch.randn(1, 32, scale.channels),
                "speaker_embedding": torch.nn.functional.normalize(torch.randn(1, 512, 1), dim=1),
            }
            for name in SPEAKERS
        }
        torch.save(speakers, folder / "speakers_xtts.pth")
    return folder


def _build_config(size: Size) -> dict[str, Any]:
    """The published values, but for the size."""
    return {
        "model": "xtts",
        "model_args": {
            "gpt_batch_size": 1,
            "enable_redaction": False,
            "kv_cache": True,
            "gpt_checkpoint": None,
            "clvp_checkpoint": None,
            "decoder_checkpoint": None,
            "num_chars": 255,
            "tokenizer_file": "",
            "gpt_max_audio_tokens": 605,
            "gpt_max_text_tokens": 402,
            "gpt_max_prompt_tokens": 70,
            "gpt_layers": size.layers,
            "gpt_n_model_channels": size.channels,
            "gpt_n_heads": size.heads,
            "gpt_number_text_tokens": size.text_tokens or PUBLISHED_TEXT_TOKENS,
            "gpt_start_text_token": None,
            "gpt_stop_text_token": None,
            "gpt_num_audio_tokens": 1026,
            "gpt_start_audio_token": 1024,
            "gpt_stop_audio_token": 1025,
            "gpt_code_stride_len": 1024,
            "gpt_use_masking_gt_prompt_approach": True,
            "gpt_use_perceiver_resampler": True,
            "input_sample_rate": 22050,
            "output_sample_rate": 24000,
            "output_hop_length": 256,
            "decoder_input_dim": size.channels,
            "d_vector_dim": 512,
            "cond_d_vector_in_each_upsampling_layer": True,
            "duration_const": 102400,
        },
        "audio": {"sample_rate": 22050, "output_sample_rate": 24000, "dvae_sample_rate": 22050},
        "languages": list(LANGUAGES),
        "temperature": 0.75,
        "length_penalty": 1.0,
        "repetition_penalty": 5.0,
        "top_k": 50,
        "top_p": 0.85,
        "num_gpt_outputs": 1,
        "gpt_cond_len": 30,
        "gpt_cond_chunk_len": 4,
        "max_ref_len": 30,
        "sound_norm_refs": False,
    }


def _build_model(config: dict[str, Any], vocab: Path) -> Any:
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
    from TTS.tts.models.xtts import Xtts

    built = XttsConfig()
    built.from_dict(config)
    model = Xtts(built)
    model.tokenizer = VoiceBpeTokenizer(vocab_file=vocab)
    model.init_models()
    return model


def _make_loud(state: dict[str, torch.Tensor]) -> None:
    """Let text, voice and history reach the codes, and the sound be heard."""
    scales = {
        ".attn.c_attn.weight": 4.0,
        ".attn.c_proj.weight": 20.0,
        ".mlp.c_proj.weight": 8.0,
        "gpt.mel_embedding.weight": 0.3,
        "pos_embedding.emb.weight": 10.0,
        "waveform_decoder.conv_post.weight": 3.0,
    }
    for key, tensor in state.items():
        for end, scale in scales.items():
            if key.endswith(end):
                tensor.mul_(scale)


def _let_it_end(state: dict[str, torch.Tensor], stop: int, size: Size) -> None:
    """Each position's embedding leans further towards the end token than the one before."""
    state["gpt.mel_head.bias"][stop] = size.stop_bias
    towards = torch.nn.functional.normalize(state["gpt.mel_head.weight"][stop], dim=0)
    positions = state["gpt.mel_pos_embedding.emb.weight"]
    positions += size.stop_ramp * torch.arange(len(positions))[:, None] * towards


def _save_model(path: Path, config: Any, state: dict[str, torch.Tensor]) -> None:
    """As the trainer published it: its configuration is pickled under the classes' old home."""
    from TTS.tts.configs import xtts_config

    moved = (xtts_config.XttsArgs, xtts_config.XttsAudioConfig)
    homes = [kind.__module__ for kind in moved]
    extra = {"dvae.codebook.embed": torch.zeros(2, 2)}
    for kind in moved:
        kind.__module__ = "TTS.tts.models.xtts"
    try:
        torch.save({"config": config, "model": {**state, **extra}, "step": 1, "epoch": 0}, path)
    finally:
        for kind, home in zip(moved, homes, strict=True):
            kind.__module__ = home


def _write_vocab(path: Path, count: int) -> None:
    """A byte-pair vocabulary with the published special tokens, filled up to ``count`` ids."""
    specials = ["[STOP]", "[UNK]", "[SPACE]", *(f"[{tag}]" for tag in LANGUAGES), "[START]"]
    merges = [("t", "h"), ("th", "e"), ("e", "r"), ("i", "n"), ("a", "n"), ("q", "u"), ("o", "u")]
    tokens = [*specials, *_list_characters(), *("".join(pair) for pair in merges)]
    tokens += [f"<{number}>" for number in range(len(tokens), count)]
    model = BPE({token: i for i, token in enumerate(tokens)}, merges, unk_token="[UNK]")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in specials])
    tokenizer.save(str(path))


def _list_characters() -> list[str]:
    """What the seventeen languages are written with after the library's own transliteration."""
    ranges = [(0x21, 0x7E), (0xA1, 0x17F), (0x430, 0x45F), (0x621, 0x652), (0x901, 0x97F)]
    characters = [chr(code) for first, last in ranges for code in range(first, last + 1)]
    return [c for c in characters if c == c.lower()] + list("‘’“”–—…،؟")
