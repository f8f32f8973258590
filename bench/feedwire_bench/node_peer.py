"""The ingest API written in Node, as a process of the benchmark: its packages are installed where they are not yet, as its lock file says."""

import pathlib
import re
import shutil
import subprocess

from feedwire_dev import paths, ports
from feedwire_dev.processes import Process

from .steady import Wrong

FOLDER = paths.ROOT / "bench/peers/ingest-node"
NODE_MIN = (20, 19)
WITHOUT = "or leave the comparison out with --no-node"


def version() -> str:
    """Of Node, once it is known to be there and new enough."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Wrong(f"Node and npm are missing; install the packages nodejs and npm, {WITHOUT}")
    text = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    found = re.match(r"v(\d+)\.(\d+)", text)
    if not found or tuple(map(int, found.groups())) < NODE_MIN:
        raise Wrong(f"Node {'.'.join(map(str, NODE_MIN))} or newer is needed, and this is {text or 'unknown'}; install it, {WITHOUT}")
    return text


def install() -> None:
    installed, lock = FOLDER / "node_modules/.package-lock.json", FOLDER / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Wrong(f"the packages of the Node peer could not be installed; npm says:\n{done.stdout}\nRepair that, {WITHOUT}")


class NodePeer(Process):
    def __init__(self, directory: pathlib.Path, brokers: str, topic: str, partitions: int, secret_file: pathlib.Path):
        self.http_port = ports.any_free()
        command = ["node", FOLDER / "server.mjs", self.http_port, brokers, topic, partitions, secret_file]
        super().__init__("node", command, directory / "node.log", {"NODE_ENV": "production"})

    def start(self) -> "NodePeer":
        super().start()
        self.wait_until(lambda: '"listening"' in self.log_text(), "listening")
        return self
