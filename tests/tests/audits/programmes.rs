//! The audits of zones and of usernames.

use ddt_contracts::usernames::{self, CIPHERTEXT_BYTES, UsernameRow};
use ddt_contracts::zones::{self, MemberRow, Standing};
use ddt_ledger::schema::Bytes;
use ddt_ledger::state::Overlay;
use ddt_ledger::table::Table;
use ddt_ledger::{AccountId, Address, Hash, Millis, PublicKey, Zone};

use crate::{ANN, BEN, demand};

static MEMBERS: Table<AccountId, MemberRow> = Table::new(401);
static ADDRESSES: Table<Address, AccountId> = Table::new(402);
static SEATS: Table<Zone, (u32, u32)> = Table::new(403);

const HERE: Address = Address([5; 20]);
const THERE: Address = Address([6; 20]);

fn member(zone: u32, address: Option<Address>) -> MemberRow {
    MemberRow {
        zone: Zone(zone),
        lane: Zone(1),
        number: 1,
        joined: Millis(1),
        seen: Millis(1),
        node_key: None,
        address,
        standing: Standing::New,
    }
}

fn members(rows: &mut Overlay) {
    MEMBERS.put(rows, &ANN, &member(1, Some(HERE)));
    ADDRESSES.put(rows, &HERE, &ANN);
    MEMBERS.put(rows, &BEN, &member(1, None));
    SEATS.put(rows, &Zone(1), &(2, 2));
}

/// Broken by: leaving out any one thing that the audit of zones compares.
#[test]
fn the_audit_of_zones_finds_every_wrong_seat_and_address() {
    demand(
        zones::PROGRAMME.audit,
        members,
        &[
            ("is not leased to", |rows| ADDRESSES.remove(rows, &HERE)),
            ("is not leased to", |rows| MEMBERS.put(rows, &BEN, &member(1, Some(HERE)))),
            ("does not have it", |rows| ADDRESSES.put(rows, &THERE, &ANN)),
            ("does not have it", |rows| ADDRESSES.put(rows, &THERE, &AccountId([3; 32]))),
            ("does not have it", |rows| MEMBERS.put(rows, &ANN, &member(1, None))),
            ("zone 1 counts", |rows| SEATS.put(rows, &Zone(1), &(2, 1))),
            ("zone 1 counts", |rows| SEATS.put(rows, &Zone(1), &(3, 2))),
            ("zone 2 counts", |rows| SEATS.put(rows, &Zone(2), &(1, 1))),
            ("counts no seats", |rows| SEATS.remove(rows, &Zone(1))),
            ("", |rows| SEATS.put(rows, &Zone(2), &(0, 0))),
        ],
    );
}

static USERNAMES: Table<Hash, UsernameRow> = Table::new(502);
static KEYS: Table<PublicKey, Hash> = Table::new(503);

const ROW: Hash = Hash([7; 32]);
const HOLDER: PublicKey = PublicKey([8; 32]);

fn username(holder: PublicKey, term: (u64, u64), bytes: usize) -> UsernameRow {
    let ciphertext = Bytes::new(vec![0; bytes]).expect("short");
    UsernameRow { holder, from: Millis(term.0), until: Millis(term.1), ciphertext }
}

fn put(rows: &mut Overlay, row: Hash, username: UsernameRow) {
    KEYS.put(rows, &username.holder, &row);
    USERNAMES.put(rows, &row, &username);
}

fn usernames(rows: &mut Overlay) {
    put(rows, ROW, username(HOLDER, (1, 2), CIPHERTEXT_BYTES));
}

/// Broken by: leaving out any one thing that the audit of usernames compares.
#[test]
fn the_audit_of_usernames_finds_every_wrong_row_and_note() {
    demand(
        usernames::PROGRAMME.audit,
        usernames,
        &[
            ("empty term", |rows| put(rows, ROW, username(HOLDER, (2, 2), CIPHERTEXT_BYTES))),
            ("empty term", |rows| put(rows, ROW, username(HOLDER, (3, 2), CIPHERTEXT_BYTES))),
            ("another length", |rows| {
                put(rows, ROW, username(HOLDER, (1, 2), CIPHERTEXT_BYTES - 1))
            }),
            ("one too", |rows| {
                put(rows, Hash([9; 32]), username(HOLDER, (1, 2), CIPHERTEXT_BYTES))
            }),
            ("are not those", |rows| KEYS.remove(rows, &HOLDER)),
            ("are not those", |rows| KEYS.put(rows, &HOLDER, &Hash([9; 32]))),
            ("are not those", |rows| KEYS.put(rows, &PublicKey([9; 32]), &ROW)),
            ("are not those", |rows| USERNAMES.remove(rows, &ROW)),
        ],
    );
}
