"""A meter in memory: answers KMP requests on a transport that takes the place of serialx's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

START, FROM_METER, STOP, STUFF = 0x80, 0x40, 0x0D, 0x1B
SPECIAL = {0x80, 0x40, 0x0D, 0x06, 0x1B}
GET_TYPE, GET_SERIAL, GET_REGISTER = 0x01, 0x02, 0x10

GJ, WH, KW, CELSIUS, KELVIN, CUBIC_METRE, PER_HOUR, HOURS, PLAIN, DATE, CLOCK = (
    8, 1, 22, 37, 38, 40, 41, 46, 51, 48, 47,
)  # fmt: skip


def crc(data: bytes) -> int:
    """Return the checksum of a frame."""
    register = 0
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x1021 if register & 0x8000 else 0)
            register &= 0xFFFF
    return register


def frame(start: int, data: bytes) -> bytes:
    """Put a frame around data."""
    body = data + crc(data).to_bytes(2)
    stuffed = bytearray()
    for byte in body:
        stuffed += bytes((STUFF, byte ^ 0xFF)) if byte in SPECIAL else bytes((byte,))
    return bytes((start, *stuffed, STOP))


def unframe(wire: bytes) -> bytes:
    """Return the data of a request."""
    body = bytearray()
    stuffed = False
    for byte in wire[1:-1]:
        if stuffed:
            body.append(byte ^ 0xFF)
        elif byte != STUFF:
            body.append(byte)
        stuffed = byte == STUFF and not stuffed
    return bytes(body[:-2])


@dataclass(frozen=True)
class Value:
    """What a register holds."""

    unit: int
    mantissa: int
    exponent: int = 0
    length: int = 4

    def encode(self, register: int) -> bytes:
        """Write it as it stands in an answer."""
        sign = 0x80 if self.mantissa < 0 else 0
        scale = sign | (0x40 if self.exponent < 0 else 0) | abs(self.exponent)
        head = register.to_bytes(2) + bytes((self.unit, self.length, scale))
        return head + abs(self.mantissa).to_bytes(self.length)


@dataclass
class FakeMeter:
    """A MULTICAL 403."""

    serial: int | None = 84968362
    type_code: int = 0xF403
    software: int = 0x0701
    silent: bool = False
    refused: Exception | None = None
    registers: dict[int, Value] = field(default_factory=dict)
    asked: list[list[int]] = field(default_factory=list)
    requests: int = 0
    open_ports: int = 0
    opened: list[str] = field(default_factory=list)
    line: Line | None = None

    def __post_init__(self) -> None:
        """Hold the values of a winter day."""
        self.registers |= {
            60: Value(GJ, 84817, -3),
            63: Value(GJ, 0, -3),
            68: Value(CUBIC_METRE, 113560, -2),
            74: Value(PER_HOUR, 44),
            80: Value(KW, 20, -1),
            86: Value(CELSIUS, 6869, -2),
            87: Value(CELSIUS, 2859, -2),
            89: Value(KELVIN, 4010, -2),
            99: Value(PLAIN, 0),
            113: Value(PLAIN, 10, 0, 2),
            123: Value(DATE, 260112),
            266: Value(WH, 939324),
            1002: Value(CLOCK, 200243),
            1004: Value(HOURS, 35335),
        }
        if self.serial is not None:
            self.registers[1001] = Value(PLAIN, self.serial)

    def answer(self, wire: bytes) -> bytes | None:
        """Answer a request."""
        self.requests += 1
        if self.silent:
            return None
        data = unframe(wire)
        head, command = data[:2], data[1]
        if command == GET_TYPE:
            said = self.type_code.to_bytes(2) + self.software.to_bytes(2)
            return frame(FROM_METER, head + said)
        if command == GET_SERIAL:
            return (
                None if self.serial is None else frame(FROM_METER, head + self.serial.to_bytes(4))
            )
        numbers = [int.from_bytes(data[at : at + 2]) for at in range(3, len(data), 2)]
        self.asked.append(numbers)
        records = [
            self.registers[number].encode(number) for number in numbers if number in self.registers
        ]
        return frame(FROM_METER, head + b"".join(records))

    async def connect(
        self, loop: asyncio.AbstractEventLoop, factory: object, url: str, **settings: object
    ) -> tuple[Line, asyncio.Protocol]:
        """Take the place of `serialx.create_serial_connection`."""
        if self.refused is not None:
            raise self.refused
        assert settings["baudrate"] == 1200
        self.opened.append(url)
        self.open_ports += 1
        protocol = factory()  # type: ignore[operator]
        self.line = Line(self, protocol)
        return self.line, protocol

    def hang_up(self) -> None:
        """Close the line from the meter's side."""
        assert self.line is not None
        self.line.lose(ConnectionResetError("gone"))


class Line:
    """The transport between a driver and the meter."""

    def __init__(self, meter: FakeMeter, protocol: asyncio.Protocol) -> None:
        """Open."""
        self.meter = meter
        self.protocol = protocol
        self.is_open = True

    def write(self, data: bytes) -> None:
        """Carry a request, and its answer back."""
        answer = self.meter.answer(bytes(data))
        if answer is not None and self.is_open:
            asyncio.get_running_loop().call_soon(self.protocol.data_received, answer)

    def lose(self, error: Exception | None) -> None:
        """Lose the connection."""
        if self.is_open:
            self.is_open = False
            self.meter.open_ports -= 1
            self.protocol.connection_lost(error)

    def abort(self) -> None:
        """Close from the driver's side."""
        self.lose(None)

    async def wait_closed(self) -> None:
        """Be closed."""
