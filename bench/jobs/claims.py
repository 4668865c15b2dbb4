"""Claims: how long a worker takes to take a job, whatever waits beside it or has ended."""

import time

from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Now

from bench.jobs.clocks import learn_sizes, measure_ms
from bench.report import tell
from narration import runner
from narration.models import Job, JobState, Narration, iter_chunks

LANE = "claims"
INDEX = "narration_job_in_order"


def measure(counts: list[int], rounds: int) -> None:
    """Claim beside so many waiting jobs; nothing is left in the end."""
    tell("claim: nothing waits", measure_ms(lambda: runner.claim(LANE), rounds), "ms")
    for count in counts:
        fill(count, JobState.QUEUED)
        learn_sizes()
        tell("claim: index used", int(INDEX in explain()), "1 = yes", count)
        jobs = []
        tell(
            "claim",
            measure_ms(lambda jobs=jobs: jobs.append(runner.claim(LANE)), rounds),
            "ms",
            count,
        )
        assert all(jobs)
        assert len({job.pk for job in jobs}) == rounds
        clear()
    fill(max(counts), JobState.DONE)
    learn_sizes()
    tell(
        "claim: beside ended jobs",
        measure_ms(lambda: runner.claim(LANE), rounds),
        "ms",
        max(counts),
    )
    fill(rounds, JobState.QUEUED, start=max(counts))
    began = time.perf_counter()
    for _ in range(rounds):
        runner.Lease(runner.claim(LANE)).end(JobState.DONE)
    spent = time.perf_counter() - began
    tell("jobs a second: claimed and ended, no more", rounds / spent, "1/s", rounds)
    clear()


def fill(count: int, state: str, start: int = 0) -> None:
    """Jobs of as many narrations, none of which has an object."""
    content_type = ContentType.objects.get_for_model(Narration)
    narrations = Narration.objects.bulk_create(
        [
            Narration(content_type=content_type, object_id=f"bench-{number}", language="en")
            for number in range(start, start + count)
        ],
        batch_size=500,
    )
    Job.objects.bulk_create(
        [
            Job(
                narration=narration,
                request_key=f"bench-{narration.object_id}",
                lane=LANE,
                turn=turn,
                state=state,
                queued_at=Now(),
            )
            for turn, narration in enumerate(narrations)
        ],
        batch_size=500,
    )


def explain() -> str:
    """How the database finds the job that is claimed next."""
    return str(Job.objects.claimable(LANE).values_list("pk", flat=True)[:10].explain())


def clear() -> None:
    for chunk in iter_chunks(
        Narration.objects.filter(object_id__startswith="bench-").values_list("pk", flat=True)
    ):
        Job.objects.filter(narration__in=chunk).delete()
        Narration.objects.filter(pk__in=chunk).delete()
