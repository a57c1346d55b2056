"""What is recorded of a process: no secrets, nothing where that is wanted."""

import getpass
import os
import random
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import stepwell
from stepwell.cli import main
from stepwell.store import ConfigurationError, Store, start_run
from stepwell.store.environment.command_line_secrets import without_secrets
from stepwell.store.environment.process_facts import describe_checkout, describe_process
from stepwell.store.recording.random_names import generate_name

Output = Callable[..., str]

HIDES = [
    ("--api-key=abc", "--api-key=***"),
    ("--token abc", "--token '***'"),
    ("--token -abc", "--token '***'"),
    ("--token --abc", "--token '***'"),
    ("--token --abc --lr 0.1", "--token '***' --lr 0.1"),
    ("--token --abc=def", "--token '***'"),
    ("--token --password abc", "--token '***' '***'"),
    ("--token -- abc", "--token '***' '***'"),
    ("--password abc train.py", "--password '***' train.py"),
    ("--token '' --api-key=--abc", "--token '***' '--api-key=***'"),
    ("--hf-token abc --lr 0.1", "--hf-token '***' --lr 0.1"),
    ("-password abc", "-password '***'"),
    ("--db.password 'two words'", "--db.password '***'"),
    ("'--password=two words'", "'--password=***'"),
    ("db.password=hunter2", "'db.password=***'"),
    ("+trainer.hub_token=abc", "'+trainer.hub_token=***'"),
    ("~secret=abc", "'~secret=***'"),
    ("env WANDB_API_KEY=abc AWS_SECRET_ACCESS_KEY=abc", "env 'WANDB_API_KEY=***'"),
    ("--secretKey=abc", "'--secretKey=***'"),
    ("--basic-auth me:abc", "--basic-auth '***'"),
    ("--header 'Authorization: Bearer abc'", "--header 'Authorization: ***'"),
    ("--dsn postgresql://me:abc@host/db", "'postgresql://me:***@host/db'"),
    ("--url=https://abc@github.com/x", "'--url=https://***@github.com/x'"),
    ("'http://host/?access_token=abc&lr=2'", "'http://host/?access_token=***&lr=2'"),
    ("""'{"password": "ab\\"c", "lr": 1}'""", """'{"password": "***", "lr": 1}'"""),
    ("""-c 'login(token="abc", key=1)'""", """-c 'login(token="***", key=1)'"""),
    ("--set=db.password='two words'", "'--set=db.password=***'"),
    ("--set 'a=1,db.password=abc,lr=2'", "a=1,db.password=***,lr=2"),
    ("x=y=token=abc", "'x=y=token=***'"),
    ("'AccountName=a;AccountKey=abc==;x=1'", "'AccountName=a;AccountKey=***;x=1'"),
]

KEEPS = [
    "--tokenizer gpt2 --max-tokens 5 --max_new_tokens=7 --pad-token '<pad>' eos_token=x",
    "--key loss --keys=a,b monitor=val:loss --author me --authors=a",
    "--password-file /run/x --token_path=/x --auth-mode none credentials.type=x",
    "ssh://git@host/x git@github.com:a/b https://github.com/a@b",
    "--lr 0.1 --token",
    "--lr -0.1 --verbose -- --abc",
    "-p 3 -u me --lr=0.1 optimizer.name=adam",
    "-c 'x = {1: 2}; print(x[1])'",
]


@pytest.mark.parametrize(("given", "wanted"), HIDES)
def test_values_that_their_names_call_secret_are_hidden(given: str, wanted: str) -> None:
    shown = shlex.join(without_secrets(shlex.split(given)))

    assert "abc" not in shown
    assert "two words" not in shown
    assert "hunter2" not in shown
    assert wanted.replace("'", "") in shown.replace("'", "")


@pytest.mark.parametrize("given", KEEPS)
def test_all_else_is_kept(given: str) -> None:
    assert without_secrets(shlex.split(given)) == shlex.split(given)


def test_no_secret_of_the_command_reaches_the_store(
    python: Callable[..., "subprocess.Popen[str]"], store_path: Path
) -> None:
    code = "import sys, stepwell; stepwell.init(store=sys.argv[1]).finish(); print('done')"
    process = python(code, store_path, "--token", "abcdef", "db.password=abcdef")
    assert process.wait(100) == 0

    with Store(store_path) as store:
        command = store.run("last").command or ""
    assert "--token '***' 'db.password=***'" in command
    files = [store_path, *store_path.parent.rglob("*.journal")]
    assert all(b"abcdef" not in path.read_bytes() for path in files if path.is_file())


