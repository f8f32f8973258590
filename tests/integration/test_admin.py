"""The admin ports: who may read what there, and that nothing of it is on the public ports."""
import http.client
import subprocess

import pytest
TOKEN = "canary0123456789abcdefcanary0123456789abcdef"
DAEMONS = ("ingest", "fanout", "gateway")
DEADLINE_S = 30

# Paths at which other servers show their insides; and ours.
PATHS = (
    "/metrics", "/livez", "/readyz", "/healthz", "/health", "/status", "/admin", "/admin/", "/admin/metrics", "/debug", "/debug/pprof/", "/debug/vars",
    "/metrics/", "/METRICS", "//metrics", "/./metrics", "/v1/../metrics", "/v1/%2e%2e/metrics", "/%6detrics", "/v1/metrics", "/v1/admin", "/v1/readyz", "/actuator", "/actuator/env",
    "/actuator/heapdump", "/server-status", "/server-info", "/nginx_status", "/stub_status", "/console", "/info", "/env", "/config", "/config.json", "/.env", "/.git/config",
    "/stats", "/trace", "/threads", "/heapdump", "/metrics?token=x", "/metrics;x", "/api/metrics", "/prometheus", "/__debug__", "/lws-status", "/phpinfo.php",
)


def ask(port, path, authorization=None, method="GET", address="127.0.0.1"):
    connection = http.client.HTTPConnection(address, port, timeout=DEADLINE_S)
    try:
        connection.request(method, path, headers={"Authorization": authorization} if authorization else {})
        response = connection.getresponse()
        return response.status, response.read().decode(), dict(response.getheaders())
    finally:
        connection.close()


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "admin.token"
    path.write_text(TOKEN + "\n")
    return path


@pytest.fixture
def start(embedded_broker, redis_server, daemon):
    def start(name, **options):
        broker = embedded_broker()
        return daemon(name, **{"kafka.brokers": broker.bootstrap, **redis_server.options, **options})

    return start


WRONG = {  # header -> why
    None: "absent", "": "empty", "Bearer": "no token", "Bearer ": "no token", f"Basic {TOKEN}": "another scheme", TOKEN: "no scheme", f"Bearer {TOKEN[:-1]}": "cut",
    f"Bearer {TOKEN}x": "longer", f"Bearer {TOKEN.upper()}": "another case", f"Bearer {TOKEN},{TOKEN}": "twice", "Bearer " + "a" * 4096: "long", f"Bearer {TOKEN[::-1]}": "another",
}


@pytest.mark.parametrize("name", DAEMONS)
def test_metrics_want_the_token_and_probes_do_not(start, name, token_file):
    process = start(name, admin__token_file=token_file)
    port = process.admin_port
    for authorization, why in WRONG.items():
        for path in ("/metrics", "/nonsense"):
            status, text, headers = ask(port, path, authorization)
            assert (status, headers["www-authenticate"], headers["content-type"]) == (401, "Bearer", "application/problem+json"), (why, text)
    assert ask(port, "/metrics", method="HEAD")[:2] == (401, "")
    assert ask(port, "/livez")[0] == ask(port, "/readyz")[0] == 200
    assert ask(port, "/nonsense", f"Bearer {TOKEN}")[0] == 404
    status, text, _ = ask(port, "/metrics", f"bearer {TOKEN}")
    assert status == 200 and f"\nadmin_refused_total {2 * len(WRONG) + 1}\n" in text
    assert TOKEN not in text + process.log_text()
    assert TOKEN not in open(f"/proc/{process.pid}/cmdline").read()
    assert process.terminate() == 0


@pytest.mark.parametrize("name", DAEMONS)
def test_no_start_beyond_loopback_without_a_token(bin_dir, tmp_path, secret_file, name):
    short, blank = tmp_path / "short", tmp_path / "blank"
    short.write_text("hunter2")
    blank.write_text("hunter2 and thirty more characters!")
    command = [bin_dir / f"feedwire-{name}", "--admin.port=0", *([] if name == "fanout" else ["--http.port=0", f"--auth.hs256_secret_file={secret_file}"])]
    for options, words in ((["--admin.address=0.0.0.0"], "admin.token_file is required when admin.address is not a loopback address"), (["--admin.address=::"], "admin.token_file is required"),
                           ([f"--admin.token_file={short}"], "32 to 256 bytes"), ([f"--admin.token_file={blank}"], "visible ASCII characters"),
                           ([f"--admin.token_file={tmp_path}/away"], "No such file")):
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 2 and words in done.stderr and "hunter2" not in done.stderr, done.stderr


def test_beyond_loopback_with_a_token(start, token_file):
    process = start("ingest", admin__token_file=token_file, admin__address="0.0.0.0")
    assert ask(process.admin_port, "/metrics")[0] == 401
    assert ask(process.admin_port, "/metrics", f"Bearer {TOKEN}")[0] == 200
    assert process.terminate() == 0


def test_loopback_is_the_default(start):
    process = start("ingest")
    with pytest.raises(ConnectionRefusedError):
        ask(process.admin_port, "/livez", address="127.0.0.2")  # bound to 127.0.0.1, not to all
    assert ask(process.admin_port, "/metrics")[0] == 200


@pytest.mark.parametrize("name", ("ingest", "gateway"))
def test_no_admin_path_is_public(start, name, token_file):
    process = start(name, admin__token_file=token_file)
    assert len(set(PATHS)) >= 40
    for path in PATHS:
        for authorization in (None, f"Bearer {TOKEN}"):
            status, text, headers = ask(process.http_port, path, authorization)
            assert status in (400, 404) and headers["content-type"] == "application/problem+json" and "process_start_time" not in text, (path, status, text)
    assert process.terminate() == 0
