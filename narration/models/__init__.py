"""The tables, one module per aggregate. Hosts go through ``narration.api``."""

from narration.models.base import Row, get_actor_name
from narration.models.consents import Consent, ConsentScope
from narration.models.labels import label_fields
from narration.models.listening import Heard, ListeningHour, Position
from narration.models.narrations import (
    Narration,
    Override,
    OverrideKind,
    Review,
    RoleChoices,
    Segment,
    Verdict,
)
from narration.models.policies import CaseRule, LexiconEntry, LexiconState, SpeechPolicy
from narration.models.sound import (
    GateVerdict,
    Rendition,
    RenditionKind,
    RenditionState,
    SynthesisFailure,
    Track,
    TrackFile,
    TrackFormat,
    TrackRendition,
    TrackVoice,
    iter_chunks,
)
from narration.models.voices import (
    LicenceAcceptance,
    ReferenceRecording,
    Voice,
    VoiceKind,
    VoiceLatents,
)
from narration.models.work import (
    ACTIVE_STATES,
    Event,
    Job,
    JobError,
    JobKind,
    JobState,
    Lane,
    UsageDay,
    Worker,
)
from narration.models.workers import CLUSTER_LANE, EngineAtWork

__all__ = [
    "ACTIVE_STATES",
    "CLUSTER_LANE",
    "CaseRule",
    "Consent",
    "ConsentScope",
    "EngineAtWork",
    "Event",
    "GateVerdict",
    "Heard",
    "Job",
    "JobError",
    "JobKind",
    "JobState",
    "Lane",
    "LexiconEntry",
    "LexiconState",
    "LicenceAcceptance",
    "ListeningHour",
    "Narration",
    "Override",
    "OverrideKind",
    "Position",
    "ReferenceRecording",
    "Rendition",
    "RenditionKind",
    "RenditionState",
    "Review",
    "RoleChoices",
    "Row",
    "Segment",
    "SpeechPolicy",
    "SynthesisFailure",
    "Track",
    "TrackFile",
    "TrackFormat",
    "TrackRendition",
    "TrackVoice",
    "UsageDay",
    "Verdict",
    "Voice",
    "VoiceKind",
    "VoiceLatents",
    "Worker",
    "get_actor_name",
    "iter_chunks",
]

label_fields(Row.__subclasses__())
