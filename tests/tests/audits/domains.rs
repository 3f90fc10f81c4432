//! The audit of domains.

use ddt_contracts::domains::{
    DomainName, OfferRow, PROGRAMME, Record, RecordKind, RecordsRow, RenewalRow,
};
use ddt_ledger::schema::{List, Text};
use ddt_ledger::state::Overlay;
use ddt_ledger::table::Table;
use ddt_ledger::{AccountId, Amount, Domain, Hash, Millis};

use crate::{ANN, BEN, demand, hold};

/// Anchor and place.
type Order = (u64, u32);
/// A name's row: owner, term, price, order, contest.
type Name = (AccountId, (Millis, Millis), Amount, Order, Option<(Millis, u64, Amount)>);

/// Cap, order, and the clock at the commit and at its end.
type Commit = (Amount, Order, (Millis, Millis));
static COMMITS: Table<(AccountId, Hash), Commit> = Table::new(301);
static NAMES: Table<DomainName, Name> = Table::new(302);
static OFFERS: Table<DomainName, OfferRow> = Table::new(303);
static RENEWALS: Table<DomainName, RenewalRow> = Table::new(304);
static RECORDS: Table<DomainName, RecordsRow> = Table::new(305);

const COMMIT: Hash = Hash([7; 32]);

fn apt(apt: u64) -> Amount {
    Amount::from_apt(apt)
}

fn name(text: &str) -> DomainName {
    DomainName::new(text).expect("a name")
}

/// Holds for a name or a commit.
fn held(rows: &mut Overlay, domain: &'static str, parts: &[&[u8]], apt: u64) {
    hold(rows, PROGRAMME.id, Domain(domain).hash(parts), apt);
}

fn commit(rows: &mut Overlay, apt: u64) {
    held(rows, "ddt v1 domain commit hold", &[&ANN.0, &COMMIT.0], apt);
}

fn contested(rows: &mut Overlay, apt: u64) {
    held(rows, "ddt v1 domain name hold", &[b"contested"], apt);
}

fn owned(rows: &mut Overlay, text: &str, term: (u64, u64), is_contested: bool) {
    let contest = is_contested.then_some((Millis(9), 9, apt(0)));
    let term = (Millis(term.0), Millis(term.1));
    NAMES.put(rows, &name(text), &(ANN, term, apt(5), (1, 1), contest));
}

fn renewal(payer: AccountId) -> RenewalRow {
    RenewalRow { payer, years: 1, price_max: apt(5), due: Millis(1), ends: Millis(9) }
}

fn offer(rows: &mut Overlay, seller: AccountId, apt: u64, to: Option<AccountId>) {
    let price = Amount::from_apt(apt);
    OFFERS.put(rows, &name("owned"), &OfferRow { seller, price, to, clock: Millis(1) });
}

fn records(rows: &mut Overlay, text: &str, count: usize) {
    let record = Record {
        label: Text::new("@").expect("short"),
        kind: RecordKind::Txt,
        ttl: 60,
        value: Text::new("hello").expect("short"),
    };
    let records = List::new(vec![record; count]).expect("few");
    RECORDS.put(rows, &name(text), &RecordsRow { records, ..RecordsRow::default() });
}

fn good(rows: &mut Overlay) {
    COMMITS.put(rows, &(ANN, COMMIT), &(apt(5), (1, 1), (Millis(1), Millis(9))));
    commit(rows, 5);
    owned(rows, "contested", (1, 2), true);
    contested(rows, 5);
    owned(rows, "owned", (1, 2), false);
    RENEWALS.put(rows, &name("owned"), &renewal(ANN));
    held(rows, "ddt v1 domain renewal hold", &[b"owned"], 1);
    offer(rows, ANN, 5, None);
    records(rows, "owned", 1);
}

/// Broken by: leaving out any one thing that the audit of domains compares.
#[test]
fn the_audit_of_domains_finds_everything_out_of_place() {
    demand(
        PROGRAMME.audit,
        good,
        &[
            ("", |rows| commit(rows, 6)),
            ("below its cap", |rows| commit(rows, 4)),
            ("below its cap", |rows| commit(rows, 0)),
            (": nothing", |rows| COMMITS.remove(rows, &(ANN, COMMIT))),
            ("empty term", |rows| owned(rows, "owned", (2, 2), false)),
            ("empty term", |rows| owned(rows, "owned", (3, 2), false)),
            ("price is not held", |rows| contested(rows, 4)),
            ("price is not held", |rows| contested(rows, 6)),
            ("price is not held", |rows| contested(rows, 0)),
            (": nothing", |rows| owned(rows, "contested", (1, 2), false)),
            ("is renewed by", |rows| RENEWALS.put(rows, &name("owned"), &renewal(BEN))),
            ("", |rows| RENEWALS.put(rows, &name("contested"), &renewal(ANN))),
            ("is renewed by", |rows| RENEWALS.put(rows, &name("absent"), &renewal(ANN))),
            (": nothing", |rows| RENEWALS.remove(rows, &name("owned"))),
            ("", |rows| held(rows, "ddt v1 domain renewal hold", &[b"owned"], 0)),
            ("is offered by", |rows| offer(rows, BEN, 5, None)),
            ("to nobody else", |rows| offer(rows, ANN, 5, Some(ANN))),
            ("to nobody else", |rows| offer(rows, ANN, 0, None)),
            ("", |rows| offer(rows, ANN, 5, Some(BEN))),
            ("", |rows| offer(rows, ANN, 0, Some(BEN))),
            ("records but no owner", |rows| records(rows, "absent", 1)),
            ("empty row", |rows| records(rows, "owned", 0)),
            ("bad records", |rows| records(rows, "owned", 2)),
        ],
    );
}
