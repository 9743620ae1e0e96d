"""Work for a processor that has nothing to do, so that it never sleeps: it stands back for all other work, and ends with its starter."""

import os

_TURNS = 1_000_000
"""After so many it looks whether it is still needed: some hundredths of a second."""

os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
starter = os.getppid()
while os.getppid() == starter:
    for _ in range(_TURNS):
        pass
