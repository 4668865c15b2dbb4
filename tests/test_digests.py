"""Golden keys: a change here re-makes or loses sound, so it must be meant."""

from dataclasses import replace

from narration import digests
from narration.engines.dummy import DummyEngine
from narration.values import Utterance

FACTS = DummyEngine.describe({})
SPOKEN = Utterance("Hello, world.", "en", "low")


def test_golden_keys():
    assert digests.build_utterance_digest(SPOKEN, FACTS) == (
        "edcc0ad5d74cf9a2dc306fccce56f2d62d5268a51a4c4fa7578b73b3a9586b8e"
    )
    assert digests.build_text_key("Hello, world.", "en") == (
        "7ac22659d722b16e139c2aa3bc62e2778d21a60165cc0e4218c6eaa58dc85a03"
    )


def test_everything_that_changes_the_sound_changes_the_digest():
    changes = [
        (replace(SPOKEN, text="Hello world."), FACTS),
        (replace(SPOKEN, language="en-GB"), FACTS),
        (replace(SPOKEN, voice="high"), FACTS),
        (replace(SPOKEN, settings={"pace": 1.5}), FACTS),
        (replace(SPOKEN, take=1), FACTS),
        (SPOKEN, replace(FACTS, sound_version=2)),
        (SPOKEN, replace(FACTS, model_fingerprint="other")),
        (SPOKEN, replace(FACTS, profile="bf16")),
        (SPOKEN, replace(FACTS, name="another")),
    ]
    keys = {digests.build_utterance_digest(*change) for change in changes}
    keys.add(digests.build_utterance_digest(SPOKEN, FACTS))
    assert len(keys) == len(changes) + 1


def test_what_does_not_change_the_sound_changes_nothing():
    key = digests.build_utterance_digest(SPOKEN, FACTS)
    default = replace(SPOKEN, settings={"pace": 1.0})
    assert digests.build_utterance_digest(default, FACTS) == key
    faster = replace(FACTS, slots=8, versions={"package": "2"}, licence="other")
    assert digests.build_utterance_digest(SPOKEN, faster) == key


def test_a_text_key_forgets_white_space_and_composition_only():
    key = digests.build_text_key("Ação rápida.", "pt-BR")
    assert digests.build_text_key(" Ac\u0327a\u0303o  rápida.\n", "pt-BR") == key
    assert digests.build_text_key("Ação rápida!", "pt-BR") != key
    assert digests.build_text_key("Ação rápida.", "pt-PT") != key


def test_a_cloned_voice_is_its_recordings_and_the_model_that_imitates_them():
    key = digests.build_voice_digest(["b" * 64, "a" * 64], FACTS)
    assert key == "d6d1be7f79b66e60ce5ad4d5208e016a10f7d7646e06a04a6cad530b4a188271"
    assert digests.build_voice_digest(["a" * 64, "b" * 64], FACTS) == key
    same = replace(FACTS, sound_version=2, profile="bf16", slots=4)
    assert digests.build_voice_digest(["a" * 64, "b" * 64], same) == key
    others = [
        digests.build_voice_digest(["a" * 64], FACTS),
        digests.build_voice_digest(["a" * 64, "b" * 64], replace(FACTS, name="another")),
        digests.build_voice_digest(["a" * 64, "b" * 64], replace(FACTS, model_fingerprint="other")),
    ]
    assert len({key, *others}) == 4
