"""The WebSocket layer against RFC 6455, by a suite of others: kosoku, which has the cases of Autobahn's.

The program under test is http_echo, around the same shared/http that the gateway uses: the cases want an echo, and the gateway has none.
Compression (12.*, 13.*) is never negotiated, so these cases are left out."""

import json
import subprocess

import pytest
from feedwire_dev import paths

CASES = 301
# Ten pings at once, each of which the suite wants answered. libwebsockets answers the last one only, which RFC 6455 allows (5.5.3: "if an
# endpoint receives a Ping frame and has not yet sent Pong frame(s) in response to previous Ping frame(s), the endpoint MAY elect to send a
# Pong frame for only the most recently processed Ping frame").
ALLOWED_TO_FAIL = {"2.10", "2.11"}
LARGEST_MESSAGE = 16 * 1024 * 1024


@pytest.fixture
def echo(bin_dir):
    """The address of an echo without a subprotocol."""
    process = subprocess.Popen([bin_dir / "http_echo", "protocol=0", f"message_max={LARGEST_MESSAGE}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    yield f"ws://127.0.0.1:{json.loads(process.stdout.readline())['port']}/v1/ws"
    assert process.poll() is None, "it has died of a case"
    process.terminate()
    process.wait(20)


def test_the_protocol_cases(echo, tmp_path):
    done = subprocess.run(["kosoku", "-m", "fuzzingclient", "-x", "12.*", "-x", "13.*", "-o", str(tmp_path), echo], capture_output=True, text=True, timeout=600)
    (results,) = json.loads((tmp_path / "index.json").read_text()).values()
    assert len(results) == CASES, done.stdout
    failed = {case for case, result in results.items() if "FAILED" in (result["behavior"], result["behaviorClose"])}
    assert failed <= ALLOWED_TO_FAIL, done.stdout


def test_a_subprotocol_is_neither_wanted_nor_taken(echo):
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with connect(echo) as connection:
        connection.send("text")
        assert connection.recv() == "text"
        connection.send(b"\x00\xff")
        assert connection.recv() == b"\x00\xff"
    with pytest.raises(InvalidStatus) as refused:
        connect(echo, subprotocols=["feedwire.v1.json"])
    assert refused.value.response.status_code == 400


def test_the_gateway_that_ships_has_no_echo(bin_dir):
    for program in ("feedwire-gateway", "feedwire-ingest"):
        assert b"echo" not in (bin_dir / program).read_bytes().lower(), program
