"""Redis as the doorbell: faster than the database, may lose messages, may be away.

``Q_CLUSTER = {"broker_class": "narration.queue.doorbell.RedisDoorbell", "redis": url, …}``. What
Redis loses the sweeper rings for again. django-q2's own Redis broker would not do: redis-py tries
four times with pauses (4 s in the request that rings), and its cluster dies of a Redis that is
away, with the sentences in hand.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 0.5
#: Longer than the second that a worker listens at a time.
ANSWER_SECONDS = 2.0
#: Once nobody answered, this process does not ring for so long: a request for a thousand lessons
#: waits once, and the sweeper rings for them all.
SILENT_SECONDS = 10.0
#: Pause of a listener that finds nobody to listen to.
PAUSE_SECONDS = 1.0

_silent_until = 0.0


class DoorbellSilent(ConnectionError):
    """Redis did not answer a moment ago, so it was not asked."""


class RedisDoorbell(Redis):  # type: ignore[misc]
    """A broker that answers at once or not at all, and outlives its Redis."""

    def enqueue(self, task: Any) -> Any:
        """Ring; raises within ``CONNECT_SECONDS`` or ``ANSWER_SECONDS`` when Redis is away."""
        global _silent_until  # noqa: PLW0603
        if time.monotonic() < _silent_until:
            raise DoorbellSilent("Redis did not answer a moment ago.")
        try:
            return super().enqueue(task)
        except redis.RedisError:
            _silent_until = time.monotonic() + SILENT_SECONDS
            raise

    def dequeue(self) -> Any:
        """Listen for a second; a Redis that is away said nothing."""
        try:
            return super().dequeue()
        except redis.RedisError as error:
            logger.warning("The doorbell is out of order: %s", error)
            time.sleep(PAUSE_SECONDS)
            return None

    def ping(self) -> bool:
        """Always true: a cluster that starts while Redis is away listens until it is back."""
        try:
            return bool(super().ping())
        except redis.RedisError:
            return True

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Tell of the cluster, if anybody listens; ours are the rows of ``Worker``."""
        try:
            super().set_stat(key, value, timeout)
        except redis.RedisError:
            return

    @staticmethod
    def get_connection(list_key: str | None = None) -> redis.Redis:  # noqa: ARG004
        """A connection that is made late, waits little and tries once."""
        return redis.Redis.from_url(
            Conf.REDIS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
