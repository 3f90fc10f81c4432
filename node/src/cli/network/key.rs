//! `ddt network key`: each operator, on the machine where the router will run.

use std::path::PathBuf;

use clap::Args;
use ddt_ledger::PublicKey;
use serde_json::json;

use super::RouterPart;
use crate::cli::node::settings_file::{self, Rule};
use crate::cli::{Global, Output, home, wallets};
use crate::config::{CONSENSUS_PORT, NETWORK_PORT, Place};
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::running::NodeKeys;
use crate::secret_file;

/// Make a router's keys and print their public part.
#[derive(Args)]
pub struct KeyArgs {
    /// A name of the router, for people
    #[arg(long)]
    name: String,
    /// The wallet whose account gets the router's fees; needs no password
    #[arg(long, value_name = "WALLET", required_unless_present = "owner_key")]
    owner: Option<String>,
    /// The same by the account's first public key
    #[arg(long, value_name = "HEX", conflicts_with = "owner")]
    owner_key: Option<String>,
    /// Host under which other nodes reach this machine: a name or an IP address
    #[arg(long, value_name = "HOST")]
    host: String,
    /// Port for nodes, over TCP and UDP
    #[arg(long, default_value_t = NETWORK_PORT)]
    port: u16,
    /// Port for the consensus of routers, over TCP
    #[arg(long, default_value_t = CONSENSUS_PORT)]
    consensus_port: u16,
    /// Where to write the public part; by default router.toml in the data folder
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `ddt network key`.
///
/// # Errors
/// A folder that has another purpose, an unknown wallet, a disk that fails.
pub fn run(global: &Global, args: &KeyArgs, output: &Output) -> Result<(), Failure> {
    let home = home(global);
    let owner = match (&args.owner, &args.owner_key) {
        (_, Some(text)) => PublicKey::from_hex(text)
            .ok_or_else(|| Failure::usage("--owner-key is a public key: 64 hexadecimal digits"))?,
        (Some(name), None) => wallets::public_key(global, name)?,
        (None, None) => return Err(Failure::usage("name the owner: --owner WALLET")),
    };
    let folder = DataFolder::open_for_node(&home, &mut |note| output.note(&note))?;
    if folder.genesis()?.is_some() {
        return Err(Failure::usage(format!(
            "{} belongs to a network already; another router needs a folder of its own",
            home.display()
        )));
    }
    let keys = NodeKeys::make(&folder.path().join("node.key"))?;
    let any = std::net::IpAddr::from(std::net::Ipv4Addr::UNSPECIFIED);
    let external = format!("{}:{}", args.host, args.port);
    let place = Place { listen: (any, args.port).into(), external: Some(external.clone()) };
    let part = RouterPart::new(&args.name, owner, &keys, place.reached(true)?)?;
    let text = part.to_toml()?;
    RouterPart::read("the public part", &text)?;
    let consensus = format!("{}:{}", args.host, args.consensus_port);
    // First: a part that says something else than the settings would lead nowhere.
    settings_file::set(
        &home,
        &[
            ("network", "listen", format!("0.0.0.0:{}", args.port), Rule::SamePort),
            ("network", "external", external, Rule::Same),
            ("consensus", "listen", format!("0.0.0.0:{}", args.consensus_port), Rule::SamePort),
            ("consensus", "external", consensus, Rule::Same),
        ],
    )?;
    let path = args.out.clone().unwrap_or_else(|| home.join("router.toml"));
    secret_file::replace_public(&path, &text)?;
    let shown = path.display();
    let words = format!(
        "{text}\nThe keys are in {}; nobody but this machine needs them. Back them up.\nSend \
         {shown} to whoever assembles the network: it holds nothing secret.",
        home.join("node.key").display()
    );
    output.result(json!({ "part": part, "file": shown.to_string() }), words);
    Ok(())
}
