"""XTTS v2 as its makers published it: files, terms, and the settings people may turn."""

from __future__ import annotations

from narration.engines.marking import gettext_noop
from narration.engines.models import ModelFile, ModelSpec
from narration.values import SettingSpec, Terms

_HOME = "https://huggingface.co/coqui/XTTS-v2/resolve/main"

#: Nobody has vouched for checksums here: what is imported first is recorded.
MODEL = ModelSpec(
    name="xtts_v2",
    title="XTTS v2",
    terms=Terms(
        licence="CPML-1.0",
        url="https://huggingface.co/coqui/XTTS-v2/blob/main/LICENSE.txt",
        summary=gettext_noop(
            "The Coqui Public Model License 1.0.0 allows non-commercial use only, of the model and "
            "of everything it says. It may not be used to deceive anybody about who speaks."
        ),
        needs_acceptance=True,
        is_non_commercial=True,
    ),
    files=tuple(
        ModelFile(name, f"{_HOME}/{name}")
        for name in ("config.json", "model.pth", "vocab.json", "speakers_xtts.pth")
    ),
)

# Defaults are those of the published config.json; a model with others has them on its card.
SETTINGS = {
    "temperature": SettingSpec(
        0.75,
        0.1,
        1.5,
        gettext_noop("How lively: little is monotonous and safe, much is varied and may slip."),
        label=gettext_noop("Temperature"),
    ),
    "top_k": SettingSpec(
        50,
        2,
        200,
        gettext_noop("How many of the likeliest sounds may come next."),
        is_whole=True,
        label=gettext_noop("Top k"),
    ),
    "top_p": SettingSpec(
        0.85,
        0.1,
        1.0,
        gettext_noop("Of those, only the likeliest that have this share together."),
        label=gettext_noop("Top p"),
    ),
    "repetition_penalty": SettingSpec(
        5.0,
        1.0,
        20.0,
        gettext_noop("How much sounds already made are avoided: against getting stuck."),
        label=gettext_noop("Repetition penalty"),
    ),
    "speed": SettingSpec(
        1.0, 0.5, 2.0, gettext_noop("How fast: 2 is twice as fast."), label=gettext_noop("Speed")
    ),
}

#: Of the output, in Hz; what a configuration with another one makes is not this model's.
SAMPLE_RATE = 24_000
