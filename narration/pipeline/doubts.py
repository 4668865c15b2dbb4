"""What the quality gate doubts: in plain words, counted, and accepted by who has listened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from narration.models import (
    GateVerdict,
    Narration,
    Rendition,
    Review,
    Segment,
    Verdict,
    get_actor_name,
)
from narration.permissions import get_actor
from narration.pipeline.events import record

_REPEATS = _("It seems to say something over and over.")

#: What was heard, by the code of a finding.
HEARD = {
    "silent": _("There is hardly anything to hear."),
    "too_short": _("It is much shorter than its text: words may be missing."),
    "too_long": _("It is much longer than its text: there may be words that do not belong."),
    "cut_off": _("It ends in the middle of a sound."),
    "repeats": _REPEATS,
    "loop": _REPEATS,
    "hit_limit": _("The voice did not come to an end by itself."),
    "clipped": _("It is distorted: too loud for its own format."),
    "pause": _("There is a long silence in the middle."),
    "noisy": _("There is more noise than voice."),
    "hiss": _("There is a hiss in it."),
    "drone": _("The voice gets stuck on one sound."),
    "split": _(
        "It was made in pieces, because the card's memory ran out: retake it when there is room."
    ),
    "on_cpu": _(
        "It was made on the processor, because the card's memory ran out: retake it when there is "
        "room."
    ),
    "offset": _("Its waveform is shifted, which may click."),
}
#: Finer words for where only the length of a short text could not be judged, or the gate failed.
UNKNOWN = _("It could not be checked.")


def explain_doubts(rendition: Rendition) -> tuple[str, ...]:
    """What was heard that should not be, each thing once, the heaviest first."""
    found = rendition.gate.get("findings", []) if isinstance(rendition.gate, dict) else []
    order = {"fault": 0, "doubt": 1}
    found = sorted(found, key=lambda each: order.get(each.get("weight", ""), 2))
    words = [str(HEARD.get(each.get("code", ""), UNKNOWN)) for each in found]
    return tuple(dict.fromkeys(words))


def count_flagged(narrations: Iterable[Narration]) -> dict[int, int]:
    """Sentences of the newest plans that may sound wrong and nobody has accepted; one query.

    By the narration's key; those without any are left out.
    """
    flagged = Rendition.objects.usable().filter(
        digest=OuterRef("utterance_digest"), verdict=GateVerdict.FLAGGED
    )
    accepted = Review.objects.filter(
        narration=OuterRef("narration"),
        utterance_digest=OuterRef("utterance_digest"),
        verdict=Verdict.APPROVED,
    )
    rows = Segment.objects.filter(
        Exists(flagged), ~Exists(accepted), narration__in=[row.pk for row in narrations]
    )
    return dict(rows.order_by().values_list("narration").annotate(Count("pk")))


def load_accepted(narration: Narration) -> dict[str, str]:
    """Who found a sound fine, by its utterance digest."""
    reviews = Review.objects.filter(narration=narration, verdict=Verdict.APPROVED)
    return dict(reviews.order_by("pk").values_list("utterance_digest", "by_name"))


def accept(narration: Narration, segment: Segment, user: Any) -> Review:
    """Keep that somebody listened to this very sound and found it fine; again is no change."""
    with transaction.atomic():
        review, is_new = Review.objects.update_or_create(
            narration=narration,
            utterance_digest=segment.utterance_digest,
            by=get_actor(user),
            defaults={"verdict": Verdict.APPROVED, "by_name": get_actor_name(user)},
        )
        if is_new:
            facts = {"position": segment.position, "digest": segment.utterance_digest}
            record("sentence_accepted", narration=narration, actor=user, data=facts)
    return review
