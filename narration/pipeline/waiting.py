"""Why a job waits, in plain words: "4th: one worker on gpu, 212 sentences ahead, about 3 min"."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from narration.pipeline.backlog import LaneRow, WaitingJob
from narration.pipeline.explanations import explain_job
from narration.pipeline.plainly import show_length, show_moment, show_ordinal

#: What is "less than a minute" is not "about" that.
SHORT_SECONDS = 30

#: Reasons for waiting, for programs, in the order in which they hold.
REASONS = ("no_worker", "lane_rests", "tried_again", "narration_busy", "in_line")


def find_reason(row: WaitingJob) -> str:
    """What holds the job back, one of ``REASONS``; what people can mend comes first."""
    if not row.lane.is_served:
        return "no_worker"
    if row.lane.is_resting:
        return "lane_rests"
    if not row.is_due:
        return "tried_again"
    return "narration_busy" if row.is_busy else "in_line"


def explain_waiting(row: WaitingJob) -> str:
    """That reason in the reader's language, with place, sentences and time where they are known."""
    reason = find_reason(row)
    if reason == "no_worker":
        return _("No worker serves the lane %(lane)s: start one.") % {"lane": row.lane.name}
    if reason == "lane_rests":
        return explain_rest(row.lane)
    if reason == "tried_again":
        return _explain_retry(row)
    if reason == "narration_busy":
        return _("Waits for the running job of the same narration.")
    place = show_ordinal(row.position or 1)
    return _("%(place)s: %(details)s") % {"place": place, "details": ", ".join(_list_details(row))}


def explain_rest(lane: LaneRow) -> str:
    """Why a lane rests and until when; "" when it does not."""
    if not lane.is_resting or lane.paused_until is None:
        return ""
    words = _("The lane rests until %(time)s because jobs failed alike: %(reason)s")
    return words % {"time": show_moment(lane.paused_until), "reason": explain_job(lane.error_code)}


def _explain_retry(row: WaitingJob) -> str:
    job = row.job
    time = show_moment(job.not_before) if job.not_before is not None else ""
    if not job.error_code:
        return _("Begins at %(time)s.") % {"time": time}
    words = _("Tried again at %(time)s (try %(attempt)d) because: %(reason)s")
    return words % {
        "time": time,
        "attempt": job.attempts + 1,
        "reason": explain_job(job.error_code),
    }


def _list_details(row: WaitingJob) -> list[str]:
    details = [_count_workers(row.lane)]
    if row.sentences:
        words = ngettext("%(count)d sentence ahead", "%(count)d sentences ahead", row.sentences)
        details.append(words % {"count": row.sentences})
    if row.uncounted:
        words = ngettext(
            "%(count)d text ahead not yet read", "%(count)d texts ahead not yet read", row.uncounted
        )
        details.append(words % {"count": row.uncounted})
    if not row.sentences and not row.uncounted:
        details.append(_("nothing ahead"))
    elif row.seconds is not None and row.sentences:
        details.append(_guess(row.seconds, is_least=bool(row.uncounted)))
    return details


def _guess(seconds: float, *, is_least: bool) -> str:
    length = show_length(seconds)
    if is_least:
        return _("at least %(length)s") % {"length": length}
    return length if seconds < SHORT_SECONDS else _("about %(length)s") % {"length": length}


def _count_workers(lane: LaneRow) -> str:
    """A cluster whose processes have not yet worked on this lane counts as one."""
    count = max(1, lane.workers)
    words = ngettext("one worker on %(lane)s", "%(count)d workers on %(lane)s", count)
    return words % {"count": count, "lane": lane.name}
