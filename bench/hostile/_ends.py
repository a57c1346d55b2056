"""How a run of a case ends: as the worst of the ranks of its last attempt."""

from dataclasses import replace
from typing import Any

from ._records import DEAD, FINISHED, RUNNING, SILENT, Case, Journal

_BADNESS = {"finished": 0, "interrupted": 1, "crashed": 2, "failed": 3}


def dated(end: dict[str, Any], begun: int | None) -> dict[str, Any]:
    """The same end, which is not before the run's begin."""
    if end.get("status") == RUNNING:
        return end | {"finished_at": None}
    ended = end.get("finished_at")
    both = begun is not None and ended is not None
    return end | ({"finished_at": max(begun, ended)} if both else {})


def end_of_ranks(case: Case, primary: Journal) -> dict[str, Any]:
    """How the last attempt ended: as the worst of its ranks, as far as that is certain."""
    end = _end(primary)
    if end["status"] not in _BADNESS:
        return end
    ranks: dict[int, list[dict[str, Any]]] = {}
    for one in case.journals:
        header = one.header
        if one.attempt == primary.attempt and header["rank"] != primary.header["rank"]:
            known = one.is_finished or one.life == DEAD
            said = _end(replace(one, header=header | {"primary": True})) if known else end
            message = said["exit_message"] or said["status"]
            said = said | {"exit_message": f"rank {header['rank']}: {message}"}
            ranks.setdefault(header["rank"], []).append(said if known else {"status": ""})
    if not ranks:
        return end
    del end["finished_at"]  # the last sign of any of them
    if any(len({one["status"] for one in found}) > 1 for found in ranks.values()):
        return {}  # that of whichever began first
    others = [found[0] for found in ranks.values() if found[0]["status"]]
    worst = max(_BADNESS[one["status"]] for one in (end, *others))
    if _BADNESS[end["status"]] == worst:
        return end
    found = [one for many in ranks.values() for one in many]
    causes = [one for one in found if _BADNESS.get(one["status"]) == worst]
    end["status"] = causes[0]["status"]
    if len(causes) > 1:
        del end["exit_message"]  # that of whichever ended first
    else:
        end["exit_message"] = causes[0]["exit_message"]
    return end


def _end(journal: Journal) -> dict[str, Any]:
    if not journal.header["primary"]:
        return {"status": RUNNING, "exit_message": None}
    for record in journal.whole:
        if record.kind == FINISHED:
            return {
                "status": record.value["status"],
                "exit_message": record.value["message"],
                "finished_at": record.value["time"] // 1000,
            }
    if journal.life in {DEAD, SILENT}:
        message = "the process ended without a word"
        end = None if journal.heartbeat is None else journal.heartbeat * 10**6
        return {"status": "crashed", "exit_message": message, "finished_at": end}
    if journal.is_elsewhere:
        return {"status": RUNNING}  # and where it goes on
    return {"status": RUNNING, "exit_message": None}
