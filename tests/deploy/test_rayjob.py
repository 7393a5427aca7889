"""The Kubernetes manifest against the fields of its resources, and against the project's pins."""

import re
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline.sweep_files.loading import load_sweep

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "pipeline" / "deploy"


def record(required=(), **fields):
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": fields,
        "required": list(required),
    }


def listed(item):
    return {"type": "array", "items": item, "minItems": 1}


TEXT, COUNT, FLAG = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
TEXTS = {"type": "object", "additionalProperties": TEXT}  # Kubernetes takes no numbers there

# Of Kubernetes 1.30, core/v1: what a pod of ours may have.
RESOURCES = record(limits=TEXTS, requests=TEXTS)
CONTAINER = record(
    ("name", "image"),
    name=TEXT,
    image=TEXT,
    imagePullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
    env=listed(record(("name",), name=TEXT, value=TEXT)),
    envFrom=listed(record(secretRef=record(("name",), name=TEXT, optional=FLAG))),
    resources=RESOURCES,
    volumeMounts=listed(record(("name", "mountPath"), name=TEXT, mountPath=TEXT, readOnly=FLAG)),
)
POD = record(
    ("spec",),
    metadata=record(labels=TEXTS, annotations=TEXTS),
    spec=record(
        ("containers",),
        restartPolicy={"enum": ["Always", "OnFailure", "Never"]},
        serviceAccountName=TEXT,
        nodeSelector=TEXTS,
        tolerations=listed(
            record(
                key=TEXT,
                operator={"enum": ["Exists", "Equal"]},
                value=TEXT,
                effect={"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
            )
        ),
        containers=listed(CONTAINER),
        volumes=listed(record(("name",), name=TEXT, configMap=record(("name",), name=TEXT))),
    ),
)
# Of KubeRay 1.6, ray.io/v1.
CLUSTER = record(
    ("headGroupSpec",),
    rayVersion=TEXT,
    authOptions=record(
        mode={"enum": ["disabled", "token"]}, secretName=TEXT, enableK8sTokenAuth=FLAG
    ),
    enableInTreeAutoscaling=FLAG,
    autoscalerOptions=record(
        version={"enum": ["v1", "v2"]},
        upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
        idleTimeoutSeconds=COUNT,
        image=TEXT,
        imagePullPolicy=TEXT,
        resources=RESOURCES,
    ),
    headGroupSpec=record(("template",), rayStartParams=TEXTS, serviceType=TEXT, template=POD),
    workerGroupSpecs=listed(
        record(
            ("groupName", "minReplicas", "maxReplicas", "template"),
            groupName=TEXT,
            replicas=COUNT,
            minReplicas=COUNT,
            maxReplicas=COUNT,
            numOfHosts=COUNT,
            rayStartParams=TEXTS,
            template=POD,
        )
    ),
)
# Rules are there instead of `shutdownAfterJobFinishes` and one time for all of it.
DELETION = record(
    ("deletionRules",),
    deletionRules=listed(
        record(
            ("policy", "condition"),
            policy={"enum": ["DeleteCluster", "DeleteWorkers", "DeleteSelf", "DeleteNone"]},
            condition={
                **record(
                    jobStatus={"enum": ["SUCCEEDED", "FAILED"]},
                    jobDeploymentStatus={"enum": ["Failed"]},
                    ttlSeconds=COUNT,
                ),
                "oneOf": [{"required": ["jobStatus"]}, {"required": ["jobDeploymentStatus"]}],
            },
        )
    ),
)
RAYJOB = record(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=record(("name",), name=TEXT, namespace=TEXT, labels=TEXTS),
    spec=record(
        ("entrypoint", "rayClusterSpec"),
        activeDeadlineSeconds=COUNT,
        backoffLimit=COUNT,
        deletionStrategy=DELETION,
        entrypoint=TEXT,
        entrypointNumCpus={"type": "number"},
        runtimeEnvYAML=TEXT,
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
        suspend=FLAG,
        rayClusterSpec=CLUSTER,
    ),
)
SWEEPS = record(
    ("apiVersion", "kind", "metadata", "data"),
    apiVersion={"const": "v1"},
    kind={"const": "ConfigMap"},
    metadata=record(("name",), name=TEXT),
    data=TEXTS,
)


@pytest.fixture
def manifests():
    """The sweeps and the job, as written."""
    return list(yaml.safe_load_all((DEPLOY / "rayjob.yaml").read_text()))


@pytest.fixture
def cluster(manifests):
    """The job's cluster."""
    return manifests[1]["spec"]["rayClusterSpec"]


def containers(cluster):
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [each for group in groups for each in group["template"]["spec"]["containers"]]


def test_every_field_is_one_of_its_resource(manifests):
    """Of the right type: Kubernetes drops or refuses what is not."""
    for manifest, schema in zip(manifests, (SWEEPS, RAYJOB), strict=True):
        jsonschema.validate(manifest, schema)


@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec.update(ttlSecondsAfterFinishd=300),
        lambda spec: spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"].update(port=6379),
        lambda spec: spec["deletionStrategy"]["deletionRules"][0]["condition"].pop("jobStatus"),
        lambda spec: spec["rayClusterSpec"]["authOptions"].update(mode="tokens"),
    ],
)
def test_a_field_that_is_none_is_noticed(manifests, change):
    """Misspelled, a number where Kubernetes wants text, a rule without its condition."""
    change(manifests[1]["spec"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifests[1], RAYJOB)


def test_versions_are_those_of_the_constraints(cluster):
    """Of Ray and Python, in the manifest and in the image's recipe; one image for all nodes."""
    import ray

    tested = re.search(r"Python (3)\.(\d+)", (ROOT / "constraints.txt").read_text())
    recipe = (DEPLOY / "Dockerfile").read_text()
    assert f"FROM rayproject/ray:{ray.__version__}-py{tested[1]}{tested[2]}\n" in recipe
    assert cluster["rayVersion"] == ray.__version__
    (image,) = {each["image"] for each in containers(cluster)}
    assert f"docker build -t {image} -f pipeline/deploy/Dockerfile ." in recipe


def test_the_image_has_all_that_the_install_reads():
    """Every path that the recipe copies exists; packages, metadata and pins are among them."""
    recipe = (DEPLOY / "Dockerfile").read_text()
    lines = [line.split()[2:-1] for line in recipe.splitlines() if line.startswith("COPY")]
    copied = {path for line in lines for path in line}
    assert not [path for path in copied if not (ROOT / path).exists()]
    assert copied >= {"core", "pipeline", "analysis", "pyproject.toml", "constraints.txt"}


def test_the_head_trains_nothing_and_workers_come_from_none(cluster):
    """None is paid for without work; nobody reaches them without a token."""
    assert cluster["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}
    (workers,) = cluster["workerGroupSpecs"]
    assert 0 == workers["minReplicas"] == workers["replicas"] < workers["maxReplicas"]
    assert cluster["enableInTreeAutoscaling"]
    assert cluster["autoscalerOptions"]["version"] == "v2"
    assert cluster["authOptions"] == {"mode": "token"}


def test_the_entrypoint_runs_a_sweep_that_the_head_has(manifests, cluster, tmp_path):
    """The file is valid, mounted where the command names it, and its store outlives the pods."""
    sweeps, job = manifests
    command = shlex.split(job["spec"]["entrypoint"])
    assert command[:2] == ["phasesweep", "run"]
    assert command[command.index("--address") + 1] == "auto"
    assert command[command.index("--store") + 1].startswith("s3://")
    pod = cluster["headGroupSpec"]["template"]["spec"]
    (mount,) = pod["containers"][0]["volumeMounts"]
    assert {"name": mount["name"], "configMap": {"name": sweeps["metadata"]["name"]}} in pod[
        "volumes"
    ]
    folder, name = command[2].rsplit("/", 1)
    assert folder == mount["mountPath"]
    (tmp_path / name).write_text(sweeps["data"][name])
    assert load_sweep(str(tmp_path / name)).grid.size > 1


def test_only_the_head_has_the_buckets_credentials(cluster):
    """Workers write nothing."""
    head, *others = containers(cluster)
    assert head["envFrom"]
    assert not any("envFrom" in each for each in others)
