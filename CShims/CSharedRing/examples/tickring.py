"""Reads TickRing's shared memory from Python: last values, counters, and ticks as numpy arrays without a copy.

    feed = tickring.Feed("nse")
    lane = feed.attach("my-lane", ["NSE:RELIANCE"])
    while True:
        with lane.batch() as ticks:          # a view of shared memory, valid within the block
            print(ticks["sequence"], ticks["last_price"] / 1e9)

The layout is CSharedRing.h's. Python has no memory orders, so this runs on x86-64 alone, whose processors keep the
order of loads and of stores that the protocol needs.
"""

import contextlib
import fcntl
import http.client
import json
import mmap
import os
import platform
import socket
import struct
import time

import numpy

FEED_LAYOUT_VERSION = 3
LANE_LAYOUT_VERSION = 2
FEED_MAGIC = 0x444545464B434954
LANE_MAGIC = 0x454E414C4B434954
PAGE_BYTES = 4096
PUBLISHED_OFFSET = 4096
RELEASED_OFFSET = 8192
SLOTS_OFFSET = 20480
LOCK_CONSUMER = 1
INSTRUMENT_ALL = 0xFFFFFFFF
LAST_VALUE_TRIES_MAX = 1000
F_OFD_SETLK = 37

TICK = numpy.dtype([
    ("stamp", "u4"), ("instrument", "u4"), ("sequence", "u8"), ("receive_time_ns", "i8"),
    ("exchange_time_ns", "i8"), ("last_price", "i8"), ("day_volume", "i8"), ("last_trade_seconds", "u4"),
    ("last_quantity", "u4"), ("open_interest", "u4"), ("flags", "u2"), ("kind", "u1"), ("reserved", "u1")])
FORMING = numpy.dtype([
    ("version", "u4"), ("instrument", "u4"), ("start_ns", "i8"), ("open", "i8"), ("high", "i8"), ("low", "i8"),
    ("close", "i8"), ("volume", "i8"), ("turnover", "i8"), ("received_ns", "i8"), ("sequence", "u8"),
    ("open_interest", "u4"), ("tick_count", "u4"), ("flags", "u2"), ("coverage", "u1"), ("reserved", "V37")])
INSTRUMENT = numpy.dtype([
    ("id", "u4"), ("lot_size", "u4"), ("price_tick", "i8"), ("symbol", "S40"), ("ticks", "u8")])
FEED_HEADER = numpy.dtype({
    "names": ["magic", "layout_version", "instruments_max", "segment_bytes", "counters_offset", "instruments_offset",
              "last_values_offset", "control_socket", "forming_offset"],
    "formats": ["u8", "u4", "u4", "u8", "u8", "u8", "u8", "S112", "u8"],
    "offsets": [0, 8, 12, 16, 24, 32, 40, 128, 752]})
LANE_HEADER = numpy.dtype([
    ("magic", "u8"), ("layout_version", "u4"), ("slot_bytes", "u4"), ("segment_bytes", "u8"), ("capacity", "u8"),
    ("created_wall_ns", "i8"), ("producer_pid", "i4"), ("consumer_pid", "i4")])


class NotReady(Exception):
    """The feed or the lane cannot be used; the sentence says why."""


