"""What StyleTTS2 declares is there on a machine that has none of its libraries."""

import json
import subprocess
import sys

import pytest

from narration.engines.models import CARD, ModelCard, encode_card
from narration.engines.styletts2 import StyleTTS2Engine
from narration.exceptions import EngineError

PROBE = """
import sys
from narration.engines.styletts2 import StyleTTS2Engine
facts = StyleTTS2Engine.describe({"models_dir": sys.argv[1]})
libraries = {"torch", "styletts2", "transformers", "gruut", "librosa", "safetensors"}
print(facts.name, sorted(libraries & set(sys.modules)))
"""


@pytest.fixture
def options(tmp_path):
    model = StyleTTS2Engine.model
    folder = tmp_path / model.name
    folder.mkdir()
    card = ModelCard(model.name, "0123", {}, StyleTTS2Engine.voices)
    (folder / CARD).write_text(json.dumps(encode_card(card)))
    return {"models_dir": str(tmp_path)}


def test_describing_needs_the_card_and_no_library(options):
    done = subprocess.run(
        [sys.executable, "-c", PROBE, options["models_dir"]],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split(maxsplit=1) == ["styletts2", "[]\n"]


def test_declares_its_duty_and_its_languages(options):
    facts = StyleTTS2Engine.describe(options)
    assert facts.model_fingerprint == "0123"
    assert facts.terms.needs_acceptance
    assert facts.terms.must_tell_listeners
    assert not facts.terms.is_non_commercial
    assert facts.languages == ("en", "en-US")
    assert facts.profile == "fp32"
    assert StyleTTS2Engine.describe({**options, "profile": "gpu-bf16"}).profile == "gpu-bf16"


@pytest.mark.parametrize(
    "wrong", [{"profile": "int8"}, {"device": "tpu"}, {"threads": 2}], ids=lambda o: next(iter(o))
)
def test_refuses_options_it_does_not_know(options, wrong):
    with pytest.raises(EngineError) as refused:
        StyleTTS2Engine.describe({**options, **wrong})
    assert refused.value.code == "bad_option"


def test_says_where_the_model_is_to_be_had(tmp_path):
    with pytest.raises(EngineError, match="models download styletts2_libritts") as missing:
        StyleTTS2Engine.describe({"models_dir": str(tmp_path)})
    assert missing.value.code == "model_missing"
