"""A Ray cluster whose workers have networks of their own, so that their links can be cut.

Each worker node is in a network namespace of this machine, with its own address, and reaches the
head over a bridge. Only root may make them, with the `ip` command of iproute2.
"""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, sleep

from ray.cluster_utils import Cluster

from tests.faults.suite import SMALL_STORE, SkippedError

WORKERS = 2
START_SECONDS = 120
# Of the range that is kept for tests of networks, a network of this process.
NETWORK = f"198.18.{os.getpid() % 256}"


class Separated:
    """The cluster: a head without CPUs, and WORKERS nodes of one CPU each."""

    def __init__(self, cluster, links):
        """Take a cluster that has been started, and the head's ends of its workers' links."""
        self._cluster, self._links = cluster, links
        self.address = cluster.address

    @property
    def cpus(self):
        """How many there are now."""
        return int(self._cluster.global_state.cluster_resources().get("CPU", 0))

    def cut_off(self):
        """Cut the link of the last worker. Both sides only see that the other is silent."""
        _ip("link", "set", self._links[-1], "down")

    def let_back(self):
        """Mend the link."""
        _ip("link", "set", self._links[-1], "up")


@contextmanager
def separated(folder):
    """The cluster; all that was made for it is ended and removed.

    Args:
        folder: For the files of its workers.

    Raises:
        SkippedError: This machine makes no network namespaces for us.
    """
    with ExitStack() as stack:
        bridge = _bridge(stack)
        spaces = [f"faults-{os.getpid()}-{number}" for number in range(WORKERS)]
        links = [_link(space, number, bridge, stack) for number, space in enumerate(spaces)]
        head = {"num_cpus": 0, "node_ip_address": f"{NETWORK}.1", **SMALL_STORE}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        stack.callback(cluster.shutdown)
        for number, space in enumerate(spaces):
            _start_worker(space, cluster.address, _address(number), folder / space)
        found, limit = Separated(cluster, links), monotonic() + START_SECONDS
        while found.cpus < WORKERS:
            if monotonic() > limit:
                raise TimeoutError(f"only {found.cpus} of {WORKERS} nodes joined the head")
            sleep(0.5)
        yield found


def _bridge(stack):
    """The name of a bridge with the head's address."""
    if shutil.which("ip") is None:
        raise SkippedError("there is no command `ip`, of iproute2")
    bridge = f"faults{os.getpid()}"
    try:
        _ip("link", "add", bridge, "type", "bridge")
    except subprocess.CalledProcessError as error:
        raise SkippedError(f"this machine makes no bridge: {error.stderr.strip()}") from error
    stack.callback(_ip, "link", "delete", bridge)
    _ip("address", "add", f"{NETWORK}.1/24", "dev", bridge)
    _ip("link", "set", bridge, "up")
    return bridge


def _link(space, number, bridge, stack):
    """Make a namespace and its link to the bridge; returns the name of the link's other end."""
    try:
        _ip("netns", "add", space)
    except subprocess.CalledProcessError as error:
        raise SkippedError(f"this machine makes no namespace: {error.stderr.strip()}") from error
    stack.callback(_ip, "netns", "delete", space)
    stack.callback(_kill_all, space)
    link = f"f{os.getpid()}-{number}"
    _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
    _ip("link", "set", link, "master", bridge, "up")
    _ip("-netns", space, "address", "add", f"{_address(number)}/24", "dev", "eth0")
    for name in ("lo", "eth0"):
        _ip("-netns", space, "link", "set", name, "up")
    return link


def _address(number):
    return f"{NETWORK}.{number + 2}"


def _start_worker(space, head, address, folder):
    """Start a node in a namespace; folder is for its files."""
    ray = (sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus", "1")
    memory = ("--object-store-memory", str(SMALL_STORE["object_store_memory"]))
    there = ("--address", head, "--node-ip-address", address, "--temp-dir", str(folder))
    subprocess.Popen(
        ["ip", "netns", "exec", space, *ray, *memory, *there],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill_all(space):
    """Kill the processes in a namespace, those that they start meanwhile too."""
    while processes := _ip("netns", "pids", space).split():
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(int(process), 9)
        sleep(0.1)


def _ip(*arguments):
    """What the command `ip` prints."""
    command = ["ip", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
