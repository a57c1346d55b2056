"""A journal that was cut or damaged anywhere gives its whole records, and no others."""

import struct
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.store import StoreNewerError
from stepwell.store.base.ids import attempt_id_of
from stepwell.store.journal.crc32_columns import count_whole
from stepwell.store.journal.format import (
    CHANGED,
    CONTINUED,
    FINISHED,
    HEADER,
    MAGIC,
    POINTS,
    STARTED,
    Header,
    PointsShape,
    decode_header,
    encode,
    encode_header,
    encode_json,
    encode_names,
    whole_record,
)
from stepwell.store.journal.reader import Piece, is_cut_record, parse

RUN_ID = "01890000-0000-7000-8000-000000000001"
INT64 = st.integers(-(2**63), 2**63 - 1)
Said = tuple[object, ...]


def header_of(**fields: Any) -> Header:
    known: dict[str, Any] = {
        "run_id": RUN_ID,
        "writer": "0123456789ab",
        "name": "swift-elk-417",
        "project": None,
        "host": "here",
        "machine": "here now",
        "pid": 7,
        "process_started": 99,
        "rank": 0,
        "attempt": 1,
        "primary": True,
    }
    return Header(**known | fields)


def points(number: int, step: int, time: int, values: list[float]) -> bytes:
    return PointsShape(number, len(values)).record(step, time, values)


def point_said(number: int, step: int, time: int, values: list[float]) -> Said:
    return ("points", number, step, time, struct.pack(f"<{len(values)}d", *values))


@st.composite
def stretches_of_points(draw: st.DrawFn) -> list[tuple[bytes, Said]]:
    width = draw(st.integers(1, 5))
    count = draw(st.one_of(st.integers(1, 3), st.integers(15, 90)))
    number, step, time = draw(st.integers(0, 2**32 - 1)), draw(INT64), draw(INT64)
    values = [draw(st.floats(width=64)) for _ in range(width)]
    calls = [
        (number, min(step + place, 2**63 - 1), time, [*values[1:], float(place)])
        for place in range(count)
    ]
    return [(points(*call), point_said(*call)) for call in calls]


NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=9), max_size=4)
FIELDS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), INT64)
OTHERS = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), NAMES).map(
        lambda said: (
            encode_names(said[0], tuple(said[1])),
            ("names", said[0], *said[1]),
        )
    ),
    FIELDS.map(lambda said: (encode_json(CHANGED, said), ("changed", str(said)))),
)
RECORDS = st.lists(
    st.one_of(stretches_of_points(), OTHERS.map(lambda said: [said])), max_size=5
).map(lambda parts: [record for part in parts for record in part])


def one_by_one(data: bytes) -> tuple[list[tuple[int, int, int]], int]:
    """The simplest reader there is."""
    found, offset = [], 0
    while (record := whole_record(memoryview(data), offset)) is not None:
        found.append(record)
        offset = record[2] + 4
    return found, offset


def said_in(piece: Piece) -> list[Said]:
    said: list[Said] = [
        point_said(int(number), int(step), int(time), values.tolist())
        for block in piece.blocks
        for number, step, time, values in zip(
            block.numbers, block.steps, block.times, block.values, strict=True
        )
    ]
    said += [("names", number, *names) for number, names in piece.names.items()]
    said += [("changed", str(fields)) for fields in piece.changes]
    return sorted(said, key=repr)


def expected(records: list[tuple[bytes, Said]]) -> list[Said]:
    names: dict[object, Said] = {}  # a number that is declared again means the new names
    rest = []
    for _, said in records:
        if said[0] == "names":
            names[said[1]] = said
        else:
            rest.append(said)
    return sorted([*rest, *names.values()], key=repr)


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.data())
def test_a_cut_journal_gives_every_record_before_the_cut(
    records: list[tuple[bytes, Said]], data: st.DataObject
) -> None:
    whole = b"".join(record for record, _ in records)
    cut = data.draw(st.integers(0, len(whole)))

    piece = parse(whole[:cut])

    ends = np.cumsum([len(record) for record, _ in records])
    kept = int(np.searchsorted(ends, cut, side="right"))
    assert piece.stop == (ends[kept - 1] if kept else 0)
    assert said_in(piece) == expected(records[:kept])
    assert is_cut_record(whole[piece.stop : cut])


@settings(max_examples=60, deadline=None)
@given(RECORDS.filter(bool), st.data())
def test_a_flipped_bit_costs_nothing_before_it_and_invents_nothing(
    records: list[tuple[bytes, Said]], data: st.DataObject
) -> None:
    damaged = bytearray(b"".join(record for record, _ in records))
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= 1 << data.draw(st.integers(0, 7))

    piece = parse(bytes(damaged))

    ends = np.cumsum([len(record) for record, _ in records])
    hit = int(np.searchsorted(ends, place, side="right"))
    assert piece.stop == ends[hit] - len(records[hit][0])
    assert said_in(piece) == expected(records[:hit])


@settings(max_examples=40, deadline=None)
@given(RECORDS, st.binary(max_size=40))
def test_both_readers_stop_at_the_same_place(
    records: list[tuple[bytes, Said]], garbage: bytes
) -> None:
    data = b"".join(record for record, _ in records) + garbage

    found, stop = one_by_one(data)

    assert len(found) == len(records)
    assert parse(data).stop == stop


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 8))
def test_no_bytes_whatever_make_the_reader_raise(noise: bytes, kind: int) -> None:
    assert parse(noise).stop in {0, len(MAGIC)}

    piece = parse(encode(kind, noise) + noise)

    assert piece.stop in {0, len(noise) + 12}
    assert not piece.blocks or kind == POINTS


