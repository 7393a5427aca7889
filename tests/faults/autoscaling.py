"""A Ray cluster that an autoscaler grows from no worker and shrinks again, all on this machine."""

import json
import os
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from unittest import mock

import psutil
from ray._private.services import get_node_ip_address
from ray.autoscaler._private.fake_multi_node.node_provider import FAKE_HEAD_NODE_ID
from ray.cluster_utils import Cluster

from tests.pipeline.s3 import free_port

MOST_WORKERS = 3
IDLE_MINUTES = 0.1
# Of the process that scales; without the first it takes the provider for a mistake.
ENVIRONMENT = {"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1"}
UNUSED = (
    "setup_commands",
    "initialization_commands",
    "head_setup_commands",
    "worker_setup_commands",
    "head_start_ray_commands",
    "worker_start_ray_commands",
    "cluster_synced_files",
    "rsync_exclude",
    "rsync_filter",
)


class Autoscaled:
    """The cluster: a head without CPUs, and workers of one CPU each as they are asked for."""

    def __init__(self, cluster):
        """Take a cluster whose head has been started."""
        self._cluster = cluster
        self.address = cluster.address

    @property
    def cpus(self):
        """How many there are now."""
        return int(self._cluster.global_state.cluster_resources().get("CPU", 0))

    def shrinks_within(self, seconds):
        """Whether the last worker goes before so many seconds have passed."""
        limit = monotonic() + seconds
        while self.cpus:
            if monotonic() > limit:
                return False
            sleep(1)
        return True


@contextmanager
def autoscaled(folder):
    """A head and its autoscaler; all that they started is ended.

    Args:
        folder: For the configuration.
    """
    port = free_port()
    configuration = folder / "autoscaler.yaml"
    configuration.write_text(json.dumps(_configuration(f"{get_node_ip_address()}:{port}")))
    head = {
        "num_cpus": 0,
        "gcs_server_port": port,
        "autoscaling_config": str(configuration),
        "env_vars": {"RAY_OVERRIDE_NODE_ID_FOR_TESTING": FAKE_HEAD_NODE_ID},
    }
    with mock.patch.dict(os.environ, ENVIRONMENT):
        cluster = Cluster(initialize_head=True, head_node_args=head)
    (monitor,) = cluster.head_node.all_processes["monitor"]
    try:
        yield Autoscaled(cluster)
    finally:
        workers = psutil.Process(monitor.process.pid).children(recursive=True)
        cluster.shutdown()
        for process in workers:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _configuration(address):
    """What `ray up` would write; the provider starts raylets here."""
    return {
        "cluster_name": "faults",
        "max_workers": MOST_WORKERS,
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": IDLE_MINUTES,
        "provider": {
            "type": "fake_multinode",
            "gcs_address": address,
            "head_node_id": FAKE_HEAD_NODE_ID,
            "launch_multiple": True,
            "use_node_id_as_ip": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        },
        "head_node_type": "head",
        "available_node_types": {
            "head": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "worker": {
                "resources": {"CPU": 1},
                "node_config": {},
                "min_workers": 0,
                "max_workers": MOST_WORKERS,
            },
        },
        "auth": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        **{name: [] for name in UNUSED},
    }
