"""Pictures are called as what they show is, and different things never share a name."""

import itertools
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import stepwell
from stepwell.cli import main
from stepwell.viz import picture_name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("loss", "loss.png"),
        ("val_loss", "val_loss.png"),
        ("train/loss", "train--loss.png"),
        ("lr-0.01", "lr-0.01.png"),
        ("損失", "損失.png"),
    ],
)
def test_a_plain_name_stays_as_it_is(name: str, file: str) -> None:
    assert picture_name(name) == file


LONG = "層/" * 400
LIKE_EACH_OTHER = [
    ["train/loss", "train_loss", "train loss", "train--loss", "train\\loss"],
    ["loss", "Loss", "LOSS", "lo\u017fs"],
    ["é", "e\u0301", "É"],
    ["Å", "\u212b", "å"],
    ["a-/b", "a/-b", "a---b", "a//b"],
    [LONG + "1", LONG + "2", LONG],
    ["", ".", "..", "...", "/", "-"],
    ["con", "CON", "con.loss", "_con", "nul", "com1"],
    ["loss\0", "loss\n", "loss.", "loss ", "loss\u202e", "loss\udc80"],
    ["Loss", picture_name("Loss", suffix="")],
]


@pytest.mark.parametrize("names", LIKE_EACH_OTHER)
def test_names_like_each_other_get_different_files(names: list[str]) -> None:
    files = [picture_name(name) for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    assert files == [picture_name(name) for name in names]


@given(st.lists(st.text(st.characters(), max_size=300), unique=True, max_size=8))
def test_any_names_get_different_files_that_can_be_made(names: list[str]) -> None:
    files = [picture_name(name, before="all-") for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    for file in files:
        assert len(os.fsencode(file)) <= 143
        assert Path(file).name == file
        assert file.isprintable()


def test_a_name_is_cut_between_letters() -> None:
    for letters in range(30, 60):
        file = picture_name("x" * letters + "層" * 60)
        assert file.encode().decode() == file


@pytest.mark.parametrize("name", [".hidden", "-o", "con", "NUL.loss", ""])
def test_no_file_is_hidden_an_option_or_a_device(name: str) -> None:
    file = picture_name(name)
    assert file.startswith("_")


@pytest.mark.parametrize("output", [None, "out.svg", "損" * 80 + ".png"])
def test_each_metric_of_a_command_gets_a_picture(
    store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    metrics = ["train/loss", "train_loss", "train loss", "層" * 200]
    with stepwell.init(store=store_path) as run:
        run.log(dict(zip(metrics, itertools.count(), strict=False)), step=0)
    before = set(tmp_path.iterdir())
    options = ["-o", output] if output else []
    result = CliRunner().invoke(
        main, ["--store", str(store_path), "plot", *metrics, *options]
    )
    assert result.exit_code == 0, result.output
    made = {path.name for path in set(tmp_path.iterdir()) - before}
    assert made == {Path(line).name for line in result.stdout.splitlines()}
    assert len(made) == len(metrics)
