//! `ddt network assemble`: the genesis file, from the routers' public parts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisNodeKey, GenesisZone};
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Amount, PublicKey, Zone};
use serde_json::json;

use super::RouterPart;
use crate::cli::Output;
use crate::dev::parameters;
use crate::failure::Failure;
use crate::secret_file;

/// What the parameters begin from.
#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    /// Of a public network: epochs of a day
    Network,
    /// The same rules in minutes
    Dev,
}

/// Make the genesis file.
#[derive(Args)]
pub struct AssembleArgs {
    /// The routers' public parts, one file each; their order is that of the zones
    #[arg(required = true, value_name = "FILE")]
    parts: Vec<PathBuf>,
    /// The network's name: a-z, 0-9, -
    #[arg(long)]
    name: String,
    /// What each router's account starts with, in APT
    #[arg(long, value_name = "APT", default_value = "0")]
    balance: Amount,
    /// What each router's bond is, beside that, in APT; by default as little as may be
    #[arg(long, value_name = "APT")]
    bond: Option<Amount>,
    /// Another first account: its owner key and what it starts with; may be given several times
    #[arg(long, value_name = "HEX=APT")]
    fund: Vec<String>,
    /// What the pool starts with, in APT
    #[arg(long, value_name = "APT", default_value = "0")]
    pool: Amount,
    /// What each router's node key may spend on its duties, in APT
    #[arg(long, value_name = "APT", default_value = "100")]
    allowance: Amount,
    /// Where the parameters begin from
    #[arg(long, value_enum, default_value = "network")]
    preset: Preset,
    /// A parameter, such as epoch_ms=3600000; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Folder for genesis.toml and peers.txt
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// `ddt network assemble`.
///
/// # Errors
/// A part that is none or stands there twice, or a genesis that cannot start a network.
pub fn run(args: &AssembleArgs, output: &Output) -> Result<(), Failure> {
    let parts: Vec<RouterPart> =
        args.parts.iter().map(|path| read_part(path)).collect::<Result<_, _>>()?;
    let keys: BTreeSet<PublicKey> = parts.iter().map(|part| part.key).collect();
    if keys.len() != parts.len() {
        return Err(Failure::usage("two parts are of one router: each needs its own data folder"));
    }
    let owners: BTreeSet<PublicKey> = parts.iter().map(|part| part.owner_key).collect();
    if owners.len() != parts.len() {
        return Err(Failure::usage("two routers have one owner: each needs an account of its own"));
    }
    let genesis = genesis(args, &parts)?;
    let state = genesis.state().map_err(|error| Failure::usage(error.to_string()))?;
    let text = genesis.to_toml().map_err(|error| Failure::fault(error.to_string()))?;
    let file = |name: &str| args.out.join(name);
    if file("genesis.toml").exists() {
        return Err(Failure::usage(format!(
            "{} is there already; choose another --out",
            file("genesis.toml").display()
        )));
    }
    let peers: Vec<&str> = parts.iter().flat_map(|part| &part.addresses).map(|a| &**a).collect();
    write(&file("peers.txt"), &peers.join("\n"))?;
    write(&file("genesis.toml"), &text)?;
    let chain = state.chain;
    let words = format!(
        "{} zones, chain {chain}.\nGive genesis.toml and peers.txt in {} to every operator; \
         each runs:\n  ddt node init --genesis genesis.toml --peers peers.txt\n  ddt node run",
        parts.len(),
        args.out.display()
    );
    let data = json!({
        "chain": chain,
        "zones": parts.len(),
        "genesis": file("genesis.toml").display().to_string(),
        "peers": file("peers.txt").display().to_string(),
    });
    output.result(data, words);
    Ok(())
}

fn read_part(path: &Path) -> Result<RouterPart, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
    RouterPart::read(&path.display().to_string(), &text)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder, &error))?;
    }
    secret_file::replace_public(path, text)
}

fn genesis(args: &AssembleArgs, parts: &[RouterPart]) -> Result<Genesis, Failure> {
    let preset = match args.preset {
        Preset::Network => Params::network(),
        Preset::Dev => Params::dev(),
    };
    let mut accounts: Vec<GenesisAccount> = Vec::new();
    let owners = parts.iter().map(|part| (part.owner_key, args.balance));
    let funded = args.fund.iter().map(|text| read_fund(text));
    for fund in owners.map(Ok).chain(funded) {
        let (key, balance): (PublicKey, Amount) = fund?;
        match accounts.iter_mut().find(|account| account.key == key) {
            Some(there) => {
                let sum = there.balance.plus(balance);
                there.balance = sum.ok_or_else(|| Failure::usage("that is too much money"))?;
            }
            None => accounts.push(GenesisAccount { key, balance }),
        }
    }
    let params = parameters::with(&preset, &args.param)?;
    let bond = args.bond.unwrap_or(params.router_bond_min());
    let zones = parts.iter().zip(0_u32..).map(|(part, number)| zone(part, Zone(number), bond));
    let node_key = |part: &RouterPart| GenesisNodeKey {
        account: AccountId::of(&part.owner_key),
        key: part.node_key,
        allowance: args.allowance,
    };
    Ok(Genesis {
        version: GENESIS_VERSION,
        name: args.name.clone(),
        time_ms: crate::running::now(),
        pool: args.pool,
        params,
        accounts,
        node_keys: parts.iter().map(node_key).collect(),
        zones: zones.collect(),
    })
}

fn zone(part: &RouterPart, zone: Zone, bond: Amount) -> GenesisZone {
    let router = AccountId::of(&part.owner_key);
    GenesisZone { zone, router, key: part.key, vrf_key: part.vrf_key, bond }
}

fn read_fund(text: &str) -> Result<(PublicKey, Amount), Failure> {
    let wrong = || Failure::usage(format!("--fund {text}: want a public key, = and an amount"));
    let (key, amount) = text.split_once('=').ok_or_else(wrong)?;
    Ok((PublicKey::from_hex(key).ok_or_else(wrong)?, amount.parse().map_err(|_| wrong())?))
}
