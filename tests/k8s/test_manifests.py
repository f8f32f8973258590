"""Renders k8s/ and checks every object against the schemas of Kubernetes and KEDA, and against what the daemons know."""

import copy
import os
import pathlib
import shutil
import subprocess

import jsonschema
import kubernetes_validate
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(
    os.environ.get("FEEDWIRE_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "feedwire"
)
KUBERNETES = "1.32"
DAEMONS = ("ingest", "fanout", "gateway")


def render():
    kustomize = shutil.which("kustomize") or str(CACHE / "prefix/bin/kustomize")
    text = subprocess.run([kustomize, "build", str(ROOT / "k8s/base")], check=True, capture_output=True, text=True).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def keda_schema():
    crd = yaml.safe_load((CACHE / "keda-scaledobjects.yaml").read_text())
    version = next(v for v in crd["spec"]["versions"] if v["name"] == "v1alpha1")
    return version["schema"]["openAPIV3Schema"]


def validate(document):
    if document["apiVersion"].startswith("keda.sh/"):
        jsonschema.Draft202012Validator(strict(keda_schema())).validate(document)
    else:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def strict(schema):
    """The CRD's schema lets unknown members through; the API server drops them, which hides typing errors."""
    schema = copy.deepcopy(schema)

    def close(node):
        if isinstance(node, dict):
            if "properties" in node and "additionalProperties" not in node and node.get("type") == "object":
                if not node.get("x-kubernetes-preserve-unknown-fields"):
                    node["additionalProperties"] = False
            for child in node.values():
                close(child)
        elif isinstance(node, list):
            for child in node:
                close(child)

    close(schema)
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


OBJECTS = render()


def identity(document):
    return f"{document['kind']}/{document['metadata']['name']}"


@pytest.mark.parametrize("document", OBJECTS, ids=identity)
def test_object_matches_its_schema(document):
    validate(document)


def find(kind, name):
    return next(d for d in OBJECTS if d["kind"] == kind and d["metadata"]["name"] == name)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_wrong_type_is_refused(daemon):
    broken = copy.deepcopy(find("Deployment", f"feedwire-{daemon}"))
    broken["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = "thirty"
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(broken)


def test_a_misspelt_member_of_the_scaledobject_is_refused():
    broken = copy.deepcopy(find("ScaledObject", "feedwire-fanout"))
    broken["spec"]["minReplicasCount"] = 1
    with pytest.raises(jsonschema.ValidationError):
        validate(broken)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_options_exist_and_ports_agree(daemon, bin_dir):
    container = find("Deployment", f"feedwire-{daemon}")["spec"]["template"]["spec"]["containers"][0]
    help_text = subprocess.run([bin_dir / f"feedwire-{daemon}", "--help"], check=True, capture_output=True, text=True).stdout
    options = dict(argument.removeprefix("--").split("=", 1) for argument in container["args"])
    for name in options:
        assert f"--{name}" in help_text, f"{daemon} has no option {name}"
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    assert ports["admin"] == options["admin.port"]
    assert ports.get("http") == options.get("http.port")


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_admin_port_has_its_token_and_probes_need_none(daemon):
    pod = find("Deployment", f"feedwire-{daemon}")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = dict(argument.removeprefix("--").split("=", 1) for argument in container["args"])
    assert options["admin.address"] == "0.0.0.0"
    path = pathlib.PurePosixPath(options["admin.token_file"])
    (mount,) = [m for m in container["volumeMounts"] if m["mountPath"] == str(path.parent)]
    (volume,) = [v for v in pod["volumes"] if v["name"] == mount["name"]]
    assert mount["readOnly"] is True and volume["secret"]["secretName"] == "feedwire-admin" and path.name == "token"
    probes = {container[kind]["httpGet"]["path"] for kind in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert probes == {"/livez", "/readyz"}


def test_prometheus_sends_the_token_and_finds_the_pods(tmp_path):
    config = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]  # Debian builds Prometheus without it
    job["static_configs"] = [{"targets": ["127.0.0.1:8081"]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    promtool = shutil.which("promtool") or str(CACHE / "prefix/bin/promtool")
    done = subprocess.run([promtool, "check", "config", "--syntax-only", str(tmp_path / "prometheus.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert job["authorization"] == {"type": "Bearer", "credentials_file": "/etc/prometheus/feedwire/token"}
    for daemon in DAEMONS:
        template = find("Deployment", f"feedwire-{daemon}")["spec"]["template"]
        labels, annotations = template["metadata"]["labels"], template["metadata"]["annotations"]
        assert (labels["app.kubernetes.io/part-of"], annotations["prometheus.io/scrape"], annotations["prometheus.io/path"]) == ("feedwire", "true", "/metrics")
        assert {"name": "admin", "containerPort": int(annotations["prometheus.io/port"])} in template["spec"]["containers"][0]["ports"]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_pods_run_without_privileges(daemon):
    pod = find("Deployment", f"feedwire-{daemon}")["spec"]["template"]["spec"]
    security = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_no_secret_is_in_the_manifests():
    assert not [identity(d) for d in OBJECTS if d["kind"] == "Secret"]


def test_the_scaledobject_scales_the_fanout_by_the_lag_of_its_group():
    spec = find("ScaledObject", "feedwire-fanout")["spec"]
    assert spec["scaleTargetRef"]["name"] == find("Deployment", "feedwire-fanout")["metadata"]["name"]
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "kafka"
    assert trigger["metadata"]["consumerGroup"] == "feedwire-fanout"
    assert trigger["metadata"]["topic"] == "activities"
