"""What a worker pays the database: for a heartbeat, and for a sentence."""

from itertools import cycle

from bench.jobs.clocks import count_queries, measure_ms
from bench.jobs.scenes import write_course
from bench.report import tell
from narration import api, runner
from narration.models import Worker
from narration.pipeline.gating import Gate
from narration.pipeline.plans import refresh_plan
from narration.pipeline.renditions import store_rendition
from narration.queue.memory import measure_family
from narration.runner import lease as leases
from narration.runner import workers
from narration.speaking import get_engine_process


def measure(author, rounds: int) -> None:
    _course, (lesson,) = write_course(author, "Costs", 1, rounds)
    job = api.request_narration(lesson, language="en")
    workers.HEARTBEAT_SECONDS = 0.0
    worker = workers.register_worker("cpu")
    job = runner.claim("cpu", worker)
    assert job is not None
    lease = runner.Lease(job)
    plan, _version = refresh_plan(job.narration)

    lease.check()
    tell_cost("heartbeat: asked at every sentence", lease.check, rounds)
    leases.STOP_CHECK_SECONDS = 0.0
    tell_cost("heartbeat: of a job and its worker, once a second", lease.check, rounds)
    leases.STOP_CHECK_SECONDS = 1.0
    cluster = (worker.node, "bench", worker.pid)
    Worker.objects.register(*cluster, {})
    tell_cost("heartbeat: of a cluster's row", lambda: Worker.objects.beat(*cluster, {}), rounds)
    measured = measure_ms(lambda: measure_family(worker.pid), rounds)
    tell("heartbeat: looking at all processes", measured, "ms")

    measure_sentence(lease, plan, rounds)
    lease.end("done")
    Worker.objects.all().delete()


def measure_sentence(lease, plan, rounds: int) -> None:
    """Keeping its sound, then writing down that it is made: for each of the plan's sentences."""
    segments = list(plan.get_utterances().values())
    result = get_engine_process("dummy").speak(segments[0].utterance)
    made = []
    todo = iter(segments)
    gate = Gate(attempts=1)

    def store() -> None:
        segment = next(todo)
        made.append((segment, store_rendition(segment, gate.admit(segment, result))))

    tell("sentence: queries to keep its sound", count_queries(store), "queries")
    tell("sentence: keep its sound", measure_ms(store, rounds - 1), "ms")
    pairs = cycle(made)
    lease.made(*next(pairs))  # today's row of usage is there from the second sentence on
    tell_cost("sentence: write down that it is made", lambda: lease.made(*next(pairs)), rounds)


def tell_cost(name: str, act, rounds: int) -> None:
    tell(f"{name}: queries", count_queries(act), "queries")
    tell(name, measure_ms(act, rounds), "ms")
