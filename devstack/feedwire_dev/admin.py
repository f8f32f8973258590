"""Asks the daemons' admin ports: readiness and metrics."""

import http.client
import re

from . import ports

_SAMPLE = re.compile(r"^([A-Za-z_:][A-Za-z0-9_:]*(?:\{.*\})?) (\S+)")


def get(port: int, path: str, timeout_s: float = 5) -> tuple[int, str]:
    """(status, body); (0, reason) when nobody answers."""
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


def parse_metrics(text: str) -> dict[str, float]:
    """Prometheus text as 'name' or 'name{label="value"}' -> number."""
    return {found[1]: float(found[2]) for line in text.splitlines() if (found := _SAMPLE.match(line))}


def total(samples: dict[str, float], name: str) -> float:
    """The sample of that name with its label, or the sum of a metric over all its labels; 0 when there is none."""
    return sum(value for sample, value in samples.items() if name in (sample, sample.partition("{")[0]))
