//! A network on which names are bought, and what everybody asks of them.

use ddt_ledger::Amount;
use serde_json::Value as Json;

use crate::support::eventually;
use crate::support::network::Network;

/// An amount.
pub fn apt(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A network and its test accounts.
pub struct Scene {
    pub network: Network,
}

impl Scene {
    pub fn new() -> Scene {
        Scene { network: Network::new() }
    }

    pub fn with(parameters: &[&str]) -> Scene {
        Scene { network: Network::with_parameters(parameters) }
    }

    /// The data of a `ddt domain` command that goes well.
    pub fn domain(&self, arguments: &[&str]) -> Json {
        self.network.ddt(&[&["domain"], arguments].concat()).data()
    }

    /// The exit code and the stable code of a `ddt domain` command that fails.
    pub fn refusal(&self, arguments: &[&str]) -> (i32, String) {
        let ending = self.network.ddt(&[&["domain"], arguments].concat());
        ending.refusal()
    }

    /// Expects a `ddt domain` command to be refused with this code.
    pub fn expect(&self, code: &str, arguments: &[&str]) {
        assert_eq!(self.refusal(arguments), (3, code.to_string()), "{arguments:?}");
    }

    /// The account of a test wallet.
    pub fn account(&self, wallet: &str) -> String {
        let accounts = self.network.data["accounts"].as_array().unwrap();
        let found = accounts.iter().find(|account| account["name"] == wallet).unwrap();
        found["account"].as_str().unwrap().to_string()
    }

    /// What a test wallet has.
    pub fn balance(&self, wallet: &str) -> Amount {
        apt(&self.network.balance(&self.account(wallet)))
    }

    /// Buys a name and waits until it is its buyer's for good.
    pub fn buy(&self, wallet: &str, name: &str) {
        self.domain(&["buy", name, "--from", wallet]);
        eventually("the contest is over", || {
            let record = self.domain(&["resolve", name]);
            (record["status"] != "pending").then_some(())
        });
    }

    /// Whose a name is.
    pub fn owner(&self, name: &str) -> String {
        self.domain(&["resolve", name])["owner"].as_str().unwrap().to_string()
    }

    /// The receipts of a name with this event's or deadline's name, newest first.
    pub fn history(&self, name: &str, event: &str) -> Vec<Json> {
        let history = self.domain(&["history", name, "--limit", "300"]);
        let events = history["events"].as_array().unwrap();
        events.iter().filter(|row| row["name"] == event).cloned().collect()
    }

    /// Money is where it was, and no more of it.
    pub fn check_sums(&self) {
        let economy = self.network.json("/v1/economy");
        assert_eq!(economy["is_conserved"], true, "{economy}");
    }
}

/// The fee of an answer's receipt.
pub fn fee(answer: &Json) -> Amount {
    apt(answer["receipt"]["fee"].as_str().unwrap())
}