@pytest.mark.parametrize("said", ["no", "0", "False", "off"])
def test_nothing_of_the_process_is_recorded_where_that_is_said(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("STEPWELL_RECORD_PROCESS", said)

    with start_run(name="quiet", store=store_path) as run:
        run.log({"loss": 1.0})
        run.recorder().log({"loss": 2.0})

    with Store(store_path) as store:
        (row,) = store.sql(
            "select host, pid, user_name, command, working_dir, python_version, git_commit"
            " from runs"
        ).fetchall()
    assert set(row) == {None}
    shown = CliRunner().invoke(main, ["--store", str(store_path), "show", "last"])
    assert shown.exit_code == 0
    assert "None" not in shown.stdout


def test_another_answer_is_refused(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPWELL_RECORD_PROCESS", "perhaps")

    with pytest.raises(ConfigurationError, match="must be yes or no, not 'perhaps'"):
        stepwell.init(store=store_path)


def is_running(pid: int) -> bool:
    try:
        return b" Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def git(folder: Path, *command: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    return subprocess.check_output(
        ["git", *who, "-C", folder, *command], text=True, stderr=subprocess.STDOUT
    ).strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("stepwell.store.environment.git._SECONDS", 60.0)
    for variable in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.py").write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def program(tmp_path: Path) -> tuple[Path, Path]:
    """A program that leaves a trace, and the trace."""
    trace, path = tmp_path / "trace", tmp_path / "program"
    path.write_text(f"#!/bin/sh\necho ran >> {trace}\ncat\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path, trace


def touch(checkout: Path) -> None:
    """Let git compare the content of a file that has not changed."""
    os.utime(checkout / "train.py", (1, 1))


def name_a_monitor(checkout: Path, tool: Path) -> None:
    git(checkout, "config", "core.fsmonitor", str(tool))


def name_a_filter(checkout: Path, tool: Path) -> None:
    (checkout / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    git(checkout, "config", "filter.evil.clean", str(tool))
    touch(checkout)


def name_a_filter_that_must_work(checkout: Path, tool: Path) -> None:
    name_a_filter(checkout, tool)
    git(checkout, "config", "filter.evil.process", str(tool))
    git(checkout, "config", "filter.evil.required", "true")


def name_a_filter_by_another_file(checkout: Path, tool: Path) -> None:
    (checkout / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    (checkout / "more").write_text(f'[filter "evil"]\n\tclean = {tool}\n')
    git(checkout, "config", "include.path", "../more")
    touch(checkout)


def name_a_filter_oddly(checkout: Path, tool: Path) -> None:
    (checkout / ".git" / "info" / "attributes").write_text("* filter=e=v\n")
    git(checkout, "config", "filter.e=v.clean", str(tool))
    touch(checkout)


def name_a_hook(checkout: Path, tool: Path) -> None:
    hooks = checkout / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "fsmonitor-watchman"):
        (hooks / hook).symlink_to(tool)
    touch(checkout)


def name_a_folder_of_hooks(checkout: Path, tool: Path) -> None:
    hooks = checkout.parent / "hooks"
    hooks.mkdir()
    (hooks / "post-index-change").symlink_to(tool)
    git(checkout, "config", "core.hooksPath", str(hooks))
    touch(checkout)


def name_a_monitor_in_a_submodule(checkout: Path, tool: Path) -> None:
    other = checkout.parent / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-qm", "first", "--allow-empty")
    git(checkout, "submodule", "--quiet", "add", str(other), "sub")
    git(checkout, "commit", "-qm", "second")
    git(checkout / "sub", "config", "core.fsmonitor", str(tool))


NAMES = [
    name_a_monitor,
    name_a_filter,
    name_a_filter_that_must_work,
    name_a_filter_by_another_file,
    name_a_filter_oddly,
    name_a_hook,
    name_a_folder_of_hooks,
    name_a_monitor_in_a_submodule,
]


@pytest.mark.parametrize("name", NAMES)
def test_no_program_of_a_checkouts_configuration_runs(
    checkout: Path, tmp_path: Path, name: Callable[[Path, Path], None]
) -> None:
    tool, trace = program(tmp_path)
    name(checkout, tool)
    trace.unlink(missing_ok=True)

    found = describe_checkout(str(checkout))

    assert found["git_commit"] == git(checkout, "rev-parse", "HEAD")
    assert not trace.exists()
    assert found["git_dirty"] is (None if name is name_a_filter_oddly else False)
    subprocess.run(["git", "-C", checkout, "status"], check=False, capture_output=True)
    assert trace.exists()  # by a git that is called as usual


PROGRAMS = (
    "alias.status core.alternateRefsCommand core.askPass core.editor core.fsmonitor"
    " core.gitProxy core.pager core.sshCommand credential.helper diff.external gpg.program"
    " pager.config pager.rev-parse pager.status"
).split()


def test_a_run_that_begins_in_a_checkout_starts_none_of_its_programs(
    checkout: Path,
    tmp_path: Path,
    store_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:
    tool, trace = program(tmp_path)
    name_a_folder_of_hooks(checkout, tool)
    for setting in PROGRAMS:
        git(checkout, "config", setting, str(tool))
    commit = git(checkout, "rev-parse", "HEAD")
    trace.unlink(missing_ok=True)
    monkeypatch.chdir(checkout)

    with stepwell.init(store=store_path):
        eventually(lambda: Store(store_path).run("last").git_dirty is not None)

    found = Store(store_path).run("last")
    assert (found.git_commit, found.git_dirty) == (commit, False)
    assert not trace.exists()


def test_no_pager_of_a_checkout_runs_at_a_terminal(checkout: Path, tmp_path: Path) -> None:
    tool, trace = program(tmp_path)
    git(checkout, "config", "core.pager", str(tool))
    git(checkout, "config", "pager.rev-parse", str(tool))
    code = f"""
import os, pty, subprocess, sys
from stepwell.store.environment.process_facts import describe_checkout
leader, terminal = pty.openpty()
for stream in range(3):
    os.dup2(terminal, stream)
os.environ["TERM"] = "xterm"
known = describe_checkout({str(checkout)!r})
before = os.path.exists({str(trace)!r})
subprocess.run(["git", "-C", {str(checkout)!r}, "log"], check=True)
after = os.path.exists({str(trace)!r})
os._exit(0 if known and not before and after else 1)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=100)

    assert done.returncode == 0


def test_a_change_is_still_seen(checkout: Path, tmp_path: Path) -> None:
    tool, _ = program(tmp_path)
    name_a_filter(checkout, tool)
    assert describe_checkout(str(checkout))["git_dirty"] is False

    (checkout / "train.py").write_text("2\n")

    assert describe_checkout(str(checkout))["git_dirty"] is True


def test_a_filter_of_the_users_own_configuration_works(
    checkout: Path, tmp_path: Path
) -> None:
    git(checkout, "config", "filter.big.clean", "false")
    git(checkout, "config", "--global", "filter.big.clean", "sed s/2/1/")
    (checkout / ".git" / "info" / "attributes").write_text("* filter=big\n")
    (checkout / "train.py").write_text("2\n")

    assert describe_checkout(str(checkout))["git_dirty"] is False


def test_variables_of_another_repository_are_not_heeded(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    git(other, "init", "-q")
    wanted = git(checkout, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))

    assert describe_checkout(str(checkout)) == {"git_commit": wanted, "git_dirty": False}


def test_a_git_that_takes_too_long_is_ended_with_what_it_started(
    checkout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:
    git(checkout, "config", "--global", "filter.slow.clean", "echo $$ > ../pid; sleep 60")
    (checkout / ".git" / "info" / "attributes").write_text("* filter=slow\n")
    touch(checkout)

    said = tmp_path / "pid"
    for seconds in (0.3, 3.0, 30.0):  # a busy machine may not come to the filter before
        monkeypatch.setattr("stepwell.store.environment.git._SECONDS", seconds)
        assert describe_checkout(str(checkout))["git_dirty"] is None
        if said.exists() and said.read_text():
            break

    pid = int(said.read_text())
    eventually(lambda: not is_running(pid))


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME", None])
def test_the_user_is_who_python_says_it_is(
    monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "somebody")

    assert describe_process()["user_name"] == getpass.getuser()


def test_names_that_are_made_differ_and_leave_a_seed_alone() -> None:
    random.seed(7)
    before = random.getstate()
    names = [generate_name() for _ in range(200)]

    assert random.getstate() == before
    assert len({*names}) > 190
    assert all(re.fullmatch(r"[a-z]+-[a-z]+-[1-9]\d{0,2}", name) for name in names)
