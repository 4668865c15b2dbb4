"""The endpoints. Each reads its request, makes one call of ``narration.api``, shows the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase, QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import Serializer
from rest_framework.throttling import AnonRateThrottle

from narration import api
from narration.rest.kit import ApiView, CursorPaging, build_problem_responses
from narration.rest.serializers import (
    AudioQuerySerializer,
    DraftSerializer,
    EstimateSerializer,
    JobSerializer,
    NarrationFilterSerializer,
    NarrationPageSerializer,
    NarrationRequestSerializer,
    NarrationSerializer,
    ObjectSerializer,
    TokenRequestSerializer,
    TokenSerializer,
)
from narration.rest.states import describe, filter_narrations
from narration.views.media import serve_track

BINARY = OpenApiTypes.BINARY
READ_PROBLEMS = build_problem_responses(400, 401, 404)
LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    response=[202],
    description="Where to follow the job.",
)
LINK = OpenApiParameter(
    "Link",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="The next and the previous page.",
)


class LoginThrottle(AnonRateThrottle):
    """Slows down guessing of passwords; accounts need more than that."""

    scope = "narration-login"
    rate = "20/min"


class LoginView(ApiView):
    """Tokens for programs."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [LoginThrottle]

    @extend_schema(
        operation_id="create_token",
        tags=["auth"],
        auth=[],
        request=TokenRequestSerializer,
        responses={200: TokenSerializer, **build_problem_responses(400, 429)},
    )
    def post(self, request: Request) -> Response:
        """Exchange a name and a password for a token."""
        user = read(TokenRequestSerializer, request.data, request)["user"]
        row, token = AuthToken.objects.create(user)
        answer = TokenSerializer({"token": token, "expires_at": row.expiry})
        return Response(answer.data, headers={"Cache-Control": "no-store"})


