"""Makes messages of an OpenAlgo server or lines of a gateway, good and broken, and says what each means.

Judged by Python's own json and decimal modules alone. One JSON object a line of output: {"line": the message,
"expected": what decoding must give as JSON text, or null where the message is bad}.
"""

import argparse
import json
import random
import sys
from decimal import ROUND_HALF_EVEN, Context, Decimal

UNIT = Decimal("1e-9")
LIMIT = Decimal(2**63 - 1)
EXACT = Context(prec=400, Emax=100000, Emin=-100000)
NOT_A_NUMBER = object()


class Bad(Exception):
    pass


class Extreme(Exception):
    """Something that what compares the answers cannot hold: a huge number, half a character, a member twice."""


# What a message means.


def units(number):
    """The number in units of 1e-9, or None when no price holds it."""
    if number.adjusted() > 12:
        return None
    rounded = number.quantize(UNIT, rounding=ROUND_HALF_EVEN, context=EXACT).scaleb(9, context=EXACT)
    return rounded if abs(rounded) <= LIMIT else None


def loose(value):
    """A number that may stand in quotes; None for none."""
    if value is None or value is NOT_A_NUMBER:
        return None
    if isinstance(value, str):
        if not value.strip(" \t\r\n"):
            return None
        try:
            value = load(value)
        except ValueError:
            raise Bad("not a number")
        if value is NOT_A_NUMBER:
            return None
    if not isinstance(value, Decimal):
        raise Bad("not a number")
    return value


