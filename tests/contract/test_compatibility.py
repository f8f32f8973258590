"""scripts/compatibility finds each kind of breaking change, names its place, and lets through what only adds."""
import importlib.machinery
import importlib.util
import json
import pathlib
import shutil

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
loader = importlib.machinery.SourceFileLoader("compatibility", str(ROOT / "scripts/compatibility"))
compatibility = importlib.util.module_from_spec(importlib.util.spec_from_loader("compatibility", loader))
loader.exec_module(compatibility)


@pytest.fixture
def folders(tmp_path):
    """A copy of schemas/ as it is now, and a baseline made of it."""
    schemas, baseline = tmp_path / "schemas", tmp_path / "baseline"
    shutil.copytree(ROOT / "schemas", schemas)
    compatibility.renew(schemas, baseline)
    return schemas, baseline


def in_json(name, change):
    def apply(schemas):
        path = schemas / name
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return apply


def in_text(name, old, new):
    def apply(schemas):
        path = schemas / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return apply


def activity(change):
    return in_json("activity.schema.json", change)


def api(change):
    return in_json("ingest.openapi.json", change)


def put(*path_and_value):
    """Sets the value at a path into a document."""

    def change(document):
        *path, last, value = path_and_value
        for part in path:
            document = document[part]
        document[last] = value

    return change


def drop(*path):
    def change(document):
        *parents, last = path
        for part in parents:
            document = document[part]
        del document[last]

    return change


def add_to(*path_and_value):
    def change(document):
        *path, value = path_and_value
        for part in path:
            document = document[part]
        document.append(value)

    return change


POST = ("paths", "/v1/activities", "post")
USER, OBJECT = ("$defs", "user"), ("properties", "object")

# name -> (change, what the sentence must name)
BREAKING = {
    "a field is removed": (activity(drop("properties", "target")), "/target"),
    "a nested field is removed": (activity(drop(*OBJECT, "properties", "owner")), "/object/owner"),
    "a type is narrowed": (activity(put("properties", "data", "type", "object")), "/data"),
    "a type is another one": (activity(put("properties", "published", "type", "integer")), "/published"),
    "a field is required": (activity(add_to("required", "target")), "/target"),
    "a nested field is required": (activity(add_to(*OBJECT, "required", "owner")), "/object/owner"),
    "a text must be shorter": (activity(put("properties", "id", "maxLength", 64)), "/id"),
    "a list must be shorter": (activity(put("properties", "to", "maxItems", 10)), "/to"),
    "a text must be longer": (activity(put("properties", "id", "minLength", 2)), "/id"),
    "a pattern is another one": (activity(put(*USER, "pattern", "^[a-z]+$")), "/actor"),
    "a pattern is new": (activity(put("properties", "published", "pattern", "Z$")), "/published"),
    "items get a rule": (activity(put("properties", "to", "items", "maxLength", 10)), "/to[]"),
    "unknown members are refused": (activity(put("additionalProperties", False)), "additionalProperties"),
    "an enum is narrowed": (activity(put("allOf", 1, "then", "properties", "data", "properties", "entries", "enum", ["keep"])), "/entries"),
    "a verb gets a rule": (activity(add_to("allOf", {"if": {"properties": {"verb": {"const": "like"}}}, "then": {"required": ["data"]}})), "allOf"),
    "a rule asks something else": (activity(put("allOf", 0, "if", "required", [])), "allOf/0"),
    "an alternative is removed": (activity(drop("anyOf", 1)), "anyOf"),
    "a path is removed": (api(drop("paths", "/v1/activities")), "POST /v1/activities"),
    "a method is removed": (api(drop(*POST)), "POST /v1/activities"),
    "an answer is removed": (api(drop(*POST, "responses", "202")), "202"),
    "a kind of body is removed": (api(drop(*POST, "requestBody", "content", "application/x-ndjson")), "x-ndjson"),
    "a parameter is required": (api(lambda d: d["paths"]["/v1/activities"]["post"].setdefault("parameters", []).append({"name": "x-new", "in": "header", "required": True, "schema": {"type": "string"}})), "x-new"),
    "other credentials are asked for": (api(put(*POST, "security", [{"other": []}])), "credentials"),
    "a close code is removed": (in_json("close-codes.json", lambda d: d["codes"].pop()), "close-codes.json"),
    "a close code is reassigned": (in_json("close-codes.json", put("codes", 7, "name", "fast_client")), "fast_client"),
    "a close code sends clients away": (in_json("close-codes.json", put("codes", 8, "come_back", False)), "come_back"),
    "the range of codes is another one": (in_json("close-codes.json", put("come_back", [4000, 4399])), "come_back"),
    "a limit is lowered": (in_json("limits.json", put("to_max", 99)), "to_max"),
    "a limit is removed": (in_json("limits.json", drop("cap")), "cap"),
    "a vector is another one": (in_json("vectors/entry.json", put("encode", 0, "hex", "00")), "smallest"),
    "a vector is removed": (in_json("vectors/notice.json", lambda d: d["valid"].pop(0)), "as Redis writes it"),
    "a vector without a name is removed": (in_json("vectors/position.json", lambda d: d["valid"].pop(0)), "position.json"),
    "a list of vectors is removed": (in_json("vectors/versions.json", drop("records_older")), "records_older"),
    "a file of vectors is removed": (lambda schemas: (schemas / "vectors/relation.json").unlink(), "relation.json"),
    "a header of a record is removed": (in_text("kafka.md", "| `ce_time` |", "| `time` |"), "`ce_time`"),
    "a word of a dead letter is renamed": (in_text("kafka.md", "| `dlq_source` |", "| `dlq_from` |"), "`dlq_source`"),
    "fields of an entry change places": (in_text("entry.md", "[verb, actor,", "[actor, verb,"), "entry.md"),
    "an element goes between": (in_text("notice.md", "seq, published ms, member", "seq, why, published ms, member"), "notice.md"),
    "a message is removed": (in_text("protocol.md", "| `remove` |", "| `removed` |"), "`remove`"),
    "a member of a message is removed": (in_text("protocol.md", "`reset`, `entries` (newest first)", "`entries` (newest first)"), "`reset`"),
    "a key of Redis is renamed": (in_text("redis.md", "| `n:{tenant/user}`", "| `x:{tenant/user}`"), "`n:{tenant/user}`"),
    "a function of Redis is renamed": (in_text("redis/feedwire_v1.lua", "'feedwire_v1_window'", "'feedwire_v1_look'"), "feedwire_v1_window"),
}

