//! Whose history a receipt belongs to.

use std::collections::BTreeSet;

use ddt_ledger::book::{Party, Posting};
use ddt_ledger::receipt::{EventPlace, Outcome, RECEIPT_VERSION, Receipt, Subject};
use ddt_ledger::{AccountId, Amount, Hash, PublicKey, Zone};

fn account(number: u8) -> AccountId {
    AccountId([number; 32])
}

fn posting(from: Party, to: Party) -> Posting {
    let amount = Amount::from_units(1).expect("an amount");
    Posting { from, to, amount, reason: "a test".to_string() }
}

fn receipt(subject: Subject, postings: Vec<Posting>) -> Receipt {
    let (version, outcome, fee) = (RECEIPT_VERSION, Outcome::Done, Amount::ZERO);
    Receipt { version, height: 1, index: 0, subject, outcome, fee, postings }
}

/// Broken by: an arm of `Receipt::accounts` left out, or the author.
#[test]
fn a_receipt_belongs_to_its_author_and_to_whose_money_it_moved() {
    let place = EventPlace {
        id: Hash::ZERO,
        author: account(1),
        tag: 201,
        zone: Zone(0),
        number: 1,
        term: 1,
        block: 1,
        place: 0,
    };
    let allowance = Party::Allowance { account: account(4), key: PublicKey([9; 32]) };
    let hold = Party::Hold { programme: 3, key: Hash([8; 32]) };
    let postings = vec![
        posting(Party::Account(account(2)), Party::Account(account(3))),
        posting(allowance, Party::Fees(Zone(0))),
        posting(hold, Party::Pool),
        posting(Party::Genesis, Party::Burned),
    ];
    let moved: BTreeSet<AccountId> = [2, 3, 4].map(account).into();
    let own = receipt(Subject::Fees { zone: Zone(0) }, postings.clone());
    assert_eq!(own.accounts(), moved);
    let event = receipt(Subject::Event(place), postings);
    assert_eq!(event.accounts(), moved.into_iter().chain([account(1)]).collect());
    assert_eq!(receipt(Subject::Event(place), Vec::new()).accounts(), [account(1)].into());
}