def members(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise Extreme()
    return dict(pairs)


def load(text):
    return json.loads(text, object_pairs_hook=members, parse_float=Decimal, parse_int=Decimal,
                      parse_constant=lambda word: NOT_A_NUMBER)


def dump(value):
    if value is None or value is NOT_A_NUMBER:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > 100:
            raise Extreme()
        exact = units(value)
        return format(value if exact is None else exact.scaleb(-9, context=EXACT), "f")
    if isinstance(value, str):
        if any(0xD800 <= ord(letter) < 0xE000 for letter in value):
            raise Extreme()
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return "{" + ",".join(json.dumps(key) + ":" + dump(item) for key, item in value.items()) + "}"


def price(value):
    number = loose(value)
    if number is None or units(number) is None:
        raise Bad("no price")


def openalgo(message):
    if message.get("type") != "market_data":
        raise Bad("not a tick")
    for key in ("symbol", "exchange"):
        if not isinstance(message.get(key), str) or not message[key]:
            raise Bad(key)
    mode = message.get("mode")
    if isinstance(mode, Decimal) and (mode.adjusted() > 9 or round(mode) not in (1, 2, 3)):
        raise Bad("mode")
    data = message.get("data")
    if not isinstance(data, dict):
        raise Bad("data")
    price(data.get("ltp"))
    for key in ("volume", "last_trade_quantity", "last_quantity", "oi"):
        loose(data.get(key))


def gateway(message):
    if message.get("type") != "tick":
        raise Bad("not a tick")
    if not isinstance(message.get("symbol"), str) or not message["symbol"]:
        raise Bad("symbol")
    price(message.get("price"))
    for key in ("volume", "last_quantity", "open_interest"):
        loose(message.get(key))


def expected(line, check):
    try:
        message = load(line)
        if not isinstance(message, dict):
            return None
        check(message)
        return dump(message)
    except (ValueError, Bad):
        return None


# Messages.


def noisy(random_, value):
    """A number as programs that calculate in floating point spell it."""
    kind = random_.randrange(8)
    if kind == 0:
        return repr(value * 1.1 / 1.1)
    if kind == 1:
        return repr(value + 0.1 - 0.1)
    if kind == 2:
        return "%.*e" % (random_.randrange(17), value)
    if kind == 3:
        return "%dE-2" % round(value * 100)
    if kind == 4:
        return "%.2f" % value
    if kind == 5:
        return "%d" % value
    if kind == 6:
        return "%.*f" % (random_.randrange(5, 25), value)
    return repr(round(value, 2))


def number(random_, scale):
    text = noisy(random_, random_.uniform(-0.01, 1) * scale)
    draw = random_.randrange(60)
    if draw == 0:
        return random_.choice(["NaN", "Infinity", "-Infinity", "null", "\"\"", "\" \""])
    if draw == 1:
        return random_.choice(["true", "[]", "{}", "\"n/a\"", "1e30", "-0.0", "9223372036.854775807", "9223372036.8547758075"])
    if draw < 5:
        return "\"%s\"" % text
    return text


def time(random_):
    seconds = random_.randrange(1_600_000_000, 1_900_000_000)
    return random_.choice([
        "%d" % seconds, "%d" % (seconds * 1000 + random_.randrange(1000)), "%d.%06d" % (seconds, random_.randrange(10**6)),
        "%d000.5" % seconds, "\"%d\"" % seconds, "\"2026-11-25T09:15:00+05:30\"", "\"25-Nov-2026 09:15:00\"", "null", "0", "-1",
        "%.9e" % (seconds * 1000)])


def pairs(random_, members):
    members = [(key, value) for key, value in members if random_.random() < 0.97]
    if random_.random() < 0.3:
        random_.shuffle(members)
    space = random_.choice(["", "", " ", "  \t"])
    separator = random_.choice([",", ", ", " ,"])
    return "{" + space + separator.join('"%s":%s%s' % (key, space, value) for key, value in members) + space + "}"


def text(random_):
    name = random_.choice(["RELIANCE", "NIFTY 50", "M&M", "NIFTY28NOV2424500CE", "₹é😀", "a\"b\\c/d", "USDINR"])
    return json.dumps(name, ensure_ascii=random_.random() < 0.7)


def extra(random_):
    return random_.choice(['{"a":[1,2,{"b":null}],"c":"\\u20b9\\n"}', "[[],{}]", "true", '"zerodha"', "-1.5e-3"])


def openalgo_line(random_):
    level = lambda: pairs(random_, [("price", number(random_, 3000)), ("quantity", number(random_, 1e5)), ("orders", "7")])
    depth = '{"buy":[%s],"sell":[%s]}' % (",".join(level() for _ in range(random_.randrange(3))), level())
    data = [("ltp", number(random_, 10 ** random_.randrange(1, 10))), ("ltt", time(random_)), ("timestamp", time(random_)),
            ("open", number(random_, 3000)), ("high", number(random_, 3000)), ("volume", number(random_, 1e8)),
            (random_.choice(["last_trade_quantity", "last_quantity"]), number(random_, 1e4)), ("average_price", number(random_, 3000)),
            ("oi", number(random_, 1e6)), ("depth", depth), ("change_percent", extra(random_))]
    data = data[:3] + random_.sample(data[3:], random_.randrange(len(data) - 2))
    return pairs(random_, [
        ("type", '"market_data"'), ("symbol", text(random_)), ("exchange", '"NSE"'),
        ("mode", random_.choice(["1", "2", "3", "2", "3", "4", "\"LTP\"", "2.0", "null"])), ("data", pairs(random_, data)),
        ("broker", extra(random_))])


def gateway_line(random_):
    return pairs(random_, [
        ("type", '"tick"'), ("symbol", text(random_)), ("price", number(random_, 10 ** random_.randrange(1, 10))),
        ("time", time(random_)), ("last_trade_time", time(random_)), ("volume", number(random_, 1e8)),
        ("last_quantity", number(random_, 1e4)), ("open_interest", number(random_, 1e6)), ("remark", extra(random_))])


def broken(random_, line):
    kind = random_.randrange(5)
    place = random_.randrange(len(line))
    other = random_.choice("{}[]\",:.-+eE019tfnu\\/ \t\x01ax")
    if kind == 0:
        return line[:place]
    if kind == 1:
        return line[:place] + line[place + 1:]
    if kind == 2:
        return line[:place] + other + line[place:]
    if kind == 3:
        return line[:place] + other + line[place + 1:]
    return line[:place] + line[place:place + random_.randrange(1, 20)] * 2 + line[place:]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("venue", choices=["openalgo", "gateway"])
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--count", type=int, required=True)
    arguments.add_argument("--out", required=True)
    options = arguments.parse_args()
    random_ = random.Random(options.seed)
    make, check = (openalgo_line, openalgo) if options.venue == "openalgo" else (gateway_line, gateway)
    with open(options.out, "w", encoding="utf-8") as out:
        for _ in range(options.count):
            line = make(random_)
            if random_.random() < 0.4:
                line = broken(random_, line)
            try:
                if line.strip():
                    out.write(json.dumps({"line": line, "expected": expected(line, check)}) + "\n")
            except Extreme:
                pass


main()
