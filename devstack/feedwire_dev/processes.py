"""Starts programs so that they never outlive us, and looks at them from outside.

The difficulty is "never": a supervisor that is killed cannot clean up. So the kernel is asked to kill each child when its parent dies
(PR_SET_PDEATHSIG). It does so when the *thread* that started the child ends; children are therefore started from the main thread only.
Each child has a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone, which then stops things in order.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # loaded before the fork: after it, nothing may be imported
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class NotReady(Exception):
    """A part could not be started, or ended before it was ready. The text is meant for the user."""


def _die_with(parent: int) -> Callable[[], None]:
    def between_fork_and_exec():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return between_fork_and_exec


class Process:
    """One program, which can be started again after it has ended. Its output goes to one file, which grows over all its lives."""

    def __init__(self, name: str, command: list, log: pathlib.Path, env: dict[str, str] | None = None):
        self.name = name
        self.log = pathlib.Path(log)
        self.command = [str(part) for part in command]
        self.env = {**os.environ, **(env or {})}
        self.popen: subprocess.Popen | None = None
        self._log_start = 0

    def start(self) -> "Process":
        assert threading.current_thread() is threading.main_thread()
        assert not self.running, f"{self.name} runs already"
        with open(self.log, "ab") as log:
            self._log_start = log.tell()
            try:
                self.popen = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.env,
                    start_new_session=True,
                    preexec_fn=_die_with(os.getpid()),
                )
            except OSError as error:
                raise NotReady(f"{self.name} could not be started: {error}") from None
        return self

    @property
    def pid(self) -> int | None:
        return self.popen.pid if self.popen else None

    @property
    def running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def how_it_ended(self) -> str:
        code = self.popen.poll() if self.popen else None
        if code is None:
            return "has not ended"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def wait_until(self, condition: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
        """Waits until condition() holds; NotReady when the program ends before, or when it takes too long."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if not self.running:
                raise NotReady(f"{self.name} {self.how_it_ended()} before it was {what}; its log ends with:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} is not {what} after {timeout_s} s; its log ends with:\n{self.log_tail()}")
            time.sleep(0.02)

    def terminate(self, seconds: float = 20) -> int | None:
        """Orderly: SIGTERM, and the end is waited for. Answers the exit code; a program that does not end is killed, which gives -9."""
        if self.running:
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill9()
        return self.popen.returncode if self.popen else None

    def kill9(self) -> None:
        if self.running:
            try:
                os.killpg(self.popen.pid, signal.SIGKILL)  # the group: it may have children of its own
            except ProcessLookupError:
                pass
        if self.popen:
            self.popen.wait()

    def log_text(self) -> str:
        """What it wrote in its present (or last) life."""
        try:
            with open(self.log, "rb") as log:
                log.seek(self._log_start)
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self, lines: int = 15) -> str:
        tail = self.log_text().splitlines()[-lines:]
        return "\n".join(f"  | {line[:2000]}" for line in tail) or "  | (it wrote nothing)"

    def _proc(self, file: str) -> str:
        try:
            return pathlib.Path(f"/proc/{self.pid}/{file}").read_text()
        except OSError:
            return ""

    def cpu_seconds(self) -> float:
        """User and system time of the running program; 0 when it has ended."""
        fields = self._proc("stat").rpartition(")")[2].split()  # the name in parentheses may hold spaces
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND if fields else 0.0

    def peak_memory_mib(self) -> float:
        """The most memory that it had resident; 0 when it has ended."""
        for line in self._proc("status").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0.0
