#!/usr/bin/env python3
"""Locks of coins and payment requests without any of our Rust; writes swaps.json.

Secrets from words, their SHA-256, the bodies and the ids of locks and claims, and the text of
payment requests, good and bad. Needs the PyPI packages pynacl and blake3. With --check it
compares and writes nothing.
"""

import hashlib
import json
import re

from blake3 import blake3

from derivation import (PHRASE, account_id, bech32m, bip39_seed, owner_key, write_or_check)
from events import account as account_bytes, amount as amount_bytes

SECRET_CONTEXT = "ddt v1 lock secret"
SIGNATURE_CONTEXT = "ddt v1 event signature"
EVENT_CONTEXT = "ddt v1 event id"
LOCK, CLAIM, GIVE_BACK = 203, 204, 205
CHAIN = bytes(range(32))
HOUR_MS = 3_600_000
START_US = 1_700_000_000_000_000
SEED = bip39_seed(PHRASE)


def little(value, size):
    return value.to_bytes(size, "little")


def hashed(context, data):
    return blake3(data, derive_key_context=context).digest()


def secret(account, nonce):
    """Keyed BLAKE3 over chain, account and the lock's nonce."""
    key = hashed(SECRET_CONTEXT, SEED)
    return blake3(CHAIN + account + little(nonce, 8), key=key).digest()


def signed(index, nonce, tag, body):
    """The bytes of an event of the owner key `index` (EVT: layout)."""
    key = owner_key(SEED, index)
    public = key.verify_key.encode()
    draft = b"\1" + CHAIN + account_bytes(account_id(public)) + public + b"\0"
    draft += little(nonce, 8) + little(nonce // 1_000 + HOUR_MS, 8)
    draft += little(tag, 2) + little(len(body), 4) + body
    return draft + key.sign(hashed(SIGNATURE_CONTEXT, draft)).signature


def lock(index, receiver, amount, nonce, deadline):
    author = account_id(owner_key(SEED, index).verify_key.encode())
    to = account_id(owner_key(SEED, receiver).verify_key.encode())
    shown = secret(account_bytes(author), nonce)
    digest = hashlib.sha256(shown).digest()
    body = account_bytes(to) + amount_bytes(amount) + digest + little(deadline, 8)
    event = signed(index, nonce, LOCK, body)
    identity = hashed(EVENT_CONTEXT, event)
    claim = identity + shown
    return {
        "author": author, "to": to, "amount": amount, "nonce": nonce, "deadline": deadline,
        "secret": shown.hex(), "hash": digest.hex(), "lock_body": body.hex(),
        "lock_event": event.hex(), "lock": identity.hex(), "claim_body": claim.hex(),
        "claim_event_bytes": len(signed(receiver, nonce + 1, CLAIM, claim)),
        "give_back_body": identity.hex(),
    }


UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
VALUE = re.compile(r"(?:[A-Za-z0-9._~!$'()*+,;:@/?=-]|%[0-9A-Fa-f]{2})+\Z")
NAME = re.compile(r"[a-z0-9-]{1,32}\Z")
DECEIVING = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escaped(text):
    byte = lambda b: chr(b) if UNRESERVED.match(chr(b)) else f"%{b:02X}"
    return "".join(byte(b) for b in text.encode())


def written(request):
    """REQ-6: the one text of a request."""
    pairs = [
        (name, escaped(str(request[name])))
        for name in ("amount", "memo", "expires", "chain") if request[name] is not None
    ]
    return f"ddt:{request['to']}?" + "&".join(f"{name}={value}" for name, value in pairs)


class Bad(Exception):
    pass


def unescaped(value):
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), value.encode())
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Bad("request.parameter") from None


def is_account(text):
    """Writing the bytes again must give the same text; `events.account` ends the program."""
    try:
        return bech32m("apt", account_bytes(text)) == text and len(account_bytes(text)) == 32
    except (SystemExit, ValueError, OverflowError):
        return False


def take(request, name, value):
    if name == "amount":
        whole = re.fullmatch(r"(\d{1,18})(?:\.(\d{1,9}))?", value, re.ASCII)
        if not whole or not int(whole[1] + (whole[2] or "")):
            raise Bad("request.amount")
    elif name == "memo":
        if len(value.encode()) > 128 or DECEIVING.search(value):
            raise Bad("request.memo")
    elif name == "expires":
        if not re.fullmatch(r"[0-9]+", value) or int(value) >= 1 << 64:
            raise Bad("request.expires")
        value = int(value)
    elif name == "chain":
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise Bad("request.chain")
    elif name.startswith("req-"):
        raise Bad("request.required")
    request[name] = value


