"""A gateway that behaves as its first argument says: what a user's program may do well and badly."""

import json
import os
import signal
import subprocess
import sys
import time

behaviour = sys.argv[1]


def say(**message):
    print(json.dumps(message), flush=True)


def hello(protocol=1, capabilities=("ticks", "candles", "instruments")):
    say(type="hello", protocol=protocol, name="test", capabilities=list(capabilities))


def rest():
    """Does nothing more until the other side goes."""
    for _ in sys.stdin:
        pass
    sys.exit(0)


def serve():
    """Answers as the protocol says."""
    for line in sys.stdin:
        request = json.loads(line)
        kind = request["type"]
        if kind == "ping" and behaviour != "mute":
            say(type="pong", id=request["id"])
        elif kind == "subscribe":
            for number, instrument in enumerate(request["instruments"]):
                assert instrument["token"] == "T-" + instrument["symbol"]
                say(type="tick", symbol=instrument["symbol"], price=100.1 + 0.2 + number, time=1700000000.5, volume=7,
                    last_quantity=3, last_trade_time=1700000000, open_interest=9)
            say(type="tick", symbol="NSE:NOBODY", price=1)
        elif kind == "unsubscribe":
            say(type="log", level="info", message="left " + " ".join(i["symbol"] for i in request["instruments"]))
        elif kind == "instruments":
            say(type="instruments", id=request["id"], last=False, rows=[{"symbol": "NSE:A", "token": "T-NSE:A", "tick_size": 0.05}])
            say(type="instruments", id=request["id"] + 100, rows=[{"symbol": "NSE:STRAY"}])
            say(type="instruments", id=request["id"], rows=[{"symbol": "NSE:B", "token": 7, "lot_size": 50}])
        elif kind == "candles":
            candles(request)


def candles(request):
    identifier, start = request["id"], request["from"]
    if behaviour == "no-answer":
        return
    if behaviour == "refused":
        return say(type="error", id=identifier, kind="refused", message="the token is dead")
    if behaviour == "descending":
        return say(type="candles", id=identifier, rows=[[start + 60, 1, 1, 1, 1, 1], [start, 1, 1, 1, 1, 1]])
    if behaviour == "bad-row":
        return say(type="candles", id=identifier, rows=[[start, 1, 1, 1, 1]])
    if behaviour == "dies-in-history":
        os._exit(5)
    say(type="candles", id=identifier, last=False, rows=[[start - 60, 9, 9, 9, 9, 9], [start, 1.1 + 2.2, 4, 3, 3.5, 10]])
    say(type="candles", id=identifier, rows=[[(start + 60) * 1000, "3.5", 3.5, 3.5, 3.5, 2e1, 6], [request["to"], 1, 1, 1, 1, 1]])


if behaviour == "no-hello":
    rest()
elif behaviour == "nonsense-first":
    print("Welcome to my gateway!", flush=True)
    rest()
elif behaviour == "other-protocol":
    hello(protocol=9)
    rest()
elif behaviour == "no-ticks":
    hello(capabilities=["candles"])
    rest()
elif behaviour == "refuses":
    print("the password is wrong", file=sys.stderr)
    sys.exit(77)
elif behaviour == "fails-at-once":
    raise KeyError("settings")

say(type="log", level="info", message="starting")
hello()
if behaviour == "nonsense":
    while True:
        print("lorem ipsum", flush=True)
elif behaviour == "some-nonsense":
    print("lorem\n{}\n\n{\"type\":\"tick\"}\n{\"type\":\"novelty\"}", flush=True)
    serve()
elif behaviour == "overlong":
    while True:
        sys.stdout.write("x" * 65536)
elif behaviour == "flood":
    line = '{"type":"tick","symbol":"NSE:A","price":1.5,"volume":1,"time":1700000000}\n' * 1000
    while True:
        sys.stdout.write(line)
        sys.stderr.write("y" * 1000 + "\n")
elif behaviour == "cut":
    sys.stdout.write('{"type":"heartbeat"}\n{"type":"tick","symbol":"NSE:A","pri')
    sys.stdout.flush()
    sys.stderr.write("out of paper")
    sys.stderr.flush()
    os._exit(3)
elif behaviour == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
elif behaviour == "closes-output":
    os.close(1)
    time.sleep(60)
elif behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "600"])
    say(type="log", level="info", message="child %d" % child.pid)
    while True:
        time.sleep(60)
elif behaviour == "deaf":
    time.sleep(60)
elif behaviour == "says-refused":
    say(type="error", kind="refused", message="the session is over")
    rest()
elif behaviour == "says-no-such":
    say(type="error", kind="usage", message="there is no NSE:A")
    serve()
serve()
