//! The test accounts of a development network. Their keys are public: UNSAFE.

use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisNodeKey, GenesisZone};
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Amount, PublicKey, Zone};
use ddt_wallet::{KdfCost, Keystore, Mnemonic, Secret, Seed};

use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::running::NodeKeys;
use crate::secret_file;

/// The password of every test wallet.
pub const PASSWORD: &str = "unsafe-test-password";
/// Whose account receives the router's half of fees.
const OPERATOR: &str = "operator";
const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const BALANCE: Amount = Amount::from_apt(1_000_000);
const ALLOWANCE: Amount = Amount::from_apt(1_000);
const POOL: Amount = Amount::from_apt(1_000_000);

/// A funded test account.
#[derive(Clone)]
pub struct TestAccount {
    /// Its wallet's name.
    pub name: String,
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

/// The test accounts, the same on every development network with so many zones: each router
/// has an operator of its own.
pub fn all(zones: u32) -> Result<Vec<TestAccount>, Failure> {
    let people = NAMES.into_iter().map(str::to_string);
    let operators = (0..zones.max(1)).map(operator);
    people
        .chain(operators)
        .map(|name| {
            let key = Seed::from_words(&words(&name)?).owner_key(0);
            let key = key.map_err(|error| Failure::fault(format!("test keys: {error}")))?;
            let (account, key) = (key.account(), key.public());
            Ok(TestAccount { name, account, balance: BALANCE, key })
        })
        .collect()
}

/// Who runs the router of the zone with this number.
fn operator(zone: u32) -> String {
    match zone {
        0 => OPERATOR.to_string(),
        zone => format!("{OPERATOR}{}", zone.saturating_add(1)),
    }
}

/// The genesis of a new development network: a zone for each router with such keys.
pub fn genesis(
    accounts: &[TestAccount],
    routers: &[NodeKeys],
    params: Params,
) -> Result<Genesis, Failure> {
    let operator_of = |zone: u32| {
        let name = operator(zone);
        let operator = accounts.iter().find(|test| test.name == name);
        operator.map(|test| test.account).ok_or_else(|| Failure::fault(format!("no {name}")))
    };
    let bond = params.router_bond_min();
    let funded = |test: &TestAccount| GenesisAccount { key: test.key, balance: test.balance };
    let (mut node_keys, mut zones) = (Vec::new(), Vec::new());
    for (keys, number) in routers.iter().zip(0_u32..) {
        let account = operator_of(number)?;
        node_keys.push(GenesisNodeKey { account, key: keys.node_public(), allowance: ALLOWANCE });
        zones.push(GenesisZone {
            zone: Zone(number),
            router: account,
            key: keys.router_public(),
            vrf_key: keys.vrf()?.public(),
            bond,
        });
    }
    Ok(Genesis {
        version: GENESIS_VERSION,
        name: "dev".to_string(),
        time_ms: crate::running::now(),
        pool: POOL,
        params,
        accounts: accounts.iter().map(funded).collect(),
        node_keys,
        zones,
    })
}

/// Refuses a folder with wallets of somebody, before anything is written: their password would
/// be replaced by the public one.
///
/// # Errors
/// It has some, or the disk fails.
pub fn refuse_wallets(folder: &DataFolder) -> Result<(), Failure> {
    let (home, keystore) = (folder.path(), keystore(folder)?);
    let there = keystore.list().map_err(|error| Failure::fault(error.to_string()))?.entries;
    let is_theirs = match secret_file::read(&home.join("password"))? {
        Some(password) => password.trim() != PASSWORD,
        None => !there.is_empty(),
    };
    if is_theirs {
        return Err(Failure::usage(format!(
            "{} holds wallets, and the password of a development network is public: choose an \
             empty folder",
            home.display()
        )));
    }
    Ok(())
}

fn keystore(folder: &DataFolder) -> Result<Keystore, Failure> {
    let keystore = Keystore::open_dir(&folder.path().join("keystore"));
    keystore.map_err(|error| Failure::fault(error.to_string()))
}

/// Puts the test wallets into the folder's keystore, with a password that costs nothing.
pub fn fill_keystore(folder: &DataFolder, accounts: &[TestAccount]) -> Result<(), Failure> {
    // First: it tells a start that was cut short from wallets of somebody.
    secret_file::replace(&folder.path().join("password"), PASSWORD)?;
    let keystore = keystore(folder)?;
    let there = keystore.list().map_err(|error| Failure::fault(error.to_string()))?.entries;
    for test in accounts {
        if there.iter().any(|entry| entry.name == test.name) {
            continue;
        }
        let secret = Secret::Words(words(&test.name)?);
        keystore
            .create(&test.name, &secret, PASSWORD, KdfCost::UNSAFE_TEST)
            .map_err(|error| Failure::fault(error.to_string()))?;
    }
    Ok(())
}
