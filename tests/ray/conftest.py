"""A cluster of three nodes on this machine. Only where asked for: Ray is large, and starts slowly."""

from __future__ import annotations

import os
import signal
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

collect_ignore_glob = [] if os.environ.get("ARTGEN_TEST_RAY") else ["test_*.py"]

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# Its nodes are known by the address of the loopback.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
# Workers would get next to no time on a busy machine.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
# The head forks a server for each client, which crashes in some versions of grpcio.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"


class Nodes:
    """A head with the client's port, and two more nodes; each has one processor."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        here: dict[str, Any] = {"num_cpus": 1, "node_ip_address": "127.0.0.1"}
        self.port = free_port()
        head = {**here, "ray_client_server_port": self.port, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.workers = [self.cluster.add_node(**here) for _ in range(2)]

    @property
    def address(self) -> str:
        """What `--on` takes."""
        return f"ray://127.0.0.1:{self.port}"

    def node_of(self, process: int) -> Any:
        """The node that started a process of a worker; None for the head."""
        try:
            parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return None
        for node in self.workers:
            if any(each.process.pid == parent for each in node.all_processes["raylet"]):
                return node
        return None

    def kill(self, process: int) -> None:
        """Take the node away that started this process, as if its plug was pulled."""
        node = self.node_of(process)
        self.workers.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)
        os.kill(process, signal.SIGKILL)  # It may be stopped, and would stay.

    def repair(self) -> None:
        """Have two again."""
        while len(self.workers) < 2:
            self.workers.append(self.cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1"))


@pytest.fixture(scope="session")
def whole_cluster() -> Iterator[Nodes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes = Nodes()
    yield nodes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes.cluster.shutdown()


@pytest.fixture
def cluster(whole_cluster: Nodes) -> Nodes:
    """Three nodes, whatever the test before did."""
    whole_cluster.repair()
    return whole_cluster


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])
