#!/usr/bin/env python3
"""Derives owner keys, account ids and salts without any of our Rust, and writes derivation.json.

Needs the PyPI packages pynacl and blake3. With --check it compares and writes nothing.
"""

import hashlib
import hmac
import json
import pathlib
import sys

from blake3 import blake3
from nacl.signing import SigningKey

PHRASE = "test test test test test test test test test test test junk"
PURPOSE, COIN_TYPE = 44, 4473940
ACCOUNT_CONTEXT = "ddt v1 account id"
SALT_CONTEXT = "ddt v1 domain commit salt"
PURPOSE_CONTEXT = "ddt v1 test purpose"
SALTS = [("alice", 0), ("alice", 1), ("bob", 0), ("bob", 1_700_000_000_000_000)]
MESSAGE = bytes(range(32))


def bip39_seed(phrase, passphrase=""):
    return hashlib.pbkdf2_hmac(
        "sha512", phrase.encode(), b"mnemonic" + passphrase.encode(), 2048)


def slip10(seed, path):
    """SLIP-0010 for ed25519; every index is hardened."""
    digest = hmac.new(b"ed25519 seed", seed, hashlib.sha512).digest()
    for index in path:
        data = b"\0" + digest[:32] + (0x80000000 + index).to_bytes(4, "big")
        digest = hmac.new(digest[32:], data, hashlib.sha512).digest()
    return digest[:32]


def bech32m(prefix, data):
    """BIP 350."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = int.from_bytes(data, "big")
    count = -(-len(data) * 8 // 5)
    bits <<= count * 5 - len(data) * 8
    words = [bits >> 5 * (count - 1 - place) & 31 for place in range(count)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = 1
    for word in expanded + words + [0] * 6:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ word
        for bit, term in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            check ^= term if top >> bit & 1 else 0
    check ^= 0x2BC830A3
    words += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(alphabet[word] for word in words)


def owner_key(seed, index):
    return SigningKey(slip10(seed, [PURPOSE, COIN_TYPE, index]))


def account_id(public_key):
    return bech32m("apt", blake3(public_key, derive_key_context=ACCOUNT_CONTEXT).digest())


def salt(seed, name, commit_nonce):
    secret = blake3(seed, derive_key_context=SALT_CONTEXT).digest()
    return blake3(commit_nonce.to_bytes(8, "little") + name.encode(), key=secret).digest()


def vectors():
    seed = bip39_seed(PHRASE)
    accounts = []
    for index in range(3):
        key = owner_key(seed, index)
        public = key.verify_key.encode()
        accounts.append({
            "path": f"m/{PURPOSE}'/{COIN_TYPE}'/{index}'",
            "index": index,
            "public_key": public.hex(),
            "account": account_id(public),
            "signature": key.sign(MESSAGE).signature.hex(),
        })
    return {
        "mnemonic": PHRASE,
        "seed": seed.hex(),
        "signed_message": MESSAGE.hex(),
        "accounts": accounts,
        "salts": [
            {"name": name, "commit_nonce": nonce, "salt": salt(seed, name, nonce).hex()}
            for name, nonce in SALTS
        ],
        "purpose": {
            "context": PURPOSE_CONTEXT,
            "seed": blake3(seed, derive_key_context=PURPOSE_CONTEXT).hexdigest(),
        },
    }


def write_or_check(name, text):
    path = pathlib.Path(__file__).with_name(name)
    if "--check" not in sys.argv:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit(f"{name} differs from what this script derives")


if __name__ == "__main__":
    write_or_check("derivation.json", json.dumps(vectors(), indent=2) + "\n")
