"""A screen that dies does not take this process along: a window of Qt on X11."""

import contextlib
import ctypes
import importlib
import os
from typing import Any

_XLIB = "libX11.so.6"


def outlive_screen() -> None:
    """Have the process of a window of Qt live on when the connection to X11 breaks.

    Qt's own answer is to print a line and exit the process, from within its event loop, if
    the loss is found by Xlib and not by xcb: then neither `finally` nor the end of a run
    is reached. What Xlib calls instead is a function of the C library that does nothing:
    it needs no lock of the interpreter, and is there as long as the process. Qt's loop
    then returns at once each time, by which a `Window` knows that it is lost.

    Does nothing where there is no X11, and where Xlib is older than 1.7 or the binding of
    Qt tells no display.
    """
    gui: Any = importlib.import_module("matplotlib.backends.qt_compat").QtGui
    if gui.QGuiApplication.platformName() != "xcb":
        return
    with contextlib.suppress(AttributeError, OSError, TypeError):
        display = int(gui.QGuiApplication.instance().nativeInterface().display())
        # NOLOAD gives the very library that Qt uses, or an OSError where it uses none;
        # another copy would have handlers of its own.
        xlib = ctypes.CDLL(_XLIB, mode=os.RTLD_NOW | os.RTLD_NOLOAD)
        # `abs` takes an int and returns: called with pointers it reads one register.
        go_on = ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p)
        # Without types ctypes would cut pointers to the 32 bits of a C int.
        xlib.XSetIOErrorExitHandler.argtypes = [ctypes.c_void_p] * 3
        xlib.XSetIOErrorExitHandler(display, go_on, None)
        xlib.XSetIOErrorHandler.argtypes = [ctypes.c_void_p]
        xlib.XSetIOErrorHandler(go_on)
