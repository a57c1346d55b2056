"""What the terminal view shows of a run, in consoles of fixed size."""

import io
import math
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from stepwell.viz.base.expert_metrics import expert_metric
from stepwell.viz.base.progress import Progress
from stepwell.viz.terminal.experts import expert_load
from stepwell.viz.terminal.render.cells import as_ascii, clean, fitted, sparkline
from stepwell.viz.terminal.render.layout import TerminalPicture
from stepwell.viz.terminal.render.runs import RunsPicture
from stepwell.viz.terminal.render.view import (
    Alarm,
    MetricRow,
    SystemItem,
    TerminalView,
    Trail,
)
from stepwell.viz.terminal.running_values import Tally


def lines_of(
    view: TerminalView, columns: int = 80, height: int | None = None, **options: bool
) -> list[str]:
    console = Console(
        file=io.StringIO(), width=columns, height=50, color_system=None, _environ={}
    )
    with console.capture() as capture:
        console.print(TerminalPicture(view, height=height, **options), end="")
    return capture.get().splitlines()


def row(name: str, last: float = 1.0, **fields: object) -> MetricRow:
    values = tuple(float(n) for n in range(40))
    trail = Trail(0, 39, 1, values, values, values)
    return replace(MetricRow(name, last, trail=trail), **fields)  # type: ignore[arg-type]


def view(n_experts: int = 8, n_rows: int = 6, **fields: object) -> TerminalView:
    table = tuple(row(f"metric_{number}") for number in range(n_rows))
    load = {f"expert_{n}": 1.0 + n % 3 for n in range(n_experts)}
    shown = TerminalView(
        "moe-small",
        "moe-small",
        "0123-7f3a91aa",
        "running",
        Progress(12840, 20000, 409.0, 31.4, 502.0, 412000.0),
        table,
        experts=expert_load(load),
        chart=table[0] if table else None,
        system=(SystemItem("cpu", "34 %"), SystemItem("memory", "41.2/128 GiB", 0.3)),
    )
    return replace(shown, **fields)  # type: ignore[arg-type]


def test_the_head_says_how_far_and_how_fast_the_run_is() -> None:
    head = "\n".join(lines_of(view(), 100)[:4])

    assert "moe-small · 7f3a91aa" in head
    assert "● running" in head
    assert "step 12,840 / 20,000" in head
    assert "64%" in head
    assert "6m 49s elapsed" in head
    assert "3m 48s left" in head
    assert "31.4 steps/s" in head
    assert "502 samples/s" in head
    assert "412k tokens/s" in head


def test_without_a_bar_or_throughput_neither_is_shown() -> None:
    head = "\n".join(lines_of(view(has_bar=False, has_throughput=False), 100)[:4])

    assert "━" not in head
    assert "12,840 / 20,000" in head
    assert "steps/s" not in head


def test_a_run_without_a_total_has_no_bar_and_no_remaining_time() -> None:
    head = "\n".join(lines_of(view(progress=Progress(7, None, 3.0, 2.0)))[:4])

    assert "step 7" in head
    assert "left" not in head
    assert "━" not in head


@pytest.mark.parametrize("columns", [60, 72, 80, 100, 120, 160, 200])
@pytest.mark.parametrize("height", [10, 15, 22, 30, 48])
@pytest.mark.parametrize("experts", [0, 8, 16, 128])
def test_every_size_is_kept_to(columns: int, height: int, experts: int) -> None:
    shown = view(experts, 12, alarms=(Alarm("train_loss is NaN since step 9"),))
    lines = lines_of(shown, columns, height)

    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= columns
    assert any("train_loss is NaN" in line for line in lines)
    assert any(line.lstrip("│ ").startswith("metric_0") for line in lines)


def test_boxes_have_straight_edges() -> None:
    for line in lines_of(view(16), 120):
        assert cell_len(line) == 120
        assert line[0] in "╭│╰"
        assert line[-1] in "╮│╯"


@pytest.mark.parametrize("height", [12, 16, 20])
def test_metrics_that_find_no_room_are_counted(height: int) -> None:
    lines = lines_of(view(0, 30), 80, height)
    shown = [line for line in lines if line.lstrip("│ ").startswith("metric_")]

    assert f"… {30 - len(shown)} more" in "\n".join(lines)
    assert len(shown) >= 3


def test_a_metric_has_value_best_step_change_and_trend() -> None:
    shown = row("val_loss", 1.9203, best=1.74, best_step=12600, change=-0.019, better="min")
    line = next(x for x in lines_of(view(n_rows=0, chart=None)) if "no metrics" in x)
    assert line
    lines = lines_of(view(0, chart=None, rows=(shown,)), 100)
    line = next(x for x in lines if "val_loss" in x)

    assert "1.920" in line
    assert "1.740" in line
    assert "12.6k" in line
    assert "−1.9 %" in line  # noqa: RUF001
    assert "▁▂▃▄▅▆▇█"[-1] in line


