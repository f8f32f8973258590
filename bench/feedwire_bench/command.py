"""What all benchmarks do around their measurements: servers that live as long as the run, a core for whatever is measured, the file with the
figures, an end that leaves nothing behind but the logs of a failure."""

import contextlib
import json
import os
import pathlib
import platform
import sys
from collections.abc import Callable

from feedwire_dev.ending import Stopped, raise_on_signals
from feedwire_dev.play import Refused
from feedwire_dev.processes import NotReady
from feedwire_dev.run_directory import RunDirectory

from .steady import Wrong
from .wire import RedisRefused

STOPPED_EXIT = 130
SERVER_CORE, CLIENT_CORE = 0, 1


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def core(number: int):
    """What is started meanwhile stays on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def machine() -> dict:
    text = pathlib.Path("/proc/cpuinfo").read_text()
    cpu = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), platform.machine())
    return {"cpu": cpu, "cpus": os.cpu_count(), "kernel": platform.release()}


def carry_out(new_bench: Callable, work: Callable[..., tuple[dict, str]], options) -> int:
    """The exit code. new_bench(options, directory) makes what has start() and stop(); work(bench) measures, and answers the figures and their text.
    options.json: where the figures go, or None."""
    raise_on_signals()
    directory = RunDirectory()
    bench, code = new_bench(options, directory.path), 1
    try:
        bench.start()
        figures, text = work(bench)
        print(text, flush=True)
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")
        code = 0
    except Stopped:
        code = STOPPED_EXIT
    except (NotReady, Refused, RedisRefused, Wrong, OSError) as error:
        say(str(error))
    finally:
        bench.stop()
        if code == 1:
            directory.keep_logs()
            say(f"the logs are kept in {directory.path}")
        else:
            directory.remove()
    return code
