"""Who is offered a person's voice, and how a choice that broke is told."""

import pytest

from narration import api
from narration.diagnosis.doctor import diagnose
from narration.diagnosis.findings import State
from narration.models import Consent, SpeechPolicy
from narration.pipeline import consents
from narration.views.wording_forms import PolicyForm
from tests.voices.scenes import make_consent, make_voice

pytestmark = pytest.mark.django_db(transaction=True)


def get_choices(policy, language="en"):
    return dict(PolicyForm(policy=policy).fields[f"cast_{language}_body"].choices)


def test_a_persons_voice_is_offered_where_its_consent_holds(note):
    key = f"testapp.note:{note.pk}"
    make_voice("Everywhere")
    make_voice("There", consent=make_consent(scope="course", scope_key=key), hertz=(400.0,))
    assert set(get_choices(SpeechPolicy())) == {"", "Everywhere"}
    assert set(get_choices(SpeechPolicy(scope_key=key))) == {"", "Everywhere", "There"}
    assert set(get_choices(SpeechPolicy(), "pt-BR")) == {""}


def test_a_choice_that_broke_says_so_and_can_be_mended(note, cast):
    voice = make_voice()
    policy = cast(voice)
    consents.revoke(voice.consent)
    assert "took back their consent" in get_choices(policy)["Ada's voice"]
    assert set(api.find_silent_voices(policy)) == {"Ada's voice"}
    policy.casting = {}
    api.apply_change(api.change_policy(policy))
    assert api.estimate_narration(note, language="en").utterances == 5


def find(code="consents"):
    return [finding for finding in diagnose() if finding.name == code]


def test_doctor_tells_of_voices_that_are_silent(cast):
    assert find() == []
    voice = make_voice()
    cast(voice)
    assert [finding.state for finding in find()] == [State.OK]
    consents.revoke(voice.consent)
    (finding,) = find()
    assert (finding.state, finding.facts["silent"]) == (State.WARNING, ["Ada's voice"])
    assert "Choose other voices" in finding.advice
    assert Consent.objects.get().settled_at
    (voices,) = find("voices")
    assert voices.state == State.OK


def test_doctor_counts_the_voices_that_can_speak():
    def count():
        (voices,) = find("voices")
        return sum(row["may_speak"] for row in voices.facts["voices"]), voices.words

    before, words = count()
    assert "Without" not in words
    voice, _silent = make_voice(), make_voice("Unrecorded", hertz=())
    number, words = count()
    assert number == before + 1
    assert words.startswith(f"{number} voices can speak.")
    assert words.endswith("recordings: Unrecorded.")
    consents.revoke(voice.consent)
    number, words = count()
    assert number == before
    assert words.endswith("recordings: Ada's voice, Unrecorded.")
