"""What is known of the queue: which cluster serves a lane, how many hints wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django_q.brokers import get_broker
from django_q.conf import Conf


def get_cluster_name() -> str:
    """The cluster this process belongs to: ``Q_CLUSTER_NAME``, else the default one."""
    return str(Conf.CLUSTER_NAME)


def get_default_cluster_name() -> str:
    """The cluster that serves every lane without a cluster of its own."""
    return str(Conf.PREFIX)


def find_cluster(lane: str) -> str:
    """The cluster that serves a lane."""
    return lane if lane in _get_alternatives() else get_default_cluster_name()


def find_lanes(cluster: str, lanes: Iterable[str]) -> list[str]:
    """Those of ``lanes`` that a cluster serves."""
    return sorted(lane for lane in lanes if find_cluster(lane) == cluster)


def describe_queue() -> dict[str, Any]:
    """The settings of ``Q_CLUSTER`` that matter, and its broker."""
    return {
        "cluster": get_cluster_name(),
        "broker": str(get_broker().info()),
        "workers": Conf.WORKERS,
        "timeout": Conf.TIMEOUT,
        "retry": Conf.RETRY,
        "clusters": _list_clusters(),
    }


def count_hints() -> dict[str, int]:
    """Hints that wait, by cluster. Raises what the broker raises when it is away."""
    return {name: int(get_broker(name).queue_size()) for name in _list_clusters()}


def _list_clusters() -> list[str]:
    return [get_default_cluster_name(), *sorted(_get_alternatives())]


def _get_alternatives() -> set[str]:
    return set(settings.Q_CLUSTER.get("ALT_CLUSTERS", {}))
