"""Judges a websocket client that sends every message back, case by case, against RFC 6455.

    websocket_cases.py CLIENT [ARGUMENT...]                  runs `CLIENT ARGUMENT... URL` once for each case
    websocket_cases.py --cases PREFIX CLIENT [ARGUMENT...]   only the cases whose names begin so
    websocket_cases.py --client BUG URL                      is such a client, with a known bug (or `none`): the control

One line a failure on standard output, the count of cases last; exit code 1 when a case failed. The server here writes and
reads bytes on a socket; it shares no code with the client. Which texts are UTF-8 is decided by Python's own decoder.
"""

import contextlib
import base64
import concurrent.futures
import hashlib
import os
import random
import socket
import struct
import subprocess
import sys
import threading

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# How long a client may take for the next thing that it must do.
SECONDS = int(os.environ.get("WEBSOCKET_CASES_SECONDS", "60"))
EXIT_CLOSED, EXIT_UNAVAILABLE, EXIT_PROTOCOL, EXIT_REFUSED = 0, 69, 76, 77


def frame(opcode, payload=b"", final=True, reserved=0, mask=None, length_form=None):
    """One frame's bytes; `length_form` forces a longer way to write the length."""
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    marked = 0x80 if mask else 0
    size = len(payload)
    if length_form == 8 or size > 0xFFFF:
        head += bytes([marked | 127]) + struct.pack(">Q", size)
    elif length_form == 2 or size > 125:
        head += bytes([marked | 126]) + struct.pack(">H", size)
    else:
        head += bytes([marked | size])
    if mask:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        head += mask
    return head + payload


def fragments(opcode, payload, size):
    """A message cut into frames of `size` bytes."""
    pieces = [payload[start : start + size] for start in range(0, len(payload), size)] or [b""]
    for number, piece in enumerate(pieces):
        yield frame(opcode if number == 0 else CONTINUATION, piece, final=number == len(pieces) - 1)


