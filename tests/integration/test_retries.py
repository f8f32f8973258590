"""What fan-out sends again while Redis is in trouble is bounded and counted. REFUSED_S=60 refuses connections for longer than CI does."""

import os
import time

import pytest
from tcp_switch import TcpSwitch
from test_fanout import broker, crowd, drained, fanout, finished, produce, redis, until  # noqa: F401  fixtures among them

REFUSED_S = float(os.environ.get("REFUSED_S", 5))
COMMANDS_MAX = 256
RETRIES_PER_S = 100  # FAN_BUDGET_PER_S
RETRY_SHARE = 0.10


@pytest.fixture
def switch(redis_server):
    made = TcpSwitch(redis_server.port)
    yield made
    made.kill9()


def retries(process, result="sent"):
    return process.metrics()[f'redis_retries_total{{result="{result}"}}']


def test_a_redis_that_refuses_connections_is_asked_now_and_then(broker, redis_server, redis, fanout):  # noqa: F811
    records, expected = crowd(2000)
    process = fanout()
    produce(broker, records)
    until(lambda: finished(process) >= 300, "the middle")
    redis_server.kill9()
    until(lambda: process.metric("redis_shards_ready") == 0, "that it is away")
    connects, before, began = process.metric("redis_connects_total"), retries(process), time.monotonic()
    until(lambda: time.monotonic() - began >= REFUSED_S and process.metric("redis_connects_total") >= connects + 4, "some attempts", REFUSED_S + 60)
    tried, seconds = process.metric("redis_connects_total") - connects, time.monotonic() - began
    # Full jitter: 0.05 s on average before the first attempt, 2.5 s between the later ones.
    assert tried <= 15 + seconds, f"{tried} attempts in {seconds:.0f} s"
    assert retries(process) == before, "no command is sent again to nobody"
    assert any(line.get("event") == "redis_lost" for line in process.log_lines())
    redis_server.start()
    drained(process, len(records))
    expected.check(redis)
    first = process.metric("redis_command_seconds_count") - retries(process)
    assert retries(process) <= RETRY_SHARE * first + RETRIES_PER_S * (time.monotonic() - began) + 4096


def test_a_connection_that_breaks_again_and_again_uses_up_the_budget_and_no_more(broker, redis, fanout, switch):  # noqa: F811
    """Each connection is good until the window is sent, so that without a budget all of it would be sent each time."""
    records, expected = crowd(3000)
    process = fanout(redis__url=switch.url, fanout__commands_max=COMMANDS_MAX)
    produce(broker, records)
    until(lambda: finished(process) >= 300, "the middle")
    before, connects, began = retries(process), process.metric("redis_connects_total"), time.monotonic()
    switch.cut_at(b"feedwire_v1_add\r\n")
    until(lambda: retries(process, "held") > 0 and process.metric("redis_connects_total") >= connects + 40, "connections that break")
    again, seconds = retries(process) - before, time.monotonic() - began
    # Every connection might carry a few that are sent for the first time, besides the window.
    first = COMMANDS_MAX + (process.metric("redis_connects_total") - connects)
    assert again <= RETRY_SHARE * first + RETRIES_PER_S * seconds + COMMANDS_MAX, f"{again} in {seconds:.1f} s"
    switch.cut_at(None)
    drained(process, len(records))
    expected.check(redis)
    assert process.metric('fanout_records_total{result="dead_letter"}') == 0
