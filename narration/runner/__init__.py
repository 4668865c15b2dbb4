"""The runner: claims jobs of its lane, works them off, gives back what it cannot finish.

Every change of state is a compare-and-set on (pk, lease token, state) by the database's clock,
and its row count decides: a worker that lost its lease writes nothing more.
"""

from narration.runner.claims import claim
from narration.runner.lease import Lease
from narration.runner.running import run_job, run_lane
from narration.runner.sweeping import sweep

__all__ = ["Lease", "claim", "run_job", "run_lane", "sweep"]
