#!/usr/bin/env python3
"""Usernames and stamps without any of our Rust: writes usernames.json.

Argon2id and XChaCha20-Poly1305 are libsodium's. Needs the PyPI packages pynacl and blake3.
With --check it compares and writes nothing.
"""

import json

from blake3 import blake3
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from nacl.pwhash import argon2id
from nacl.signing import SigningKey

from derivation import PHRASE, account_id, bip39_seed, owner_key, write_or_check

CHAIN = bytes(range(32))
# (memory in KiB, passes): the one of every network, and the tests'.
PRODUCTION, UNSAFE_TEST = (256 * 1024, 3), (8, 1)
RECORD_BYTES = 256
STAMP_NONCES = [0, 1, 2, 1000, 2**64 - 1]


def derive(context, data):
    return blake3(data, derive_key_context=context).digest()


def u16(number):
    return number.to_bytes(2, "little")


def u32(number):
    return number.to_bytes(4, "little")


def u64(number):
    return number.to_bytes(8, "little")


def name_keys(name, chain, cost):
    """USR-2: the row's key and the key of what is in it."""
    salt = derive("ddt v1 username salt", chain)[:16]
    output = argon2id.kdf(64, name.encode(), salt, cost[1], cost[0] * 1024)
    return derive("ddt v1 username row", output), derive("ddt v1 username key", output)


def wallet_secret(seed, context, data):
    return blake3(data, key=derive(context, seed)).digest()


def raw_account(public):
    return derive("ddt v1 account id", public)


def handle(seed, name, cost, index, place, address):
    """USR-3 and WLT: what a wallet makes of a name."""
    row, key = name_keys(name, CHAIN, cost)
    owner = owner_key(seed, index)
    owner_public = owner.verify_key.encode()
    account = raw_account(owner_public)
    one_time = SigningKey(
        wallet_secret(seed, "ddt v1 username one-time key", row + u32(place)))
    holder = one_time.verify_key.encode()
    option = b"\0" if address is None else b"\1" + address
    digest = derive("ddt v1 username record", CHAIN + row + holder + account + option)
    signature = owner.sign(digest).signature
    record = b"\1" + account + owner_public
    record += b"\0" * 21 if address is None else b"\1" + address
    record = (record + signature).ljust(RECORD_BYTES, b"\0")
    nonce = wallet_secret(seed, "ddt v1 username nonce", row + holder + record)[:24]
    sealed = nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(record, CHAIN + row, nonce, key)
    counted = u32(len(sealed)) + sealed
    salt = wallet_secret(seed, "ddt v1 username claim salt", row + holder + counted)
    author = raw_account(holder)
    commit = derive("ddt v1 username commit", author + row + counted + salt)
    return {
        "name": name,
        "memory_kib": cost[0],
        "passes": cost[1],
        "index": index,
        "place": place,
        "address": address.hex() if address else None,
        "row": row.hex(),
        "account": account_id(owner_public),
        "holder": holder.hex(),
        "ciphertext": sealed.hex(),
        "salt": salt.hex(),
        "commit": commit.hex(),
        "possession": derive("ddt v1 username possession", row + holder).hex(),
    }


def stamp(author, signer, tag, nonce, number, beacon):
    """STP-1: the work's base, and the leading zero bits of some stamp nonces."""
    parts = CHAIN + author + signer + u16(tag) + u64(nonce) + u64(number) + beacon
    base = derive("ddt v1 stamp base", parts)
    key = derive("ddt v1 stamp", b"")
    bits = []
    for stamp_nonce in STAMP_NONCES:
        digest = blake3(base + u64(stamp_nonce), key=key).digest()
        bits.append(64 - int.from_bytes(digest[:8], "big").bit_length())
    wanted = 12
    first = next(
        place for place in range(2**20)
        if 64 - int.from_bytes(
            blake3(base + u64(place), key=key).digest()[:8], "big").bit_length() >= wanted)
    return {
        "author": author.hex(), "key": signer.hex(),
        "tag": tag,
        "event_nonce": nonce,
        "period": number,
        "beacon": beacon.hex(),
        "bits": dict(zip(map(str, STAMP_NONCES), bits)),
        "wanted": wanted,
        "first": first,
    }


def vectors():
    seed = bip39_seed(PHRASE)
    address = bytes(range(200, 220))
    return {
        "mnemonic": PHRASE,
        "chain": CHAIN.hex(),
        "usernames": [
            handle(seed, "alice", PRODUCTION, 0, 0, None),
            handle(seed, "alice", UNSAFE_TEST, 0, 0, None),
            handle(seed, "alice", UNSAFE_TEST, 0, 1, address),
            handle(seed, "0123456789abcdef", UNSAFE_TEST, 1, 0, address),
            handle(seed, "a", UNSAFE_TEST, 0, 0, None),
        ],
        "stamps": [
            stamp(bytes([1]) * 32, bytes([3]) * 32, 501, 1_700_000_000_000_000, 7, bytes([2]) * 32),
            stamp(bytes(range(32)), bytes([4]) * 32, 1, 1, 0, bytes(32)),
        ],
    }


if __name__ == "__main__":
    write_or_check("usernames.json", json.dumps(vectors(), indent=2) + "\n")
