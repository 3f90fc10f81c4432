#!/usr/bin/env python3
"""Checks ledger-v1.json against hashes, signatures and encodings computed without our Rust.

Needs Python 3.11 and the PyPI packages pynacl and blake3. The VRF section stands there for
the Rust test alone: there is no other implementation of its curve in these packages.
"""

import json
import pathlib
import sys
import tomllib

from blake3 import blake3
from nacl.signing import SigningKey

HERE = pathlib.Path(__file__).parent
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
PARAMS = [
    ("epoch_ms", 8), ("clock_step_ms_max", 8), ("anchor_idle_ms", 8), ("anchor_bytes_max", 8),
    ("anchor_work_max", 8), ("anchor_deadlines_max", 4), ("commit_age_ms", 8),
    ("commit_age_anchors", 8), ("contest_ms", 8), ("contest_anchors", 8), ("commit_life_ms", 8),
    ("domain_year_ms", 8), ("domain_grace_ms", 8), ("domain_premium_ms", 8),
    ("domain_renewal_ms", 8), ("lock_grace_ms", 8), ("lock_kept_ms", 8), ("stamp_period_ms", 8),
    ("stamp_bits", 1), ("stamp_bits_heavy", 1), ("stamp_target", 8), ("zone_seats", 4),
    ("heartbeat_ms", 8), ("inactive_ms", 8), ("lease_ms", 8), ("username_year_ms", 8),
    ("router_bond_apt_min", 8), ("router_unbond_ms", 8), ("term_ms_min", 8),
    ("router_alive_ms", 8), ("router_silent_ms", 8), ("validators_max", 2),
]
ZERO = bytes(32)


def domain(name, *parts):
    return blake3(b"".join(parts), derive_key_context=f"ddt v1 {name}").digest()


def keyed(name, *parts):
    return blake3(b"".join(parts), key=domain(name)).digest()


def number(value, size):
    return value.to_bytes(size, "little")


def sized(data):
    return number(len(data), 4) + data


def several(items):
    return number(len(items), 4) + b"".join(items)


def raw(text):
    return bytes.fromhex(text)


def amount(text):
    whole, _, fraction = text.partition(".")
    return number(int(whole) * 10**9 + int(fraction.ljust(9, "0") or 0), 16)


def bech32m_check(values):
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            check ^= term if top >> bit & 1 else 0
    return check


def account(text):
    prefix, _, data = text.rpartition("1")
    values = [ALPHABET.index(letter) for letter in data]
    head = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    if prefix != "apt" or bech32m_check(head + values) != 0x2BC830A3:
        sys.exit(f"{text} is no account id")
    bits = "".join(f"{value:05b}" for value in values[:-6])
    return bytes(int(bits[at:at + 8], 2) for at in range(0, 256, 8))


def genesis_bytes(genesis):
    accounts = [raw(entry["key"]) + amount(entry["balance"]) for entry in genesis["account"]]
    node_keys = [
        account(entry["account"]) + raw(entry["key"]) + amount(entry["allowance"])
        for entry in genesis["node_key"]
    ]
    zones = [
        number(entry["zone"], 4) + account(entry["router"]) + raw(entry["key"])
        + raw(entry["vrf_key"]) + amount(entry["bond"])
        for entry in genesis["zone"]
    ]
    return b"".join([
        number(genesis["version"], 4), sized(genesis["name"].encode()),
        number(genesis["time_ms"], 8), amount(genesis["pool"]),
        *(number(genesis["params"][name], size) for name, size in PARAMS),
        several(accounts), several(node_keys), several(zones),
    ])


def draft_bytes(fields):
    return b"".join([
        number(fields["version"], 1), raw(fields["chain"]), account(fields["author"]),
        raw(fields["key"]), number(fields["role"], 1), number(fields["nonce"], 8),
        number(fields["valid_until"], 8), number(fields["tag"], 2), sized(raw(fields["body"])),
    ])


def header_bytes(header):
    return b"".join([
        number(header["version"], 1), raw(header["chain"]), number(header["zone"], 4),
        number(header["term"], 8), number(header["height"], 8), raw(header["parent"]),
        number(header["after_anchor"], 8), number(header["first_number"], 8),
        number(header["count"], 4), raw(header["events_root"]), number(header["time"], 8),
    ])


def receipt_bytes(receipt):
    return b"".join([
        raw(receipt["chain"]), raw(receipt["event"]), number(receipt["zone"], 4),
        number(receipt["term"], 8), number(receipt["height"], 8), number(receipt["number"], 8),
    ])


def anchor_bytes(anchor, statements):
    tips = [
        number(tip["zone"], 4) + number(tip["term"], 8) + number(tip["height"], 8)
        + raw(tip["block"])
        for tip in anchor["tips"]
    ]
    return b"".join([
        number(1, 1), raw(anchor["chain"]), number(anchor["height"], 8), raw(anchor["previous"]),
        several(statements), several(tips), raw(anchor["state_root"]),
        raw(anchor["receipts_root"]), raw(anchor["next_validators"]), raw(anchor["maker"]),
        raw(anchor["vrf_output"]), raw(anchor["vrf_proof"]),
    ])


def list_levels(items):
    level = [domain("list leaf", item) for item in items]
    levels = [level]
    while len(level) > 1:
        pairs = [level[at:at + 2] for at in range(0, len(level), 2)]
        level = [domain("list node", pair[0], pair[-1]) for pair in pairs]
        levels.append(level)
    return levels


def list_path(levels, index):
    path = []
    for level in levels[:-1]:
        path.append(level[min(index ^ 1, len(level) - 1)].hex())
        index //= 2
    return path


