//! `ddt node init`: a data folder for a network that exists, or is about to.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::settings_file::{self, Rule};
use crate::cli::{Global, Output, home};
use crate::data_folder::{DataFolder, read_genesis};
use crate::failure::Failure;
use crate::running::NodeKeys;

/// Make a data folder for a network.
#[derive(Args)]
pub struct InitArgs {
    /// The network's genesis file
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// A node to begin with: a multiaddr, such as /ip4/192.0.2.7/tcp/8410; may be given several
    /// times
    #[arg(long, value_name = "MULTIADDR")]
    peer: Vec<String>,
    /// A file with one such address a line
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
}

/// `ddt node init`.
///
/// # Errors
/// A genesis file that is none, a folder of another network, a disk that fails.
pub fn run(global: &Global, args: &InitArgs, output: &Output) -> Result<(), Failure> {
    let genesis = read_genesis(&args.genesis)?.ok_or_else(|| {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        Failure::io(&args.genesis, &missing)
    })?;
    let state = genesis.state().map_err(|error| Failure::usage(error.to_string()))?;
    let mut peers = args.peer.clone();
    if let Some(path) = &args.peers {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
        let lines = text.lines().map(str::trim);
        peers.extend(lines.filter(|line| !line.is_empty()).map(str::to_string));
    }
    for peer in &peers {
        ddt_net::check_address(peer).map_err(|error| Failure::usage(error.to_string()))?;
    }
    let home = home(global);
    let folder = DataFolder::open_for_node(&home, &mut |note| output.note(&note))?;
    match folder.genesis()? {
        Some(there) if there == genesis => {}
        Some(there) => {
            return Err(Failure::usage(format!(
                "{} belongs to another network, {} ({}); choose another --home",
                home.display(),
                there.name,
                there.chain()
            )));
        }
        None => folder.set_genesis(&genesis)?,
    }
    let keys = NodeKeys::make(&folder.path().join("node.key"))?;
    if !peers.is_empty() {
        settings_file::set(&home, &[("network", "peers", peers.join(","), Rule::Add)])?;
    }
    let zone = genesis.zones.iter().find(|zone| zone.key == keys.router_public());
    let role = match zone {
        Some(zone) => format!("the router of zone {}", zone.zone),
        None => "a full node".to_string(),
    };
    let (name, chain) = (&genesis.name, state.chain);
    let words = format!(
        "{} is ready: {role} of {name} (chain {chain}).\nRun it: ddt node run",
        home.display()
    );
    let data = json!({
        "home": home.display().to_string(),
        "network": name,
        "chain": chain,
        "role": if zone.is_some() { "router" } else { "full node" },
        "zone": zone.map(|zone| zone.zone),
        "router_key": keys.router_public(),
        "node_key": keys.node_public(),
    });
    output.result(data, words);
    Ok(())
}
