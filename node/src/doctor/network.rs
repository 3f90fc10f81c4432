//! The clock, the ports, the node, and the network as the node sees it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use ddt_api::client::Client;
use ddt_ledger::routers::PROTOCOL_VERSION;
use serde_json::Value as Json;

use super::{Findings, Patient, routers};
use crate::cli::connection::own_node;
use crate::cli::{DEFAULT_API, VERSION, text};
use crate::data_folder::{read_genesis, running_node};
use crate::dev::PORT;
use crate::running::now;

/// 2024-01-01, and 2100-01-01: outside of it no clock is right.
const PLAUSIBLE_MS: std::ops::Range<u64> = 1_704_067_200_000..4_102_444_800_000;
/// More than this between two clocks is wrong.
const CLOCKS_APART_MS_MAX: u64 = 5_000;
/// An anchor is made every 10 s at least; after so long something is wrong.
const SILENCE_MS_MAX: u64 = 60_000;

/// A node that answered.
pub struct Node {
    /// `/v1/status`.
    pub status: Json,
    /// A client of it.
    pub client: Client,
    /// Whether it runs on the patient's folder.
    pub is_own: bool,
}

/// Checks clock, node, chain and ports; answers the node, if one answers.
pub fn check(patient: &Patient, findings: &mut Findings) -> Option<Node> {
    let time = now().0;
    if PLAUSIBLE_MS.contains(&time) {
        findings.ok("clock", "plausible");
    } else {
        let words = format!("this machine's clock says {time} ms since 1970");
        findings.problem("clock", words, "set the clock; use NTP");
    }
    let node = reach(patient, findings);
    ports(patient, node.as_ref(), findings);
    routers::ports(patient, findings);
    let node = node?;
    clock(&node, time, findings);
    chain(patient, &node, findings);
    anchors(&node, findings);
    release(&node, findings);
    peers(&node, findings);
    if let Some(own) = own(patient, &node) {
        routers::connected(&own, &node, findings);
        routers::reached(&own, findings);
    }
    Some(node)
}

fn reach(patient: &Patient, findings: &mut Findings) -> Option<Node> {
    let running = running_node(&patient.home);
    let own = running.as_ref().map(|node| node.api.clone());
    let is_named = patient.api.is_some();
    let url = patient.api.clone().or(own.clone()).unwrap_or_else(|| DEFAULT_API.to_string());
    let is_own = own.as_ref() == Some(&url);
    let client = Client::new(&url);
    let status = match client.get_json("/v1/status") {
        Ok(status) => status,
        Err(error) if error.status == 0 && !is_named => {
            let advice = "start ddt dev, set DDT_HOME to its folder, or name a node with --api";
            let words = match is_own {
                true => format!("{} says a node runs, and it does not answer", "run.json"),
                false => format!("no node answers at {}", client.shown()),
            };
            findings.warn("node", words, advice);
            return None;
        }
        Err(error) => {
            findings.problem("node", error.detail, "is --api or DDT_API right?");
            return None;
        }
    };
    match client.get_text("/readyz") {
        Ok(_) => findings.ok("node", format!("{} answers and is ready", client.shown())),
        Err(error) => {
            let advice = "look at its log; a node that was just started may need a moment";
            findings.problem("node", format!("{}: {}", client.shown(), error.detail), advice);
        }
    }
    Some(Node { status, client, is_own })
}

/// What only its operator may see of it.
fn own(patient: &Patient, node: &Node) -> Option<Json> {
    let private = own_node(&patient.home).ok().flatten().filter(|_| node.is_own)?;
    private.get_json("/v1/node").ok()
}

fn number(status: &Json, pointer: &str) -> Option<u64> {
    status.pointer(pointer)?.as_u64()
}

fn clock(node: &Node, time: u64, findings: &mut Findings) {
    let Some(theirs) = number(&node.status, "/now") else { return };
    let apart = theirs.abs_diff(time);
    if apart > CLOCKS_APART_MS_MAX {
        let words = format!("this machine's clock and the node's are {apart} ms apart");
        findings.problem("clock", words, "set the clocks of both machines; use NTP");
    }
    let anchor = number(&node.status, "/time").unwrap_or_default();
    if anchor > time.saturating_add(CLOCKS_APART_MS_MAX) {
        let words = format!("the last anchor's time is {} ms ahead of this clock", anchor - time);
        findings.problem("clock", words, "set the clock; use NTP");
    }
}

