"""An independent websocket server (PyPI's `websockets`) that holds a conversation with a client which echoes.

    websocket_peer.py CLIENT [ARGUMENT...]                          over TCP
    websocket_peer.py --tls CERTIFICATE KEY CLIENT [ARGUMENT...]    over TLS

Prints `agreed` when every message and ping came back as it was sent.
"""

import asyncio
import random
import ssl
import sys

import websockets

SECONDS = 60


async def converse(connection):
    rng = random.Random(17)
    for size in [0, 1, 125, 126, 65535, 65536, 1 << 20, 1 << 24]:
        message = rng.randbytes(size)
        await connection.send(message)
        assert await connection.recv() == message, size
        text = ("₹" * (size // 3))[: size // 3]
        await connection.send(text)
        assert await connection.recv() == text, size
    parts = [rng.randbytes(rng.randrange(4000)) for _ in range(300)]

    async def pieces():
        for number, part in enumerate(parts):
            yield part
            if number % 50 == 0:
                pong = await connection.ping(b"%d" % number)
                await pong

    await connection.send(pieces())
    assert await connection.recv() == b"".join(parts)
    messages = [rng.randbytes(rng.randrange(600)) for _ in range(5000)]

    async def send():
        for message in messages:
            await connection.send(message)

    sending = asyncio.create_task(send())
    for message in messages:
        assert await connection.recv() == message
    await sending
    await connection.close(1000, "well done")


async def main(arguments):
    context, scheme, host = None, "ws", "127.0.0.1"
    if arguments[:1] == ["--tls"]:
        context, scheme, host = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "wss", "localhost"
        context.load_cert_chain(arguments[1], arguments[2])
        arguments = arguments[3:]
    outcome = asyncio.get_running_loop().create_future()

    async def handler(connection):
        try:
            await converse(connection)
            outcome.set_result("agreed")
        except BaseException as error:
            outcome.set_result(f"{type(error).__name__} {error}")

    async with websockets.serve(handler, "127.0.0.1", 0, ssl=context, compression="deflate", max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(*arguments, f"{scheme}://{host}:{port}/")
        code = await asyncio.wait_for(process.wait(), SECONDS)
        print(await asyncio.wait_for(outcome, 1), code, flush=True)


asyncio.run(main(sys.argv[1:]))