def close(code=1000, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


class Case:
    """What the server sends, and what must come back: `answers` in order, then a close frame with `code`."""

    def __init__(self, name, data, answers=(), code=1000, exit_code=EXIT_CLOSED, piece=None, ends=True):
        self.name, self.answers, self.code, self.exit_code = name, list(answers), code, exit_code
        self.data = data if isinstance(data, list) else [data]
        if piece:
            whole = b"".join(self.data)
            self.data = [whole[start : start + piece] for start in range(0, len(whole), piece)]
        # Whether the server must send the close frame once all answers are there.
        self.ends = ends and exit_code == EXIT_CLOSED


class Client:
    """The client as the server sees it: whole messages out of its frames, which must be masked."""

    def __init__(self, connection, keys):
        self.connection, self.keys, self.buffer, self.opcode, self.parts = connection, keys, b"", None, []

    def take(self, count):
        while len(self.buffer) < count:
            more = self.connection.recv(1 << 20)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def message(self):
        while True:
            first, second = self.take(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack(">H", self.take(2))
                assert size > 125, "a length not in its shortest form"
            elif size == 127:
                (size,) = struct.unpack(">Q", self.take(8))
                assert size > 0xFFFF, "a length not in its shortest form"
            assert second & 0x80, "a frame that is not masked"
            assert not first & 0x70, "reserved bits"
            key = self.take(4)
            self.keys.append(key)
            payload = self.take(size)
            whole = int.from_bytes(payload, "big") ^ int.from_bytes((key * (size // 4 + 1))[:size], "big")
            payload = whole.to_bytes(size, "big")
            opcode, final = first & 15, bool(first & 0x80)
            if opcode >= CLOSE:
                assert final and size <= 125, "a control frame in parts, or too long"
                return opcode, payload
            if opcode != CONTINUATION:
                self.opcode, self.parts = opcode, []
            self.parts.append(payload)
            if final:
                return self.opcode, b"".join(self.parts)


def accept_value(key):
    return base64.b64encode(hashlib.sha1(key + MAGIC).digest())


def check_request(request, nonces):
    lines = request.split(b"\r\n")
    assert lines[0].startswith(b"GET /case?x=1 HTTP/1.1"), lines[0]
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        assert name.lower() not in fields, "a header field twice: %r" % name
        fields[name.lower()] = value.strip()
    assert fields[b"upgrade"].lower() == b"websocket" and b"upgrade" in fields[b"connection"].lower()
    assert fields[b"sec-websocket-version"] == b"13" and fields[b"host"].startswith(b"127.0.0.1:")
    key = fields[b"sec-websocket-key"]
    assert len(base64.b64decode(key, validate=True)) == 16, "a key that is not 16 bytes"
    assert key not in nonces, "the same key twice"
    nonces.add(key)
    return key


def upgrade(key, accept=None, status=b"HTTP/1.1 101 Switching Protocols", fields=()):
    lines = [status, b"Upgrade: websocket", b"Connection: Upgrade"]
    lines += [b"Sec-WebSocket-Accept: " + (accept or accept_value(key))] + list(fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def data_cases():
    rng = random.Random(7)
    hello = (TEXT, b"hello")
    sizes = [0, 1, 125, 126, 127, 128, 4095, 4096, 4097, 65535, 65536, 65537]
    for opcode, name in (TEXT, "text"), (BINARY, "binary"):
        for size in sizes:
            payload = rng.randbytes(size) if opcode == BINARY else b"\xc3\xa9" * (size // 2) + b"x" * (size % 2)
            yield Case(f"1 {name} of {size} bytes", frame(opcode, payload), [(opcode, payload)])
        yield Case(f"1 {name} byte by byte", frame(opcode, b"x" * 300), [(opcode, b"x" * 300)], piece=1)
        yield Case(f"1 {name} in pieces of 997", frame(opcode, b"x" * 65536), [(opcode, b"x" * 65536)], piece=997)

    for size in 0, 1, 125:
        ping = rng.randbytes(size)
        yield Case(f"2 ping of {size} bytes", frame(PING, ping), [(PONG, ping)])
        yield Case(f"2 ping of {size} bytes, byte by byte", frame(PING, ping), [(PONG, ping)], piece=1)
    yield Case("2 ping of 126 bytes", frame(PING, b"x" * 126), [], 1002, EXIT_PROTOCOL)
    yield Case("2 pong that nobody asked for", frame(PONG, b"x") + frame(TEXT, b"hello"), [hello])
    pings = [b"%d" % number for number in range(10)]
    yield Case("2 ten pings", b"".join(frame(PING, ping) for ping in pings), [(PONG, ping) for ping in pings])
    yield Case("2 order", frame(TEXT, b"hello") + frame(PING, b"p") + frame(TEXT, b"hello"), [hello, (PONG, b"p"), hello])

    for bits in range(1, 8):
        for opcode in TEXT, BINARY, PING, PONG, CLOSE:
            bad = frame(opcode, b"\x03\xe8" if opcode == CLOSE else b"x", reserved=bits)
            yield Case(
                f"3 reserved bits {bits} with opcode {opcode}", frame(TEXT, b"hello") + bad + frame(TEXT, b"no"), [hello],
                1002, EXIT_PROTOCOL)
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]:
        for payload in b"", b"x":
            yield Case(
                f"4 opcode {opcode} with {len(payload)} bytes", frame(TEXT, b"hello") + frame(opcode, payload) + frame(PING),
                [hello], 1002, EXIT_PROTOCOL)


def fragment_cases():
    hello = (TEXT, b"hello")
    first, last = frame(TEXT, b"hel", final=False), frame(CONTINUATION, b"lo")
    ping, pong = frame(PING, b"p"), (PONG, b"p")
    for piece in None, 1:
        name = ", byte by byte" if piece else ""
        yield Case(f"5 two fragments{name}", first + last, [hello], piece=piece)
        yield Case(f"5 a ping between{name}", first + ping + last, [pong, hello], piece=piece)
        yield Case(f"5 a pong between{name}", first + frame(PONG, b"p") + last, [hello], piece=piece)
        empty = frame(TEXT, final=False) + frame(CONTINUATION, final=False) + frame(CONTINUATION)
        yield Case(f"5 three empty fragments{name}", empty, [(TEXT, b"")], piece=piece)
        mixed = frame(BINARY, final=False) + frame(CONTINUATION, b"x", final=False) + frame(CONTINUATION)
        yield Case(f"5 empty around one byte{name}", mixed, [(BINARY, b"x")], piece=piece)
        two = first + frame(CONTINUATION, b"l", final=False) + ping + frame(CONTINUATION, b"o") + frame(BINARY, b"b")
        yield Case(f"5 three fragments, a ping, another message{name}", two, [pong, hello, (BINARY, b"b")], piece=piece)
    wrong = {
        "a fragmented ping": frame(PING, b"x", final=False) + frame(CONTINUATION, b"y"),
        "a fragmented pong": frame(PONG, b"x", final=False) + frame(CONTINUATION, b"y"),
        "a fragmented close": frame(CLOSE, b"\x03", final=False) + frame(CONTINUATION, b"\xe8"),
        "a continuation of nothing": frame(CONTINUATION, b"x"),
        "an unfinished continuation of nothing": frame(CONTINUATION, b"x", final=False) + last,
        "a text within a message": first + frame(TEXT, b"x"),
        "a binary within a message": first + frame(BINARY, b"x", final=False),
        "a length of 1 in 2 bytes": frame(TEXT, b"x", length_form=2),
        "a length of 300 in 8 bytes": frame(BINARY, b"x" * 300, length_form=8),
        "a length with its top bit set": bytes([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1, 0]),
        "a masked text": frame(TEXT, b"x", mask=b"abcd"),
        "a masked ping": frame(PING, b"", mask=b"abcd"),
    }
    for name, data in wrong.items():
        yield Case(f"5 {name}", frame(TEXT, b"hello") + data + frame(TEXT, b"no"), [hello], 1002, EXIT_PROTOCOL)


def is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def text_cases():
    rng = random.Random(11)
    samples = [
        "κόσμε".encode(), "नमस्ते ₹".encode(), "\U0001f4c8\u0000x".encode(), b"\xf4\x8f\xbf\xbf", b"\xf0\x90\x80\x80",
        b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbf", b"\xc2\x80", b"\xdf\xbf", b"\x7f",
        b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
        b"\xc0\x80", b"\xc1\xbf", b"\x80", b"\xbf", b"\xfe", b"\xff", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80",
        b"\xc3", b"\xe2\x82", b"\xf0\x9f\x93", b"\xc3x", b"\xe2\x82x", b"\xf0\x9f\x93x", b"\xe2\x28\xa1",
    ]
    samples += [bytes([first, second]) for first in (0xC2, 0xE1, 0xEF, 0xF3) for second in (0x7F, 0x80, 0xBF, 0xC0)]
    for _ in range(20):
        text = bytearray("".join(chr(rng.choice([65, 0xE9, 0x20B9, 0x1F4C8])) for _ in range(9)).encode())
        if rng.random() < 0.7:
            text[rng.randrange(len(text))] = rng.randrange(256)
        samples.append(bytes(text))
    for number, sample in enumerate(samples):
        name = f"6 text {number} {sample.hex()}"
        for text in sample, b"twelve bytes" + sample + b"seven..":
            if is_utf8(text):
                yield Case(name, frame(TEXT, text), [(TEXT, text)])
                yield Case(f"{name} in fragments", list(fragments(TEXT, text, 1)), [(TEXT, text)])
            else:
                yield Case(name, frame(TEXT, text) + frame(TEXT, b"no"), [], 1007, EXIT_PROTOCOL)
                yield Case(f"{name} in fragments", list(fragments(TEXT, text, 1)), [], 1007, EXIT_PROTOCOL)
        yield Case(f"{name} as binary", frame(BINARY, sample), [(BINARY, sample)])
    # The message, or even the frame, never ends: the client must not wait for it.
    bad = b"\xce\xba\xed\xa0\x80"
    yield Case("6 fail fast between fragments", frame(TEXT, bad, final=False), [], 1007, EXIT_PROTOCOL)
    yield Case("6 fail fast within a frame", frame(TEXT, bad + b"x" * 100)[: 2 + len(bad)], [], 1007, EXIT_PROTOCOL)
    yield Case(
        "6 fail fast in the last byte", [frame(TEXT, b"\xf0\x9f\x93", final=False), frame(CONTINUATION, b"\xc0", final=False)],
        [], 1007, EXIT_PROTOCOL)


def close_cases():
    hello = (TEXT, b"hello")
    text = frame(TEXT, b"hello")
    yield Case("7 close without a code", frame(CLOSE), [], None, ends=False)
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]:
        yield Case(f"7 close with {code}", text + close(code), [hello], code, ends=False)
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]:
        yield Case(f"7 close with {code}", text + close(code), [hello], 1002, EXIT_PROTOCOL)
    yield Case("7 half a code", text + frame(CLOSE, b"\x03"), [hello], 1002, EXIT_PROTOCOL)
    reason = ("₹" * 41).encode()
    for piece in None, 1, 7:
        yield Case(f"7 a reason of 123 bytes in pieces of {piece}", close(1000, reason), [], 1000, piece=piece, ends=False)
    yield Case("7 a reason of 124 bytes", close(1000, b"x" * 124), [], 1002, EXIT_PROTOCOL)
    yield Case("7 a reason that is no UTF-8", close(1000, b"\xed\xa0\x80"), [], 1007, EXIT_PROTOCOL)
    yield Case("7 a reason cut within a character", close(1000, b"\xe2\x82"), [], 1007, EXIT_PROTOCOL)
    yield Case("7 data after the close", text + close() + text, [hello], 1000, ends=False)
    yield Case("7 a ping after the close", text + close() + frame(PING), [hello], 1000, ends=False)
    yield Case("7 a second close", close(1001) + close(1002), [], 1001, ends=False)
    yield Case("7 a close within a message", frame(TEXT, b"x", final=False) + close(), [], 1000, ends=False)


def large_cases():
    rng = random.Random(13)
    for size in 1 << 18, 1 << 20, 1 << 24:
        data = rng.randbytes(1 << 16) * (size >> 16)
        text = "₹ is three bytes, this is more.".encode() * (size // 33)
        yield Case(f"9 binary of {size} bytes", frame(BINARY, data), [(BINARY, data)])
        yield Case(f"9 text of {len(text)} bytes", frame(TEXT, text), [(TEXT, text)])
    for size in 64, 1024, 65536:
        data = rng.randbytes(1 << 20)
        yield Case(f"9 a MiB in fragments of {size}", b"".join(fragments(BINARY, data, size)), [(BINARY, data)])
    text = "é".encode() * (1 << 17)
    yield Case("9 a text in fragments of 63", b"".join(fragments(TEXT, text, 63)), [(TEXT, text)])
    yield Case("9 a text in pieces of 1460", frame(TEXT, text), [(TEXT, text)], piece=1460)
    for size in 0, 16, 125, 256, 4096:
        messages = [bytes([65 + number % 26]) * size for number in range(1000)]
        data = b"".join(frame(BINARY, message) for message in messages)
        yield Case(f"9 a thousand messages of {size} bytes", data, [(BINARY, message) for message in messages])
    # A ping between any two fragments of one large message.
    parts, answers = [], []
    data = rng.randbytes(65536)
    for number, part in enumerate(fragments(BINARY, data, 1300)):
        parts += [part, frame(PING, b"%d" % number)]
        answers.append((PONG, b"%d" % number))
    answers.insert(len(answers) - 1, (BINARY, data))
    yield Case("10 pings between the fragments", b"".join(parts), answers)


class HandshakeCase:
    """An answer to the handshake that is wrong, or right and unusual."""

    def __init__(self, name, answer, exit_code=EXIT_PROTOCOL, piece=None, glued=b"", answers=()):
        self.name, self.answer, self.exit_code, self.piece = "0 " + name, answer, exit_code, piece
        self.glued, self.answers = glued, list(answers)


def handshake_cases():
    yield HandshakeCase("byte by byte", upgrade, EXIT_CLOSED, piece=1)
    yield HandshakeCase(
        "a frame along with the answer", upgrade, EXIT_CLOSED, glued=frame(TEXT, b"early") + frame(PING, b"p"),
        answers=[(TEXT, b"early"), (PONG, b"p")])
    yield HandshakeCase(
        "odd case and spaces", lambda key: b"HTTP/1.1 101 ok\r\nUPGRADE:  WebSocket \r\nconnection:keep-alive,\tupgrade\r\n"
        b"x: y\r\nsec-websocket-ACCEPT:" + accept_value(key) + b"\r\n\r\n", EXIT_CLOSED)
    wrong = {
        "an accept that is not ours": lambda key: upgrade(key, accept_value(b"dGhlIHNhbXBsZSBub25jZQ==")),
        "an accept in lower case": lambda key: upgrade(key, accept_value(key).lower()),
        "no accept": lambda key: upgrade(key).replace(b"Sec-WebSocket-Accept", b"X-Accept"),
        "no upgrade": lambda key: upgrade(key).replace(b"Upgrade: websocket\r\n", b""),
        "another upgrade": lambda key: upgrade(key).replace(b"Upgrade: websocket", b"Upgrade: h2c"),
        "no connection field": lambda key: upgrade(key).replace(b"Connection: Upgrade\r\n", b""),
        "connection: close": lambda key: upgrade(key).replace(b"Connection: Upgrade", b"Connection: close"),
        "an extension": lambda key: upgrade(key, fields=[b"Sec-WebSocket-Extensions: permessage-deflate"]),
        "a subprotocol": lambda key: upgrade(key, fields=[b"Sec-WebSocket-Protocol: chat"]),
        "a field without a colon": lambda key: upgrade(key, fields=[b"nonsense"]),
        "HTTP/1.0": lambda key: upgrade(key, status=b"HTTP/1.0 101 Switching Protocols"),
        "status 200": lambda key: upgrade(key, status=b"HTTP/1.1 200 OK"),
        "status 301": lambda key: upgrade(key, status=b"HTTP/1.1 301 Moved", fields=[b"Location: ws://127.0.0.1:1/"]),
        "another protocol": lambda key: b"SSH-2.0-x\r\n\r\n",
        "a header without end": lambda key: b"HTTP/1.1 101 x\r\n" + b"x: y\r\n" * 20000,
    }
    for name, answer in wrong.items():
        yield HandshakeCase(name, answer)
    yield HandshakeCase("status 403", lambda key: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", EXIT_REFUSED)
    yield HandshakeCase("status 503", lambda key: b"HTTP/1.1 503 Busy\r\n\r\n", EXIT_UNAVAILABLE)
    yield HandshakeCase("an end instead of an answer", lambda key: b"", EXIT_UNAVAILABLE)


class Judge:
    def __init__(self, command):
        self.command, self.keys, self.nonces, self.lock = command, [], set(), threading.Lock()

    def run(self, case):
        """None when the client did right, else what it did wrong."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(SECONDS)
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}/case?x=1"
            process = subprocess.Popen(self.command + [url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            flaw = None
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(SECONDS)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.talk(case, connection)
            except (AssertionError, OSError, EOFError) as error:
                flaw = f"{type(error).__name__} {error}"
            try:
                output, _ = process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return f"does not end ({flaw})"
            if flaw is None and process.returncode != case.exit_code:
                flaw = f"exit code {process.returncode} instead of {case.exit_code}: {output.decode(errors='replace')}"
            return flaw

    def talk(self, case, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(4096)
            assert more, "no whole request"
            request += more
        head, _, rest = request.partition(b"\r\n\r\n")
        assert not rest, "data before the handshake was answered"
        with self.lock:
            key = check_request(head, self.nonces)
        keys = []
        client = Client(connection, keys)
        if isinstance(case, HandshakeCase):
            answer = case.answer(key) + case.glued
            size = case.piece or max(1, len(answer))
            try:
                for start in range(0, len(answer), size):
                    connection.sendall(answer[start : start + size])
            except OSError:
                # A client may end the connection as soon as it has seen enough.
                assert case.exit_code != EXIT_CLOSED, "the client ended the connection"
            if case.exit_code == EXIT_CLOSED:
                self.converse(client, case.answers, 1000, True)
            else:
                with contextlib.suppress(OSError):  # the client may be gone already
                    connection.shutdown(socket.SHUT_WR)
                assert not self.rest(connection), "frames after a handshake that failed"
        else:
            connection.sendall(upgrade(key))
            sender = threading.Thread(target=self.send, args=(connection, case.data), daemon=True)
            sender.start()
            self.converse(client, case.answers, case.code, case.ends, sender)
        with self.lock:
            self.keys += keys

    @staticmethod
    def send(connection, pieces):
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass

    @staticmethod
    def rest(connection):
        try:
            return connection.recv(1)
        except ConnectionResetError:
            return b""

    @classmethod
    def converse(cls, client, answers, code, ends, sender=None):
        for number, (opcode, payload) in enumerate(answers):
            got_opcode, got = client.message()
            assert got_opcode == opcode, f"answer {number} has opcode {got_opcode} instead of {opcode}"
            assert got == payload, f"answer {number} has other bytes: {got[:40]!r} instead of {payload[:40]!r}"
        if sender:
            sender.join()
        if ends:
            client.connection.sendall(close(1000))
        opcode, payload = client.message()
        assert opcode == CLOSE, f"opcode {opcode} instead of a close frame: {payload[:40]!r}"
        got_code = struct.unpack(">H", payload[:2])[0] if payload else None
        assert got_code == code, f"close code {got_code} instead of {code}"
        with contextlib.suppress(OSError):  # the client may be gone already
            client.connection.shutdown(socket.SHUT_WR)
        assert not client.buffer and not cls.rest(client.connection), "data after the close frame"


def judge(command, prefix=""):
    cases = [
        *handshake_cases(), *data_cases(), *fragment_cases(), *text_cases(), *close_cases(), *large_cases()]
    cases = [case for case in cases if case.name.startswith(prefix)]
    judge = Judge(command)
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
        for case, flaw in zip(cases, pool.map(judge.run, cases)):
            if flaw:
                failures += 1
                print(f"{case.name}: {flaw}", flush=True)
    distinct = len(set(judge.keys))
    if distinct < 0.99 * len(judge.keys):
        failures += 1
        print(f"masks are not random: {distinct} different ones in {len(judge.keys)} frames")
    print(f"{len(cases)} cases, {failures} failures")
    return 1 if failures else 0


# The control: a client that is right but for one bug.

BUGS = ["none", "mask", "utf8", "fragments", "reserved", "codes", "answer", "opcode", "handshake", "late"]


class FaultyClient:
    def __init__(self, bug, url):
        address, _, path = url.removeprefix("ws://").partition("/")
        host, _, port = address.partition(":")
        self.bug, self.connection, self.buffer = bug, socket.create_connection((host, int(port))), b""
        key = base64.b64encode(os.urandom(16))
        self.connection.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".encode()
            + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
        while b"\r\n\r\n" not in self.buffer:
            more = self.connection.recv(4096)
            if not more or len(self.buffer) > 16384:
                sys.exit(EXIT_UNAVAILABLE if not self.buffer else EXIT_PROTOCOL)
            self.buffer += more
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.check_answer(head, key)

    def check_answer(self, head, key):
        lines = head.split(b"\r\n")
        if lines[0].startswith((b"HTTP/1.1 403", b"HTTP/1.1 503")):
            sys.exit(EXIT_REFUSED if b"403" in lines[0] else EXIT_UNAVAILABLE)
        fields = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon:
                sys.exit(EXIT_PROTOCOL)
            fields[name.lower()] = value.strip()
        is_right = (
            lines[0].startswith(b"HTTP/1.1 101") and fields.get(b"upgrade", b"").lower() == b"websocket"
            and b"upgrade" in fields.get(b"connection", b"").lower()
            and b"sec-websocket-extensions" not in fields and b"sec-websocket-protocol" not in fields
            and (self.bug == "handshake" or fields.get(b"sec-websocket-accept") == accept_value(key)))
        if not is_right:
            sys.exit(EXIT_PROTOCOL)

    def take(self, count):
        while len(self.buffer) < count:
            more = self.connection.recv(1 << 20)
            if not more:
                sys.exit(EXIT_UNAVAILABLE)
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def send(self, opcode, payload):
        key = b"abcd" if self.bug == "mask" else os.urandom(4)
        size = len(payload)
        whole = int.from_bytes(payload, "big") ^ int.from_bytes((key * (size // 4 + 1))[:size], "big")
        head = frame(opcode, payload)[: len(frame(opcode, payload)) - size]
        self.connection.sendall(bytes([head[0], head[1] | 0x80]) + head[2:] + key + whole.to_bytes(size, "big"))

    def end(self, code, exit_code):
        if self.bug == "answer" and code is not None:
            code = 1000
        self.send(CLOSE, struct.pack(">H", code) if code else b"")
        while self.connection.recv(1 << 16):
            pass
        sys.exit(exit_code)

    def fail(self, code=1002):
        self.end(code, EXIT_PROTOCOL)

    def run(self):
        opcode, parts = None, []
        while True:
            first, second = self.take(2)
            final, got, size = bool(first & 0x80), first & 15, second & 0x7F
            if first & 0x70 and self.bug != "reserved" or second & 0x80:
                self.fail()
            if got >= CLOSE and (size > 125 or not final) or got not in (0, 1, 2, 8, 9, 10) and self.bug != "opcode":
                self.fail()
            if size > 125:
                form = 2 if size == 126 else 8
                size = int.from_bytes(self.take(form), "big")
                if size < (126 if form == 2 else 1 << 16) or size >> 63:
                    self.fail()
            if got >= CLOSE:
                self.control(got, self.take(size))
                continue
            if self.bug != "fragments" and (got == CONTINUATION) != (opcode is not None):
                self.fail()
            if got != CONTINUATION:
                opcode, parts = got, []
            self.receive(opcode, parts, size)
            if final:
                message = b"".join(parts)
                if opcode == TEXT and self.bug != "utf8" and not is_utf8(message):
                    self.fail(1007)
                self.send(opcode, message)
                opcode = None

    def receive(self, opcode, parts, size):
        import codecs
        while size:
            piece = self.take(min(size, max(1, len(self.buffer))))
            size -= len(piece)
            parts.append(piece)
            if opcode == TEXT and self.bug not in ("utf8", "late"):
                try:
                    decoder = codecs.getincrementaldecoder("utf-8")()
                    decoder.decode(b"".join(parts))
                except UnicodeDecodeError:
                    self.fail(1007)

    def control(self, opcode, payload):
        if opcode == PING:
            self.send(PONG, payload)
        if opcode == CLOSE:
            code = struct.unpack(">H", payload[:2])[0] if len(payload) > 1 else None
            is_right = len(payload) != 1 and (
                code is None or 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999)
            if not is_right and self.bug != "codes":
                self.fail()
            if not is_utf8(payload[2:]):
                self.fail(1007)
            self.end(code, EXIT_CLOSED)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--client" and sys.argv[2] in BUGS:
        FaultyClient(sys.argv[2], sys.argv[3]).run()
    elif len(sys.argv) > 3 and sys.argv[1] == "--cases":
        sys.exit(judge(sys.argv[3:], sys.argv[2]))
    elif len(sys.argv) > 1 and not sys.argv[1].startswith("--"):
        sys.exit(judge(sys.argv[1:]))
    else:
        sys.exit(__doc__)