@pytest.mark.parametrize(
    ("last", "text"),
    [(math.nan, "NaN"), (math.inf, "Inf"), (-math.inf, "−Inf")],  # noqa: RUF001
)
def test_what_is_no_number_is_said(last: float, text: str) -> None:
    lines = lines_of(view(0, chart=None, rows=(row("train_loss", last),)))
    assert any("train_loss" in line and text in line for line in lines)


def test_few_experts_have_bars_with_their_shares() -> None:
    load = expert_load({"expert_0": 0.5, "expert_1": 0.25, "expert_2": 0.25, "expert_3": 0})
    text = "\n".join(lines_of(view(experts=load), 120))

    assert "e0" in text
    assert "2.00×" in text
    assert "dead" in text
    assert "1 dead e3" in text
    assert "most e0 2.00×" in text
    assert "balance 75%" in text
    assert "entropy 1.50/2.00 bit" in text


def test_many_experts_have_a_column_each() -> None:
    loads = {f"expert_{n}": 1.0 for n in range(127)} | {"expert_127": 0.0}
    lines = lines_of(view(experts=expert_load(loads)), 80, 22)
    bands = [line.strip("│ ") for line in lines if line.strip("│ ")[:3] in {"e0 ", "e64"}]

    assert bands == ["e0   " + "▅" * 64, "e64  " + "▅" * 63 + "×"]
    assert "1 dead e127" in "\n".join(lines)


def test_no_experts_no_block() -> None:
    assert "experts" not in "\n".join(lines_of(view(n_experts=0), 120))


def test_a_chart_spans_the_whole_run_and_marks_what_is_no_number() -> None:
    values = tuple(5.0 / (n + 1) for n in range(100))
    trail = Trail(0, 12839, 128, values, values, values, frozenset({50}))
    chart = row("train_loss", trail=trail)
    text = "\n".join(lines_of(view(chart=chart), 120))

    assert "12,839" in text
    assert "× 1 with NaN or Inf" in text
    assert any(0x2800 < ord(letter) < 0x2900 for letter in text)


def test_a_spike_of_one_point_is_in_the_chart() -> None:
    flat = (1.0,) * 50
    highs = (*flat[:20], 100.0, *flat[21:])
    plain = lines_of(view(chart=row("loss", trail=Trail(0, 49, 1, flat, flat, flat))), 120)
    spiked = lines_of(
        view(chart=row("loss", trail=Trail(0, 49, 1, flat, flat, highs))), 120
    )

    assert "100" in "\n".join(spiked)
    assert "\n".join(spiked) != "\n".join(plain)


def test_a_sparkline_holds_the_last_value_and_crosses_what_is_broken() -> None:
    trail = Trail(0, 5, 1, (1.0, math.nan, 2.0, math.nan, 3.0), (), (), frozenset({3}))
    text = "".join(segment.text for segment in sparkline(trail, 8))

    assert text == "▁▁▄×█   "


def test_ascii_is_enough() -> None:
    lines = lines_of(view(128, alarms=(Alarm("stalled"),)), 120, only_ascii=True)
    assert "".join(lines).isascii()


def test_ascii_has_as_many_characters() -> None:
    text = "╭─ a ● ━━ ▁▂▃▄▅▆▇█ ▏▉ × … ⣿"
    assert len(as_ascii(text)) == len(text)


def test_a_name_cannot_move_the_cursor() -> None:
    assert "\x1b" not in clean("bad\x1b[2Jname\r\n")
    text = "\n".join(lines_of(view(rows=(row("bad\x1b[2J\rname"),), chart=None)))
    assert "\x1b" not in text


def test_wide_letters_keep_the_columns_straight() -> None:
    assert cell_len(fitted("损失函数", 5)) == 5
    for line in lines_of(view(rows=(row("损失"), row("loss"))), 100):
        assert cell_len(line) == 100


def test_several_runs_are_rows() -> None:
    views = [
        replace(view(), run_name="first"),
        replace(view(), run_name="second", status="crashed"),
    ]
    console = Console(width=100, color_system=None, file=io.StringIO(), _environ={})
    with console.capture() as capture:
        console.print(RunsPicture(views), end="")
    lines = capture.get().splitlines()

    assert len(lines) == 3
    assert "first" in lines[1]
    assert "running" in lines[1]
    assert "64%" in lines[1]
    assert "crashed" in lines[2]
    assert max(map(len, lines)) <= 100


def test_rows_that_find_no_room_are_counted() -> None:
    assert len(RunsPicture([view()] * 30, height=10).lines(80)) == 10
    assert RunsPicture([view()] * 30, height=10).lines(80)[-1][0].text == "… 22 more"


