#!/usr/bin/env python3
"""Seals a version 1 keystore file without any of our Rust, and writes keystore-v1.json.

Argon2id and XChaCha20-Poly1305 are libsodium's. Needs the PyPI packages pynacl and blake3.
With --check it compares and writes nothing. Its password is "correct horse battery staple".
"""

import json
import unicodedata

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from nacl.pwhash import argon2id

from derivation import PHRASE, account_id, bip39_seed, owner_key, write_or_check

PASSWORD = "correct horse battery staple"
# The 16 bytes that PHRASE stands for.
ENTROPY = bytes.fromhex("df9bf37e6fcdf9bf37e6fcdf9bf37e3c")
ACCOUNT_COUNT = 2
MEMORY_KIB, PASSES = 64, 1


def account_record(index):
    public = owner_key(bip39_seed(PHRASE), index).verify_key.encode()
    return {"account": account_id(public), "key": public.hex()}


def sealed_file():
    salt, nonce = bytes(range(16)), bytes(range(100, 124))
    header = {
        "name": "keystore-v1",
        "unsafe_test": True,
        "kdf": "argon2id-v19",
        "cost": {"memory_kib": MEMORY_KIB, "passes": PASSES, "lanes": 1},
        "salt": salt.hex(),
        "cipher": "xchacha20-poly1305",
        "nonce": nonce.hex(),
        "accounts": [account_record(index) for index in range(ACCOUNT_COUNT)],
    }
    authenticated = json.dumps(["ddt-keystore", 1, header], separators=(",", ":")).encode()
    password = unicodedata.normalize("NFKD", PASSWORD).encode()
    key = argon2id.kdf(32, password, salt, PASSES, MEMORY_KIB * 1024)
    kind_words = 0
    plaintext = bytes([kind_words, len(ENTROPY)]) + ENTROPY.ljust(32, b"\0")
    plaintext += ACCOUNT_COUNT.to_bytes(4, "big")
    ciphertext = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, authenticated, nonce, key)
    return {
        "format": "ddt-keystore",
        "version": 1,
        "header": header,
        "ciphertext": ciphertext.hex(),
    }


if __name__ == "__main__":
    write_or_check("keystore-v1.json", json.dumps(sealed_file(), indent=2) + "\n")
