//! Every story in `scenarios/` ends as it says.

use std::collections::BTreeSet;

use ddt_tests::scenario::{run_all, run_text};

/// The views whose answers stand in one row.
const PROVABLE: [&str; 7] = [
    "accounts.account",
    "bank.lock",
    "domains.offer",
    "domains.record",
    "domains.records",
    "usernames.row",
    "zones.member",
];

/// Broken by: whatever a programme promises and does not keep. For instance a reveal that
/// skips `present.order < commit.order` breaks contest.txt; an expiry that keeps the escrow
/// breaks late.txt; a rotation that leaves the old key current breaks keys.txt; a settlement
/// that is forgotten breaks buy.txt; a revoked key that still signs breaks node_keys.txt; a
/// renewal that goes on from today breaks renew.txt; a hold that pays for attempts that fail,
/// or stays when the grace is over, breaks prepaid.txt; an offer that outlives the grace, or
/// is taken at another price, breaks offers.txt; a contest that forgets its premium breaks
/// premium.txt; a sale that takes the old owner's keys along breaks records.txt; evidence that
/// does not ask in which anchor a router bonded breaks bonds_again.txt; a term that is noted as
/// closed though nobody governed it breaks ungoverned.txt; a free word that closes one term
/// after the other breaks lane_terms.txt; a cursor that is given too early or too late, or a
/// proof of another row, breaks every story that reads.
#[test]
fn every_story_holds() {
    let reports = run_all();
    assert!(reports.len() > 10, "the scenarios were not found");
    let troubles: Vec<String> =
        reports.iter().filter_map(|(_, report)| Some(report.as_ref().err()?.to_string())).collect();
    assert!(troubles.is_empty(), "\n{}\n", troubles.join("\n"));
    let proven = reports.into_iter().filter_map(|(_, report)| Some(report.ok()?.proven));
    let proven: Vec<String> = proven.flatten().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(proven, PROVABLE, "what a light client can trust");
}

/// Broken by: a runner that compares nothing, or the wrong things.
#[test]
fn a_story_that_does_not_hold_is_told_with_its_line() {
    let start = "alice 10\nbob 0\nkeys laptop\n";
    let pay = "alice bank.transfer to=bob amount=5 -> ok\n";
    for (lines, words) in [
        ("alice bank.transfer to=bob amount=50 -> ok", "expected ok, it was refused ledger."),
        ("alice bank.transfer to=bob amount=5 -> void event.key", "expected void event.key"),
        ("alice bank.transfer to=bob -> ok", "expected ok, it was invalid field.missing"),
        ("alice bank.transfer to=bbo amount=5 -> ok", "nobody is called bbo"),
        ("alice bank.transfers to=bob amount=5 -> ok", "there is no event bank.transfers"),
        ("alice bank.transfer to=bob amount=5", "it lacks ->"),
        ("alice bank.transfer to=bob amount=5 @colour=red -> ok", "there is no option @colour"),
        ("alice bank.transfer to=bob amount=5 @zone=2 -> ok", "there is no zone 2"),
        ("alice has 9", "alice has 10, not Some(9)"),
        ("alice has ten", "an amount is"),
        ("deadlines 1", "the ledger did 0"),
        ("domain hello is bob pending", "expected bob pending, it was nobody"),
        ("view accounts.account account=alice -> balance=9", "balance is Some(\"10\"), not 9"),
        ("view accounts.account account=bob -> rows=1", "it was refused view.not_found"),
        ("anchor\ncarol 5", "carol cannot be a new name here"),
        ("bob 5", "bob cannot be a new name here"),
        ("network speed=9", "unknown field `speed`"),
        ("alice reveals c1 -> ok", "c1 is no commit"),
        ("alice commits hello years=1 cap=1 -> ok", "as what?"),
        ("time soon", "is no time"),
    ] {
        let last = start.lines().count() + lines.lines().count();
        let trouble = run_text("story.txt", &format!("{start}{lines}\n")).expect_err(lines);
        assert_eq!((trouble.file.as_str(), trouble.line), ("story.txt", last), "{lines}");
        let said = trouble.to_string().to_lowercase();
        assert!(said.contains(&words.to_lowercase()), "{lines}: {said}");
    }
    // The line is the event's, although it is anchored later.
    let trouble = run_text("x", &format!("{start}{pay}{pay}{pay}\nanchor")).expect_err("poor");
    assert_eq!(trouble.line, 5);
}

/// Broken by: a report that forgets what it saw.
#[test]
fn a_report_tells_what_was_seen() {
    let text = "alice 10\nbob 0\nalice bank.transfer to=bob amount=11 \
                -> refused ledger.insufficient_funds\nalice bank.transfer to=bob amount=1 -> ok";
    let report = run_text("story.txt", text).expect("a story that holds");
    assert!(report.done.contains("bank.transfer"));
    let seen = report.observed.iter().map(|seen| (seen.row.as_str(), seen.code.as_str()));
    assert_eq!(seen.collect::<Vec<_>>(), [("bank.transfer", "ledger.insufficient_funds")]);
}
