//! The test accounts of a development network. Their keys are public: UNSAFE.

use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisNodeKey, GenesisZone};
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Amount, PublicKey, Zone};
use ddt_wallet::{KdfCost, Keystore, Mnemonic, Secret, Seed};

use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::secret_file;

/// The password of every test wallet.
pub const PASSWORD: &str = "unsafe-test-password";
/// Whose account receives the router's half of fees.
const OPERATOR: &str = "operator";
const NAMES: [&str; 4] = ["alice", "bob", "carol", OPERATOR];
const BALANCE: Amount = Amount::from_apt(1_000_000);
const ALLOWANCE: Amount = Amount::from_apt(1_000);
const POOL: Amount = Amount::from_apt(1_000_000);

/// A funded test account.
#[derive(Clone)]
pub struct TestAccount {
    /// Its wallet's name.
    pub name: &'static str,
    /// Its id.
    pub account: AccountId,
    /// What it starts with.
    pub balance: Amount,
    key: PublicKey,
}

fn words(name: &str) -> Result<Mnemonic, Failure> {
    let entropy = blake3::derive_key("ddt v1 UNSAFE test wallet", name.as_bytes());
    let words = Mnemonic::from_entropy(entropy.get(..16).unwrap_or_default());
    words.map_err(|error| Failure::fault(format!("test words: {error}")))
}

/// The test accounts, the same on every development network.
pub fn all() -> Result<Vec<TestAccount>, Failure> {
    NAMES
        .into_iter()
        .map(|name| {
            let key = Seed::from_words(&words(name)?).owner_key(0);
            let key = key.map_err(|error| Failure::fault(format!("test keys: {error}")))?;
            let (account, key) = (key.account(), key.public());
            Ok(TestAccount { name, account, balance: BALANCE, key })
        })
        .collect()
}

/// The genesis of a new development network: one zone, whose router has these keys.
pub fn genesis(
    accounts: &[TestAccount],
    keys: &crate::router::NodeKeys,
    params: Params,
) -> Result<Genesis, Failure> {
    let operator = accounts.iter().find(|test| test.name == OPERATOR);
    let operator = operator.ok_or_else(|| Failure::fault("there is no operator"))?.account;
    let funded = |test: &TestAccount| GenesisAccount { key: test.key, balance: test.balance };
    Ok(Genesis {
        version: GENESIS_VERSION,
        name: "dev".to_string(),
        time_ms: crate::router::now(),
        pool: POOL,
        params,
        accounts: accounts.iter().map(funded).collect(),
        node_keys: vec![GenesisNodeKey {
            account: operator,
            key: keys.node_public(),
            allowance: ALLOWANCE,
        }],
        zones: vec![GenesisZone {
            zone: Zone(0),
            router: operator,
            key: keys.router_public(),
            vrf_key: keys.vrf()?.public(),
        }],
    })
}

/// Puts the test wallets into the folder's keystore, with a password that costs nothing.
pub fn fill_keystore(folder: &DataFolder, accounts: &[TestAccount]) -> Result<(), Failure> {
    let keystore = Keystore::open_dir(&folder.path().join("keystore"));
    let keystore = keystore.map_err(|error| Failure::fault(error.to_string()))?;
    let there = keystore.list().map_err(|error| Failure::fault(error.to_string()))?.entries;
    for test in accounts {
        if there.iter().any(|entry| entry.name == test.name) {
            continue;
        }
        let secret = Secret::Words(words(test.name)?);
        keystore
            .create(test.name, &secret, PASSWORD, KdfCost::UNSAFE_TEST)
            .map_err(|error| Failure::fault(error.to_string()))?;
    }
    secret_file::replace(&folder.path().join("password"), PASSWORD)
}