@pytest.mark.parametrize(
    ("key", "metric"),
    [
        pytest.param(3, "expert_3", id="number"),
        ("3", "expert_3"),
        ("expert_3", "expert_3"),
        ("layer0/expert_3", "layer0/expert_3"),
        ("vision", "expert_utilization/vision"),
    ],
)
def test_an_expert_has_a_metric(key: object, metric: str) -> None:
    assert expert_metric(key) == metric


def test_an_even_load_has_all_the_entropy() -> None:
    load = expert_load({f"expert_{n}": 7.0 for n in range(8)})
    assert load is not None
    assert load.shares == (1.0,) * 8
    assert load.balance == 1.0


@pytest.mark.parametrize(
    "values",
    [{}, {"expert_0": 1.0}, {"expert_0": 0.0, "expert_1": 0.0}, {"expert_0": math.nan}],
)
def test_a_load_that_says_nothing_is_none(values: dict[str, float]) -> None:
    assert expert_load(values) is None


class TestTally:
    """Running values, with a clock of its own."""

    def test_best_and_last_are_those_of_all_points(self) -> None:
        tally = Tally(0.0, 5)
        for step, value in enumerate([3.0, 1.0, math.nan, 2.0, 4.0]):
            tally.take([(step, {"val_loss": value, "accuracy": value})], step)
        low, high = tally.table

        assert (low.last, low.best, low.best_step) == (4.0, 1.0, 1)
        assert (high.best, high.best_step) == (4.0, 4)

    def test_the_table_changes_every_so_many_updates(self) -> None:
        tally = Tally(0.0, 10)
        seen = []
        for step in range(35):
            tally.take([(step, {"loss": 100.0 - step})], step)
            seen.append(tally.table[0].last)

        assert seen == [100.0] * 9 + [91.0] * 10 + [81.0] * 10 + [71.0] * 6
        assert tally.table[0].change == pytest.approx((71 - 81) / 81)

    def test_a_batch_of_updates_ends_its_table_where_the_interval_does(self) -> None:
        tally = Tally(0.0, 10)
        tally.take([(step, {"loss": float(step)}) for step in range(27)], 1.0)

        assert tally.table[0].last == 19.0
        assert tally.newest == {"loss": 26.0}

    def test_speed_and_remaining_time_follow_the_clock(self) -> None:
        tally = Tally(100.0)
        for step in range(50):
            said = {"batch_size": 32, "sequence_length": 10}
            tally.take([(step, said)], 100.0 + step / 5)
        progress = tally.progress(110.0, {"total_steps": 100})

        assert progress.done == 50
        assert progress.share == 0.5
        assert progress.elapsed == 10.0
        assert progress.rate == pytest.approx(5.0)
        assert progress.samples == pytest.approx(5.0 * 32)
        assert progress.tokens == pytest.approx(5.0 * 320)
        assert progress.remaining == pytest.approx(50 / 5.0)

    def test_a_loop_may_count_from_one(self) -> None:
        tally = Tally(0.0)
        tally.take([(step, {"loss": 1.0}) for step in range(1, 11)], 1.0)
        assert tally.progress(1.0, {"max_steps": 10}).share == 1.0

    def test_a_loss_that_is_no_number_is_an_alarm(self) -> None:
        tally = Tally(0.0)
        tally.take([(5, {"train_loss": 1.0}), (6, {"train_loss": math.nan})], 1.0)
        (alarm,) = tally.alarms(1.0, 60.0)

        assert alarm.is_severe
        assert alarm.text == "train_loss is NaN since step 6"

    def test_silence_is_an_alarm_when_it_is_longer_than_usual(self) -> None:
        tally = Tally(0.0)
        for step in range(5):
            tally.take([(step, {"loss": 1.0})], step * 20.0)

        assert tally.alarms(80.0 + 70.0, 60.0) == ()
        (alarm,) = tally.alarms(80.0 + 300.0, 60.0)
        assert "no update for 300 s" in alarm.text

    def test_a_long_run_keeps_few_buckets_and_loses_no_extreme(self) -> None:
        tally = Tally(0.0)
        for start in range(0, 100_000, 1000):
            steps = range(start, start + 1000)
            tally.take([(s, {"loss": 9.0 if s == 54321 else 1.0}) for s in steps], start)
        trail = tally.table[0].trail

        assert len(trail.means) <= 256
        assert (trail.first_step, trail.last_step) == (0, 99_999)
        assert max(trail.highs) == 9.0
        assert trail.highs.index(9.0) == 54321 // trail.width

    def test_steps_may_be_left_out_or_come_late(self) -> None:
        tally = Tally(0.0)
        steps = [10, 40, 20, 5, 3000, 2990]
        for step in steps:
            tally.take([(step, {"loss": float(step)})], 1.0)

        assert tally.last_step == 3000
        assert tally.progress(2.0, {}).done == 3000

    def test_any_number_is_taken(self) -> None:
        tally = Tally(0.0)
        tally.take([(0, {"a": True, "b": 3, "c": math.inf})], 1.0)
        assert lines_of(view(0, chart=None, rows=tally.table))
