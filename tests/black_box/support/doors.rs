//! Doors between the nodes of a cluster, for which nobody needs a right: what is told of a node
//! is where its doors are, so every byte between two nodes crosses one. A door asks the system
//! whose process a connection comes from. So it knows both ends, and what lies between them may
//! change while they run.
//!
//! Only Linux says whose it is. There are doors for TCP alone, and nobody comes by QUIC: a node
//! that is told to be at its doors names no other address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::cluster::Node;
use super::{Dice, eventually};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Chunks on their way through one door in one direction.
const CHUNKS_MAX: usize = 256;
/// Bytes of a packet, as most networks carry them.
const PACKET: usize = 1_460;
/// What a sender waits beyond a journey there and back before it sends a packet again: the usual
/// lower bound of the wait on Linux.
const RESEND_MS: u64 = 200;
/// So often a door looks whose a connection is: the system's table may change while it is read.
const LOOKS: u32 = 10;
/// Between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// What lies between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing.
    Open,
    /// Nothing passes: connections are cut, and new ones closed at once.
    Closed,
    /// Every byte takes its time. A lost packet is what TCP shows of it: it comes later, and so
    /// does whatever was sent after it.
    Long { delay_ms: u64, jitter_ms: u64, loss_percent: u64 },
}

impl Way {
    /// How long so many bytes take, if they take any time.
    fn takes(self, bytes: usize, dice: &mut Dice) -> Option<Duration> {
        let Way::Long { delay_ms, jitter_ms, loss_percent } = self else { return None };
        let mut ms = delay_ms.saturating_sub(jitter_ms) + dice.roll() % (2 * jitter_ms + 1);
        // However many are lost, they are sent again together.
        if (0..bytes.div_ceil(PACKET)).any(|_| dice.roll() % 100 < loss_percent) {
            ms += 2 * delay_ms + RESEND_MS;
        }
        Some(Duration::from_millis(ms))
    }
}

/// Two nodes, by their places in the cluster; the smaller first.
type Pair = (usize, usize);

/// What lies between whom, where it is not open.
type Ways = BTreeMap<Pair, Way>;

fn pair(one: usize, other: usize) -> Pair {
    (one.min(other), one.max(other))
}

fn between(ways: &Ways, pair: Pair) -> Way {
    ways.get(&pair).copied().unwrap_or(Way::Open)
}

/// What all doors of a cluster know.
struct Links {
    ways: watch::Sender<Ways>,
    /// The process of each node; 0 for one that never ran.
    processes: Mutex<Vec<Arc<AtomicU32>>>,
    /// How many connections there are between whom.
    passing: Mutex<BTreeMap<Pair, usize>>,
}

/// A connection through a door, counted until this is dropped.
struct Passing<'l>(&'l Links, Pair);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        *self.0.passing.lock().unwrap().entry(self.1).or_default() -= 1;
    }
}

impl Links {
    fn enter(&self, pair: Pair) -> Passing<'_> {
        *self.passing.lock().unwrap().entry(pair).or_default() += 1;
        Passing(self, pair)
    }

    /// Which node made the connection from this address to that one.
    async fn who(&self, from: SocketAddr, to: SocketAddr) -> Option<usize> {
        for _ in 0..LOOKS {
            let processes: Vec<u32> = {
                let all = self.processes.lock().unwrap();
                all.iter().map(|process| process.load(Ordering::SeqCst)).collect()
            };
            let look = move || holder(&processes, from, to);
            if let Ok(Some(node)) = tokio::task::spawn_blocking(look).await {
                return Some(node);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        None
    }
}

/// Which of these processes has the socket of the connection from this address to that one.
fn holder(processes: &[u32], from: SocketAddr, to: SocketAddr) -> Option<usize> {
    let socket = format!("socket:[{}]", inode(from, to)?);
    let has_it = |process: &u32| {
        let Ok(files) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
        let mut targets = files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        targets.any(|target| target == Path::new(&socket))
    };
    processes.iter().position(has_it)
}

/// The number of the socket that connects this address with that one.
fn inode(from: SocketAddr, to: SocketAddr) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let ends = [shown(from)?, shown(to)?];
    table.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let inode = words.get(9)?.parse::<u64>().ok()?;
        // A connection that has ended has none.
        (words[1] == ends[0] && words[2] == ends[1] && inode > 0).then_some(inode)
    })
}

/// An address as the system's table shows it.
fn shown(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let number = u32::from_ne_bytes(address.ip().octets());
    Some(format!("{number:08X}:{:04X}", address.port()))
}

/// Keeps a door before an address of a node.
async fn keep(links: Arc<Links>, listener: TcpListener, behind: (SocketAddr, usize)) {
    let mut through = JoinSet::new();
    loop {
        while through.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((outside, from)) => {
                through.spawn(pass(links.clone(), (outside, from), behind));
            }
            Err(_) => tokio::time::sleep(LOOK_PAUSE).await,
        }
    }
}

