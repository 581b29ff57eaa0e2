"""Beginning together: the processes of a team train one GAN from one state, also where they share no disk."""

from __future__ import annotations

import json
from typing import Any

from ganutils import Error
from ganutils.compute.distributed import Team
from ganutils.training.gan import GAN


def begin_together(gan: GAN, data: dict[str, Any], team: Team) -> None:
    """Take the state of the first process of `team`: networks, averages, optimizers and counters.

    data   what tells the run's data from others
    Error if this process was given other settings or other data than the first.
    """
    here = {**gan.config.as_json(), "data": data}
    first = json.loads(team.firsts(json.dumps({"run": here, "updates": gan.updates})))
    here = json.loads(json.dumps(here))  # as it is after the way that the first's took
    if first["run"] != here:
        names = ", ".join(sorted(name for name in here if first["run"].get(name) != here[name]))
        raise Error(f"worker {team.rank} was given another run than the first: {names}; give all the same")
    gan.updates = first["updates"]
    team.follow(gan.tensors().values())
