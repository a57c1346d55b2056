"""The id of a run: what a text that a user gives stands for."""

import subprocess
import sys
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.store.base.ids import as_run_id, as_uuid, new_run_id

SPELLINGS = ["{}", "urn:uuid:{}", "{{{}}}", "{{urn:uuid:{}}}"]


def by_python(text: str) -> str | None:
    """What Python's own module makes of a text."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


@given(st.uuids(), st.sampled_from(SPELLINGS), st.booleans(), st.booleans())
def test_a_uuid_is_read_as_python_reads_it(
    uuid: UUID, spelling: str, is_upper: bool, has_hyphens: bool
) -> None:
    text = str(uuid) if has_hyphens else uuid.hex
    text = spelling.format(text.upper() if is_upper else text)

    assert as_uuid(text) == as_run_id(text) == str(uuid) == by_python(text)


@given(st.text() | st.text("0123456789abcdefABCDEF-{}urn:_ +", max_size=45))
def test_any_other_text_is_a_name_for_one(text: str) -> None:
    expected = by_python(text)

    assert as_uuid(text) == expected
    assert as_run_id(text) == (expected or str(uuid5(NAMESPACE_URL, f"stepwell:{text}")))


@pytest.mark.parametrize(
    "text", ["", "run-1", "0" * 31, "0" * 33, "_" * 32, "+" + "1" * 31, "é" * 32, "٣" * 32]
)
def test_what_is_nearly_a_uuid_is_read_as_python_reads_it(text: str) -> None:
    assert as_uuid(text) == by_python(text)


def test_a_new_id_is_a_uuid_of_version_7() -> None:
    first, second = new_run_id(), new_run_id()

    assert first != second
    assert {UUID(first).version, UUID(second).version} == {7}
    assert str(UUID(first)) == first


def test_an_id_loads_no_cryptography() -> None:
    code = (
        "import sys; from stepwell.store.base.ids import as_run_id; as_run_id('run-1');"
        " print([m for m in ('hashlib', 'uuid', 'platform') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
