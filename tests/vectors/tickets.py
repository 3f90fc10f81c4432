#!/usr/bin/env python3
"""Rotated keys, events signed with tickets, and signed messages, without any of our Rust;
writes tickets.json.

Needs the PyPI packages pynacl and blake3. With --check it compares and writes nothing.
"""

import json

from blake3 import blake3
from nacl.signing import SigningKey

from derivation import (
    COIN_TYPE, PHRASE, PURPOSE, account_id, bip39_seed, owner_key, slip10, write_or_check)

PLACES = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (255, 7), (2**31 - 1, 2**31 - 1)]
CHAIN = bytes(range(32, 64))
VALID_UNTIL = 1_800_000_000_000
TRANSFER, RESERVE = 201, 105
OWNER_ROLE = 0
MESSAGES = [b"", b"I am alice.", "für den Tee ☕".encode(), bytes(range(256)) * 5]


def hashed(context, *parts):
    return blake3(b"".join(parts), derive_key_context=f"ddt v1 {context}").digest()


def little(value, size):
    return value.to_bytes(size, "little")


def sized(data):
    return little(len(data), 4) + data


def raw_account(public_key):
    return hashed("account id", public_key)


def key_at(seed, index, rotation):
    """The first key of an account is one level up from those that replace it."""
    if rotation == 0:
        return owner_key(seed, index)
    return SigningKey(slip10(seed, [PURPOSE, COIN_TYPE, index, rotation]))


def path(index, rotation):
    first = f"m/{PURPOSE}'/{COIN_TYPE}'/{index}'"
    return first if rotation == 0 else f"{first}/{rotation}'"


def transfer(to, units, memo):
    remark = b"\0" if memo is None else b"\1" + sized(memo.encode())
    return to + little(units, 16) + remark


def event(seed, name, place, nonce, tag, body):
    """An event of the account whose index `place` names, signed by its key of that rotation."""
    index, rotation = place
    first = key_at(seed, index, 0).verify_key.encode()
    key = key_at(seed, index, rotation)
    public = key.verify_key.encode()
    draft = b"".join([
        little(1, 1), CHAIN, raw_account(first), public, little(OWNER_ROLE, 1), little(nonce, 8),
        little(VALID_UNTIL, 8), little(tag, 2), sized(body),
    ])
    digest = hashed("event signature", draft)
    data = draft + key.sign(digest).signature
    return {
        "name": name,
        "index": index,
        "rotation": rotation,
        "author": account_id(first),
        "key": public.hex(),
        "nonce": nonce,
        "valid_until": VALID_UNTIL,
        "tag": tag,
        "body": body.hex(),
        "digest": digest.hex(),
        "bytes": data.hex(),
        "id": hashed("event id", data).hex(),
    }


def possession(seed, index, rotation):
    first = key_at(seed, index, 0).verify_key.encode()
    key = key_at(seed, index, rotation)
    public = key.verify_key.encode()
    digest = hashed("key possession", raw_account(first), public)
    return {
        "index": index,
        "rotation": rotation,
        "digest": digest.hex(),
        "signature": key.sign(digest).signature.hex(),
    }


def message(seed, index, rotation, content):
    first = key_at(seed, index, 0).verify_key.encode()
    key = key_at(seed, index, rotation)
    public = key.verify_key.encode()
    digest = hashed("signed message", raw_account(first), public, content)
    signature = key.sign(digest).signature
    return {
        "index": index,
        "rotation": rotation,
        "account": account_id(first),
        "message": content.hex(),
        "digest": digest.hex(),
        "text": f"ddt-message-1:{public.hex()}:{signature.hex()}",
    }


def vectors():
    seed = bip39_seed(PHRASE)
    other = raw_account(key_at(seed, 1, 0).verify_key.encode())
    return {
        "mnemonic": PHRASE,
        "chain": CHAIN.hex(),
        "keys": [
            {
                "index": index,
                "rotation": rotation,
                "path": path(index, rotation),
                "public_key": key_at(seed, index, rotation).verify_key.encode().hex(),
            }
            for index, rotation in PLACES
        ],
        "events": [
            event(seed, "accounts.reserve_tickets", (0, 0), 1_700_000_000_000_000, RESERVE,
                  little(3, 1)),
            event(seed, "bank.transfer", (0, 0), 1, TRANSFER, transfer(other, 5 * 10**9, None)),
            event(seed, "bank.transfer", (0, 2), 2**32 - 1, TRANSFER,
                  transfer(other, 1, "für den Tee")),
        ],
        "possessions": [possession(seed, 0, 1), possession(seed, 1, 1)],
        "messages": [message(seed, 0, 0, content) for content in MESSAGES]
        + [message(seed, 0, 2, MESSAGES[1])],
    }


if __name__ == "__main__":
    write_or_check("tickets.json", json.dumps(vectors(), indent=2) + "\n")
