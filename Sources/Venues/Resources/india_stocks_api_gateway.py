"""A TickRing gateway that serves past candles through the Python package india-stocks-api, its class AngelOne.

Speaks the protocol of the article "Writing a gateway". Needs in the Python that runs it:

    pip install india-stocks-api==1.0.0 'pandas<3' pytz tqdm

and in the environment TICKRING_ANGELONE_API_KEY, TICKRING_ANGELONE_CLIENT_CODE, TICKRING_ANGELONE_PIN and
TICKRING_ANGELONE_TOTP_SECRET. It brings no ticks: the package has no stream of any kind.

Version 1.0.0 of the package is worked around as follows; nothing of it is changed on disk:

* it asks nseindia.com for cookies when it is imported, unless a cache of the day lies in the working directory: one is
  put there;
* it prints progress to standard output: that is standard error here, and the protocol goes over a descriptor of its own;
* its database of instruments lacks its schema: symbols are looked up in the broker's own list instead;
* daily candles are asked for as hourly ones; ranges are cut into two days and sent without a pause; an answer without
  data, and every refusal, ends in a TypeError; its header carries a foreign key.
"""

import argparse
import contextlib
import datetime
import json
import os
import signal
import sys
import tempfile
import time

INSTALLATION = "pip install india-stocks-api==1.0.0 'pandas<3' pytz tqdm"
EXIT_CONFIGURATION = 78
VARIABLES = {"api_key": "TICKRING_ANGELONE_API_KEY", "user_id": "TICKRING_ANGELONE_CLIENT_CODE",
             "pin": "TICKRING_ANGELONE_PIN", "totpstr": "TICKRING_ANGELONE_TOTP_SECRET"}
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
# The broker's limits: days of one request, and the pause between two, a little over a third of a second.
DAYS_MAX = {"1m": 30, "3m": 60, "5m": 100, "10m": 100, "15m": 200, "30m": 200, "1h": 400, "1d": 2000}
PAUSE_SECONDS = 0.35
# What the broker calls a token that is dead.
DEAD_TOKEN_CODES = {"AG8001", "AG8002", "AG8003", "AB8050", "AB8051"}
EXCHANGES = {"NSE", "BSE", "NFO", "MCX"}
ROWS_PER_LINE = 2000


class Refused(Exception):
    """The broker does not accept the credentials."""


class BadAnswer(Exception):
    """The broker's answer says no; carries its code."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code


class Broker:
    """The package's class, made usable."""

    def __init__(self, api_url, master_url):
        self.api_url = api_url.rstrip("/")
        self.master_url = master_url
        self.headers = None
        self.instruments = None
        self.next_turn = 0.0
        self.package = self.load_package()

    def load_package(self):
        # Goes with the process.
        self.directory = tempfile.TemporaryDirectory(prefix="tickring-gateway-")
        folder = os.path.join(self.directory.name, "_cache")
        os.makedirs(folder)
        with open(os.path.join(folder, "brokers_cache.json"), "w") as file:
            json.dump({"timestamp": time.time(), "cookies": {}, "expiry_dates": {}}, file)
        os.chdir(self.directory.name)
        try:
            from india_stocks_api.brokers.angelone import AngelOne
        except ImportError as error:
            print(f"{error}; install into {sys.executable}: {INSTALLATION}", file=sys.stderr)
            sys.exit(EXIT_CONFIGURATION)
        for urls in (AngelOne.base_urls, AngelOne.urls):
            for name, url in urls.items():
                urls[name] = url.replace("https://apiconnect.angelbroking.com", self.api_url)
        AngelOne.base_urls["market_data"] = self.master_url
        AngelOne.req_interval["1d"] = "ONE_DAY"
        AngelOne.resolve_equity_instrument = classmethod(
            lambda package, symbol, exchange, db_path=None: {"broker_token": symbol, "broker_symbol": symbol})
        original = AngelOne._json_parser
        AngelOne._json_parser = staticmethod(lambda response: checked(original(response)))
        return AngelOne

    def wait_for_turn(self):
        pause = self.next_turn - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self.next_turn = time.monotonic() + PAUSE_SECONDS

    def login(self):
        missing = [variable for variable in VARIABLES.values() if not os.environ.get(variable)]
        if missing:
            raise Refused(f"{' and '.join(missing)} must be set in the environment")
        params = {key: os.environ[variable] for key, variable in VARIABLES.items()}
        self.wait_for_turn()
        try:
            self.headers = self.package.generate_headers(params)
        except BadAnswer as error:
            raise Refused(f"the broker refuses the login: {error}")
        self.headers["headers"]["x-api-key"] = params["api_key"]

    def load_instruments(self):
        if self.instruments is None:
            self.wait_for_turn()
            rows = self.package.fetch(method="GET", url=self.master_url, timeout=120).json()
            self.instruments = {}
            for row in rows:
                symbol = tickring_symbol(row)
                if symbol:
                    self.instruments.setdefault(symbol, row)
        return self.instruments

    def candles(self, symbol, interval, start, end):
        row = self.load_instruments().get(symbol)
        if row is None:
            raise LookupError(f"the broker lists no {symbol}")
        if interval not in DAYS_MAX:
            raise LookupError(f"the broker keeps no {interval} candles; it has {', '.join(DAYS_MAX)}")
        # The broker counts both ends in and knows minutes only.
        first, last = india_minute(start), india_minute(end - 1)
        rows = []
        while first <= last:
            until = min(first + datetime.timedelta(days=DAYS_MAX[interval]) - datetime.timedelta(minutes=1), last)
            rows += self.request(row, interval, first, until)
            first = until + datetime.timedelta(minutes=1)
        return rows

    def request(self, row, interval, first, until):
        # The plain method, without the package's own cutting.
        fetch = self.package.get_candle_data_eq.__func__.__wrapped__
        for attempt in range(2):
            if self.headers is None:
                self.login()
            self.wait_for_turn()
            try:
                return fetch(self.package, row["token"], row["exch_seg"], interval, first, until, self.headers)
            except Exception as error:  # The package's own error carries the broker's text where the status is not 200.
                if not any(code in str(error) for code in DEAD_TOKEN_CODES):
                    raise
                if attempt:
                    raise Refused(f"the broker refuses a fresh token: {error}")
                self.headers = None


