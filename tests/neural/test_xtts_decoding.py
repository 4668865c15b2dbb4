"""Our decoding loop against the library's own, on the same weights."""

import numpy as np
import pytest
import torch
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from narration.engines.xtts.decoding import PREFIX_ID, Decoder
from narration.engines.xtts.loops import find_loop
from narration.engines.xtts.model import LoadedXtts
from narration.engines.xtts.sampling import Sampling, choose, penalize

TEXTS = [
    "The quick brown fox jumps over the lazy dog, twice a day.",
    "Something else entirely is being said here.",
    "Short.",
]
GREEDY = Sampling(is_greedy=True)


@pytest.fixture(scope="module")
def loaded(xtts_models):
    loaded = LoadedXtts.read(xtts_models / "xtts_v2", torch.device("cpu"), "fp32")
    # Only the library's own generation needs it.
    loaded.model.gpt.init_gpt_for_inference()
    loaded.model.gpt.eval()
    return loaded


@pytest.fixture
def voice(loaded):
    return loaded.get_voice("Ana Florence")


def decode(loaded, voice, text, sampling, uniforms=None, limit=0):
    uniforms = torch.zeros(700, dtype=torch.float64) if uniforms is None else uniforms
    with torch.inference_mode():
        tokens = loaded.encode(text, "en")
        return loaded.decoder.decode(tokens, voice.prompt, sampling, uniforms, limit)


def ask_library(loaded, voice, text, monkeypatch, **wanted):
    """What ``Xtts.inference`` says, and the codes it says it with."""
    codes = []
    generate = loaded.model.gpt.generate

    def overhear(*args, **kwargs):
        codes.append(generate(*args, **kwargs))
        return codes[-1]

    monkeypatch.setattr(loaded.model.gpt, "generate", overhear)
    said = loaded.model.inference(
        text, "en", voice.prompt, voice.embedding, do_sample=False, repetition_penalty=5.0, **wanted
    )
    monkeypatch.undo()
    return codes[0][0].tolist(), said


@pytest.mark.parametrize("text", TEXTS)
def test_greedy_codes_latents_and_sound_are_the_librarys(loaded, voice, text, monkeypatch):
    codes, said = ask_library(loaded, voice, text, monkeypatch)
    ours = decode(loaded, voice, text, GREEDY)
    assert ours.codes == codes
    assert ours.has_ended
    assert len(codes) > 4
    # The library's latents come of its second pass: ours were kept from the first.
    np.testing.assert_allclose(ours.latents, said["gpt_latents"], atol=1e-5)
    sound = loaded.vocode(ours.latents, voice)
    np.testing.assert_allclose(sound, said["wav"], atol=1e-5)
    assert len(sound) == int(len(codes) * 4 * 24_000 / 22_050) * 256


def test_speed_stretches_as_the_library_does(loaded, voice, monkeypatch):
    _, said = ask_library(loaded, voice, TEXTS[0], monkeypatch, speed=1.25)
    ours = decode(loaded, voice, TEXTS[0], GREEDY)
    np.testing.assert_allclose(loaded.vocode(ours.latents, voice, 1.25), said["wav"], atol=1e-5)


def test_one_latent_can_be_said_twice_as_fast(loaded, voice):
    latents = decode(loaded, voice, TEXTS[0], GREEDY, limit=1).latents
    assert len(loaded.vocode(latents, voice, 2.0)) > 0


def test_different_texts_and_voices_give_different_codes(loaded, voice):
    other = loaded.get_voice("Damien Black")
    said = [decode(loaded, voice, text, GREEDY).codes for text in TEXTS]
    said.append(decode(loaded, other, TEXTS[0], GREEDY).codes)
    assert len({tuple(codes) for codes in said}) == len(said)


@pytest.mark.parametrize("fault", ["no fake ids", "later positions", "no start token"])
def test_a_planted_fault_gives_other_codes(loaded, voice, fault, monkeypatch):
    """The model is loud enough for the equality above to mean something."""
    right = [decode(loaded, voice, text, GREEDY) for text in TEXTS]
    embed = Decoder._embed_code
    if fault == "no fake ids":
        monkeypatch.setattr("narration.engines.xtts.decoding.PREFIX_ID", right[0].codes[0])
    elif fault == "later positions":
        monkeypatch.setattr(Decoder, "_embed_code", lambda s, token, at: embed(s, token, at + 1))
    else:
        monkeypatch.setattr(loaded.model.gpt, "start_audio_token", 5)
    wrong = [decode(loaded, voice, text, GREEDY) for text in TEXTS]
    assert [said.codes for said in wrong] != [said.codes for said in right]


