//! A network of many: the ports on which nodes meet, and whether enough routers have met.

use std::net::{TcpListener, UdpSocket};

use serde_json::Value as Json;

use super::network::Node;
use super::{Findings, Patient};
use crate::cli::text;
use crate::data_folder::{read_genesis, running_node};

/// Whether others could reach a node that starts here: its ports are nobody else's.
pub fn ports(patient: &Patient, findings: &mut Findings) {
    let genesis = read_genesis(&patient.home.join("genesis.toml"));
    let is_of_many = matches!(genesis, Ok(Some(genesis)) if genesis.zones.len() > 1);
    let is_nodes = patient.home.join("node.key").exists();
    if !is_of_many || !is_nodes || running_node(&patient.home).is_some() {
        return;
    }
    for (name, wanted) in patient.network.iter().filter(|(_, wanted)| wanted.port() > 0) {
        let tcp = TcpListener::bind(wanted).map(drop);
        let bound = match *name {
            // Where it listens for QUIC, too.
            "network.listen" => tcp.and_then(|()| UdpSocket::bind(wanted).map(drop)),
            _ => tcp,
        };
        match bound {
            Ok(()) => findings.ok("ports", format!("{name}: {wanted} is free")),
            Err(error) => {
                let advice = format!("end the program that has it, or set {name} to another one");
                findings.problem("ports", format!("{name}: {wanted}: {error}"), &advice);
            }
        }
    }
}

/// Whether peers that relay could dial this node.
pub fn reached(own: &Json, findings: &mut Findings) {
    let is_relayed =
        |address: &Json| address.as_str().is_some_and(|one| one.contains("/p2p-circuit"));
    let flag = |row: &Json, name: &str| row.pointer(name).and_then(Json::as_bool);
    let tried = |is_reached: bool, is_near: bool| {
        let asked = [("/is_reached", is_reached), ("/is_near", is_near)];
        let is_so = |row: &&Json| asked.iter().all(|(name, is)| flag(row, name) == Some(*is));
        rows(own, "/reached").filter(is_so).last().and_then(|row| text(row, "/address"))
    };
    if let Some(address) = tried(true, false) {
        findings.ok("reached", format!("a peer could dial it at {address}"));
    } else if rows(own, "/addresses").any(is_relayed) {
        findings.ok("reached", "by way of a relay");
    } else if let (None, Some(address)) = (tried(false, false), tried(true, true)) {
        findings.ok("reached", format!("by a peer of this machine's own network, at {address}"));
    } else if let Some(address) = tried(false, false).or_else(|| tried(false, true)) {
        let advice = "to be reached, lead the port of network.listen (TCP and UDP) to this \
                      machine, and start the node again: then it is tried anew; or name a relay \
                      (network.relays). To follow, submit and serve its own API needs neither";
        findings.warn("reached", format!("a peer could not dial it at {address}"), advice);
    }
}

/// Whether a validator has met as many of the others as an anchor needs.
pub fn connected(own: &Json, node: &Node, findings: &mut Findings) {
    let is_validator = own.pointer("/is_validator").and_then(Json::as_bool).unwrap_or_default();
    let Ok(set) = node.client.get_json("/v1/views/zones/validators?limit=100") else { return };
    let set: Vec<String> = rows(&set, "/rows").filter_map(|row| text(row, "/key")).collect();
    if !is_validator || set.len() < 2 {
        return;
    }
    let met = rows(own, "/peers").filter_map(|peer| text(peer, "/router_key"));
    let met = met.filter(|key| set.contains(key)).count().saturating_add(1);
    let needed = (set.len().saturating_mul(2) / 3).saturating_add(1);
    let words = format!("{met} of {} validators are connected, this one counted", set.len());
    match met >= needed {
        true => findings.ok("validators", words),
        false => {
            let words = format!("{words}; {needed} are needed for an anchor");
            let advice = "look at the others, and at the network between you: port 8410, or what \
                          network.listen says";
            findings.problem("validators", words, advice);
        }
    }
}

fn rows<'j>(json: &'j Json, pointer: &str) -> impl Iterator<Item = &'j Json> {
    json.pointer(pointer).and_then(Json::as_array).into_iter().flatten()
}
