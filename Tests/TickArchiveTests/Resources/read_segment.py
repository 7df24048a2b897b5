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


def sections(header, payload):
    """The unpacked sections of a block, None for those left out."""
    result, position = [], 0
    for index in range(header[11]):
        word, stored = struct.unpack_from("<II", header, 96 + 8 * index)
        method, raw_length = word >> 28, word & 0x0FFFFFFF
        data = payload[position : position + stored]
        position += stored
        if method == 0:
            data = None
        elif method == 2:
            data = lz4.block.decompress(data, uncompressed_size=raw_length)
        assert data is None or len(data) == raw_length
        result.append(data)
    return result


class Instrument:
    pass


def directory(data, count, earliest):
    streams, position = [], 0
    for _ in range(9):
        words, position = word_stream(data, position, count)
        streams.append(words)
    assert position == len(data)
    entries, next_number = [], 0
    for number, unit, lot, price_low, price_high, volume_low, volume_high, interest, trade in zip(*streams):
        entry = Instrument()
        entry.number = next_number + number
        next_number = entry.number + 1
        entry.price_unit, entry.lot = unit, lot
        entry.price = unzigzag(price_low | price_high << 32)
        entry.volume = volume_low | volume_high << 32
        entry.open_interest = interest
        entry.last_trade = (earliest // 1000000000 - unzigzag(trade, MASK32)) & MASK32
        entries.append(entry)
    return entries


def ticks(header, payload):
    count, instrument_count = struct.unpack_from("<II", header, 16)
    earliest, latest, first, last, unit = struct.unpack_from("<qqQQI", header, 32)
    width, flags = header[68], header[69]
    parts = sections(header, payload)
    entries = directory(parts[0], instrument_count, earliest)
    packed = int.from_bytes(parts[1] or b"", "little")

    def column(section):
        if parts[section] is None:
            return [0] * count
        words, position = word_stream(parts[section], 0, count)
        assert position == len(parts[section])
        return words

    def wide(section):
        return [low | high << 32 for low, high in zip(column(section), column(section + 1))]

    receive_codes, exchange_codes, remainders = wide(2), wide(4), column(6)
    sequence_codes, price_codes, quantities = wide(7), wide(9), column(11)
    volume_codes, trade_codes, interest_codes, flag_words = wide(12), wide(14), column(16), column(17)
    receive, sequence = earliest & MASK64, first - 1
    for i in range(count):
        entry = entries[packed >> i * width & (1 << width) - 1]
        receive = receive + receive_codes[i] & MASK64
        exchange = (signed(receive) // unit - unzigzag(exchange_codes[i])) * unit + remainders[i] & MASK64
        sequence = sequence + 1 + sequence_codes[i] & MASK64
        entry.price = entry.price + unzigzag(price_codes[i]) & MASK64
        quantity = quantities[i] * entry.lot & MASK32
        code = volume_codes[i]
        if flags & 1:
            change = quantity + unzigzag(code) * entry.lot
        elif code == 0:
            change = quantity
        elif code == 1:
            change = 0
        else:
            change = quantity + unzigzag(code - 1) * entry.lot
        entry.volume = entry.volume + change & MASK64
        if trade_codes[i]:
            entry.last_trade = signed(exchange) // 1000000000 - unzigzag(trade_codes[i] - 1) & MASK32
        entry.open_interest = entry.open_interest + unzigzag(interest_codes[i], MASK32) & MASK32
        yield (
            entry.number, sequence, signed(receive), signed(exchange),
            signed(entry.price * entry.price_unit & MASK64), signed(entry.volume), entry.last_trade, quantity,
            entry.open_interest, flag_words[i] & 0xFFFF, flag_words[i] >> 16 & 0xFF,
        )  # fmt: skip
    assert sequence == last and earliest <= latest


def blocks(segment):
    """Header and payload of each block, with every checksum compared."""
    assert segment[:8] == b"TKARCHIV" and struct.unpack_from("<H", segment, 8)[0] == 1
    assert crc32c(segment[:60]) == struct.unpack_from("<I", segment, 60)[0]
    position = 64
    while segment[position : position + 8] == b"TKABLOCK":
        header = segment[position : position + 256]
        assert crc32c(header[:252]) == struct.unpack_from("<I", header, 252)[0]
        length, checksum = struct.unpack_from("<II", header, 24)
        payload = segment[position + 256 : position + 256 + length]
        assert len(payload) == length and crc32c(payload) == checksum
        yield header, payload
        position += 256 + length


def definitions(header, payload):
    data, position = sections(header, payload)[0], 0
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
