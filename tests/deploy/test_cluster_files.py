"""The cluster files, AWS's and one's own machines', against Ray's checks and the project's pins."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
AWS, ON_PREMISE = "cluster.yaml", "pipeline/deploy/on_premise.yaml"


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.fixture(scope="module", params=[AWS, ON_PREMISE])
def raw(request) -> dict[str, Any]:
    """Each file as written."""
    return read(request.param)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema that ships with Ray."""
    import ray.autoscaler

    return json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())


@pytest.fixture
def prepared(raw) -> dict[str, Any]:
    """The file as `ray up` completes it with the defaults of its provider."""
    from ray.autoscaler._private.util import prepare_config

    return prepare_config(json.loads(json.dumps(raw)))


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def commands(config: dict[str, Any], *, of: str) -> list[str]:
    return [command for name, value in config.items() if re.search(of, name) for command in value]


def test_the_file_follows_rays_schema(raw, schema):
    """Every field of the raw file is one that Ray knows, of the right type."""
    jsonschema.validate(raw, schema)


def test_the_schema_refuses_a_field_that_ray_would_drop(raw, schema):
    """Ray silently drops a top-level min_workers; checking the raw file notices it."""
    with pytest.raises(jsonschema.ValidationError, match="min_workers"):
        jsonschema.validate(raw | {"min_workers": 2}, schema)


def test_ray_accepts_the_completed_file(prepared):
    """With the defaults filled in, the file passes what `ray up` checks before it launches."""
    from ray.autoscaler._private.util import validate_config

    validate_config(prepared)


def test_workers_grow_from_none_to_the_maximum():
    """On AWS none is paid for without work, and none is a head."""
    from ray.autoscaler._private.util import prepare_config

    prepared = prepare_config(read(AWS))
    worker = prepared["available_node_types"]["worker"]
    assert 0 == worker["min_workers"] < worker["max_workers"] <= prepared["max_workers"]
    assert prepared["available_node_types"]["head"]["max_workers"] == 0


def test_all_machines_of_ones_own_are_workers():
    """But the head; Ray's completed file has as many as there are addresses."""
    from ray.autoscaler._private.util import prepare_config

    raw = read(ON_PREMISE)
    machines = raw["provider"]["worker_ips"]
    assert raw["max_workers"] == len(set(machines) - {raw["provider"]["head_ip"]})
    (node,) = prepare_config(raw)["available_node_types"].values()
    assert node["min_workers"] == node["max_workers"] == len(machines)


def test_the_head_trains_nothing():
    """It has no CPUs for tasks: it plans the sweep and writes the store."""
    assert read(AWS)["available_node_types"]["head"]["resources"] == {"CPU": 0}
    assert "--num-cpus=0" in read(ON_PREMISE)["head_start_ray_commands"][-1]


def test_every_cluster_is_set_up_alike():
    """The same files and commands, wherever the machines come from."""
    aws, on_premise = read(AWS), read(ON_PREMISE)
    for name in ("file_mounts", "rsync_exclude", "setup_commands", "worker_start_ray_commands"):
        assert aws[name] == on_premise[name]


@pytest.mark.parametrize("node", ["head", "worker"])
def test_every_node_installs_the_checkout_with_the_pins(prepared, node):
    """Head and workers install the project, and no command but that one chooses Ray's version."""
    setup = [*prepared["setup_commands"], *prepared[f"{node}_setup_commands"]]
    installs = {command for command in setup if "pip install" in command}
    project = [each for each in installs if "-c constraints.txt -e '.[cluster]'" in each]
    assert len(project) == 1
    assert not [command for command in installs if re.search(r"\bray\b", command)]


def test_the_nodes_python_and_ray_are_those_of_the_constraints(raw):
    """Ray refuses a driver of another Python or Ray: nodes use the versions that were pinned."""
    import ray

    tested = re.search(r"Python (3\.\d+)", (ROOT / "constraints.txt").read_text())
    named = set(re.findall(r"python(3\.\d+)", " ".join(commands(raw, of="_commands$"))))
    assert tested is not None
    assert named == {tested[1]}
    assert pins()["ray"] == ray.__version__


def test_what_takes_jobs_is_pinned_too():
    """Of Ray's extra `default`, which the extra `cluster` installs."""
    assert {"aiohttp", "aiohttp-cors", "colorful", "opencensus", "smart_open"} <= {*pins()}


def test_the_nodes_get_all_that_the_install_reads(raw):
    """Every mounted path exists, and packages, metadata and pins are among them."""
    sources = set(raw["file_mounts"].values()) - {"~/.ray/auth_token"}
    assert not [source for source in sources if not (ROOT / source).exists()]
    assert sources >= {"core", "pipeline", "analysis", "pyproject.toml", "constraints.txt"}
    assert sources >= {"README.md"}


def test_nobody_reaches_the_cluster_without_the_token(raw):
    """Every `ray start` requires the token, which every node gets; jobs are taken on the head."""
    starts = [command for command in commands(raw, of="_start_ray_") if "ray start" in command]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token" in command for command in starts)
    assert raw["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    head = raw["head_start_ray_commands"][-1]
    assert "--include-dashboard=true --dashboard-host=127.0.0.1" in head
    assert "0.0.0.0" not in json.dumps(raw)
