//! A peer that has a snapshot, and gives it away as the test wants.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ddt_core::follower::Decided;
use ddt_ledger::state::Manifest;
use ddt_ledger::{ChainId, Hash, PublicKey};
use ddt_net::message::{Answer, Hello, News, Offer, Request};
use ddt_net::{BoxFuture, Greeting, Host, Net, NetConfig, Verdict};
use serde_json::Value as Json;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::support::cluster::Node;

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It gives everything.
    Honest,
    /// It never answers for pieces from this one on.
    SilentFrom(u32),
    /// It changes a byte of every piece.
    Lying,
    /// It has no snapshot.
    Empty,
    /// It offers newer snapshots that there are not, and never says anything of them.
    Inventing,
}

/// What it was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The pieces.
    pub pieces: BTreeSet<u32>,
    /// How often, what it has.
    pub offers: usize,
    /// How often, to prove one.
    pub proofs: usize,
}

/// A snapshot in memory.
#[derive(Clone)]
pub struct Copy {
    pub height: u64,
    pub id: Hash,
    manifest: Vec<u8>,
    pub pieces: Vec<Vec<u8>>,
    anchors: Vec<Decided>,
}

impl Copy {
    /// Copies a snapshot from a node's folder, with the anchors that prove it.
    pub fn of(node: &Node, height: u64, folder: &Path) -> Option<Copy> {
        let manifest = std::fs::read(folder.join("manifest")).ok()?;
        let count = Manifest::decode(&manifest).unwrap().pieces();
        let piece = |at: usize| std::fs::read(folder.join(format!("{at:05}.piece"))).ok();
        let pieces: Vec<_> = (0..count).map_while(piece).collect();
        let anchors =
            [height, height + 1].map(|at| decided(&node.json(&format!("/v1/anchors/{at}"))));
        let id = Manifest::id_of(&manifest);
        let is_whole = pieces.len() == count;
        is_whole.then(|| Copy { height, id, manifest, pieces, anchors: anchors.to_vec() })
    }
}

fn decided(anchor: &Json) -> Decided {
    let body = hex::decode(anchor["body"].as_str().unwrap()).unwrap();
    Decided { body, certificate: serde_json::from_value(anchor["certificate"].clone()).unwrap() }
}

struct Desk {
    copy: Copy,
    manner: Manner,
    asked: Arc<Mutex<Asked>>,
}

impl Host for Desk {
    fn hello(&self) -> Greeting {
        Greeting { height: self.copy.height + 1, lowest: 1, cards: Vec::new() }
    }

    fn greeted(&self, _: PublicKey, _: &Hello) {}

    fn lost(&self, _: PublicKey) {}

    fn news(&self, _: PublicKey, _: News) -> Verdict {
        Verdict::Ignore
    }

    fn answer(&self, _: PublicKey, request: Request) -> BoxFuture<'static, Answer> {
        let copy = &self.copy;
        let answer = match request {
            Request::Snapshots => {
                self.asked.lock().unwrap().offers += 1;
                Answer::Snapshots(self.offers())
            }
            Request::Handovers { .. } => {
                self.asked.lock().unwrap().proofs += 1;
                if self.manner == Manner::Inventing {
                    return Box::pin(std::future::pending());
                }
                Answer::Handovers(Vec::new())
            }
            Request::Anchors { first } if first == copy.height => {
                Answer::Anchors(copy.anchors.clone())
            }
            Request::Manifest { snapshot } if snapshot == copy.id => {
                Answer::Manifest(Some(copy.manifest.clone()))
            }
            Request::Piece { index, .. } => {
                self.asked.lock().unwrap().pieces.insert(index);
                let mut piece = copy.pieces[index as usize].clone();
                match self.manner {
                    Manner::SilentFrom(first) if index >= first => {
                        return Box::pin(std::future::pending());
                    }
                    Manner::Lying => *piece.last_mut().unwrap() ^= 1,
                    _ => {}
                }
                Answer::Piece(Some(piece))
            }
            _ => Answer::Busy,
        };
        Box::pin(async move { answer })
    }
}

impl Desk {
    fn offers(&self) -> Vec<Offer> {
        let offer = |height, snapshot| Offer { height, snapshot };
        let height = self.copy.height;
        match self.manner {
            Manner::Empty => Vec::new(),
            Manner::Inventing => {
                (1..=8).map(|more| offer(height + more, Hash([more as u8; 32]))).collect()
            }
            _ => vec![offer(height, self.copy.id)],
        }
    }
}

/// A running one.
pub struct Source {
    _runtime: Runtime,
    net: Net,
    asked: Arc<Mutex<Asked>>,
}

impl Source {
    /// Starts one with a key of its own.
    pub fn start(chain: ChainId, seed: u8, copy: &Copy, manner: Manner) -> Source {
        Source::at(&place(seed, 0), chain, seed, copy, manner)
    }

    /// The same at this address.
    pub fn at(address: &str, chain: ChainId, seed: u8, copy: &Copy, manner: Manner) -> Source {
        let runtime = Runtime::new().unwrap();
        let mut config = NetConfig::new(chain, Zeroizing::new([seed; 32]));
        config.listen = vec![address.to_string()];
        let asked = Arc::new(Mutex::new(Asked::default()));
        let desk = Desk { copy: copy.clone(), manner, asked: asked.clone() };
        let net = runtime.block_on(ddt_net::start(config, Arc::new(desk))).unwrap();
        Source { _runtime: runtime, net, asked }
    }

    /// Where it is.
    pub fn address(&self) -> String {
        self.net.addresses().into_iter().next().unwrap()
    }

    /// What it was asked.
    pub fn asked(&self) -> Asked {
        self.asked.lock().unwrap().clone()
    }
}

/// The address of a source.
pub fn place(seed: u8, port: u16) -> String {
    format!("/ip4/127.0.{seed}.1/tcp/{port}")
}

/// An address at which nobody is yet.
pub fn free_place(seed: u8) -> String {
    let listener = std::net::TcpListener::bind((format!("127.0.{seed}.1"), 0)).unwrap();
    place(seed, listener.local_addr().unwrap().port())
}
