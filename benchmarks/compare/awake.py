"""Work for a processor that has nothing to do, so that it never sleeps: it stands back for other work, and ends with its starter."""

import os
import sys

_TURNS = 1_000_000
"""After so many it looks whether it is still needed: some hundredths of a second."""

os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
starter = int(sys.argv[1])  # Not whoever is the parent by now: the starter may have ended already.
print("awake", flush=True)
while os.getppid() == starter:
    for _ in range(_TURNS):
        pass
