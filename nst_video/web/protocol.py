"""The binary messages between page and server: a header of 16 bytes, then a JPEG picture.

Neither side queues frames. A side sends the next frame only when the other has reported that it
has taken (server) or shown (page) an earlier one, see `Credit`.
"""

import json
import struct
from dataclasses import dataclass
from enum import IntEnum

from nst_video.errors import UsageError

VERSION = 1

_HEADER = struct.Struct(">BBHIII")

HEADER_BYTES = _HEADER.size

_MAX_UINT32 = 2**32 - 1

MIN_SIDE, MAX_SIDE = 16, 1920
"""Sides of frames in pixels."""

MAX_FRAME_BYTES = 2 << 20
"""Largest JPEG of a frame: 1920x1080 at quality 0.9 has 0.4 to 1 MB."""


MAX_TEXT = 4096
"""Longest text message in characters."""


class Kind(IntEnum):
    """What a binary message is."""

    FRAME = 1
    """Page to server: a frame of its camera."""
    PAINTED = 2
    """Server to page: the frame painted."""
    TAKEN = 3
    """Server to page: frames up to this number are not waiting any more."""
    SHOWN = 4
    """Page to server: a painted frame has been shown."""


class ProtocolError(UsageError):
    """A message that does not follow the protocol."""


@dataclass(frozen=True, slots=True)
class Message:
    """A binary message.

    Attributes:
        kind: what it is.
        sequence: number of the page's frame, from 1.
        stamp: a number of the page, returned with the painted frame; 32 bits.
        server_ms: milliseconds that the frame spent in the server.
        is_painted: the picture is painted, not passed through.
        payload: a JPEG, or empty.
    """

    kind: Kind
    sequence: int
    stamp: int = 0
    server_ms: int = 0
    is_painted: bool = False
    payload: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes of the message."""
        head = _HEADER.pack(
            self.kind,
            int(self.is_painted),
            0,
            self.sequence & _MAX_UINT32,
            self.stamp & _MAX_UINT32,
            min(self.server_ms, _MAX_UINT32),
        )
        return head + self.payload


def decode(data: bytes) -> Message:
    """Return the message in `data`.

    Raises:
        ProtocolError: it is too short or too long, or of an unknown kind.
    """
    if len(data) < HEADER_BYTES:
        raise ProtocolError(f"A message has {HEADER_BYTES} bytes at least, not {len(data)}.")
    if len(data) > HEADER_BYTES + MAX_FRAME_BYTES:
        raise ProtocolError(f"A frame has {MAX_FRAME_BYTES} bytes at most, send a smaller one.")
    kind, flags, _, sequence, stamp, server_ms = _HEADER.unpack_from(data)
    if kind not in set(Kind):
        raise ProtocolError(f"There is no message of kind {kind}.")
    return Message(Kind(kind), sequence, stamp, server_ms, bool(flags & 1), data[HEADER_BYTES:])


def parse_text(text: str) -> dict[str, object]:
    """Return the JSON object of a text message; it has a type.

    Raises:
        ProtocolError: it is too long, or no such object.
    """
    if len(text) > MAX_TEXT:
        raise ProtocolError(f"A text message has {MAX_TEXT} characters at most.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise ProtocolError('A text message is JSON, such as {"type":"restart"}.')
    return found


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) from the header of a JPEG, without decoding it.

    Raises:
        ProtocolError: it is no JPEG, it is cut off, or its sides are not `MIN_SIDE` to `MAX_SIDE`.
    """
    if data[:2] != b"\xff\xd8":
        raise ProtocolError("A frame must be a JPEG picture.")
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        # Start of frame; C4, C8 and CC are tables and extensions.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
                raise ProtocolError(
                    f"A frame has sides of {MIN_SIDE} to {MAX_SIDE} pixels, not {width}x{height}."
                )
            return width, height
        at += 2 + length if marker != 0xFF else 1
    raise ProtocolError("A frame must be a complete JPEG picture.")


@dataclass(slots=True)
class Credit:
    """How many messages one side may still send, so that none of them waits in a queue.

    Attributes:
        window: most messages that may be on the way.
        sent: number of the last message sent, 0 before the first.
        reported: number up to which the other side has reported them.
    """

    window: int
    sent: int = 0
    reported: int = 0
    _under_way: int = 0

    @property
    def may_send(self) -> bool:
        """Whether another message may be sent."""
        return self._under_way < self.window

    def send(self, number: int) -> None:
        """Count a message; its number is not below those before.

        Raises:
            ProtocolError: no message may be sent now, or the number goes back.
        """
        if not self.may_send:
            raise ProtocolError(f"At most {self.window} frames may be on the way.")
        if number < max(1, self.sent):
            raise ProtocolError(f"The number of a frame goes back from {self.sent} to {number}.")
        self.sent = number
        self._under_way += 1

    def report(self, number: int) -> None:
        """Note that the other side has dealt with the messages up to `number`.

        Raises:
            ProtocolError: no message of that number has been sent.
        """
        if number > self.sent:
            raise ProtocolError(f"Frame {number} has not been sent yet.")
        self.reported = max(self.reported, number)
        self._under_way = 0 if number == self.sent else max(0, self._under_way - 1)
