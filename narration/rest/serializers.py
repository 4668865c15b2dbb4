"""What the API takes and gives. Nothing of a row is shown that is not named here."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from narration import api
from narration.rest.kit import CursorPaging

STATUSES = tuple(api.Status.values)
JOB_STATES = ("queued", "running", "done", "partial", "failed", "quarantined", "cancelled")
WAITING_CODES = ("no_worker", "lane_rests", "tried_again", "narration_busy", "in_line")
AUDIO_FORMATS = ("mp3", "opus")

SOURCE_HELP = "The narrated model, as `app.model` in lower case: `courses.lesson`."
LANGUAGE_HELP = "A BCP 47 tag: `en`, `pt-BR`."
MS = "Milliseconds."


class TokenRequestSerializer(serializers.Serializer[Any]):
    """A name and a password for a token."""

    username = serializers.CharField(min_length=1, max_length=254)
    password = serializers.CharField(
        min_length=1,
        max_length=1024,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Add the user; one message whichever of the two is wrong."""
        user = authenticate(request=self.context.get("request"), **attrs)
        if user is None:
            raise serializers.ValidationError(_("This name and password do not match."))
        return {"user": user}


class TokenSerializer(serializers.Serializer[Any]):
    """A token, shown this once: `Authorization: Token …`."""

    token = serializers.CharField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)


class ObjectSerializer(serializers.Serializer[Any]):
    """One object in one language."""

    source = serializers.RegexField(  # type: ignore[assignment]
        r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$", max_length=200, help_text=SOURCE_HELP
    )
    object_id = serializers.CharField(
        min_length=1, max_length=64, help_text="The object's primary key."
    )
    language = serializers.RegexField(
        r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=35, help_text=LANGUAGE_HELP
    )


class NarrationRequestSerializer(ObjectSerializer):
    """Which object to narrate, and whether to publish what is made."""

    publish = serializers.BooleanField(
        default=False, help_text="Publish as soon as it is made; needs the right to publish."
    )


class NarrationFilterSerializer(ObjectSerializer):
    """Filters and paging of the list; each may be left out."""

    cursor = serializers.CharField(max_length=400, help_text="From `next` or `previous`.")
    page_size = serializers.IntegerField(min_value=1, max_value=CursorPaging.max_page_size)
    state = serializers.ChoiceField(
        choices=STATUSES, required=False, help_text="Only narrations the caller may narrate."
    )

    def get_fields(self) -> dict[str, Any]:
        """The fields of an object, none of them required."""
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class DraftSerializer(serializers.Serializer[Any]):
    """Which track of a narration."""

    draft = serializers.BooleanField(
        default=False, help_text="The unpublished track; needs the right to narrate."
    )


class AudioQuerySerializer(DraftSerializer):
    """Which track, in which format."""

    format = serializers.ChoiceField(choices=AUDIO_FORMATS, default="mp3")


class EstimateSerializer(serializers.Serializer[Any]):
    """What a narration would cost now; no engine was asked."""

    segments = serializers.IntegerField(help_text="Sentences of the text.")
    utterances = serializers.IntegerField(help_text="Different requests to an engine among them.")
    reused = serializers.IntegerField(help_text="Utterances whose sound is there already.")
    missing = serializers.IntegerField(help_text="Utterances an engine would have to speak.")
    characters = serializers.IntegerField(help_text="Characters of the missing ones.")
    speech_ms = serializers.IntegerField(help_text=MS)


class JobErrorSerializer(serializers.Serializer[Any]):
    """One sentence that could not be spoken; the others were kept."""

    text = serializers.CharField(help_text="The sentence.")
    code = serializers.CharField(help_text="Why, for programs.")
    is_permanent = serializers.BooleanField(
        source="permanent", help_text="Whether a new request would fail alike."
    )
    reason = serializers.SerializerMethodField(help_text="Why, in the caller's language.")
    advice = serializers.SerializerMethodField(help_text="What to do, in the caller's language.")

    def get_reason(self, error: Any) -> str:
        """The code in plain words."""
        return api.explain(error.code)

    def get_advice(self, error: Any) -> str:
        """What to do about the code."""
        return api.advise(error.code)