fn chain(patient: &Patient, node: &Node, findings: &mut Findings) {
    let chain = text(&node.status, "/chain").unwrap_or_default();
    match read_genesis(&patient.home.join("genesis.toml")) {
        Ok(None) => findings.ok("chain", "the data folder belongs to no network yet"),
        Ok(Some(genesis)) if genesis.chain().to_string() == chain => {
            findings.ok("chain", format!("the node follows this folder's network, {chain}"));
        }
        Ok(Some(genesis)) => {
            let words = format!("the node follows {chain}, the folder is of {}", genesis.chain());
            findings.problem("chain", words, "name another node or another folder");
        }
        Err(failure) => findings.problem("chain", failure.words, "restore genesis.toml"),
    }
}

fn anchors(node: &Node, findings: &mut Findings) {
    let (Some(time), Some(theirs)) = (number(&node.status, "/time"), number(&node.status, "/now"))
    else {
        return;
    };
    let height = number(&node.status, "/anchor").unwrap_or_default();
    let silence = theirs.saturating_sub(time);
    let words = format!("anchor {height} is {}.{} s old", silence / 1_000, silence % 1_000 / 100);
    match silence > SILENCE_MS_MAX {
        true => findings.problem("anchors", words, "look at the node's log for consensus"),
        false => findings.ok("anchors", words),
    }
}

/// Whether the network goes on by rules that this release knows.
fn release(node: &Node, findings: &mut Findings) {
    let view = node.client.get_json("/v1/views/zones/upgrade");
    let Some(next) = view.ok().and_then(|view| view.pointer("/rows/0").cloned()) else { return };
    let known = u64::from(PROTOCOL_VERSION);
    let newer = |pointer: &str| number(&next, pointer).filter(|version| *version > known);
    if let Some(version) = newer("/version") {
        let words =
            format!("the network's rules are of version {version}, this release knows {known}");
        findings.problem("release", words, "start a newer release on this folder");
    } else if let Some((version, epoch)) = newer("/next_version").zip(number(&next, "/next_epoch"))
    {
        let words = format!(
            "from epoch {epoch} on the network goes on by protocol version {version}; this \
             release knows {known}, and stops there"
        );
        findings.warn("release", words, "start a newer release on this folder before");
    } else {
        findings.ok("release", format!("it knows the network's rules, version {known}"));
    }
    let running = text(&node.status, "/node/version").unwrap_or_default();
    if node.is_own && running != VERSION {
        let words = format!("the node that runs is of release {running}, this is {VERSION}");
        findings.warn("release", words, "start the node again, if the newer one is meant");
    }
}

fn peers(node: &Node, findings: &mut Findings) {
    let peers = number(&node.status, "/node/peers").unwrap_or_default();
    let zones = node.client.get_json("/v1/zones").ok();
    let zones = zones.and_then(|zones| Some(zones.pointer("/rows")?.as_array()?.len()));
    match (peers, zones) {
        (0, Some(0 | 1)) => findings.ok("peers", "alone: the network has one router"),
        (0, _) => {
            let advice = "check its network, and the other routers";
            findings.warn("peers", "the node has no peers, and the network has others", advice);
        }
        (peers, _) => findings.ok("peers", format!("{peers} connected")),
    }
}

fn ports(patient: &Patient, node: Option<&Node>, findings: &mut Findings) {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let wanted = patient.listen.unwrap_or(usual);
    if wanted.port() == 0 {
        findings.ok("ports", "any free one");
        return;
    }
    let own = running_node(&patient.home).filter(|_| node.is_some_and(|node| node.is_own));
    if own.is_some_and(|own| own.api == format!("http://{wanted}")) {
        findings.ok("ports", format!("{wanted} is held by this folder's node"));
        return;
    }
    match TcpListener::bind(wanted) {
        Ok(_) => findings.ok("ports", format!("{wanted} is free")),
        Err(error) if patient.listen.is_none() => {
            let words = format!(
                "{wanted} cannot be had ({error}): ddt dev takes another one, ddt node run wants \
                 --listen"
            );
            findings.ok("ports", words);
        }
        Err(error) => {
            let advice = "end the program that has it, or set listen to another one";
            findings.problem("ports", format!("{wanted}: {error}"), advice);
        }
    }
}
