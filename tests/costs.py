"""What a command costs, measured from outside: processor time and memory, with those of the processes it starts."""

import json
import os
import resource
import signal

import child

PATIENCE = 4  # times the seconds after which a command that goes on and on is killed
ROOM = 4 << 30  # bytes of address space, so that a command that asks for terabytes does not take the machine with it


def command(report: str, seconds: float, *about) -> None:
    """Run `child.command` in a process of its own; write [exit code, seconds, MB beyond its start] to `report`."""
    before = _of_status("VmRSS")
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (round(PATIENCE * seconds),) * 2)
        resource.setrlimit(resource.RLIMIT_AS, ((_of_status("VmSize") << 10) + ROOM,) * 2)
        child.command(*about)
        return
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    with open(report, "w") as out:
        json.dump([code, usage.ru_utime + usage.ru_stime, (usage.ru_maxrss - before) / 1024], out)
    os.kill(os.getpid(), signal.SIGKILL) if code < 0 else os._exit(code)


def _of_status(field: str) -> int:
    """A size of this process, in kB; a child begins with the same."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field))
