//! A network with three people, and what must stay as it was.

use ddt_ledger::Amount;
use serde_json::Value as Json;

use crate::support::network::Network;
use crate::support::signer::Signer;

/// A network and its people.
pub struct Scene {
    pub network: Network,
    pub alice: Signer,
    pub bob: Signer,
    pub carol: Signer,
}

/// What a refusal may not change.
#[derive(Debug, PartialEq)]
pub struct State {
    balances: [String; 3],
    events: Json,
    supply: Json,
}

/// An amount.
pub fn apt(text: &str) -> Amount {
    text.parse().unwrap()
}

impl Scene {
    pub fn new() -> Scene {
        let network = Network::new();
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| network.signer(name));
        Scene { network, alice, bob, carol }
    }

    /// What an account has.
    pub fn balance(&self, signer: &Signer) -> Amount {
        apt(&self.network.balance(&signer.account.to_string()))
    }

    /// All that a refusal before the ledger leaves alone. Checks the sums on the way.
    pub fn state(&self) -> State {
        let balances = [&self.alice, &self.bob, &self.carol]
            .map(|signer| self.network.balance(&signer.account.to_string()));
        State {
            balances,
            events: self.network.json("/v1/status")["events"].clone(),
            supply: self.check_sums(),
        }
    }

    /// The supply, after adding everything up.
    pub fn check_sums(&self) -> Json {
        let economy = self.network.json("/v1/economy");
        assert_eq!(economy["is_conserved"], true, "{economy}");
        let part = |name: &str| apt(economy[name].as_str().unwrap());
        let made = part("genesis").plus(part("minted")).unwrap();
        assert_eq!(part("supply"), made.minus(part("burned")).unwrap(), "{economy}");
        economy["genesis"].clone()
    }

    /// Submits, and expects a refusal before the ledger with this code.
    pub fn expect_refusal(&self, code: &str, bytes: &[u8]) {
        let before = self.state();
        let answer = self.network.submit("final", bytes);
        assert_eq!(answer.problem(), code);
        assert_eq!(answer.status, 422, "{code}");
        assert_eq!(self.state(), before, "{code} changes nothing");
    }

    /// Submits, and expects the event to end so; answers its receipt.
    pub fn expect_receipt(&self, outcome: &str, bytes: &[u8]) -> Json {
        let receipt = self.network.submit("final", bytes).json(200)["receipt"].clone();
        let code = receipt["refusal"]["code"].as_str();
        let told = code.unwrap_or(receipt["outcome"].as_str().unwrap());
        assert_eq!(told, outcome, "{receipt}");
        self.check_sums();
        receipt
    }

    /// Submits, and expects a refusal on the ledger: the fee is paid, nothing else moves.
    pub fn expect_refused_receipt(&self, code: &str, signer: &Signer, bytes: &[u8]) {
        let before = self.balance(signer);
        let receipt = self.expect_receipt(code, bytes);
        assert_eq!(receipt["outcome"], "refused");
        assert_eq!(receipt["postings"].as_array().unwrap().len(), 1, "the fee: {receipt}");
        let fee = apt(receipt["fee"].as_str().unwrap());
        assert_eq!(self.balance(signer), before.minus(fee).unwrap(), "{code}");
    }
}
