"""Which of a run's processes this one is, by what its launcher said."""

import os
import sys
from typing import Any

RANK_MAX = 2**15 - 1
"""The largest rank of a process."""

_GLOBAL = (
    "RANK",  # torchrun, DeepSpeed, Accelerate, Ray Train
    "OMPI_COMM_WORLD_RANK",
    "PMI_RANK",
    "PMIX_RANK",
    "JAX_PROCESS_ID",
    "JAX_PROCESS_INDEX",
)
_NODE = ("NODE_RANK", "GROUP_RANK", "SLURM_NODEID")
_NODES = ("NNODES", "NUM_NODES", "SLURM_NNODES")
_MOST_LOCAL = 64  # processes of one node, where their number is not said


def rank_of_process() -> int:
    """The rank that a launcher gave this process; 0 without one.

    `RANK` or its kin, else what JAX has been told, else `LOCAL_RANK` on the node
    `NODE_RANK`, else Slurm's.
    """
    for rank in (*map(_number, _GLOBAL), _rank_in_jax(), _rank_by_node()):
        if rank is not None and rank <= RANK_MAX:
            return rank
    return 0


def _rank_by_node() -> int | None:
    """The node's rank times the processes of a node, and the rank within it.

    Where the number of processes a node is not said, ranks are distinct, with gaps.
    """
    local, task = _number("LOCAL_RANK"), _number("SLURM_PROCID")
    # Slurm's own word counts, unless a launcher has started several below one task.
    if task is not None and (local is None or local == _number("SLURM_LOCALID")):
        return task
    node = _first(_NODE)
    if node is None or local is None:
        return node if local is None else local
    return node * _processes_a_node(local) + local


def _processes_a_node(local: int) -> int:
    said = _number("LOCAL_WORLD_SIZE")
    if said:
        return said
    world, nodes = _number("WORLD_SIZE"), _first(_NODES)
    if world and nodes and world % nodes == 0:
        return max(world // nodes, local + 1)
    return world or _MOST_LOCAL


def _rank_in_jax() -> int | None:
    """What `jax.distributed.initialize()` was given, or found out."""
    state: Any = getattr(sys.modules.get("jax._src.distributed"), "global_state", None)
    rank = getattr(state, "process_id", None)
    is_of_several = getattr(state, "client", None) is not None
    return rank if is_of_several and isinstance(rank, int) and rank >= 0 else None


def _first(names: tuple[str, ...]) -> int | None:
    return next((n for n in map(_number, names) if n is not None), None)


def _number(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else None
