"""StyleTTS2 checkpoints of random weights, in the files and layouts the LibriTTS model came in.

The published weights are large and cannot be fetched where tests run. What these make is noise, but
noise with a beginning and an end, through the package's own classes:

- spectral norm is settled by passes in training mode, or styles are not finite;
- the duration projection is biased to about two frames a symbol, or speech lasts minutes;
- the upsampling starts at 512 channels and style vectors have 128 entries at any size, because the
  package has both numbers in its code.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narration.engines.neural.quiet import import_quietly

SEED = 20
SPECTRAL_PASSES = 50
DURATION_BIAS = -3.0
CHECKPOINT = "epochs_2nd_00020.pth"


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers a smaller model may have smaller."""

    dim_in: int
    n_layer: int
    kernels: tuple[int, ...]
    transformer: tuple[int, int, int]  # layers, heads, features of a head
    bert: tuple[int, int, int, int]  # hidden, heads, intermediate, layers
    asr: tuple[int, int]  # hidden, embedding
    slm: tuple[int, int, int]  # hidden, layers, first channels
    has_training_modules: bool


SIZES = {
    "small": Size(8, 1, (3,), (1, 2, 8), (32, 2, 32, 1), (32, 32), (16, 2, 8), False),
    "full": Size(
        64, 3, (3, 7, 11), (3, 8, 64), (768, 12, 2048, 12), (256, 512), (768, 13, 64), True
    ),
}


def write_published(folder: Path, size: str = "small") -> Path:
    """Write the whole set into ``folder``, the same for the same size; returns it."""
    import torch
    import yaml

    numbers = SIZES[size]
    configs = {
        "config.yml": build_config(numbers),
        "ASR/config.yml": build_asr_config(numbers),
        "PLBERT/config.yml": build_plbert_config(numbers),
    }
    for name, config in configs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(config, sort_keys=False))
    (folder / "JDC").mkdir(exist_ok=True)
    # It prints, warns and reseeds; its caches go beside the files.
    with import_quietly(folder.parent):
        torch.manual_seed(SEED)
        model = build_model(configs, numbers)
        for name, data in build_files(model, numbers).items():
            torch.save(data, folder / name)
    return folder


def build_config(size: Size) -> dict[str, Any]:
    """As ``Models/LibriTTS/config.yml``: what building a model reads, and some that it does not."""
    layers, heads, features = size.transformer
    hidden, slm_layers, channel = size.slm
    return {
        "log_dir": "logs",
        "device": "cuda",
        "F0_path": "Utils/JDC/bst.t7",
        "ASR_config": "Utils/ASR/config.yml",
        "ASR_path": "Utils/ASR/epoch_00080.pth",
        "PLBERT_dir": "Utils/PLBERT/",
        "preprocess_params": {
            "sr": 24_000,
            "spect_params": {"n_fft": 2048, "win_length": 1200, "hop_length": 300},
        },
        "model_params": {
            "multispeaker": True,
            "dim_in": size.dim_in,
            "hidden_dim": 512,
            "max_conv_dim": 512,
            "n_layer": size.n_layer,
            "n_mels": 80,
            "n_token": 178,
            "max_dur": 50,
            "style_dim": 128,
            "dropout": 0.2,
            "decoder": {
                "type": "hifigan",
                "resblock_kernel_sizes": list(size.kernels),
                "upsample_rates": [10, 5, 3, 2],
                "upsample_initial_channel": 512,
                "resblock_dilation_sizes": [[1, 3, 5] for _ in size.kernels],
                "upsample_kernel_sizes": [20, 10, 6, 4],
            },
            "slm": {
                "sr": 16_000,
                "hidden": hidden,
                "nlayers": slm_layers,
                "initial_channel": channel,
            },
            "diffusion": {
                "embedding_mask_proba": 0.1,
                "transformer": {
                    "num_layers": layers,
                    "num_heads": heads,
                    "head_features": features,
                    "multiplier": 2,
                },
                "dist": {
                    "sigma_data": 0.2,
                    "estimate_sigma_data": True,
                    "mean": -3.0,
                    "std": 1.0,
                },
            },
        },
    }


def build_asr_config(size: Size) -> dict[str, Any]:
    """As ``Utils/ASR/config.yml``."""
    hidden, embedding = size.asr
    return {
        "model_params": {
            "input_dim": 80,
            "hidden_dim": hidden,
            "n_token": 178,
            "token_embedding_dim": embedding,
        }
    }


def build_plbert_config(size: Size) -> dict[str, Any]:
    """As ``Utils/PLBERT/config.yml``."""
    hidden, heads, intermediate, layers = size.bert
    return {
        "mixed_precision": "fp16",
        "dataset_params": {"token_separator": " ", "max_mel_length": 512},
        "model_params": {
            "vocab_size": 178,
            "hidden_size": hidden,
            "num_attention_heads": heads,
            "intermediate_size": intermediate,
            "max_position_embeddings": 512,
            "num_hidden_layers": layers,
            "dropout": 0.1,
        },
    }


def build_model(configs: dict[str, Any], size: Size) -> Any:
    """The package's modules with weights that speak briefly."""
    import torch
    from munch import munchify
    from styletts2 import models
    from styletts2.Utils.PLBERT.util import CustomAlbert
    from transformers import AlbertConfig

    aligner = models.ASRCNN(**configs["ASR/config.yml"]["model_params"])
    bert = CustomAlbert(AlbertConfig(**configs["PLBERT/config.yml"]["model_params"]))
    pitch = models.JDCNet(num_class=1, seq_len=192)
    model = models.build_model(
        munchify(configs["config.yml"]["model_params"]), aligner, pitch, bert
    )
    with torch.no_grad():
        for encoder in (model.style_encoder, model.predictor_encoder):
            encoder.train()
            for _ in range(SPECTRAL_PASSES):
                encoder(torch.randn(1, 1, 80, 96))
        model.predictor.duration_proj.linear_layer.bias.fill_(DURATION_BIAS)
    return model


def build_files(model: Any, size: Size) -> dict[str, Any]:
    """The pickles, by name. Some hold a bound method, as schedulers of their day left there."""
    training = {"mpd", "msd", "text_aligner", "pitch_extractor"}
    if size.has_training_modules:
        training = set()
    net = {
        name: OrderedDict((f"module.{key}", value) for key, value in module.state_dict().items())
        for name, module in model.items()
        if name not in training
    }
    # Buffers that transformers of that time saved with a model and today's does not know.
    positions = {"embeddings.position_ids": _build_position_ids(model.bert)}
    net["bert"].update({f"module.{key}": value for key, value in positions.items()})
    encoder = {**model.bert.state_dict(), **positions}
    scheduler = {"scheduler": {"anneal_func": OrderedDict.fromkeys, "last_epoch": 1}}
    return {
        CHECKPOINT: {"net": net, "optimizer": [], "iters": 0, "val_loss": 1.0, "epoch": 20},
        "ASR/epoch_00080.pth": {"model": model.text_aligner.state_dict(), **scheduler},
        "JDC/bst.t7": {"net": model.pitch_extractor.state_dict(), **scheduler},
        "PLBERT/step_1000000.t7": {
            "net": OrderedDict((f"module.encoder.{key}", value) for key, value in encoder.items()),
            **scheduler,
        },
    }


def _build_position_ids(bert: Any) -> Any:
    import torch

    return torch.arange(bert.config.max_position_embeddings).expand((1, -1))
