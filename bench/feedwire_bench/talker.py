"""A program of the benchmark that is told what to do by lines, and answers each with a line of JSON."""

import json
import subprocess

from .steady import Wrong


class Talker:
    """It ends with its input, so it does not outlive us."""

    def __init__(self, *command):
        self.name = str(command[0]).rpartition("/")[2]
        self._popen = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def tell(self, line: str) -> None:
        try:
            self._popen.stdin.write(line + "\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            raise Wrong(f"{self.name} has ended; see above") from None

    def answer(self) -> dict:
        line = self._popen.stdout.readline()
        if not line:
            raise Wrong(f"{self.name} has ended; see above")
        return json.loads(line)

    def ask(self, line: str) -> dict:
        self.tell(line)
        return self.answer()

    def end(self) -> None:
        self._popen.kill()
        self._popen.wait()
