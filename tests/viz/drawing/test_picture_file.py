"""Figures as files: the same bytes for the same data, whole or not at all."""

import math
import os
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import matplotlib as mpl
import pytest

from stepwell.store import ConfigurationError, Run, start_run
from stepwell.viz import MetricConfig, TrainingVisualizerConfig
from stepwell.viz.drawing import picture_file as files
from stepwell.viz.drawing.picture_file import target_path
from stepwell.viz.run_page.draw_page import rendered, save_page
from stepwell.viz.run_page.page import Page, prepare

SUFFIXES = [".png", ".pdf", ".svg"]
BEGINNING = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Run:
    store = shutil.copy(empty_store, tmp_path_factory.mktemp("files") / "s.duckdb")
    run = start_run(name="moe", store=store)
    for step in range(300):
        run.log({"train_loss": math.exp(-step / 99) * (1 + math.sin(step * 7) / 9)})
        run.log({"val_loss": math.exp(-step / 99)} if step % 50 == 0 else {}, step=step)
    run.finish()
    return run


@pytest.fixture(scope="module")
def page(run: Run) -> Page:
    return page_of(run)


def page_of(run: Run) -> Page:
    metrics = [MetricConfig("train_loss", 0), MetricConfig("val_loss", 0)]
    return prepare(
        run.store(), run.id, TrainingVisualizerConfig(1, 1, (6, 4), metrics=metrics)
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_suffix_is_the_format(page: Page, tmp_path: Path, suffix: str) -> None:
    saved = save_page(page, tmp_path / f"plot{suffix}")
    assert saved.read_bytes().startswith(BEGINNING[suffix])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_data_make_the_same_bytes(run: Run, suffix: str) -> None:
    assert rendered(page_of(run), suffix) == rendered(page_of(run), suffix)


def test_the_same_data_make_the_same_bytes_in_another_process(
    run: Run, tmp_path: Path
) -> None:
    code = (
        "import sys; from stepwell.store import open_store; from stepwell.viz import *;"
        "save_run_figure(open_store(sys.argv[1]), 'last', sys.argv[2])"
    )
    contents = []
    for seed in "12":
        target = tmp_path / f"{seed}.svg"
        subprocess.run(
            [sys.executable, "-c", code, str(run.location), str(target)],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed},
        )
        contents.append(target.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_holds_no_date_and_no_version(page: Page, suffix: str) -> None:
    content = rendered(page, suffix)
    for text in (b"CreationDate", b"<dc:date>", b"Matplotlib v", mpl.__version__.encode()):
        assert text not in content


def test_fonts_of_a_pdf_are_embedded_as_truetype(page: Page) -> None:
    content = rendered(page, ".pdf")
    assert b"/Type3" not in content
    assert b"/FontFile2" in content


def test_missing_folders_are_made(page: Page, tmp_path: Path) -> None:
    assert save_page(page, tmp_path / "a" / "b" / "plot.png").is_file()


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("plot", "plot.png"),
        ("lr_0.01", "lr_0.01.png"),
        ("v1.2.svg", "v1.2.svg"),
        ("PLOT.PDF", "PLOT.PDF"),
        ("dot.", "dot..png"),
    ],
)
def test_a_path_without_a_suffix_becomes_a_png(name: str, saved: str) -> None:
    assert target_path(Path("folder", name)) == Path("folder", saved)


@pytest.mark.parametrize("name", ["plot.jpg", "plot.pn", "plot.html"])
def test_another_suffix_is_refused_with_those_that_are_supported(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\.png, \.pdf, \.svg") as caught:
        target_path(name)
    assert name in str(caught.value)


def test_a_place_that_is_no_folder_is_an_os_error(page: Page, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        save_page(page, tmp_path / "file" / "plot.png")


def test_a_failure_leaves_the_older_file_and_nothing_else(
    page: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "plots"
    save_page(page, folder / "plot.png")
    before = (folder / "plot.png").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))  # as good as a full disk
    try:
        with pytest.raises(OSError, match=r"File too large.*plot\.png"):
            save_page(page, folder / "plot.png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in folder.iterdir()] == ["plot.png"]
    assert (folder / "plot.png").read_bytes() == before


def test_a_link_stays_a_link(page: Page, tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    save_page(page, tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").is_file()


def test_what_is_no_file_stays_what_it_is(page: Page, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(OSError, match=r"it is a pipe, not a file.*pipe\.png"):
        save_page(page, tmp_path / "pipe.png")
    assert (tmp_path / "pipe.png").is_fifo()
    assert len(list(tmp_path.iterdir())) == 1


def test_threads_can_save_at_once(page: Page, tmp_path: Path) -> None:
    expected = rendered(page, ".svg")
    paths = [tmp_path / f"{number}.svg" for number in range(6)]
    threads = [threading.Thread(target=save_page, args=(page, path)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == expected for path in paths] == [True] * 6


def test_saving_needs_no_pyplot_and_keeps_the_users_backend(
    run: Run, tmp_path: Path
) -> None:
    code = (
        "import sys, matplotlib; matplotlib.use('svg');"
        "from stepwell.store import open_store; from stepwell.viz import save_run_figure;"
        "save_run_figure(open_store(sys.argv[1]), 'last', sys.argv[2]);"
        "assert 'matplotlib.pyplot' not in sys.modules;"
        "assert matplotlib.get_backend() == 'svg'"
    )
    target = tmp_path / "plot.png"
    subprocess.run([sys.executable, "-c", code, str(run.location), str(target)], check=True)
    assert target.is_file()


def test_every_format_has_its_metadata() -> None:
    assert list(files._METADATA) == SUFFIXES