def is_right(place, depth):
    return place[depth // 8] >> (7 - depth % 8) & 1 == 1


def subtree(leaves, depth):
    if not leaves:
        return ZERO
    if len(leaves) == 1:
        return keyed("state leaf", *leaves[0])
    left = [leaf for leaf in leaves if not is_right(leaf[0], depth)]
    right = [leaf for leaf in leaves if is_right(leaf[0], depth)]
    return keyed("state node", subtree(left, depth + 1), subtree(right, depth + 1))


def state_path(leaves, place):
    siblings, depth = [], 0
    while len(leaves) > 1:
        own = [leaf for leaf in leaves if is_right(leaf[0], depth) == is_right(place, depth)]
        other = [leaf for leaf in leaves if leaf not in own]
        depth += 1
        siblings.append(subtree(other, depth).hex())
        leaves = own
    end = [part.hex() for part in leaves[0]] if leaves else None
    return {"siblings": siblings, "end": end}


class Checker:
    def __init__(self):
        self.checked, self.wrong = 0, []

    def same(self, what, ours, theirs):
        self.checked += 1
        ours = ours.hex() if isinstance(ours, bytes) else ours
        if ours != theirs:
            self.wrong.append(f"{what}: computed {ours}, the vectors say {theirs}")


def check_genesis(check, vectors):
    genesis = vectors["genesis"]
    data = genesis_bytes(tomllib.loads((HERE / genesis["file"]).read_text()))
    check.same("genesis bytes", data, genesis["bytes"])
    check.same("chain id", domain("chain id", data), genesis["chain"])
    key = SigningKey(bytes([1]) * 32).verify_key.encode()
    check.same("account key", key, vectors["account"]["key"])
    check.same("account id", domain("account id", key), account(vectors["account"]["id"]).hex())


def check_event(check, event):
    signer = SigningKey(raw(event["seed"]))
    check.same("event key", signer.verify_key.encode(), event["fields"]["key"])
    draft = draft_bytes(event["fields"])
    digest = domain("event signature", draft)
    signature = signer.sign(digest).signature
    check.same("draft", draft, event["draft"])
    check.same("event digest", digest, event["digest"])
    check.same("event signature", signature, event["signature"])
    check.same("signed event", draft + signature, event["signed"])
    check.same("event id", domain("event id", draft + signature), event["id"])


def check_block(check, block):
    header = header_bytes(block["header"])
    check.same("block header", header, block["bytes"])
    check.same("block id", domain("lane block", header), block["id"])
    receipt = domain("soft receipt", receipt_bytes(block["soft_receipt"]))
    check.same("soft receipt", receipt, block["soft_receipt_digest"])


def check_anchor(check, anchor):
    time = number(anchor["statement_time"], 8)
    stated = raw(anchor["chain"]) + number(anchor["height"], 8) + raw(anchor["previous"]) + time
    digest = domain("time statement", stated)
    check.same("time statement", digest, anchor["statement_digest"])
    statements = []
    for seed, statement in zip(anchor["statement_seeds"], anchor["statements"], strict=True):
        signer = SigningKey(raw(seed))
        signature = signer.sign(digest).signature
        check.same("time signature", signature, statement["signature"])
        statements.append(signer.verify_key.encode() + time + signature)
    data = anchor_bytes(anchor, statements)
    check.same("anchor", data, anchor["bytes"])
    check.same("anchor id", domain("anchor", data), anchor["id"])
    beacon = domain("beacon", raw(anchor["beacon_before"]), raw(anchor["vrf_output"]))
    check.same("beacon", beacon, anchor["beacon"])


def check_votes(check, votes):
    members = [
        number(member["zone"], 4) + raw(member["key"]) + raw(member["vrf_key"])
        for member in votes["validators"]
    ]
    check.same("validators", domain("validator set", several(members)), votes["validator_set_hash"])
    voter = domain("validator address", raw(votes["validators"][0]["key"]))[:20]
    check.same("voter", voter, votes["voter"])
    for kind, name in enumerate(["prevote", "precommit"]):
        for value, anchor in [("_nil", b"\0"), ("", b"\1" + raw(votes["anchor"]))]:
            vote = b"".join([
                raw(votes["chain"]), number(kind, 1), number(votes["height"], 8),
                number(votes["round"], 4), anchor, voter,
            ])
            check.same(name + value, domain("vote", vote), votes[name + value])


def check_lists(check, lists):
    for entry in lists:
        items = [raw(item) for item in entry["items"]]
        levels = list_levels(items)
        top = levels[-1][0] if items else ZERO
        check.same("list root", domain("list root", number(len(items), 8), top), entry["root"])
        for index, proof in enumerate(entry["proofs"]):
            path = {"index": index, "length": len(items), "siblings": list_path(levels, index)}
            check.same("list proof", path, proof)


def check_state(check, state):
    rows = {raw(key): raw(value) for key, value in state["rows"]}
    leaves = sorted(
        (domain("state key", key), domain("state value", value)) for key, value in rows.items()
    )
    check.same("state root", subtree(leaves, 0), state["root"])
    for proof in state["proofs"]:
        key = raw(proof["key"])
        value = rows[key].hex() if key in rows else None
        check.same("proven value", value, proof["value"])
        check.same("state proof", state_path(leaves, domain("state key", key)), proof["path"])


def main():
    vectors = json.loads((HERE / "ledger-v1.json").read_text())
    check = Checker()
    check_genesis(check, vectors)
    check_event(check, vectors["event"])
    check_block(check, vectors["block"])
    check_anchor(check, vectors["anchor"])
    check_votes(check, vectors["votes"])
    check_lists(check, vectors["lists"])
    check_state(check, vectors["state"])
    if check.wrong:
        sys.exit("\n".join(check.wrong))
    print(f"{check.checked} vectors agree")


if __name__ == "__main__":
    main()