class WaitingSerializer(serializers.Serializer[Any]):
    """Where a waiting job stands and why it waits."""

    code = serializers.ChoiceField(choices=WAITING_CODES, help_text="Why, for programs.")
    reason = serializers.CharField(help_text="Why, in the caller's language.")
    position = serializers.IntegerField(
        allow_null=True, help_text="Its place in its lane; null while it is not in line."
    )
    sentences_ahead = serializers.IntegerField(help_text="Sentences to be made before it begins.")
    seconds = serializers.IntegerField(
        allow_null=True, help_text="Until it begins, about; null where no speed was measured yet."
    )


class JobSerializer(serializers.Serializer[Any]):
    """One background run that brings a narration up to date."""

    uid = serializers.UUIDField()
    url = serializers.HyperlinkedIdentityField(view_name="narration-api:job", lookup_field="uid")
    narration = serializers.UUIDField(source="narration.uid", allow_null=True, default=None)
    state = serializers.ChoiceField(choices=JOB_STATES)
    is_active = serializers.BooleanField(help_text="Whether it waits or works: ask again.")
    total = serializers.IntegerField(help_text="Sentences of the text; 0 until it is planned.")
    done = serializers.IntegerField(help_text="Sentences that have sound.")
    synthesized = serializers.IntegerField(help_text="Sentences an engine spoke for this job.")
    reused = serializers.IntegerField(help_text="Sentences whose sound was there already.")
    failed = serializers.IntegerField(help_text="Sentences that could not be spoken.")
    error_code = serializers.CharField(help_text="Why the job ended badly, for programs.")
    error = serializers.CharField(help_text="The same in English, as the log has it.")
    reason = serializers.SerializerMethodField(
        help_text="The same in the caller's language; empty where nothing went wrong."
    )
    advice = serializers.SerializerMethodField(help_text="What to do, in the caller's language.")
    waiting = serializers.SerializerMethodField(help_text="Null for a job that does not wait.")
    errors = JobErrorSerializer(many=True, source="errors.all")  # type: ignore[assignment]
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_reason(self, job: Any) -> str:
        """Its error code in plain words."""
        return api.explain_job(job.error_code) if job.error_code else ""

    def get_advice(self, job: Any) -> str:
        """What to do about its error code."""
        return api.advise(job.error_code)

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, job: Any) -> dict[str, Any] | None:
        """Its place in line and why it waits."""
        found = api.find_waiting(job)
        return None if found is None else dict(WaitingSerializer(found).data)


class WorkSerializer(serializers.Serializer[Any]):
    """How far the newest text is; shown only to who may narrate the object."""

    state = serializers.ChoiceField(choices=STATUSES, source="status")
    segments = serializers.IntegerField(help_text="Sentences of the newest text.")
    missing = serializers.IntegerField(help_text="Sentences without sound.")
    failed = serializers.IntegerField(help_text="Sentences that could not be spoken.")
    flagged = serializers.IntegerField(
        help_text="Sentences that may sound wrong and nobody has accepted."
    )
    is_stale = serializers.BooleanField(help_text="The published sound speaks an older text.")
    can_publish = serializers.BooleanField()
    job = serializers.SerializerMethodField()

    def get_job(self, state: Any) -> str | None:
        """The address of the latest job, if there is one."""
        if state.job is None:
            return None
        kwargs = {"uid": state.job.uid}
        return reverse("narration-api:job", kwargs=kwargs, request=self.context["request"])


class NarrationSerializer(serializers.Serializer[Any]):
    """One object, one language. ``work`` is null for who may only listen."""

    uid = serializers.UUIDField()
    url = serializers.HyperlinkedIdentityField(
        view_name="narration-api:narration", lookup_field="uid"
    )
    source = serializers.CharField(help_text=SOURCE_HELP)  # type: ignore[assignment]
    object_id = serializers.CharField()
    language = serializers.CharField(help_text=LANGUAGE_HELP)
    is_published = serializers.BooleanField(help_text="Whether learners can hear it now.")
    duration_ms = serializers.IntegerField(help_text="Milliseconds of the published track, or 0.")
    work = WorkSerializer(allow_null=True)


class NarrationPageSerializer(serializers.Serializer[Any]):
    """A page of narrations; the addresses are also in the `Link` header."""

    results = NarrationSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