class LogoutView(ApiView):
    """The end of a token."""

    authentication_classes = [TokenAuthentication]

    @extend_schema(
        operation_id="delete_token",
        tags=["auth"],
        request=None,
        responses={204: None, **build_problem_responses(401)},
    )
    def post(self, request: Request) -> Response:
        """Make the token of this request worthless."""
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class NarrationListView(ApiView):
    """Narrations, and requests for them."""

    @extend_schema(
        operation_id="list_narrations",
        tags=["narrations"],
        parameters=[
            NarrationFilterSerializer,
            LINK,
        ],
        responses={200: NarrationPageSerializer, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Narrations of every object the caller may listen to, newest first."""
        wanted = read(NarrationFilterSerializer, request.query_params, request)
        paging = CursorPaging()
        page = paging.paginate_queryset(
            filter_narrations(request.user, **wanted), request, view=self
        )
        shown = describe(page or [], request.user)
        return paging.get_paginated_response(show_narrations(shown, request))

    @extend_schema(
        operation_id="request_narration",
        tags=["narrations"],
        request=NarrationRequestSerializer,
        parameters=[LOCATION],
        responses={
            202: JobSerializer,
            **build_problem_responses(400, 401, 403, 404, 409, 422, 429),
        },
    )
    def post(self, request: Request) -> Response:
        """Bring an object's narration up to date; equal requests are answered with the same job."""
        wanted = read(NarrationRequestSerializer, request.data, request)
        obj = find_object(request, wanted, "narrate")
        job = api.request_narration(
            obj, language=wanted["language"], user=request.user, publish=wanted["publish"]
        )
        return accept_job(job, request)


class EstimateView(ApiView):
    """What a request would cost."""

    @extend_schema(
        operation_id="estimate_narration",
        tags=["narrations"],
        parameters=[ObjectSerializer],
        responses={
            200: EstimateSerializer,
            **READ_PROBLEMS,
            **build_problem_responses(409, 422),
        },
    )
    def get(self, request: Request) -> Response:
        """Tell how much of an object's narration is there and how much would be made."""
        wanted = read(ObjectSerializer, request.query_params, request)
        obj = find_object(request, wanted, "narrate")
        estimate = api.estimate_narration(obj, language=wanted["language"], user=request.user)
        return Response(EstimateSerializer(estimate).data)


class NarrationView(ApiView):
    """One narration."""

    @extend_schema(
        operation_id="get_narration",
        tags=["narrations"],
        responses={200: NarrationSerializer, **build_problem_responses(401, 404)},
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """Tell the state of a narration."""
        narration = api.get_narration(uid=uid, user=request.user)
        return Response(show_narrations(describe([narration], request.user), request)[0])


class ManifestView(ApiView):
    """The manifest of a track."""

    @extend_schema(
        operation_id="get_manifest",
        tags=["tracks"],
        parameters=[DraftSerializer],
        responses={200: OpenApiTypes.OBJECT, **READ_PROBLEMS},
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """Sentences, words and their times, voices and files. Its audio and captions are linked
        through this API, so that a token opens them.
        """
        wanted = read(DraftSerializer, request.query_params, request)
        narration = api.get_narration(uid=uid, user=request.user)
        obj: Any = narration.source_object
        manifest = api.get_manifest(
            obj,
            language=narration.language,
            user=request.user,
            draft=wanted["draft"],
        )
        files = {
            name: {**file, "url": build_file_url(request, uid, name, file["url"], **wanted)}
            for name, file in manifest["files"].items()
        }
        headers = {"Cache-Control": "private, no-cache"}
        return Response({**manifest, "files": files}, headers=headers)


class CaptionsView(ApiView):
    """The captions of a track."""

    @extend_schema(
        operation_id="get_captions",
        tags=["tracks"],
        parameters=[DraftSerializer],
        responses={
            (200, "text/vtt"): OpenApiResponse(BINARY, "WebVTT, in UTF-8."),
            **READ_PROBLEMS,
        },
    )
    def get(self, request: Request, uid: UUID) -> HttpResponseBase:
        """Give the captions as WebVTT."""
        wanted = read(DraftSerializer, request.query_params, request)
        return stream(request, uid, "vtt", draft=wanted["draft"])


class AudioView(ApiView):
    """The sound of a track."""

    @extend_schema(
        operation_id="get_audio",
        tags=["tracks"],
        parameters=[
            AudioQuerySerializer,
            OpenApiParameter(
                "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One byte range."
            ),
        ],
        responses={
            (200, "audio/mpeg"): OpenApiResponse(BINARY, "The whole track."),
            (200, "audio/ogg"): OpenApiResponse(BINARY, "The whole track."),
            (206, "audio/mpeg"): OpenApiResponse(BINARY, "The bytes asked for."),
            (206, "audio/ogg"): OpenApiResponse(BINARY, "The bytes asked for."),
            416: OpenApiResponse(None, "The range lies outside the file."),
            **READ_PROBLEMS,
        },
    )
    def get(self, request: Request, uid: UUID) -> HttpResponseBase:
        """Give the audio, or a byte range of it."""
        wanted = read(AudioQuerySerializer, request.query_params, request)
        return stream(request, uid, wanted["format"], draft=wanted["draft"])


class JobView(ApiView):
    """One job."""

    @extend_schema(
        operation_id="get_job",
        tags=["jobs"],
        responses={200: JobSerializer, **build_problem_responses(401, 404)},
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """Tell how far a job is, and what went wrong."""
        return Response(show_job(api.get_job(uid=uid, user=request.user), request))


class CancelJobView(ApiView):
    """The end of a job."""

    @extend_schema(
        operation_id="cancel_job",
        tags=["jobs"],
        request=None,
        responses={202: JobSerializer, **build_problem_responses(401, 403, 404, 409)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Ask a job to stop after the sentence it is at; what was made is kept."""
        job = api.cancel_job(uid, user=request.user)
        return Response(show_job(job, request), status=status.HTTP_202_ACCEPTED)


class RetryJobView(ApiView):
    """Another try of a job that ended badly."""

    @extend_schema(
        operation_id="retry_job",
        tags=["jobs"],
        request=None,
        parameters=[LOCATION],
        responses={202: JobSerializer, **build_problem_responses(401, 403, 404, 409, 422)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Ask again for what a job did not bring to a good end; answers with the job that does."""
        return accept_job(api.retry_job(uid, user=request.user), request)


def read(kind: type[Serializer[Any]], data: Any, request: Request) -> dict[str, Any]:
    """The values of a request, valid or refused with 400."""
    # A QueryDict is read like a form, in which an empty value means none was given.
    given = data.dict() if isinstance(data, QueryDict) else data
    serializer = kind(data=given, context={"request": request})
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def find_object(request: Request, wanted: Mapping[str, Any], action: str) -> Any:
    """The host's object that a request names, or 404."""
    return api.get_object(
        source=wanted["source"], object_id=wanted["object_id"], user=request.user, action=action
    )


def accept_job(job: Any, request: Request) -> Response:
    """202 with the job that serves a request, and where to follow it."""
    location = reverse("narration-api:job", kwargs={"uid": job.uid}, request=request)
    return Response(
        show_job(job, request), status=status.HTTP_202_ACCEPTED, headers={"Location": location}
    )


def show_job(job: Any, request: Request) -> dict[str, Any]:
    """A job as JSON."""
    return dict(JobSerializer(job, context={"request": request}).data)


def show_narrations(shown: Iterable[Any], request: Request) -> list[dict[str, Any]]:
    """Described narrations as JSON."""
    serializer = NarrationSerializer(list(shown), many=True, context={"request": request})
    return list(serializer.data)


def stream(request: Request, uid: UUID, file_format: str, *, draft: bool) -> HttpResponseBase:
    """One file of a narration's track, to who may have it."""
    narration = api.get_narration(uid=uid, user=request.user)
    obj: Any = narration.source_object
    track = api.get_track(obj, language=narration.language, user=request.user, draft=draft)
    return serve_track(request, track, file_format)


def build_file_url(request: Request, uid: UUID, name: str, url: str, *, draft: bool) -> str:
    """Where a token opens a file of a manifest; pictures are for pages, behind their session."""
    if name not in ("mp3", "opus", "vtt"):
        return request.build_absolute_uri(url)
    view, query = ("captions", []) if name == "vtt" else ("audio", [f"format={name}"])
    if draft:
        query.append("draft=true")
    path: str = reverse(f"narration-api:{view}", kwargs={"uid": uid}, request=request)
    return f"{path}?{'&'.join(query)}" if query else path
