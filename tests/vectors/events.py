#!/usr/bin/env python3
"""Checks events-v1.json: each body is the Borsh encoding of its fields' values.

Needs nothing but Python 3.9. Borsh (https://borsh.io) in short: integers are little-endian,
text and lists have a length of four bytes before them, an option and an enum one byte.
"""

import json
import pathlib
import sys

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32M = 0x2BC830A3
GENERATORS = [0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]
UNITS = 10**9


def little(value, size):
    return value.to_bytes(size, "little")


def sized(data):
    return little(len(data), 4) + data


def amount(text):
    whole, _, fraction = text.partition(".")
    return little(int(whole) * UNITS + int(fraction.ljust(9, "0")), 16)


def account(text):
    """The 32 bytes of a bech32m id (BIP 350) that starts with apt1."""
    prefix, _, data = text.rpartition("1")
    values = [ALPHABET.index(letter) for letter in data]
    spread = [ord(letter) >> 5 for letter in prefix] + [0]
    spread += [ord(letter) & 31 for letter in prefix]
    check = 1
    for value in spread + values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    if prefix != "apt" or check != BECH32M:
        sys.exit(f"{text} is no account id")
    number = int("".join(f"{value:05b}" for value in values[:-6]), 2)
    bits = 5 * (len(values) - 6)
    return (number >> bits % 8).to_bytes(bits // 8, "big")


def count(largest, value):
    return little(value, (largest.bit_length() + 7) // 8)


PLAIN = {
    "amount": amount,
    "account": account,
    "32 bytes": bytes.fromhex,
    "text": lambda text: sized(text.encode()),
    "bytes": lambda text: sized(bytes.fromhex(text)),
    "flag": lambda flag: little(int(flag), 1),
}


def encode(kind, value):
    if isinstance(kind, str):
        return PLAIN[kind](value)
    ((name, inner),) = kind.items()
    if name == "count":
        return count(inner, value)
    if name == "choice":
        return little(inner.index(value), 1)
    if name == "optional":
        return b"\0" if value is None else b"\1" + encode(inner, value)
    if name == "list":
        return little(len(value), 4) + b"".join(encode(inner, item) for item in value)
    if name == "group":
        return b"".join(encode(field["kind"], value[field["name"]]) for field in inner)
    sys.exit(f"there is no kind {name}")


def main():
    path = pathlib.Path(__file__).with_name("events-v1.json")
    events = json.loads(path.read_text())["events"]
    for event in events:
        body = b"".join(encode(field["kind"], field["value"]) for field in event["fields"])
        if body.hex() != event["body"]:
            sys.exit(f"{event['name']}: {event['body']} should be {body.hex()}")
    print(f"{len(events)} bodies are right")


if __name__ == "__main__":
    main()
