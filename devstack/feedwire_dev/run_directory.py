"""The private folder of one run: secret, logs, data of Redis and Kafka.

The difficulty: a run that was killed leaves its folder behind, with the secret in it. So each holds a lock as long as it lives, and the
next run removes the folders that nobody holds. Logs of a run that failed are kept: their folder has nothing else any more."""

import fcntl
import pathlib
import shutil
import tempfile

PREFIX = "feedwire-run-"


class RunDirectory:
    def __init__(self):
        _remove_abandoned()
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = open(self.path / "lock", "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def keep_logs(self) -> None:
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix != ".log":
                path.unlink()


def _remove_abandoned() -> None:
    for lock in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*/lock"):
        try:
            with open(lock, "r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            pass  # it is in use, or somebody else's