COMPATIBLE = {
    "nothing": lambda schemas: None,
    "a field is added": activity(put("properties", "audience", {"type": "array"})),
    "a field is not required any more": activity(lambda d: d["required"].remove("object")),
    "a text may be longer": activity(put("properties", "id", "maxLength", 200)),
    "a rule is dropped": activity(drop("properties", "to", "maxItems")),
    "a type is widened": activity(put("properties", "published", "type", ["string", "null"])),
    "an enum is widened": activity(put("allOf", 1, "then", "properties", "data", "properties", "entries", "enum", ["keep", "purge", "hide"])),
    "words are other ones": activity(put("properties", "id", "description", "An id.")),
    "a path is added": api(put("paths", "/v1/other", {"get": {"responses": {"200": {"description": ""}}}})),
    "an answer is added": api(put(*POST, "responses", "418", {"description": "x"})),
    "a parameter is added": api(lambda d: d["paths"]["/v1/activities"]["post"].setdefault("parameters", []).append({"name": "x-new", "in": "header", "schema": {"type": "string"}})),
    "a close code is added": in_json("close-codes.json", add_to("codes", {"name": "new", "code": 4003, "come_back": True, "sent_by": "server", "when": ""})),
    "a limit is raised": in_json("limits.json", put("to_max", 200)),
    "a limit is added": in_json("limits.json", put("new_max", 1)),
    "a vector is added": in_json("vectors/entry.json", add_to("encode", {"name": "new"})),
    "a file of vectors is added": lambda schemas: (schemas / "vectors/new.json").write_text('{"valid": []}'),
    "a header of a record is added": in_text("kafka.md", "| `ce_time` |", "| `ce_new` | | |\n| `ce_time` |"),
    "an element is added behind": in_text("notice.md", "published ms, member]", "published ms, member, why]"),
    "a function of Redis is added": in_text("redis/feedwire_v1.lua", "redis.register_function", "redis.register_function('feedwire_v1_new', f)\nredis.register_function"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_is_found_and_named(folders, name):
    schemas, baseline = folders
    change, named = BREAKING[name]
    change(schemas)
    problems = compatibility.compare(schemas, baseline)
    assert problems and any(named in problem for problem in problems), problems


@pytest.mark.parametrize("name", COMPATIBLE)
def test_what_only_adds_passes(folders, name):
    schemas, baseline = folders
    COMPATIBLE[name](schemas)
    assert compatibility.compare(schemas, baseline) == []


def inlined_answer(document):
    """The bodies' schemas of POST's 202, put in the place of the references to them, so that they can be changed there."""
    resolver = compatibility.Schemas(document, document)
    responses = document["paths"]["/v1/activities"]["post"]["responses"]
    responses["202"] = json.loads(json.dumps(resolver.resolve(document, responses["202"])))
    schemas = []
    for body in responses["202"]["content"].values():
        body["schema"] = json.loads(json.dumps(resolver.resolve(document, body["schema"])))
        schemas.append(body["schema"])
    return schemas


def test_an_answer_may_say_more_but_not_less(folders):
    schemas, baseline = folders
    path = schemas / "ingest.openapi.json"
    document = json.loads(path.read_text())
    bodies = inlined_answer(document)
    for body in bodies:
        body["properties"]["new"] = {"type": "string"}
        body["required"] = [*body.get("required", ()), "new"]
    path.write_text(json.dumps(document))
    assert compatibility.compare(schemas, baseline) == []
    first = next(iter(bodies[0]["properties"]))
    for body in bodies:
        del body["properties"][first]
    path.write_text(json.dumps(document))
    assert any(f"202 application/json/{first}" in problem for problem in compatibility.compare(schemas, baseline))


def test_a_baseline_with_breaking_changes_is_only_made_on_purpose(folders, monkeypatch, capsys):
    schemas, baseline = folders
    shutil.copytree(baseline, schemas / "baseline", dirs_exist_ok=True)
    monkeypatch.setattr(compatibility, "SCHEMAS", schemas)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["compatibility", *arguments])
        return compatibility.main()

    assert run() == 0
    BREAKING["a limit is lowered"][0](schemas)
    assert run() == 1 and run("--renew") == 1 and "to_max was 100 and is 99" in capsys.readouterr().err
    assert run("--renew", "--accept-breaking") == 0 and run() == 0