@pytest.mark.parametrize("payload", [b"[]", b"3", b"\xff", b"{", b'{"a":"\\ud800"}'])
@pytest.mark.parametrize("kind", [STARTED, CHANGED, FINISHED])
def test_a_whole_record_without_sense_ends_the_reading(kind: int, payload: bytes) -> None:
    before = points(1, 2, 3, [4.0])

    piece = parse(before + encode(kind, payload) + before)

    if payload == b"[]":  # an empty list is as good as no fields
        assert len(said_in(piece)) == 2 + (kind == CHANGED)
    else:
        assert piece.stop == len(before)


@pytest.mark.parametrize("doubles", [-3, -2, -1, 0])
def test_points_without_a_value_are_damage(doubles: int) -> None:
    payload = bytes(20 + 8 * doubles) if doubles > -3 else b""

    assert parse(encode(POINTS, payload)).stop == 0
    assert parse(encode(POINTS, payload) * 40).stop == 0


@pytest.mark.parametrize("width", [2, 6, 36, 110, 260])
def test_checksums_are_those_of_zlib(width: int) -> None:
    random = np.random.default_rng(width)
    rows = random.integers(0, 256, (5000, width + 4), np.uint8)
    for row in rows:
        row[-4:] = np.frombuffer(struct.pack("<I", crc32(row[:-4].tobytes())), np.uint8)

    assert count_whole(rows) == 5000
    for bad in (4999, 4096, 4095, 17, 0):
        rows[bad, random.integers(width + 4)] ^= 1
        assert count_whole(rows) == bad


@pytest.mark.parametrize("same", [True, False])
def test_damage_to_two_records_is_no_less_seen(same: bool) -> None:
    whole = encode(POINTS, bytes(range(28)))
    rows = np.frombuffer(whole * 3000, np.uint8).reshape(3000, -1).copy()
    rows[1500, 20] ^= 4
    rows[1777, 20] ^= 4 if same else 0x80
    assert count_whole(rows) == 1500

    rows[1500] = rows[0]
    assert count_whole(rows) == 1777
    assert count_whole(rows[:1777]) == 1777
    assert count_whole(rows[:0]) == 0


def test_a_header_is_read_as_it_was_written() -> None:
    header = header_of(project="größer", rank=3, primary=False)

    data = encode_header(header)

    assert decode_header(data + b"more") == (header, len(data))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_or_damaged_header_is_refused(data: st.DataObject) -> None:
    whole = encode_header(header_of())
    cut = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[cut] ^= 1 << data.draw(st.integers(0, 7))

    for header in (whole[:cut], bytes(damaged)):
        with pytest.raises(ValueError, match="journal"):
            decode_header(header)


@pytest.mark.parametrize(
    "fields",
    [
        {"run_id": "not a uuid"},
        {"run_id": 5},
        {"rank": "0"},
        {"primary": None},
        {"rank": -1},
        {"rank": 2**15},
        {"attempt": 2**31},
        {"started": None},
        {"format": "1"},
    ],
)
def test_a_header_with_unusable_fields_is_refused(fields: dict[str, object]) -> None:
    known = header_of()._asdict()

    with pytest.raises(ValueError, match=r"header|UUID"):
        decode_header(MAGIC + encode_json(HEADER, known | fields))


def test_a_header_of_a_newer_format_says_so() -> None:
    with pytest.raises(StoreNewerError, match="update stepwell"):
        decode_header(MAGIC + encode_json(HEADER, {"format": 3, "unheard": "of"}))


def first_format(**fields: object) -> bytes:
    known = header_of()._asdict()
    for later in ("started", "follows", "number", "continues", "locked"):
        del known[later]
    return MAGIC + encode_json(HEADER, known | {"format": 1} | fields)


@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_header_of_the_first_format_is_read(number: int) -> None:
    header, _ = decode_header(first_format(attempt=number))

    said = header_of(attempt=header.attempt, number=number, format=1)
    assert header == said
    assert (header.attempt == 1) is (number == 1)
    again, _ = decode_header(encode_header(header))
    assert again == said._replace(format=2)


def test_what_was_once_numbered_has_an_id_of_its_own_in_each_store() -> None:
    given = "01890000-0000-5000-8000-000000000001"  # of an id that somebody gave
    told = [(RUN_ID, 2, "ab"), (RUN_ID, 2, "cd"), (RUN_ID, 3, "ab"), (given, 1, "ab")]

    ids = {attempt_id_of(*one) for one in told}

    assert len(ids) == 4
    assert all(10**6 < one < 2**31 for one in ids)


@pytest.mark.parametrize("fields", [{"surplus": 1}, {"started": 1}, {"attempt": "1"}])
def test_the_first_format_has_its_own_fields_only(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="header"):
        decode_header(first_format(**fields))


def test_fields_that_are_added_to_the_format_are_passed_over() -> None:
    later = header_of()._asdict() | {"surplus": [1], "another": None}
    lacking = {name: later[name] for name in later if name not in {"follows", "number"}}

    for known in (later, lacking):
        assert decode_header(MAGIC + encode_json(HEADER, known))[0] == header_of()


def test_records_that_are_added_to_the_format_are_passed_over() -> None:
    said = encode_json(CONTINUED, {"writer": "ab"})

    piece = parse(points(1, 2, 3, [4.0]) + encode(29, b"later") + said)

    assert len(said_in(piece)) == 1
    assert piece.continued == {"writer": "ab"}
    assert piece.finished is None


def test_text_that_is_no_unicode_is_recorded_all_the_same() -> None:
    record = encode_json(CHANGED, {"notes": "a\ud800b", "\udcff": "\0"})

    assert parse(record).changes == [{"notes": "a?b", "?": "\0"}]
