"""Messages between page and server, and the credit that keeps them from queueing."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_video.web import protocol
from nst_video.web.protocol import Credit, Kind, Message, ProtocolError, decode, jpeg_size

numbers = st.integers(0, 2**32 - 1)


def jpeg(width: int, height: int, *options: int) -> bytes:
    picture = np.zeros((height, width, 3), np.uint8)
    return cv2.imencode(".jpg", picture, list(options))[1].tobytes()


@given(st.sampled_from(Kind), numbers, numbers, numbers, st.booleans(), st.binary(max_size=64))
def test_a_message_is_decoded_as_it_was_encoded(
    kind: Kind, sequence: int, stamp: int, server_ms: int, is_painted: bool, payload: bytes
) -> None:
    message = Message(kind, sequence, stamp, server_ms, is_painted, payload)
    assert decode(message.encode()) == message


def test_the_header_is_as_documented() -> None:
    data = Message(Kind.PAINTED, 7, 0x01020304, 5, True, b"jpeg").encode()
    assert data == bytes.fromhex("02010000 00000007 01020304 00000005") + b"jpeg"


@pytest.mark.parametrize(
    "data", [b"", b"\1" * 15, b"\0" * 16, b"\x05" + b"\0" * 15, bytes(16 + (2 << 20) + 1)]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(data)


@given(st.binary(max_size=64))
def test_no_bytes_make_decoding_fail_in_another_way(data: bytes) -> None:
    for read in (decode, jpeg_size):
        try:
            read(data)
        except ProtocolError:
            continue


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)])
def test_the_size_of_a_jpeg_is_read_from_its_header(options: tuple[int, ...]) -> None:
    assert jpeg_size(jpeg(160, 90, *options)) == (160, 90)


def test_only_complete_jpegs_of_allowed_sides_are_frames() -> None:
    good = jpeg(64, 48)
    for bad in (jpeg(8, 48), jpeg(protocol.MAX_SIDE + 1, 48), good[:40], b"\x89PNG" + good, b""):
        with pytest.raises(ProtocolError):
            jpeg_size(bad)


def test_a_huge_jpeg_is_refused_by_its_header() -> None:
    data = bytearray(jpeg(64, 48))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = (50000).to_bytes(2, "big") * 2
    with pytest.raises(ProtocolError, match="50000x50000"):
        jpeg_size(bytes(data))


def test_credit_allows_as_many_as_the_window() -> None:
    credit = Credit(2)
    credit.send(1)
    assert credit.may_send
    credit.send(2)
    assert not credit.may_send
    with pytest.raises(ProtocolError, match="At most 2"):
        credit.send(3)
    credit.report(2)  # up to 2: both
    credit.send(3)
    credit.send(4)


def test_credit_counts_reports_one_by_one_until_the_last() -> None:
    credit = Credit(2)
    credit.send(5)
    credit.send(9)
    credit.report(5)
    credit.send(9)  # the same frame, painted further
    assert not credit.may_send


def test_numbers_do_not_go_back_nor_ahead() -> None:
    credit = Credit(3)
    credit.send(5)
    with pytest.raises(ProtocolError, match="goes back"):
        credit.send(4)
    with pytest.raises(ProtocolError, match="not been sent"):
        credit.report(6)
