"""How long people wait: for the first sentence of a lesson, for a preview beside a bulk job."""

import statistics
import time

from bench.jobs.clocks import wait_until
from bench.jobs.scenes import list_family, working_cluster, write_course
from bench.report import tell
from narration import api
from narration.models import Job, Rendition, SpeechPolicy, Voice
from narration.queue.memory import measure_family, measure_pss

POLL = 0.005


def measure(author, rounds: int, bulk: int) -> None:
    """One worker, so that nobody else can help; idle, cold, warm, and with a long job in hand."""
    with working_cluster(1) as supervisor:
        time.sleep(2)  # what a start needs and an idle worker gives back
        tell_memory("idle", supervisor)
        _course, lessons = write_course(author, "Waiting", rounds + 1, 5)
        cold, *warm = [wait_for_sentence(author, lesson) for lesson in lessons]
        tell("first sentence: the engine is not started", cold, "s")
        tell("first sentence: the engine is warm", statistics.median(warm), "s", rounds)
        tell_memory("idle, its engine warm", supervisor)
        idle = [wait_for_preview(author, f"Idle {number}.") for number in range(rounds)]
        tell("preview: nothing else to do", statistics.median(idle), "s", rounds)
        job = begin_bulk(author, bulk)
        busy = [wait_for_preview(author, f"Busy {number}.") for number in range(rounds)]
        job.refresh_from_db()
        assert job.state == "running", "the bulk job was over before the previews were"
        tell("preview: beside a bulk job", statistics.median(busy), "s", rounds)
        tell("preview: beside a bulk job, the slowest", max(busy), "s", rounds)
        ratio = statistics.median(busy) / statistics.median(idle)
        tell("preview: busy : idle", ratio, "ratio", rounds)
        api.cancel_job(job.uid)
        wait_until(lambda: not Job.objects.active().exists())


def wait_for_sentence(author, lesson) -> float:
    began = time.perf_counter()
    job = api.request_narration(lesson, language="en", user=author)
    wait_until(lambda: Job.objects.filter(pk=job.pk, done__gt=0).exists(), POLL)
    spent = time.perf_counter() - began
    wait_until(lambda: not Job.objects.active().exists())
    return spent


def wait_for_preview(author, text: str) -> float:
    began = time.perf_counter()
    job = api.request_audition(text, language="en", scope_key="", user=author)
    digest = job.payload["digest"]
    wait_until(lambda: Rendition.objects.filter(digest=digest).exists(), POLL)
    spent = time.perf_counter() - began
    wait_until(lambda: not Job.objects.filter(pk=job.pk, state__in=("queued", "running")).exists())
    return spent


def begin_bulk(author, sentences: int) -> Job:
    """A long lesson of the slow engine, in work."""
    _course, (lesson,) = write_course(author, "Bulk", 1, sentences)
    voice = Voice.objects.create(name="slow", engine="slow", engine_voice="low")
    key = api.get_scope_chain(api.get_own_scope(lesson))[1]
    SpeechPolicy.objects.create(scope_key=key, casting={"en": {"body": voice.name}})
    job = api.request_narration(lesson, language="en", user=author)
    wait_until(lambda: Job.objects.filter(pk=job.pk, done__gt=0).exists(), POLL)
    return job


def tell_memory(what: str, supervisor: int) -> None:
    """All processes of a cluster: what they hold (shared pages divided), and each in full."""
    family = measure_family(supervisor)
    tell(f"memory: {what}: processes", family.processes, "processes")
    tell(f"memory: {what}", measure_pss(list_family(supervisor)) / 1e6, "MB (PSS)")
    tell(f"memory: {what}: shared pages in each", family.rss / 1e6, "MB (RSS)")
