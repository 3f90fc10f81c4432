//! The books, added up from outside: every posting since genesis makes today's balances.

use std::collections::BTreeMap;

use ddt_ledger::Amount;
use serde_json::Value as Json;

use crate::load::{Known, Sent, settled};
use crate::support::eventually;
use crate::support::network::Network;

/// What was promised holds: the same receipts, the promised numbers, and what nobody heard
/// of is done once when it is sent again.
pub fn check_promises(network: &Network, sent: &[Sent]) {
    for event in sent {
        let id = match (&event.known, &event.id) {
            (Known::Nothing, _) | (_, None) => {
                let again = network.submit("final", &event.bytes).json(200);
                assert_eq!(again["receipt"]["outcome"], "done", "{again}");
                again["event"].as_str().unwrap().to_string()
            }
            (_, Some(id)) => id.clone(),
        };
        let receipt = eventually("what was promised becomes final", || {
            let answer = network.get(&format!("/v1/events/{id}"));
            assert!([200, 404].contains(&answer.status), "{}", answer.text());
            let receipt = (answer.status == 200).then(|| answer.json(200))?;
            receipt["height"].is_u64().then_some(receipt)
        });
        match &event.known {
            Known::Nothing => {}
            Known::Promised(number) => assert_eq!(receipt["number"], *number, "{receipt}"),
            Known::Final(before) => assert_eq!(&settled(&receipt), before),
        }
    }
}

/// All receipts, oldest first.
fn receipts(network: &Network) -> Vec<Json> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = network.json(&format!("/v1/events?subject=all&limit=100{cursor}"));
        rows.extend(page["rows"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    rows.reverse();
    rows
}

fn apt(json: &Json) -> Amount {
    json.as_str().unwrap().parse().unwrap()
}

/// Adds up all postings, and compares with every balance and the supply.
pub fn check_sums(network: &Network) {
    let mut balances: BTreeMap<String, Amount> = BTreeMap::new();
    for account in network.data["accounts"].as_array().unwrap() {
        let id = account["account"].as_str().unwrap();
        balances.insert(id.to_string(), Amount::from_apt(1_000_000));
    }
    let rows = receipts(network);
    let mut numbers = Vec::new();
    for row in &rows {
        numbers.extend(row["number"].as_u64());
        for posting in row["postings"].as_array().unwrap() {
            let amount = apt(&posting["amount"]);
            if let Some(from) = posting["from"]["account"].as_str()
                && posting["from"]["kind"] == "account"
            {
                let balance = balances.get_mut(from).unwrap();
                *balance = balance.minus(amount).expect("nobody pays what they do not have");
            }
            if let Some(to) = posting["to"]["account"].as_str()
                && posting["to"]["kind"] == "account"
            {
                let balance = balances.entry(to.to_string()).or_default();
                *balance = balance.plus(amount).unwrap();
            }
        }
    }
    let whole: Vec<u64> = (1..=u64::try_from(numbers.len()).unwrap()).collect();
    assert_eq!(numbers, whole, "each sequence number once, in order");
    let economy = network.json("/v1/economy");
    assert_eq!(economy["is_conserved"], true, "{economy}");
    // Payments may have gone on while the pages were read: nobody pays now.
    assert_eq!(network.json("/v1/status")["events"].as_u64(), numbers.last().copied());
    for (account, balance) in balances {
        assert_eq!(network.balance(&account).parse(), Ok(balance), "{account}");
    }
}
