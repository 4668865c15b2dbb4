"""From text tokens to audio latents: the library's GPT, one token at a time, in our own loop.

The library generates the codes, then runs all of them through the model a second time to get the
latents its vocoder wants. What the second pass computes for position t is what the head saw when
token t was chosen, so that keeping it makes that pass, a sixth of all work, unnecessary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention

from narration.engines.xtts.sampling import Sampling, choose

#: What the library's ``generate`` believes stands where the prefix is: its penalty counts it.
PREFIX_ID = 1


@dataclass(frozen=True, slots=True)
class Decoded:
    """``codes`` as said, the end token included; ``latents`` (1, n, channels), one for each."""

    codes: list[int]
    latents: Tensor
    has_ended: bool


class Decoder:
    """Decodes with the weights of a loaded ``GPT``, which stays usable by the library itself.

    In ``torch.bfloat16`` the layers' large matrices, keys and values are of that type; norms, the
    residual stream, the head and sampling stay float32.
    """

    def __init__(self, gpt: Any, dtype: torch.dtype = torch.float32):
        self._gpt = gpt
        self._blocks = list(gpt.gpt.h)
        self._dtype = dtype
        self._heads = int(gpt.heads)
        self.limit = int(gpt.max_gen_mel_tokens)
        if dtype != torch.float32:
            for block in self._blocks:
                block.attn.to(dtype)
                block.mlp.to(dtype)

    def decode(
        self,
        tokens: list[int],
        voice: Tensor,
        sampling: Sampling,
        uniforms: Tensor,
        limit: int = 0,
    ) -> Decoded:
        """Speak ``tokens`` in a voice's latents (1, n, channels), by ``uniforms`` (steps,).

        It stops at its end token, or after ``limit`` tokens (0: as many as the model can).
        """
        limit = min(limit or self.limit, self.limit)
        prefix = self._embed_prefix(tokens, voice)
        cache = self._build_cache(prefix.shape[1] + limit)
        seen = self._build_seen(prefix.device)
        latents = prefix.new_empty(1, limit, prefix.shape[2])
        codes: list[int] = []
        inputs = torch.cat([prefix, self._embed_code(self._gpt.start_audio_token, 0)], dim=1)
        at = 0
        while len(codes) < limit:
            latent = self._run(inputs, cache, at)
            at += inputs.shape[1]
            latents[:, len(codes)] = latent
            logits = self._gpt.mel_head(latent).float()
            step = len(codes)
            token = int(choose(logits, seen, sampling, uniforms[step : step + 1]))
            codes.append(token)
            if token == self._gpt.stop_audio_token:
                return Decoded(codes, latents[:, : len(codes)], has_ended=True)
            seen[:, token] = True
            inputs = self._embed_code(token, len(codes))
        return Decoded(codes, latents, has_ended=False)

    def _embed_prefix(self, tokens: list[int], voice: Tensor) -> Tensor:
        gpt = self._gpt
        text = torch.tensor([tokens], device=voice.device)
        text = pad(pad(text, (0, 1), value=gpt.stop_text_token), (1, 0), value=gpt.start_text_token)
        embedded = gpt.text_embedding(text) + gpt.text_pos_embedding(text)
        return torch.cat([voice, embedded], dim=1)

    def _embed_code(self, token: int, position: int) -> Tensor:
        gpt = self._gpt
        row = gpt.mel_embedding.weight[token] + gpt.mel_pos_embedding.emb.weight[position]
        embedded: Tensor = row[None, None]
        return embedded

    def _build_seen(self, device: torch.device) -> Tensor:
        seen = torch.zeros(1, self._gpt.num_audio_tokens, dtype=torch.bool, device=device)
        seen[:, [PREFIX_ID, self._gpt.start_audio_token]] = True
        return seen

    def _build_cache(self, length: int) -> Tensor:
        """Room for keys and values: (layers, 2, 1, heads, length, channels of a head)."""
        weight = self._gpt.mel_embedding.weight
        shape = (len(self._blocks), 2, 1, self._heads, length, weight.shape[1] // self._heads)
        return torch.empty(shape, dtype=self._dtype, device=weight.device)

    def _run(self, x: Tensor, cache: Tensor, at: int) -> Tensor:
        """The latent (1, channels) after inputs (1, n, channels) that stand from ``at`` on."""
        end = at + x.shape[1]
        for block, (keys, values) in zip(self._blocks, cache.unbind(0), strict=True):
            qkv = block.attn.c_attn(block.ln_1(x).to(self._dtype))
            q, k, v = (self._split_heads(part) for part in qkv.chunk(3, dim=-1))
            keys[:, :, at:end] = k
            values[:, :, at:end] = v
            heard = scaled_dot_product_attention(
                q, keys[:, :, :end], values[:, :, :end], is_causal=x.shape[1] > 1
            )
            x = x + block.attn.c_proj(heard.transpose(1, 2).flatten(2))
            x = x + block.mlp(block.ln_2(x).to(self._dtype))
        latent: Tensor = self._gpt.final_norm(self._gpt.gpt.ln_f(x[:, -1]))
        return latent

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self._heads, -1)).transpose(1, 2)