def checked(answer):
    """The answer, unless it says no; one without data has an empty list."""
    if isinstance(answer, dict) and "data" in answer:
        if answer.get("status") is False or answer.get("success") is False:
            raise BadAnswer(answer.get("errorcode") or answer.get("errorCode") or "", answer.get("message") or "no reason is given")
        if answer["data"] is None:
            answer["data"] = []
    elif isinstance(answer, dict):
        raise BadAnswer(answer.get("errorcode") or answer.get("errorCode") or "", answer.get("message") or "no data")
    return answer


def tickring_symbol(row):
    """EXCHANGE:SYMBOL as other brokers of the exchange have it; None for what the package has no way to."""
    exchange, name = row.get("exch_seg"), row.get("symbol") or ""
    if exchange not in EXCHANGES or not name:
        return None
    if row.get("instrumenttype") == "AMXIDX":
        return f"{exchange}:{name.upper()}"
    if exchange == "NSE" and not row.get("instrumenttype") and name.endswith("-EQ"):
        name = name[:-3]
    symbol = f"{exchange}:{name}"
    return symbol if len(symbol.encode()) <= 39 else None


def india_minute(seconds):
    """The beginning of a Unix time's minute on Indian clocks, naive, as the package wants it."""
    return datetime.datetime.fromtimestamp(seconds // 60 * 60, INDIA).replace(tzinfo=None)


def in_parts(rows):
    return [rows[start:start + ROWS_PER_LINE] for start in range(0, len(rows), ROWS_PER_LINE)] or [[]]


def instruments_answer(broker):
    rows = []
    for symbol, row in broker.load_instruments().items():
        listing = {"symbol": symbol, "token": row["token"]}
        with contextlib.suppress(TypeError, ValueError, KeyError):
            listing["tick_size"] = float(row["tick_size"]) / 100
            listing["lot_size"] = max(1, int(row["lotsize"]))
        rows.append(listing)
    return rows


def candles_answer(broker, request):
    candles = broker.candles(request["instrument"]["symbol"], request["interval"], request["from"], request["to"])
    return [[int(candle["datetime"].timestamp()), candle["open"], candle["high"], candle["low"], candle["close"],
             candle["volume"], candle["oi"] or 0] for candle in candles]


def kind_of(error):
    """How TickRing is to take an error: refused stops asking, usage concerns this request, anything else is retried."""
    if isinstance(error, Refused):
        return "refused"
    return "usage" if isinstance(error, LookupError) else "unavailable"


def main():
    arguments = argparse.ArgumentParser(
        prog="tickring gateway india-stocks-api --", description="Past candles of Angel One for TickRing.")
    arguments.add_argument("--api-url", default="https://apiconnect.angelbroking.com")
    arguments.add_argument(
        "--master-url", default="https://margincalculator.angelbroking.com/OpenAPI_File/files/OpenAPIScripMaster.json")
    options = arguments.parse_args()

    # Without this SIGTERM would leave the temporary directory behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**message):
        protocol.write(json.dumps(message) + "\n")
        protocol.flush()

    say(type="hello", protocol=1, name="india-stocks-api", capabilities=["instruments", "candles"])
    broker = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            kind, identifier = request.get("type"), request.get("id")
        except (ValueError, AttributeError):
            print(f"skipped a line of standard input that is no JSON object: {line[:80]!r}", file=sys.stderr)
            continue
        if kind == "ping":
            say(type="pong", id=identifier)
        if kind not in ("instruments", "candles"):
            continue
        try:
            broker = broker or Broker(options.api_url, options.master_url)
            rows = instruments_answer(broker) if kind == "instruments" else candles_answer(broker, request)
        except Exception as error:  # Whatever the package raises is an answer, not the end.
            say(type="error", id=identifier, kind=kind_of(error), message=f"{type(error).__name__}: {error}"[:500])
            continue
        parts = in_parts(rows)
        for number, part in enumerate(parts, 1):
            say(type=kind, id=identifier, rows=part, last=number == len(parts))


main()
