"""What the machine does: processor, memory, GPU."""

import importlib
import os
from collections.abc import Iterator
from typing import Any

from stepwell.viz.terminal.render.view import SystemItem

_SECONDS = 2.0  # between two measurements
_GIB = 2**30
_MOST_GPUS = 8


class SystemProbe:
    """Measures now and then; what can't be measured is left out."""

    def __init__(self) -> None:
        self._measured = -1e9
        self._items: tuple[SystemItem, ...] = ()
        self._psutil = _module("psutil")
        self._process: Any = None
        if self._psutil is not None:
            self._process = self._psutil.Process(os.getpid())
            self._process.cpu_percent(None)  # the first answer is about nothing
            self._psutil.cpu_percent(None)
        self._gpus = _open_gpus()

    def items(self, now: float) -> tuple[SystemItem, ...]:
        """The measurements, none older than two seconds."""
        if now - self._measured >= _SECONDS:
            self._measured = now
            self._items = (*self._machine(), *self._graphics())
        return self._items

    def _machine(self) -> Iterator[SystemItem]:
        try:
            busy = self._psutil.cpu_percent(None)
            cores = self._psutil.cpu_count() or 1
            memory = self._psutil.virtual_memory()
            own = self._process.cpu_percent(None)
            resident = self._process.memory_info().rss
        except Exception:  # noqa: BLE001 (no psutil, or no permission)
            return
        yield SystemItem("cpu", f"{busy:.0f} % of {cores} cores", None)
        yield SystemItem("own cpu", f"{own:.0f} %")
        used, total = memory.total - memory.available, memory.total
        text = f"{used / _GIB:.1f}/{total / _GIB:.1f} GiB"
        yield SystemItem("memory", text, used / total)
        yield SystemItem("own memory", f"{resident / _GIB:.2f} GiB")

    def _graphics(self) -> Iterator[SystemItem]:
        for number, (nvml, handle) in enumerate(self._gpus):
            try:
                busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu
                memory = nvml.nvmlDeviceGetMemoryInfo(handle)
                heat = nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
            except Exception:  # noqa: BLE001 (whatever the driver says)
                continue
            share = memory.used / memory.total
            text = f"{busy:.0f} %  {memory.used / _GIB:.1f}/{memory.total / _GIB:.1f} GiB"
            yield SystemItem(f"gpu{number}", f"{text}  {heat:.0f} °C", share)


def _open_gpus() -> list[tuple[Any, Any]]:
    nvml = _module("pynvml")
    try:
        nvml.nvmlInit()
        count = min(nvml.nvmlDeviceGetCount(), _MOST_GPUS)
        return [(nvml, nvml.nvmlDeviceGetHandleByIndex(i)) for i in range(count)]
    except Exception:  # noqa: BLE001 (no library, no driver, no GPU)
        return []


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
