"""Prints last values and forming candles, then COUNT ticks as they come, then two counters, as read_lane.c does:

    python3 read_lane.py FEED LANE COUNT SYMBOL...
"""

import sys

import tickring

COUNTER_SEQUENCE, COUNTER_TICKS = 8, 9


def main():
    if len(sys.argv) < 5:
        sys.exit("usage: read_lane.py FEED LANE COUNT SYMBOL...")
    feed = tickring.Feed(sys.argv[1])
    symbols = sys.argv[4:]
    lane = feed.attach(sys.argv[2], symbols)
    names = {feed.instrument(symbol): symbol for symbol in symbols}
    for instrument, symbol in names.items():
        last = feed.latest(instrument)
        if last is not None:
            print(f"last,{last['sequence']},{symbol},{last['last_price']}")
        candle = feed.forming(instrument)
        if candle is not None:
            print(f"forming,{candle['sequence']},{symbol},{candle['close']},{candle['volume']}")
    wanted = int(sys.argv[3])
    while wanted > 0:
        with lane.batch() as ticks:
            trades = ticks[ticks["kind"] == 0][:wanted]
            for tick in trades:
                print(f"tick,{tick['sequence']},{names[int(tick['instrument'])]},{tick['last_price']}")
            wanted -= len(trades)
    print(f"counter,sequence,{feed.counter(COUNTER_SEQUENCE)}")
    print(f"counter,ticks,{feed.counter(COUNTER_TICKS)}")
    lane.detach()


try:
    main()
except tickring.NotReady as reason:
    sys.exit(f"read_lane.py: {reason}")
