"""The OpenAPI document: served as it is in schemas/, of one mind with the schema of activities, and true (schemathesis tries it)."""
import json
import pathlib
import subprocess
import sys

import jsonschema
import pytest
from ingest_client import activity, send, token

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
DOCUMENT = json.loads((SCHEMAS / "ingest.openapi.json").read_text())
# Not that all data that is good by the schema is accepted: no schema can say that nobody follows themselves.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,"
          "negative_data_rejection,unsupported_method")
EXAMPLES, SEED = 25, 7  # of each operation; the seed makes a failure one that can be repeated


@pytest.fixture
def ingest(embedded_broker, daemon, redis_server):
    process = daemon("ingest", kafka__brokers=embedded_broker().bootstrap, **redis_server.options)
    yield process
    assert process.terminate() == 0, process.log_tail()


def rewritten(part):
    """A part of activity.schema.json with its references as they are in the document."""
    if isinstance(part, dict):
        return {key: value.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else rewritten(value) for key, value in part.items()}
    return [rewritten(value) for value in part] if isinstance(part, list) else part


def test_of_one_mind_with_the_schema_of_activities():
    schema = rewritten(json.loads((SCHEMAS / "activity.schema.json").read_text()))
    parts = DOCUMENT["components"]["schemas"]
    assert {name: parts[name] for name in schema["$defs"]} == schema.pop("$defs")
    del schema["$schema"], schema["$id"]
    assert parts["activity"] == schema


def valid(part, value):
    """Whether a value is what this schema of the document says."""
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{part}", "components": DOCUMENT["components"]}).is_valid(value)


def test_served_and_true(ingest):
    answer = send(ingest, method="GET", path="/v1/openapi.json", bearer="")
    assert answer.status == 200 and answer.json == DOCUMENT and answer.headers["content-type"] == "application/json"
    assert send(ingest, b"", path="/v1/openapi.json").status == 405
    assert valid("accepted", send(ingest, activity()).json)
    assert valid("edge", {"actor": "ann", "object": "bob", "since": 1700000000000}) and not valid("edge", {"actor": "ann", "object": "bob", "since": 1700000000})
    assert valid("ProblemWithErrors", send(ingest, activity("a b")).json)
    assert not valid("activity", activity("a b")) and not valid("activity", {"actor": "ann"}) and valid("activity", activity())
    command = [pathlib.Path(sys.executable).parent / "schemathesis", "run", f"http://127.0.0.1:{ingest.http_port}/v1/openapi.json", "--checks", CHECKS,
               "--header", f"Authorization: Bearer {token(scope='publish admin')}", "--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--no-color",
               "--generation-database", "none"]
    tried = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=300)
    assert tried.returncode == 0, tried.stdout[-6000:]
    assert ingest.metric("http_requests_total") > EXAMPLES and ingest.metric("activities_published_total") > 1
