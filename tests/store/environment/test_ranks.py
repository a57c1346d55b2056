"""The rank of a process is what its launcher said."""

import os
import re
import sys
from types import ModuleType, SimpleNamespace

import pytest

import stepwell
from stepwell.store.environment.rank import rank_of_process

VARIABLES = re.compile("RANK$|PROCESS_I|^SLURM_|WORLD_SIZE$|^NNODES$|^NUM_NODES$")


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in filter(VARIABLES.search, list(os.environ)):
        monkeypatch.delenv(name)


def rank(monkeypatch: pytest.MonkeyPatch, **variables: object) -> int:
    """The rank of a process that was started with *variables*."""
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, str(value))
        return rank_of_process()


def test_without_a_launcher_it_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rank(monkeypatch) == 0


@pytest.mark.parametrize(
    "name",
    [
        "RANK",
        "OMPI_COMM_WORLD_RANK",
        "PMI_RANK",
        "PMIX_RANK",
        "JAX_PROCESS_ID",
        "JAX_PROCESS_INDEX",
        "SLURM_PROCID",
    ],
)
def test_a_launcher_says_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rank(monkeypatch, **{name: 5}) == 5
    assert rank(monkeypatch, **{name: 99_999_999}) == 0
    assert rank(monkeypatch, **{name: "many"}) == 0
    assert rank(monkeypatch, **{name: ""}) == 0
    assert rank(monkeypatch, **{name: -1}) == 0


def test_a_run_has_it(monkeypatch: pytest.MonkeyPatch, store_path: object) -> None:
    monkeypatch.setenv("NODE_RANK", "1")
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    with stepwell.start_run(store=str(store_path)) as run:
        assert run.rank == 7
    with stepwell.start_run(store=str(store_path), rank=2) as run:
        assert run.rank == 2


@pytest.mark.parametrize("node", ["NODE_RANK", "GROUP_RANK", "SLURM_NODEID"])
@pytest.mark.parametrize(
    "size",
    [
        {"LOCAL_WORLD_SIZE": 4},
        {"WORLD_SIZE": 8, "NNODES": 2},
        {"WORLD_SIZE": 8, "SLURM_NNODES": 2},
    ],
)
def test_it_is_that_of_the_node_and_the_one_within_it(
    node: str, size: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        rank(monkeypatch, **{node: number, "LOCAL_RANK": local}, **size)
        for number in range(2)
        for local in range(4)
    ]
    assert found == list(range(8))


@pytest.mark.parametrize("size", [{}, {"WORLD_SIZE": 6}, {"WORLD_SIZE": 6, "NNODES": 4}])
def test_nodes_of_unknown_size_have_distinct_ranks(
    size: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {
        rank(monkeypatch, NODE_RANK=node, LOCAL_RANK=local, **size)
        for node in range(2)
        for local in range(3)
    }
    assert len(found) == 6
    assert {0, 1, 2} <= found


def test_one_node_needs_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rank(monkeypatch, LOCAL_RANK=3) == 3
    assert rank(monkeypatch, NODE_RANK=3) == 3  # a process a node


def test_processes_below_one_task_of_slurm_have_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_task = {"SLURM_PROCID": 0, "SLURM_LOCALID": 0, "SLURM_NODEID": 0}
    assert rank(monkeypatch, **of_task, LOCAL_RANK=2, NODE_RANK=0) == 2
    of_task = {"SLURM_PROCID": 6, "SLURM_LOCALID": 2, "SLURM_NODEID": 1}
    assert rank(monkeypatch, **of_task, LOCAL_RANK=2) == 6
    assert rank(monkeypatch, **of_task, RANK=9) == 9


def test_in_jax_it_is_what_the_processes_were_joined_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("jax._src.distributed")
    state = SimpleNamespace(process_id=3, client=None)
    module.global_state = state  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert rank(monkeypatch) == 0  # JAX is loaded, and its processes are not joined
    state.client = object()
    assert rank(monkeypatch) == 3
    assert rank(monkeypatch, RANK=1) == 1