def test_it_stops_at_a_limit_and_says_so(loaded, voice):
    cut = decode(loaded, voice, TEXTS[0], GREEDY, limit=3)
    assert not cut.has_ended
    assert len(cut.codes) == 3
    assert cut.latents.shape[:2] == (1, 3)
    whole = decode(loaded, voice, TEXTS[0], GREEDY)
    assert whole.codes[:3] == cut.codes


def test_the_same_chance_says_the_same_and_other_chance_something_else(loaded, voice):
    chance = [torch.rand(700, dtype=torch.float64, generator=seed(n)) for n in (1, 1, 2)]
    said = [decode(loaded, voice, TEXTS[0], Sampling(), uniforms).codes for uniforms in chance]
    assert said[0] == said[1] != said[2]


def test_bfloat16_is_near(loaded, voice, xtts_models):
    rough = LoadedXtts.read(xtts_models / "xtts_v2", torch.device("cpu"), "gpu-bf16")
    first = [decode(which, voice, TEXTS[0], GREEDY, limit=1).latents for which in (loaded, rough)]
    error = (first[0] - first[1]).norm() / first[0].norm()
    assert 0 < error < 0.05


# The sampler, number by number.


def seed(number):
    return torch.Generator().manual_seed(number)


def test_the_penalty_is_the_librarys_and_counts_its_fake_prefix(loaded):
    logits = torch.randn(1, 1026, generator=seed(0)) * 3
    said = [PREFIX_ID] * 40 + [1024, 7, 7, 9]
    theirs = RepetitionPenaltyLogitsProcessor(5.0)(torch.tensor([said]), logits)
    seen = loaded.decoder._build_seen(torch.device("cpu"))
    seen[:, [7, 9]] = True
    torch.testing.assert_close(penalize(logits, seen, 5.0), theirs, rtol=0, atol=0)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=1.5, top_k=200, top_p=1.0, repetition_penalty=1.0),
        Sampling(temperature=0.3, top_k=2, top_p=0.1, repetition_penalty=20.0),
        Sampling(top_k=5, top_p=0.5),
    ],
)
def test_every_token_is_as_likely_as_in_the_library(sampling):
    """Uniforms on a fine grid fall on each token as often as its probability says."""
    logits = torch.randn(1, 60, generator=seed(1)) * 2
    said = torch.tensor([[1, 1, 3, 5]])
    seen = torch.zeros(1, 60, dtype=torch.bool)
    seen[:, said[0]] = True
    scores = RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)(said, logits)
    scores = TemperatureLogitsWarper(sampling.temperature)(said, scores)
    scores = TopKLogitsWarper(sampling.top_k)(said, scores)
    scores = TopPLogitsWarper(sampling.top_p)(said, scores)
    wanted = scores.softmax(-1)[0].double()
    grid = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    drawn = choose(logits.expand(len(grid), -1), seen.expand(len(grid), -1), sampling, grid)
    found = torch.bincount(drawn, minlength=60).double() / len(grid)
    assert (found > 0).sum() == (wanted > 1e-4).sum()
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=0)


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-53])
def test_the_ends_of_chance_stay_in_the_nucleus(uniform):
    logits = torch.tensor([[5.0, 4.0, 3.0, -50.0]])
    seen = torch.zeros(1, 4, dtype=torch.bool)
    drawn = choose(logits, seen, Sampling(top_k=4), torch.tensor([uniform], dtype=torch.float64))
    assert int(drawn) == (1 if uniform else 0)


# Loops.


@pytest.mark.parametrize(
    ("codes", "length"),
    [
        ([], 0),
        ([1, 2, 3], 0),
        ([1, 2, 1], 0),
        ([4, 7, 7, 7, 5], 3),
        ([9, 1, 2, 1, 2, 1, 3], 5),
        ([*range(32), *range(32)], 64),
        ([*range(33), *range(33)], 0),
    ],
)
def test_the_longest_loop_is_found(codes, length):
    assert find_loop(codes) == length
