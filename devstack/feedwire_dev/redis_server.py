"""A private redis-server with the settings that Feedwire ships (deploy/redis.conf)."""

import os
import pathlib
import shutil
import socket
import subprocess

from . import paths, ports
from .processes import Process


class RedisServer(Process):
    """keep_data: what was written survives kill9() and start() (append-only file); else each start begins empty."""

    def __init__(self, directory: pathlib.Path, port: int | None = None, keep_data: bool = False):
        self.port = port or ports.any_free()
        self.data = pathlib.Path(directory) / "redis-data"
        self.keep_data = keep_data
        command = [paths.tool("redis-server"), paths.ROOT / "deploy/redis.conf", "--port", self.port, "--bind", ports.LOOPBACK]
        command += ["--dir", self.data, "--appendonly", "yes" if keep_data else "no", "--daemonize", "no"]
        super().__init__("redis", command, pathlib.Path(directory) / "redis.log")

    @property
    def url(self) -> str:
        return f"redis://{ports.LOOPBACK}:{self.port}"

    @property
    def options(self) -> dict[str, object]:
        """What tells a daemon where it is."""
        return {"redis.url": self.url}

    def start(self) -> "RedisServer":
        if not self.keep_data:
            shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(exist_ok=True)
        super().start()
        self.wait_until(self._answers, "answering")
        return self

    def kill(self) -> None:
        self.kill9()

    def _answers(self) -> bool:
        try:
            with socket.create_connection((ports.LOOPBACK, self.port), 1) as connection:
                connection.settimeout(5)
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    def command_line(self, *arguments: str, commands: list[str] | None = None) -> list[str]:
        """Asks with redis-cli; `commands` go to it by its input, and each answers one line."""
        call = ["redis-cli", "-h", ports.LOOPBACK, "-p", str(self.port), *arguments]
        text = "".join(f"{command}\n" for command in commands or [])
        return subprocess.run(call, input=text, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout.splitlines()

    def used_memory(self) -> int:
        """Bytes, of the whole server."""
        fields = dict(line.split(":", 1) for line in self.command_line("INFO", "memory") if ":" in line)
        return int(fields["used_memory"])

    def memory_of(self, pattern: str) -> list[int]:
        """Bytes of each key whose name fits."""
        keys = self.command_line("--scan", "--pattern", pattern)
        return [int(size) for size in self.command_line(commands=[f'MEMORY USAGE "{key}" SAMPLES 0' for key in keys])] if keys else []


class ClusterServer(RedisServer):
    """One server of a cluster, in a folder of its own; `settings` by their names. Its bus has a free port too, because the usual one (10,000 more)
    may belong to somebody's connection."""

    def __init__(self, directory: pathlib.Path, name: str, keep_data: bool = False, settings: dict[str, object] | None = None):
        folder = pathlib.Path(directory) / name
        folder.mkdir()
        super().__init__(folder, keep_data=keep_data)
        self.name = name
        self.bus_port = ports.any_free()
        cluster = {"cluster-enabled": "yes", "cluster-port": self.bus_port, "cluster-require-full-coverage": "no", **(settings or {})}
        for option, value in cluster.items():
            self.command += [f"--{option}", str(value)]
