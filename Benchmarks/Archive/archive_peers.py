"""The archive's peers, one core each: Parquet by pyarrow, DBN by databento-dbn and zstandard, DuckDB.

Prints one JSON object a line: a figure, or why a peer is left out.
"""

import json
import os
import sys
import time

import numpy

RECORD = numpy.dtype([
    ("stamp", "<u4"), ("instrument", "<u4"), ("sequence", "<u8"), ("receive_time", "<i8"),
    ("exchange_time", "<i8"), ("price", "<i8"), ("volume", "<i8"), ("last_trade", "<u4"),
    ("quantity", "<u4"), ("open_interest", "<u4"), ("flags", "<u2"), ("kind", "u1"), ("reserved", "u1"),
])
FIELDS = [name for name in RECORD.names if name not in ("stamp", "reserved")]
STEP = 50_000_000  # checksums count prices in steps of 0.05
ROWS_A_GROUP = 1 << 20
# Rows that DuckDB hands out at a time.
BATCH = 1 << 17
# One measure is the median of so many runs.
SCANS, SEARCHES = 3, 7

path, directory, instrument, start, end = sys.argv[1:6]
instrument, start, end = int(instrument), int(start), int(end)
records = numpy.memmap(path, RECORD, mode="r")
os.makedirs(directory, exist_ok=True)


def say(program, measure, value, checksum=None):
    line = {"program": program, "measure": measure, "value": value}
    if checksum is not None:
        line["checksum"] = int(checksum)
    print(json.dumps(line), flush=True)


