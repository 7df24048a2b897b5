"""Reads a segment of the tick archive and prints its records, one a line, fields separated by commas.

It follows the description of the format and shares no code with the archive, so that agreement of the two means
something. Needs the package `lz4`.

    python3 read_segment.py SEGMENT.tka
"""

import struct
import sys

import lz4.block

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = MASK32
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ MASK32


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def unzigzag(code, mask=MASK64):
    return (code >> 1 ^ -(code & 1)) & mask


def word_stream(data, position, count):
    """The words of a stream and the position behind it."""
    lengths = ((0, 1, 2, 4), (1, 2, 3, 4))[data[position]]
    control = position + 1
    position = control + (count + 3) // 4
    words = []
    for i in range(count):
        length = lengths[data[control + i // 4] >> 2 * (i % 4) & 3]
        words.append(int.from_bytes(data[position : position + length], "little"))
        position += length
    return words, position


def fields(data, position, count, width):
    """Fields of so many bits and the position behind them."""
    end = position + (count * width + 7) // 8
    bits = int.from_bytes(data[position:end], "little")
    assert end <= len(data)
    return [bits >> i * width & (1 << width) - 1 for i in range(count)], end


def packed_tile(data, position, count):
    """The words of one tile of a packed column and the position behind it."""
    first = data[position]
    position += 1
    base = 0
    if first & 0x40:
        base = int.from_bytes(data[position : position + 4], "little")
        position += 4
    widths = [first & 0x3F]
    while first & 0x80:
        first = data[position]
        position += 1
        widths.append(first & 0x3F)
    levels, maps = [], []
    for level, width in enumerate(widths):
        words, position = fields(data, position, count, width)
        levels.append(words)
        if level + 1 < len(widths):
            bits, position = fields(data, position, count, 1)
            maps.append(bits)
            count = sum(bits)
    for level in reversed(range(len(maps))):
        uppers = iter(levels[level + 1])
        for i, has_upper in enumerate(maps[level]):
            if has_upper:
                levels[level][i] |= next(uppers) << widths[level]
    return [base + word & MASK32 for word in levels[0]], position


def packed_column(data, position, count):
    """The words of a packed column and the position behind it."""
    words = []
    while len(words) < count:
        tile, position = packed_tile(data, position, min(1024, count - len(words)))
        words += tile
    return words, position


def column_words(section, position, count):
    data, is_packed = section
    return packed_column(data, position, count) if is_packed else word_stream(data, position, count)


def sections(header, payload):
    """The unpacked sections of a block and whether they are packed columns, None for those left out."""
    result, position = [], 0
    for index in range(header[11]):
        word, stored = struct.unpack_from("<II", header, 96 + 8 * index)
        method, raw_length = word >> 28, word & 0x0FFFFFFF
        is_packed = method & 4 != 0
        method &= 3
        data = payload[position : position + stored]
        position += stored
        if method == 0:
            result.append(None)
            continue
        if method == 2:
            data = lz4.block.decompress(data, uncompressed_size=raw_length)
        assert len(data) == raw_length
        result.append((data, is_packed))
    return result


class Instrument:
    pass


def directory(section, version, count, earliest, frequent, least, step):
    streams, position = [], 0
    for stream in range(10):
        if version == 1 and stream == 7:
            streams.append([0] * count)
            continue
        words, position = column_words(section, position, count)
        streams.append(words)
    assert position == len(section[0])
    if version == 1:
        frequent, least, step = 0, 0, 1
    entries = []
    for k, (number, unit, lot, price_low, price_high, volume_low, volume_high, rest, interest, trade) in enumerate(
        zip(*streams)
    ):
        entry = Instrument()
        start = least if k in (0, frequent) else entries[-1].number + step
        entry.number = start + number * step
        entry.price_unit, entry.lot = unit, lot
        entry.price = unzigzag(price_low | price_high << 32)
        entry.volume = volume_low | volume_high << 32
        if version > 1:
            entry.volume = entry.volume * lot + rest & MASK64
        entry.open_interest = interest
        entry.last_trade = (earliest // 1000000000 - unzigzag(trade, MASK32)) & MASK32
        entries.append(entry)
    return entries


def day_summaries(section, count):
    streams, position = [], 0
    for _ in range(9):
        words, position = column_words(section, position, count)
        streams.append(words)
    assert position == len(section[0])
    for *prices, interest in zip(*streams):
        yield *(low | high << 32 for low, high in zip(prices[::2], prices[1::2])), interest


def ticks(header, payload):
    count, instrument_count = struct.unpack_from("<II", header, 16)
    earliest, latest, first, last, unit = struct.unpack_from("<qqQQI", header, 32)
    (version,) = struct.unpack_from("<H", header, 8)
    width, flags = header[68], header[69]
    is_steady = version > 1 and flags & 2 != 0
    frequent, least, step = struct.unpack_from("<III", header, 72)
    parts = sections(header, payload)
    entries = directory(parts[0], version, instrument_count, earliest, frequent, least, step)
    if parts[1] is None:
        codes = [0] * count
    elif version == 1:
        codes, _ = fields(parts[1][0], 0, count, width)
    else:
        codes, position = packed_column(parts[1][0], 0, count)
        assert position == len(parts[1][0])

    def column(section):
        if parts[section] is None:
            return [0] * count
        words, position = column_words(parts[section], 0, count)
        assert position == len(parts[section][0])
        return words

    def wide(section):
        return [low | high << 32 for low, high in zip(column(section), column(section + 1))]

    receive_codes, exchange_codes, remainders = wide(2), wide(4), column(6)
    sequence_codes, price_codes, quantities = wide(7), wide(9), column(11)
    volume_codes, trade_codes, interest_codes, flag_words = wide(12), wide(14), column(16), column(17)
    summaries = iter(())
    if version > 2:
        summary_count, summary_unit = struct.unpack_from("<II", header, 84)
        summaries = iter(day_summaries(parts[18], summary_count))
        for entry in entries:
            entry.summary = [signed(entry.price * entry.price_unit & MASK64) // summary_unit] * 4
    receive, sequence = earliest & MASK64, first - 1
    for i in range(count):
        entry = entries[codes[i]]
        receive = receive + receive_codes[i] & MASK64
        exchange = (signed(receive) // unit - unzigzag(exchange_codes[i])) * unit + remainders[i] & MASK64
        sequence = sequence + 1 + sequence_codes[i] & MASK64
        if version > 2 and flag_words[i] >> 16 & 0xFF == 2:
            *codes_of_prices, interest = next(summaries)
            entry.summary = [price + unzigzag(code) for price, code in zip(entry.summary, codes_of_prices)]
            high, low, opening, close = [price * summary_unit & MASK64 for price in entry.summary]
            yield (
                entry.number, sequence, signed(receive), signed(opening), signed(high), signed(low),
                close & MASK32, close >> 32, interest, flag_words[i] & 0xFFFF, 2,
            )  # fmt: skip
            continue
        entry.price = entry.price + unzigzag(price_codes[i]) & MASK64
        traded = quantities[i] * entry.lot
        quantity = traded & MASK32
        if version == 1:
            traded = quantity
        code = volume_codes[i]
        if flags & 1:
            change = traded + unzigzag(code) * entry.lot
        elif code == 0:
            change = traded
        elif code == 1:
            change = 0
        else:
            change = traded + unzigzag(code - 1) * entry.lot
        entry.volume = entry.volume + change & MASK64
        if is_steady:
            entry.last_trade = signed(exchange) // 1000000000 - unzigzag(trade_codes[i]) & MASK32
        elif trade_codes[i]:
            entry.last_trade = signed(exchange) // 1000000000 - unzigzag(trade_codes[i] - 1) & MASK32
        entry.open_interest = entry.open_interest + unzigzag(interest_codes[i], MASK32) & MASK32
        yield (
            entry.number, sequence, signed(receive), signed(exchange),
            signed(entry.price * entry.price_unit & MASK64), signed(entry.volume), entry.last_trade, quantity,
            entry.open_interest, flag_words[i] & 0xFFFF, flag_words[i] >> 16 & 0xFF,
        )  # fmt: skip
    assert sequence == last and earliest <= latest and next(summaries, None) is None


def blocks(segment):
    """Header and payload of each block, with every checksum compared."""
    assert segment[:8] == b"TKARCHIV" and struct.unpack_from("<H", segment, 8)[0] in (1, 2, 3)
    (name,) = struct.unpack_from("<I", segment, 60)
    assert crc32c(segment[:60]) == name
    position = 64
    while segment[position : position + 8] == b"TKABLOCK":
        header = segment[position : position + 256]
        assert crc32c(header[:252]) == struct.unpack_from("<I", header, 252)[0]
        assert struct.unpack_from("<I", header, 92)[0] in (0, name)
        length, checksum = struct.unpack_from("<II", header, 24)
        payload = segment[position + 256 : position + 256 + length]
        assert len(payload) == length and crc32c(payload) == checksum
        yield header, payload
        position += 256 + length


def definitions(header, payload):
    data, position = sections(header, payload)[0][0], 0
    for _ in range(struct.unpack_from("<I", header, 16)[0]):
        number, step, lot, symbol_length, token_length = struct.unpack_from("<IqqBH", data, position)
        position += 23
        symbol = data[position : position + symbol_length].decode()
        token = data[position + symbol_length : position + symbol_length + token_length].decode()
        position += symbol_length + token_length
        yield number, symbol, token, step, lot
    assert position == len(data)


def main():
    with open(sys.argv[1], "rb") as file:
        segment = file.read()
    for header, payload in blocks(segment):
        if header[10] == 1:
            for tick in ticks(header, payload):
                print("tick", *tick, sep=",")
        elif header[10] == 2:
            for instrument in definitions(header, payload):
                print("instrument", *instrument, sep=",")


if __name__ == "__main__":
    main()
