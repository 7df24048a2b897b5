"""Judges `tickring candles build` by a reading of the candle's rules that shares nothing with it but their words.

usage: candle_judge.py TICKRING SEEDS [--seeded-bug]

Builds candles of random ticks in the plainest way: a whole file at a time, each candle a list of its trades. Compares
prices, volume, ticks, turnover and revision of the last state of every candle in the session, and rolls minutes up by
itself. Prints the differences; exits with 1 where there are any. With --seeded-bug its own volumes are those of a
builder that forgets the minute's edge.
"""

import csv
import datetime
import io
import random
import subprocess
import sys
from decimal import Decimal

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
GRACE = 3 * SECOND
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
# A day of plain hours in the shipped calendar, before closing auctions began.
MIDNIGHT = int(datetime.datetime(2026, 7, 1, tzinfo=INDIA).timestamp()) * SECOND
OPENING, CLOSE = MIDNIGHT + (9 * 60 + 15) * MINUTE, MIDNIGHT + (15 * 60 + 30) * MINUTE
HEADER = "receive_time_ns,exchange_time_ns,last_trade_time_ns,symbol,price,volume,last_quantity,open_interest,flags"
SYMBOLS = ["NSE:A", "NSE:B", "NSE:INDEX"]


def random_ticks(chance):
    """Snapshots as venues send them: prices in steps, volumes that stand still, fall back or rise, times that are
    missing, and trades that are told late: by a second or two as a rule, by more than a minute now and then."""
    receive = MIDNIGHT + chance.choice([9 * 60 + 10, 12 * 60, 15 * 60 + 25]) * MINUTE
    pace = chance.choice([200, 3_000, 20_000])
    price = {symbol: 1_000 + chance.randrange(100) for symbol in SYMBOLS}
    volume = {symbol: chance.randrange(5_000) for symbol in SYMBOLS}
    trade = dict.fromkeys(SYMBOLS, receive)
    ticks = []
    for _ in range(chance.choice([60, 400])):
        receive += chance.randrange(pace) * SECOND // 1_000
        symbol = chance.choice(SYMBOLS)
        price[symbol] += chance.choice([0, 0, 1, 2, 3, -1, -2, -3])
        volume[symbol] += chance.choice([0, 0, chance.randrange(1, 50)])
        if chance.random() < 0.01:
            volume[symbol] = max(0, volume[symbol] - chance.randrange(1, 100))
        exchange = receive - chance.randrange(900) * SECOND // 1_000
        if chance.random() < 0.9:
            trade[symbol] = max(trade[symbol], exchange - chance.randrange(1_500) * SECOND // 1_000)
        else:
            trade[symbol] = exchange - chance.randrange(70) * SECOND
        ticks.append((
            receive, exchange if chance.random() < 0.97 else None, trade[symbol] if chance.random() < 0.95 else None,
            symbol, Decimal(price[symbol]) * Decimal("0.05"), None if symbol == "NSE:INDEX" else volume[symbol]))
    return ticks


def trades(ticks, forgets_the_edge):
    """(symbol, minute, event time, price, volume, is late) of each tick that is a trade of continuous trading."""
    last_volume, last_price, minute_of = {}, {}, {}
    for receive, exchange, last_trade, symbol, price, volume in ticks:
        time = last_trade if last_trade is not None else exchange if exchange is not None else receive
        minute = time // MINUTE * MINUTE
        if volume is None:
            traded = 0 if symbol in last_price and last_price[symbol] != price else None
            last_price[symbol] = price
        else:
            rise = volume - last_volume.get(symbol, volume)
            traded = rise if rise > 0 else None
            last_volume[symbol] = volume
            if forgets_the_edge and traded and minute_of.get(symbol, minute) != minute:
                traded = 1
            minute_of[symbol] = minute
        if traded is not None and OPENING <= time < CLOSE:
            yield symbol, minute, time, price, traded, receive >= minute + MINUTE + GRACE


def minutes(ticks, forgets_the_edge):
    """[open, high, low, close, volume, ticks, turnover, revision] of each minute with a trade."""
    found = {}
    for symbol, minute, time, price, volume, is_late in trades(ticks, forgets_the_edge):
        found.setdefault((symbol, minute), []).append((time, price, volume, is_late))
    candles = {}
    for key, entries in found.items():
        # The sort is stable: of trades at one time the first to arrive stays first.
        by_time = sorted(entries, key=lambda entry: entry[0])
        prices = [price for _, price, _, _ in entries]
        candles[key] = [
            by_time[0][1], max(prices), min(prices), by_time[-1][1], sum(volume for _, _, volume, _ in entries),
            len(entries), sum(price * volume for _, price, volume, _ in entries),
            sum(is_late for _, _, _, is_late in entries)]
    return candles


def rolled_up(candles, count):
    """Candles of `count` minutes from the session's opening on."""
    longer = {}
    for (symbol, minute), (first, high, low, last, volume, ticks, turnover, _) in sorted(candles.items()):
        start = OPENING + (minute - OPENING) // (count * MINUTE) * count * MINUTE
        if (symbol, start) not in longer:
            longer[symbol, start] = [first, high, low, last, volume, ticks, turnover]
            continue
        candle = longer[symbol, start]
        candle[1], candle[2], candle[3] = max(candle[1], high), min(candle[2], low), last
        candle[4] += volume
        candle[5] += ticks
        candle[6] += turnover
    return longer


def built(tool, ticks, interval):
    lines = [HEADER] + [",".join("" if value is None else str(value) for value in tick) + ",1,," for tick in ticks]
    run = subprocess.run(
        [tool, "candles", "build", "--ticks", "-", "--final", "--interval", f"{interval}m"],
        input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"candles build ended with {run.returncode}: {run.stderr}")
    candles = {}
    for row in csv.DictReader(io.StringIO(run.stdout)):
        start = int(datetime.datetime.fromisoformat(row["start"]).timestamp()) * SECOND
        numbers = [Decimal(row[name]) for name in ("open", "high", "low", "close", "volume", "ticks", "turnover")]
        if OPENING <= start < CLOSE:
            candles[row["symbol"], start] = numbers + [int(row["revision"])] * (interval == 1)
    return candles


def main():
    tool, seeds, has_bug = sys.argv[1], int(sys.argv[2]), "--seeded-bug" in sys.argv
    count, differences = 0, 0
    for seed in range(seeds):
        ticks = random_ticks(random.Random(seed))
        expected = minutes(ticks, has_bug)
        for interval in [1, 3, 5, 10, 15, 30, 60]:
            ours = built(tool, ticks, interval)
            theirs = expected if interval == 1 else rolled_up(expected, interval)
            count += len(theirs)
            for key in sorted(ours.keys() | theirs.keys()):
                if ours.get(key) != theirs.get(key):
                    differences += 1
                    print(f"seed {seed}, {interval}m, {key}: built {ours.get(key)}, judged {theirs.get(key)}")
    print(f"{count} candles compared, {differences} differ")
    sys.exit(differences > 0)


main()
