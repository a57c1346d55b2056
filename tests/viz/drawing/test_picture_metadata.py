"""A picture says how it was made, whatever the format, and others' pictures do not."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from stepwell.store import ConfigurationError
from stepwell.viz.drawing.picture_metadata import embedded, read_embedded

SUFFIXES = [".png", ".svg", ".pdf"]
SPEC: dict[str, Any] = {
    "kind": "curves",
    "options": {"metric": "väl<loss> & (a\\b) ]]> %%EOF /Subject (", "smooth": None},
    "where": ["lr < 0.01", "name = \"x\ty\"\n'z' \N{SNOWMAN} \N{PILE OF POO}"],
}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def picture(path: Path, metadata: dict[str, str]) -> Path:
    Figure(figsize=(0.2, 0.2)).savefig(path, metadata=metadata)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_embedded_is_read(tmp_path: Path, suffix: str) -> None:
    path = picture(tmp_path / f"a{suffix}", embedded(SPEC, suffix))

    assert read_embedded(path) == SPEC


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(
    spec=st.dictionaries(st.text(max_size=8).filter("stepwell".__ne__), JSON, max_size=4)
)
@settings(max_examples=25, deadline=None)
def test_any_json_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, spec: dict[str, Any]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = picture(folder / f"spec{suffix}", embedded(spec, suffix))

    assert read_embedded(path) == json.loads(json.dumps(spec))


def test_the_order_of_keys_does_not_matter() -> None:
    backwards = dict(reversed(SPEC.items()))

    assert embedded(backwards, ".png") == embedded(SPEC, ".png")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("description", [None, "[1]", '{"kind": "curves"}', "a {", "(("])
def test_a_picture_of_another_program_is_refused(
    tmp_path: Path, suffix: str, description: str | None
) -> None:
    (place,) = embedded({}, suffix)
    path = picture(
        tmp_path / f"a{suffix}", {} if description is None else {place: description}
    )

    with pytest.raises(ConfigurationError, match=rf"'a{suffix}' does not say how"):
        read_embedded(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("keep", [0, 5, 40, 200])
def test_half_a_picture_is_read_or_refused(tmp_path: Path, suffix: str, keep: int) -> None:
    path = picture(tmp_path / f"a{suffix}", embedded(SPEC, suffix))
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(ConfigurationError):
        read_embedded(path)


@given(content=st.binary(max_size=200), suffix=st.sampled_from(SUFFIXES))
def test_any_bytes_are_refused_politely(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    beginning = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<svg>", ".pdf": b"/Subject ("}
    path.write_bytes(beginning[suffix] + content)

    with pytest.raises(ConfigurationError):
        read_embedded(path)


def test_a_pdf_that_another_program_wrote_anew_is_read(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.pdf", embedded(SPEC, ".pdf"))
    text = embedded(SPEC, ".pdf")["Subject"]
    hexadecimal = b"<" + ("\ufeff" + text).encode("utf-16-be").hex().encode() + b">"
    octal = b"(" + b"".join(b"\\%03o" % letter for letter in text.encode()) + b")"
    content = path.read_bytes()

    for string in (hexadecimal, octal):
        found = re.search(rb"/Subject \((?:\\.|[^\\)])*\)", content)
        assert found
        path.write_bytes(content.replace(found[0], b"/Subject" + string))
        assert read_embedded(path) == SPEC


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.duckdb"])
def test_another_suffix_is_refused_with_those_that_are_read(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"'{name}'.*\.png, \.svg, \.pdf"):
        read_embedded(tmp_path / name)


def test_a_picture_of_a_newer_form_says_so(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", {"Description": '{"stepwell": 2}'})

    with pytest.raises(ConfigurationError, match="newer Stepwell"):
        read_embedded(path)


def test_a_missing_picture_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_embedded(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("name", "piece", "size"),
    [
        ("open.pdf", b"/Subject (", 2_000_000),
        ("closed.pdf", b"/Subject ()", 2_000_000),
        ("escaped.pdf", b"/Subject (\\(\\1", 2_000_000),
        ("deep.pdf", b"(", 20_000_000),
        ("hexadecimal.pdf", b"/Subject <", 2_000_000),
        ("blank.pdf", b"/Subject    ", 2_000_000),
        ("nested.svg", b"<description>a", 400_000),
    ],
)
def test_a_picture_full_of_texts_stalls_nothing(
    tmp_path: Path, name: str, piece: bytes, size: int
) -> None:
    beginning = {"svg": b"<svg>", "pdf": b"%PDF-1.4 /Subject ("}[name.rpartition(".")[2]]
    content = beginning + piece * (size // len(piece))
    if name == "nested.svg":
        content += b"</description>" * (size // len(piece)) + b"</svg>"
    (tmp_path / name).write_bytes(content)
    began = time.process_time()
    with pytest.raises(ConfigurationError, match="does not say how it was made"):
        read_embedded(tmp_path / name)
    assert time.process_time() - began < 2
