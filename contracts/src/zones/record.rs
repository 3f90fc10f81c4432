//! The rows of zones.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::book::Book;
use ddt_ledger::codec::decode;
use ddt_ledger::context::Context;
use ddt_ledger::params::Params;
use ddt_ledger::table::{ROW_BYTES_MAX, Rows, Table, index_prefix};
use ddt_ledger::{AccountId, Address, Domain, Hash, Millis, PublicKey, Zone};

pub(crate) const MEMBERS_ID: u16 = 401;
pub(crate) const ADDRESSES_ID: u16 = 402;
pub(crate) const SEATS_ID: u16 = 403;
pub(crate) const ZONE_INDEX: u16 = 401;
pub(crate) const NODE_INDEX: u16 = 402;

/// Of a zone's seats, one in so many may be a newcomer's.
const NEWCOMER_SHARE: u32 = 4;

pub(crate) static MEMBERS: Table<AccountId, MemberRow> = Table::new(MEMBERS_ID);
pub(crate) static ADDRESSES: Table<Address, AccountId> = Table::new(ADDRESSES_ID);
pub(crate) static SEATS: Table<Zone, SeatsRow> = Table::new(SEATS_ID);

/// A member of a zone.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MemberRow {
    /// The zone it governs itself by.
    pub zone: Zone,
    /// The sequence number of the sign-up in its lane.
    pub lane: Zone,
    /// See `lane`.
    pub number: u64,
    /// The epoch clock of the sign-up.
    pub joined: Millis,
    /// The epoch clock when it was last heard of.
    pub seen: Millis,
    /// The node that is heard of for it, if it named one.
    pub node_key: Option<PublicKey>,
    /// Its address, once it is drawn.
    pub address: Option<Address>,
    /// What it has shown of itself.
    pub standing: Standing,
}

/// What a member has shown of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Standing {
    /// Nothing yet: it has proven no epoch.
    New,
}

impl ddt_ledger::schema::Choice for Standing {
    const WORDS: &'static [&'static str] = &["new"];
    const ALL: &'static [Standing] = &[Standing::New];
}

/// Whether a member is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Presence {
    /// Its address is not drawn yet.
    Joining,
    /// Heard of lately.
    Active,
    /// Silent; it will lose its address.
    Inactive,
}

impl ddt_ledger::schema::Choice for Presence {
    const WORDS: &'static [&'static str] = &["joining", "active", "inactive"];
    const ALL: &'static [Presence] = &[Presence::Joining, Presence::Active, Presence::Inactive];
}

impl MemberRow {
    /// Whether it is heard of (spec ZON-6).
    pub fn presence(&self, cx: &Context) -> Presence {
        if self.address.is_none() {
            Presence::Joining
        } else if cx.clock < self.seen.plus(cx.params.inactive_ms) {
            Presence::Active
        } else {
            Presence::Inactive
        }
    }
}

/// How many seats of a zone are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SeatsRow {
    /// By anybody.
    pub members: u32,
    /// By newcomers.
    pub newcomers: u32,
}

/// The address of a sign-up: the beacon of the anchor after it decides, so nobody can make
/// one to measure (spec ZON-4). `attempt` counts addresses that were somebody's already.
pub fn draw_address(
    beacon: &Hash,
    account: &AccountId,
    member: &MemberRow,
    attempt: u8,
) -> Address {
    let (lane, number) = (member.lane.0.to_le_bytes(), member.number.to_le_bytes());
    let parts: [&[u8]; 5] = [&beacon.0, &account.0, &lane, &number, &[attempt]];
    let digest = Domain("ddt v1 address").hash(&parts);
    let mut address = Address([0; 20]);
    address.0.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    address
}

/// Takes a member's address and seat away.
pub(crate) fn remove_member(book: &mut Book, account: &AccountId, member: &MemberRow) {
    MEMBERS.remove(book, account);
    if let Some(address) = &member.address {
        ADDRESSES.remove(book, address);
    }
    let Standing::New = member.standing;
    free_seat(book, &member.zone);
}

/// Gives a newcomer a seat. Every member is one (spec ZON-2).
pub(crate) fn take_seat(book: &mut Book, zone: &Zone) {
    let mut seats = SEATS.get(book, zone).unwrap_or_default();
    seats.members = seats.members.saturating_add(1);
    seats.newcomers = seats.newcomers.saturating_add(1);
    SEATS.put(book, zone, &seats);
}

/// Frees a newcomer's seat.
fn free_seat(book: &mut Book, zone: &Zone) {
    let mut seats = SEATS.get(book, zone).unwrap_or_default();
    seats.members = seats.members.saturating_sub(1);
    seats.newcomers = seats.newcomers.saturating_sub(1);
    SEATS.put(book, zone, &seats);
}

/// Gives a guest a seat in another zone.
pub(crate) fn move_seat(book: &mut Book, member: &mut MemberRow, zone: Zone) {
    free_seat(book, &member.zone);
    take_seat(book, &zone);
    member.zone = zone;
}

/// Most seats of a zone that newcomers may have.
pub(crate) fn newcomer_seats(params: &Params) -> u32 {
    params.zone_seats.checked_div(NEWCOMER_SHARE).unwrap_or_default()
}

/// Whether a zone has no seat for a newcomer (spec ZON-11).
pub(crate) fn is_full(rows: &dyn Rows, params: &Params, zone: Zone) -> bool {
    let seats = SEATS.get(rows, &zone).unwrap_or_default();
    seats.members >= params.zone_seats || seats.newcomers >= newcomer_seats(params)
}

/// A member's row, if the account is one.
pub fn read_member<R: Rows + ?Sized>(rows: &R, account: &AccountId) -> Option<MemberRow> {
    MEMBERS.get(rows, account)
}

/// At most `limit` members that named this node key, after the account `after`.
pub fn members_of_key<R: Rows + ?Sized>(
    rows: &R,
    key: &PublicKey,
    after: Option<AccountId>,
    limit: usize,
) -> Vec<(AccountId, MemberRow)> {
    let prefix = [index_prefix(NODE_INDEX).as_slice(), &key.0].concat();
    let after = after.map(|account| [prefix.as_slice(), &account.0].concat()).unwrap_or_default();
    let entries = rows.index_after(&prefix, &after, limit);
    let account = |entry: &[u8]| entry.get(prefix.len()..)?.try_into().ok().map(AccountId);
    let found = entries.iter().filter_map(|(entry, _)| account(entry));
    found.filter_map(|account| Some((account, MEMBERS.get(rows, &account)?))).collect()
}

fn member_of(value: &[u8]) -> Option<MemberRow> {
    decode(value, ROW_BYTES_MAX).ok()
}

/// Entries of the index from zones to members.
pub(crate) fn zone_entries(account: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let member = member_of(value);
    member.map(|member| [&member.zone.0.to_be_bytes(), account].concat()).into_iter().collect()
}

/// Entries of the index from node keys to members.
pub(crate) fn node_entries(account: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let key = member_of(value).and_then(|member| member.node_key);
    key.map(|key| [key.0.as_slice(), account].concat()).into_iter().collect()
}