def read(uri):
    """REQ-1 to REQ-5, as an independent reader."""
    if len(uri.encode()) > 1_024:
        raise Bad("request.too_long")
    scheme, colon, rest = uri.partition(":")
    if not colon or not re.fullmatch("ddt", scheme, re.ASCII | re.IGNORECASE):
        raise Bad("request.scheme")
    to, mark, query = rest.partition("?")
    if not is_account(to):
        raise Bad("request.account")
    request = {"to": to, "amount": None, "memo": None, "expires": None, "chain": None}
    seen = set()
    for pair in query.split("&") if mark else []:
        name, equals, value = pair.partition("=")
        if not equals or not NAME.match(name) or not VALUE.match(value):
            raise Bad("request.parameter")
        value = unescaped(value)
        if name in seen:
            raise Bad("request.twice")
        if len(seen) == 16:
            raise Bad("request.parameter")
        seen.add(name)
        take(request, name, value)
    if request["chain"] is None:
        raise Bad("request.chain")
    return {name: request[name] for name in ("to", "amount", "memo", "expires", "chain")}


def account(index):
    return account_id(owner_key(SEED, index).verify_key.encode())


def requests():
    chain = CHAIN.hex()
    fields = [
        (0, None, None, None), (0, "5", None, None), (1, "0.000000001", "lunch", None),
        (1, "1000000", "for Ä & Ö: 100 %", 1_800_000_000_000), (2, None, "日本 + ?=#", None),
        (2, "12.5", "x" * 128, (1 << 64) - 1),
    ]
    made = []
    for index, amount, memo, expires in fields:
        request = {"to": account(index), "amount": amount, "memo": memo, "expires": expires,
                   "chain": chain}
        request["uri"] = written(request)
        assert read(request["uri"]) == {k: v for k, v in request.items() if k != "uri"}
        made.append(request)
    return made


def other_spellings():
    start, chain = f"ddt:{account(0)}?", f"chain={CHAIN.hex()}"
    means = f"{start}amount=5&memo=a%20b%2Bc&{chain}"
    plain = f"{start}{chain}"
    spellings = [
        (f"DDT:{account(0)}?{chain}", plain),
        (f"{start}{chain}&label=shop&x-1=y", plain),
        (f"{start}{chain}&memo=a%20b+c&amount=5", means),
        (f"{start}memo=%61%20b%2bc&amount=5&{chain}", means),
        (f"{start}{chain}&" + "&".join(f"n{i}=v" for i in range(15)), plain),
    ]
    for uri, meaning in spellings:
        assert read(uri) == read(meaning)
    return [{"uri": uri, "means": meaning} for uri, meaning in spellings]


def bad_requests():
    start, chain = f"ddt:{account(0)}?", f"chain={CHAIN.hex()}"
    tails = [
        "", chain[:-1], chain.upper(), f"chain={CHAIN.hex().upper()[:-1]}F", "amount=5",
        f"{chain}&amount=0", f"{chain}&amount=-5", f"{chain}&amount=five", f"{chain}&amount=",
        f"{chain}&amount=1.0000000001", f"{chain}&amount=1e3", f"{chain}&amount=5&amount=5",
        f"{chain}&{chain}", f"{chain}&", f"&{chain}", f"{chain}&amount", f"{chain}&=5",
        f"{chain}&Amount=5", f"{chain}&memo=a b", f"{chain}&memo=a%2", f"{chain}&memo=a%zz",
        f"{chain}&memo=%ff", f"{chain}&memo=%1b[2J", f"{chain}&memo=%E2%80%AE",
        f"{chain}&memo={'x' * 129}", f"{chain}&memo=é", f"{chain}#top", f"{chain}&expires=soon",
        f"{chain}&expires=-1", f"{chain}&expires=%2B5", f"{chain}&expires={1 << 64}",
        f"{chain}&req-stamp=1", f"{chain}&req-amount=5", f"{chain}&{'n' * 33}=1",
        f"{chain}&memo={'%20' * 400}",
        f"{chain}&" + "&".join(f"n{i}=v" for i in range(16)),
    ]
    wrong = account(0)[:-1] + ("q" if account(0)[-1] != "q" else "p")
    uris = [start + tail for tail in tails] + [
        "", "ddt", "bitcoin:x", account(0), f"ddt:{account(0)}", f"ddt:{account(0).upper()}?{chain}",
        f"ddt:?{chain}", f"ddt:{wrong}?{chain}", f"ddt://{account(0)}?{chain}",
        f"ddt: {account(0)}?{chain}", f" ddt:{account(0)}?{chain}",
    ]
    found = []
    for uri in uris:
        try:
            read(uri)
        except Bad as bad:
            found.append({"uri": uri, "code": str(bad)})
        else:
            raise SystemExit(f"{uri} is good")
    return found


def vectors():
    return {
        "mnemonic": PHRASE,
        "chain": CHAIN.hex(),
        "secret_context": SECRET_CONTEXT,
        "locks": [
            lock(0, 1, "5", START_US, START_US // 1_000 + 24 * HOUR_MS),
            lock(1, 0, "0.000000001", START_US + 7, START_US // 1_000 + 12 * HOUR_MS),
        ],
        "requests": requests(),
        "other_spellings": other_spellings(),
        "bad_requests": bad_requests(),
    }


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"
    write_or_check("swaps.json", text)