/// Lets one connection through, until one side ends it or the way is closed; none at all of
/// somebody who is no node.
async fn pass(
    links: Arc<Links>,
    (outside, from): (TcpStream, SocketAddr),
    (behind, number): (SocketAddr, usize),
) -> Option<()> {
    let at = outside.local_addr().ok()?;
    let pair = pair(links.who(from, at).await?, number);
    // Counted first: whoever closes the way waits for whatever may have found it open.
    let _passing = links.enter(pair);
    let (mut told, ways) = (links.ways.subscribe(), links.ways.subscribe());
    let through = async {
        let inside = TcpStream::connect(behind).await.ok()?;
        outside.set_nodelay(true).ok()?;
        inside.set_nodelay(true).ok()?;
        let ((from_one, to_one), (from_two, to_two)) = (outside.into_split(), inside.into_split());
        let seed = u64::from(from.port());
        let there = carry(from_one, to_two, (ways.clone(), pair), Dice(seed));
        let back = carry(from_two, to_one, (ways.clone(), pair), Dice(!seed));
        tokio::join!(there, back);
        Some(())
    };
    let is_closed = async { drop(told.wait_for(|ways| between(ways, pair) == Way::Closed).await) };
    tokio::select! {
        biased;
        () = is_closed => None,
        passed = through => passed,
    }
}

/// Carries bytes until one side ends; none arrives before an earlier one.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    (ways, pair): (watch::Receiver<Ways>, Pair),
    mut dice: Dice,
) {
    let (sender, mut receiver) = mpsc::channel::<(Option<Instant>, Vec<u8>)>(CHUNKS_MAX);
    let read = async move {
        let mut chunk = vec![0; CHUNK];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            let way = between(&ways.borrow(), pair);
            let due = way.takes(count, &mut dice).map(|time| Instant::now() + time);
            if sender.send((due, chunk[..count].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        // One after the other: what is late makes late what follows.
        while let Some((due, bytes)) = receiver.recv().await {
            if let Some(due) = due {
                tokio::time::sleep_until(due).await;
            }
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

/// Whether there can be doors on this system; says so where there cannot.
pub fn are_possible() -> bool {
    let is_said = cfg!(target_os = "linux");
    if !is_said {
        println!("skipped: doors: only Linux says which process a connection comes from");
    }
    is_said
}

/// The doors of a cluster; gone, with whatever passes, when this is dropped.
pub struct Doors {
    runtime: Runtime,
    links: Arc<Links>,
}

impl Doors {
    /// No door yet. Between any two nodes it will be open.
    pub fn new() -> Doors {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (processes, passing) = (Mutex::default(), Mutex::default());
        let links = Links { ways: watch::Sender::new(Ways::new()), processes, passing };
        Doors { runtime, links: Arc::new(links) }
    }

    /// Opens the doors of a node, the next one of its cluster.
    pub fn before(&self, mut node: Node) -> Node {
        let number = {
            let mut processes = self.links.processes.lock().unwrap();
            processes.push(node.process_id.clone());
            processes.len() - 1
        };
        let network = self.open(node.ip, node.ports.0, number);
        let consensus = self.open(node.ip, node.ports.1, number);
        node.doors = Some((network, consensus));
        node
    }

    /// Opens a door before a port of a node; answers at which port it is.
    fn open(&self, ip: IpAddr, port: u16, number: usize) -> u16 {
        let listener = self.runtime.block_on(TcpListener::bind((ip, 0))).unwrap();
        let at = listener.local_addr().unwrap().port();
        let behind = (SocketAddr::new(ip, port), number);
        self.runtime.spawn(keep(self.links.clone(), listener, behind));
        at
    }

    fn nodes(&self) -> Range<usize> {
        0..self.links.processes.lock().unwrap().len()
    }

    /// What lies between these and those from now on, counted from 0. When it is closed, nothing
    /// passes any more once this returns.
    pub fn set(&self, these: &[usize], those: &[usize], way: Way) {
        let pairs = these.iter().flat_map(|one| those.iter().map(move |other| (*one, *other)));
        let pairs = pairs.filter(|(one, other)| one != other);
        let pairs: Vec<Pair> = pairs.map(|(one, other)| pair(one, other)).collect();
        self.links.ways.send_modify(|ways| ways.extend(pairs.iter().map(|pair| (*pair, way))));
        if way == Way::Closed {
            eventually("nothing passes any more", || {
                let passing = self.links.passing.lock().unwrap();
                let is_over = |pair: &Pair| passing.get(pair).is_none_or(|count| *count == 0);
                pairs.iter().all(is_over).then_some(())
            });
        }
    }

    /// Closes every way between these and all others.
    pub fn part(&self, these: &[usize]) {
        let those: Vec<usize> = self.nodes().filter(|at| !these.contains(at)).collect();
        self.set(these, &those, Way::Closed);
    }

    /// What lies between any two.
    pub fn all(&self, way: Way) {
        let nodes: Vec<usize> = self.nodes().collect();
        self.set(&nodes, &nodes, way);
    }

    /// Everything passes again, at once.
    pub fn heal(&self) {
        self.all(Way::Open);
    }
}
