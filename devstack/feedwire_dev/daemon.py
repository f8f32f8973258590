"""A daemon of Feedwire: started on free ports, waited for, asked for its metrics."""

import json
import pathlib

from . import admin, ports
from .processes import Process


class Daemon(Process):
    """`options` by their names: {"kafka.brokers": "127.0.0.1:9092"}. Ports that are not given are free ones; after a kill, start() takes the
    same again."""

    def __init__(self, name: str, directory: pathlib.Path, bin_dir: pathlib.Path, options: dict[str, object], env: dict[str, str] | None = None, log_name: str = ""):
        self.options = dict(options)
        if name != "fanout":
            self.options.setdefault("http.port", ports.any_free())
        self.options.setdefault("admin.port", ports.any_free())
        command = [bin_dir / f"feedwire-{name}", *(f"--{option}={value}" for option, value in self.options.items())]
        super().__init__(name, command, pathlib.Path(directory) / f"{log_name or name}.log", env)

    @property
    def http_port(self) -> int:
        return int(self.options["http.port"])

    @property
    def admin_port(self) -> int:
        return int(self.options["admin.port"])

    def start(self, wait: str | None = "/readyz") -> "Daemon":
        """wait: the admin page that must answer 200 before this returns; None: does not wait."""
        super().start()
        if wait:
            self.wait_for_page(wait)
        return self

    def ready(self) -> bool:
        return admin.get(self.admin_port, "/readyz")[0] == 200

    def not_ready_because(self) -> str:
        return admin.get(self.admin_port, "/readyz")[1].strip()

    def wait_for_page(self, page: str, timeout_s: float = 60) -> None:
        """Until this admin page answers 200."""
        answer = (0, "")

        def is_well() -> bool:
            nonlocal answer
            answer = admin.get(self.admin_port, page)
            return answer[0] == 200

        try:
            self.wait_until(is_well, "ready" if page == "/readyz" else f"well by {page}", timeout_s)
        except Exception as error:
            if answer[0]:
                error.args = (f"{error}\n  {page} says: {answer[1].strip()}",)
            raise

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with labels, e.g. 'fanout_records_total{result="done"}'; empty while it cannot be reached."""
        status, text = admin.get(self.admin_port, "/metrics")
        return admin.parse_metrics(text) if status == 200 else {}

    def metric(self, name: str) -> float:
        """A sample, or the sum over its labels; 0 when there is none."""
        return admin.total(self.metrics(), name)

    def log_lines(self) -> list[dict]:
        """The JSON lines of its present life; what is not JSON as {"text": line}."""
        lines = []
        for line in self.log_text().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({"text": line})
        return lines