def median(runs, work):
    """Seconds, and what the work returned."""
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - begin)
    return sorted(seconds)[runs // 2], result


def report(program, size, write, scan, search):
    count = len(records)
    say(program, "size", size / count)
    say(program, "seal", count / write / 1e6)
    seconds, checksum = median(SCANS, scan)
    say(program, "scan", count / seconds / 1e6, checksum)
    seconds, checksum = median(SEARCHES, search)
    say(program, "oneInstrument", seconds * 1e3, checksum)


def parquet():
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    table = pyarrow.table({name: numpy.ascontiguousarray(records[name]) for name in FIELDS})
    # For each column what makes it smallest, found by trying.
    encodings = {"sequence": "DELTA_BINARY_PACKED", "receive_time": "DELTA_BINARY_PACKED",
                 "volume": "BYTE_STREAM_SPLIT"}
    dictionaries = [name for name in FIELDS if name not in encodings]
    for codec in ("zstd", "lz4"):
        file = f"{directory}/{codec}.parquet"
        begin = time.perf_counter()
        pyarrow.parquet.write_table(
            table, file, compression=codec, use_dictionary=dictionaries, column_encoding=encodings,
            row_group_size=ROWS_A_GROUP, write_page_index=True)
        write = time.perf_counter() - begin

        def scan():
            reader = pyarrow.parquet.ParquetFile(file)
            for group in range(reader.num_row_groups):
                rows = reader.read_row_group(group, use_threads=False)
            return rows["sequence"][-1].as_py()

        def search():
            reader, sum_of_prices = pyarrow.parquet.ParquetFile(file), 0
            column = reader.schema_arrow.get_field_index("receive_time")
            for group in range(reader.num_row_groups):
                bounds = reader.metadata.row_group(group).column(column).statistics
                if bounds.max < start or bounds.min >= end:
                    continue
                rows = reader.read_row_group(group, use_threads=False)
                times = rows["receive_time"].to_numpy()
                wanted = (times >= start) & (times < end) & (rows["instrument"].to_numpy() == instrument)
                sum_of_prices += int((rows.filter(pyarrow.array(wanted))["price"].to_numpy() // STEP).sum())
            return sum_of_prices

        report(f"Parquet, {codec}", os.path.getsize(file), write, scan, search)


def dbn():
    import databento_dbn
    import zstandard

    # A trade message of DBN; it has no place for cumulative volume, last trade time and open interest.
    message = numpy.dtype([
        ("length", "u1"), ("rtype", "u1"), ("publisher", "<u2"), ("instrument", "<u4"),
        ("exchange_time", "<u8"), ("price", "<i8"), ("quantity", "<u4"), ("action", "S1"), ("side", "S1"),
        ("flags", "u1"), ("depth", "u1"), ("receive_time", "<u8"), ("delay", "<i4"), ("sequence", "<u4"),
    ])
    assert message.itemsize == 48
    metadata = databento_dbn.Metadata(
        dataset="XXXX.BENCH", start=int(records["receive_time"][0]),
        stype_in=databento_dbn.SType.INSTRUMENT_ID, stype_out=databento_dbn.SType.INSTRUMENT_ID,
        schema=databento_dbn.Schema.TRADES, symbols=[], partial=[], not_found=[], mappings=[]).encode()
    file = f"{directory}/trades.dbn.zst"

    def messages(part):
        rows = numpy.zeros(len(part), message)
        rows["length"], rows["action"], rows["side"] = message.itemsize // 4, b"T", b"N"
        for name in ("instrument", "price", "quantity", "sequence", "exchange_time", "receive_time"):
            rows[name] = part[name]
        return rows.tobytes()

    decoder = databento_dbn.DBNDecoder()
    decoder.write(metadata + messages(records[:3]))
    decoded = [record for record in decoder.decode() if isinstance(record, databento_dbn.TradeMsg)]
    assert [record.price for record in decoded] == [int(price) for price in records["price"][:3]]

    write = 0.0
    with open(file, "wb") as output:
        with zstandard.ZstdCompressor(level=3).stream_writer(output) as stream:
            stream.write(metadata)
            for first in range(0, len(records), ROWS_A_GROUP):
                raw = messages(records[first:first + ROWS_A_GROUP])
                begin = time.perf_counter()
                stream.write(raw)
                write += time.perf_counter() - begin
            begin = time.perf_counter()
        write += time.perf_counter() - begin

    def pieces():
        with open(file, "rb") as source:
            stream = zstandard.ZstdDecompressor().stream_reader(source)
            stream.read(len(metadata))
            while raw := stream.read(message.itemsize << 16):
                yield numpy.frombuffer(raw, message)

    def scan():
        for piece in pieces():
            last = piece["sequence"][-1]
        return last

    def search():
        sum_of_prices = 0
        for piece in pieces():
            if piece["receive_time"][0] >= end:
                break
            wanted = ((piece["receive_time"] >= start) & (piece["receive_time"] < end)
                      & (piece["instrument"] == instrument))
            sum_of_prices += int((piece["price"][wanted] // STEP).sum())
        return sum_of_prices

    report("DBN, zstd", os.path.getsize(file), write, scan, search)


def duck():
    import duckdb
    import pyarrow

    table = pyarrow.table({name: numpy.ascontiguousarray(records[name]) for name in FIELDS})
    file = f"{directory}/ticks.duckdb"
    connection = duckdb.connect(file, config={"threads": 1})
    # A query of more than two seconds would draw a bar among the results.
    connection.execute("SET enable_progress_bar = false")
    begin = time.perf_counter()
    connection.register("source", table)
    connection.execute("create table ticks as select * from source order by receive_time, sequence")
    connection.execute("checkpoint")
    write = time.perf_counter() - begin
    sums = ", ".join(f"sum({name})" for name in FIELDS)

    def scan():
        result = connection.execute("select * from ticks")
        # Newer versions have renamed it.
        reader = (result.to_arrow_reader if hasattr(result, "to_arrow_reader") else result.fetch_record_batch)(BATCH)
        for rows in reader:
            last = rows["sequence"][-1].as_py()
        return last

    def sum_up():
        return connection.execute(f"select max(sequence), {sums} from ticks").fetchone()[0]

    def search():
        rows = connection.execute(
            "select * from ticks where receive_time >= ? and receive_time < ? and instrument = ?",
            [start, end, instrument]).fetchnumpy()
        return (rows["price"] // STEP).sum()

    report("DuckDB", os.path.getsize(file), write, scan, search)
    # Nothing leaves the engine: not what a replay needs, but what DuckDB is made for.
    seconds, checksum = median(SCANS, sum_up)
    say("DuckDB, sums in its engine", "scan", len(records) / seconds / 1e6, checksum)


for program, peer in (("Parquet", parquet), ("DBN", dbn), ("DuckDB", duck)):
    try:
        peer()
    except ImportError as error:
        print(json.dumps({"program": program, "skipped": f"not installed ({error.name})"}), flush=True)
