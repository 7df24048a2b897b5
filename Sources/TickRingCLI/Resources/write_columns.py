"""Writes records of TickRing's archive as Parquet or as an Arrow IPC file; `tickring archive export` feeds it.

Standard input: one line of JSON, {"symbols": {"INSTRUMENT": "SYMBOL"}}, then records of 64 bytes as they lie in
memory. Arguments: the format, parquet or arrow, and the file to write. Needs numpy and pyarrow.
"""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet

RECORD = np.dtype([
    ("stamp", "<u4"), ("instrument", "<u4"), ("sequence", "<u8"), ("receive_time", "<i8"), ("exchange_time", "<i8"),
    ("price", "<i8"), ("volume", "<i8"), ("last_trade_time", "<u4"), ("last_quantity", "<u4"),
    ("open_interest", "<u4"), ("flags", "<u2"), ("kind", "u1"), ("reserved", "u1"),
])  # fmt: skip
TIME = pa.timestamp("ns", tz="UTC")
SCHEMA = pa.schema([
    ("receive_time", TIME), ("exchange_time", TIME), ("last_trade_time", pa.timestamp("s", tz="UTC")),
    ("symbol", pa.dictionary(pa.int32(), pa.string())), ("price", pa.float64()), ("price_nano", pa.int64()),
    ("volume", pa.int64()), ("last_quantity", pa.uint32()), ("open_interest", pa.uint32()), ("flags", pa.uint16()),
    ("sequence", pa.uint64()), ("kind", pa.uint8()),
])  # fmt: skip
RECORDS_A_GROUP = 1 << 19
WHOLE_FEED = 0xFFFFFFFF


def group(records, numbers, names):
    places = np.searchsorted(numbers, records["instrument"])
    exchange, trade = records["exchange_time"], records["last_trade_time"]
    columns = {
        "receive_time": pa.array(records["receive_time"], TIME),
        "exchange_time": pa.array(exchange, TIME, mask=exchange == 0),
        "last_trade_time": pa.array(trade.astype("i8"), pa.timestamp("s", tz="UTC"), mask=trade == 0),
        "symbol": pa.DictionaryArray.from_arrays(pa.array(places.astype("i4")), names),
        "price": pa.array(records["price"] / 1e9),
        "price_nano": pa.array(records["price"]),
        "volume": pa.array(records["volume"]),
    }
    for name in ("last_quantity", "open_interest", "flags", "sequence", "kind"):
        columns[name] = pa.array(np.ascontiguousarray(records[name]))
    return pa.record_batch([columns[field.name] for field in SCHEMA], schema=SCHEMA)


def main():
    form, path = sys.argv[1:]
    source = sys.stdin.buffer
    symbols = {int(number): name for number, name in json.loads(source.readline())["symbols"].items()}
    symbols.setdefault(WHOLE_FEED, "*")
    numbers = np.array(sorted(symbols), dtype="u4")
    names = pa.array([symbols[number] for number in sorted(symbols)], pa.string())
    if form == "parquet":
        writer = pa.parquet.ParquetWriter(path, SCHEMA, compression="zstd")
    else:
        writer = pa.ipc.new_file(path, SCHEMA)
    with writer:
        while data := source.read(RECORDS_A_GROUP * RECORD.itemsize):
            writer.write_batch(group(np.frombuffer(data, RECORD), numbers, names))


if __name__ == "__main__":
    main()
