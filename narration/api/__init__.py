"""The one door of the plugin: what hosts, pages, admin and REST call.

``user`` is who asks; None is the system itself and may do everything. Everything raises errors
of ``narration.exceptions``; strangers get ``NarrationNotFound``, as if nothing were there.
"""

from narration.api.narrations import (
    cancel_job,
    cancel_jobs,
    estimate_narration,
    filter_by_state,
    find_narration,
    get_job,
    get_manifest,
    get_narration,
    get_object,
    get_track,
    list_narrations,
    list_segments,
    publish_narration,
    refresh_plan,
    request_narration,
    retake_segment,
    state_of,
    states_for,
    withdraw_narration,
)
from narration.pipeline.states import (
    Estimate,
    JobProgress,
    NarrationState,
    SegmentState,
    Status,
    explain_error,
)

__all__ = [
    "Estimate",
    "JobProgress",
    "NarrationState",
    "SegmentState",
    "Status",
    "cancel_job",
    "cancel_jobs",
    "estimate_narration",
    "explain_error",
    "filter_by_state",
    "find_narration",
    "get_job",
    "get_manifest",
    "get_narration",
    "get_object",
    "get_track",
    "list_narrations",
    "list_segments",
    "publish_narration",
    "refresh_plan",
    "request_narration",
    "retake_segment",
    "state_of",
    "states_for",
    "withdraw_narration",
]
