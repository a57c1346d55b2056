"""How the documentation is built: `sphinx-build docs FOLDER`. No network is used."""

import re
from importlib.metadata import version as version_of
from typing import Any

from sphinx.application import Sphinx

project = "Stepwell"
author = "The Stepwell developers"
copyright = "the Stepwell developers"
version = release = version_of("stepwell")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

# Pages are Markdown that a code host shows, too; they link to each other by path.
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = True

# The reference comes from the docstrings. What stands in `backticks` there is a link where
# it names something of ours, and code where it does not.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
INHERITED = "BaseException,Exception,tuple"  # all but what comes from these
autodoc_default_options = {"members": True, "inherited-members": INHERITED}
python_display_short_literal_types = True
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"Stepwell {release}"
html_static_path = ["_static"]
html_css_files = ["stepwell.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "light_logo": "logo.svg",
    "dark_logo": "logo.svg",
    "sidebar_hide_name": False,
    "navigation_with_keys": True,
}
pygments_style = "friendly"
pygments_dark_style = "one-dark"


# Classes of the store that a user makes; the others are answers, or are opened.
MADE_BY_USERS = {"Selection", "FigureSpec", "RunningReduction"}


def setup(app: Sphinx) -> None:
    """Connect what the reference needs."""
    app.connect("autodoc-process-docstring", escape_types)
    app.connect("autodoc-process-signature", leave_out_constructors)
    app.connect("autodoc-skip-member", leave_out_fields)


def escape_types(_app: Sphinx, *what: Any) -> None:
    """Write the types of attributes as links by their last names.

    `object_` and the like are escaped: reStructuredText would take them for references.
    """
    lines = what[-1]
    for place, line in enumerate(lines):
        if line.startswith(":vartype"):
            linked = re.sub(r"(?<![\w.])stepwell\.", "~stepwell.", line)
            lines[place] = re.sub(r"(?<=\w)_\b", r"\\_", linked)


def leave_out_fields(
    _app: Sphinx, _kind: str, _name: str, member: Any, *_rest: Any
) -> bool | None:
    """Leave out what Python says of a named tuple's fields: their class has said it."""
    said = str(getattr(member, "__doc__", ""))
    return True if said.startswith("Alias for field number") else None


def leave_out_constructors(
    _app: Sphinx, kind: str, _name: str, made: Any, *_rest: Any
) -> tuple[str, str] | None:
    """Show no arguments of classes that nobody calls."""
    is_answer = kind == "class" and made.__module__.startswith("stepwell.store.")
    return ("", "") if is_answer and made.__name__ not in MADE_BY_USERS else None