class _Object:
    """One mapped shared-memory object, and its words."""

    def __init__(self, name, magic, version, header, writable):
        if platform.machine() not in ("x86_64", "AMD64"):
            raise NotReady("reading from Python needs an x86-64 processor")
        try:
            self.descriptor = os.open("/dev/shm" + name, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotReady(f"there is no shared memory '{name}'") from None
        size = os.fstat(self.descriptor).st_size
        if size < SLOTS_OFFSET and writable or size < 2 * PAGE_BYTES:
            raise NotReady(f"'{name}' is too small: its producer has only just created it")
        protection = mmap.PROT_READ | mmap.PROT_WRITE if writable else mmap.PROT_READ
        self.memory = mmap.mmap(self.descriptor, size, flags=mmap.MAP_SHARED, prot=protection)
        self.words = numpy.frombuffer(self.memory, "u8")
        self.header = numpy.frombuffer(self.memory, header, 1)[0]
        if self.word(0) != magic:
            raise NotReady(f"'{name}' is not initialised: its producer is not ready")
        if self.header["layout_version"] != version:
            raise NotReady(f"'{name}' has layout version {self.header['layout_version']}, not {version}")
        if self.header["segment_bytes"] != size:
            raise NotReady(f"'{name}' says sizes that do not fit its shared memory")

    def word(self, offset):
        return int(self.words[offset // 8])


class Feed:
    """A feed, mapped read-only."""

    def __init__(self, name):
        self.name = name
        self._object = _Object(f"/tickring.{name}", FEED_MAGIC, FEED_LAYOUT_VERSION, FEED_HEADER, writable=False)
        header = self._object.header
        rows = int(header["instruments_max"])
        memory = self._object.memory
        self.instruments = numpy.frombuffer(memory, INSTRUMENT, rows, int(header["instruments_offset"]))
        self._last_values_offset = int(header["last_values_offset"])
        self._forming_offset = int(header["forming_offset"])
        self.control_socket = bytes(header["control_socket"]).decode()

    def instrument(self, symbol):
        """The number of a symbol."""
        found = numpy.flatnonzero(self.instruments["symbol"] == symbol.encode())
        if len(found) == 0:
            raise KeyError(f"feed '{self.name}' has no symbol '{symbol}'")
        return int(found[0])

    def latest(self, instrument):
        """A copy of an instrument's newest tick; None when there was none yet."""
        return self._row(self._last_values_offset, TICK, instrument)

    def forming(self, instrument):
        """A copy of an instrument's newest minute, forming or just over; None when there was none yet."""
        return self._row(self._forming_offset, FORMING, instrument)

    def _row(self, table, dtype, instrument):
        offset = table + instrument * dtype.itemsize
        for _ in range(LAST_VALUE_TRIES_MAX):
            before = self._object.word(offset)
            if before & 0xFFFFFFFF == 0 or before >> 32 == INSTRUMENT_ALL:
                return None
            if before & 1:
                continue
            copy = numpy.frombuffer(self._object.memory[offset:offset + dtype.itemsize], dtype)[0]
            if self._object.word(offset) == before:
                return copy
        return None

    def counter(self, index):
        """A counter by its index in tickring_counters.h."""
        return self._object.word(int(self._object.header["counters_offset"]) + index * 8)

    def ask(self, method, path, body=None):
        """One request to the feed handler; returns its answer."""
        connection = http.client.HTTPConnection("tickring")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.control_socket)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        if response.status != 200:
            raise NotReady(answer.get("error", f"the feed handler answered {response.status}"))
        return answer

    def attach(self, lane, symbols):
        """Asks for a lane that carries `symbols`, and becomes its reader."""
        self.ask("POST", "/lanes", {"lane": lane, "symbols": list(symbols)})
        return Lane(self, lane)


class Lane:
    """The consumer's end of a lane."""

    def __init__(self, feed, name):
        self.feed, self.name = feed, name
        self._object = _Object(f"/tickring.{feed.name}.{name}", LANE_MAGIC, LANE_LAYOUT_VERSION, LANE_HEADER, writable=True)
        self.capacity = int(self._object.header["capacity"])
        self._slots = numpy.frombuffer(self._object.memory, TICK, self.capacity, SLOTS_OFFSET)
        # The consumer's role is a lock that the kernel drops when this process ends, however it ends.
        try:
            fcntl.fcntl(self._object.descriptor, F_OFD_SETLK,
                        struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, LOCK_CONSUMER, 1, 0))
        except OSError:
            raise NotReady(
                f"lane '{name}' is being read by process {self._object.header['consumer_pid']}") from None
        self._object.header["consumer_pid"] = os.getpid()
        self.position = self._object.word(RELEASED_OFFSET)

    @contextlib.contextmanager
    def batch(self, most=4096, timeout=1.0, pause=0.0002):
        """The next contiguous run of ticks, a view of shared memory; empty when none came within `timeout` seconds.

        The run is released, and may be overwritten, when the block ends.
        """
        deadline = time.monotonic() + timeout
        count = self._available(most)
        while count == 0 and time.monotonic() < deadline:
            time.sleep(pause)
            count = self._available(most)
        first = self.position % self.capacity
        view = self._slots[first:first + count]
        view.flags.writeable = False
        yield view
        self.position += count
        self._object.words[RELEASED_OFFSET // 8] = self.position

    def _available(self, most):
        first = self.position % self.capacity
        limit = min(most, self.capacity - first)
        expected = (numpy.arange(limit, dtype="u8") + numpy.uint64(self.position + 1)).astype("u4")
        here = self._slots["stamp"][first:first + limit] == expected
        return limit if here.all() else int(here.argmin())

    def detach(self):
        """Gives the lane back."""
        self.feed.ask("DELETE", f"/lanes/{self.name}")
