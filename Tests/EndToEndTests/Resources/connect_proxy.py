"""An HTTP proxy on loopback that knows CONNECT only: prints its port, then each target asked for."""

import select
import socket
import sys
import threading

# Clients that come at the same time are told of in lines of their own.
printing = threading.Lock()


def serve(client):
    request = b""
    while b"\r\n\r\n" not in request:
        more = client.recv(4096)
        if not more:
            return
        request += more
    verb, target, _ = request.split(b"\r\n")[0].split(b" ")
    with printing:
        print(verb.decode(), target.decode(), flush=True)
    if len(sys.argv) > 1:
        client.sendall(b"HTTP/1.1 " + sys.argv[1].encode() + b"\r\nContent-Length: 0\r\n\r\n")
        return
    host, _, port = target.rpartition(b":")
    with socket.create_connection((host.decode(), int(port))) as server:
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peers = {client: server, server: client}
        while True:
            for source in select.select(list(peers), [], [])[0]:
                data = source.recv(65536)
                if not data:
                    return
                peers[source].sendall(data)


def guarded(client):
    with client:
        try:
            serve(client)
        except (OSError, ValueError):
            pass


with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=guarded, args=(listener.accept()[0],), daemon=True).start()
