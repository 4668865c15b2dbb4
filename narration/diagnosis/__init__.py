"""What is well and what is not: findings in plain words for ``doctor``, health for probes."""

from narration.diagnosis.doctor import diagnose, is_broken
from narration.diagnosis.findings import Finding, State
from narration.diagnosis.health import PARTS, Readiness, look

__all__ = ["PARTS", "Finding", "Readiness", "State", "diagnose", "is_broken", "look"]
