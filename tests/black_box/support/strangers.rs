//! Strangers at the ports that everybody can reach.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ddt_ledger::PublicKey;
use ddt_net::message::{Answer, Hello, News, Request};
use ddt_net::{BoxFuture, Greeting, Host, NetConfig, Verdict};
use zeroize::Zeroizing;

use super::cluster::{Cluster, Node};
use super::{Dice, Told};

/// Connections that strangers hold open at all ports together.
const SILENT: usize = 400;

fn ports(node: &Node) -> [SocketAddr; 2] {
    [node.ports.0, node.ports.1].map(|port| SocketAddr::new(node.ip, port))
}

fn connect(address: SocketAddr) -> Option<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_write_timeout(Some(Duration::from_millis(200))).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(50))).ok()?;
    Some(stream)
}

/// Sends noise until it is cut off, again and again.
fn shout(address: SocketAddr, seed: u64, stop: &AtomicBool) {
    let mut dice = Dice(seed);
    while !stop.load(Ordering::SeqCst) {
        let Some(mut stream) = connect(address) else {
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        // Some begin as a friend would.
        if dice.below(2) == 0 {
            let _ = stream.write_all(b"\x13/multistream/1.0.0\n\x07/noise\n");
        }
        let noise: Vec<u8> = (0..4_096).map(|_| dice.roll() as u8).collect();
        while stream.write_all(&noise).is_ok() && !stop.load(Ordering::SeqCst) {
            let _ = stream.read(&mut [0; 64]);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A peer of the right chain that has nothing to say, and no answers.
struct Nobody;

impl Host for Nobody {
    fn hello(&self) -> Greeting {
        // It promises what nobody has.
        Greeting { height: u64::MAX / 2, lowest: 1, cards: Vec::new() }
    }

    fn greeted(&self, _: PublicKey, _: &Hello) {}

    fn lost(&self, _: PublicKey) {}

    fn news(&self, _: PublicKey, _: News) -> Verdict {
        Verdict::Accept
    }

    fn answer(&self, _: PublicKey, _: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async { Answer::Anchors(Vec::new()) })
    }
}

/// Speaks the protocol, and floods with it.
async fn flood(cluster: &Cluster, seed: u8, stop: &AtomicBool) {
    let mut config = NetConfig::new(cluster.chain, Zeroizing::new([seed; 32]));
    // Not at their doors, which let no stranger in.
    let reached = |node: &Node| format!("/ip4/{}/tcp/{}", node.ip, node.ports.0);
    config.peers = cluster.nodes.iter().map(reached).collect();
    let net = ddt_net::start(config, Arc::new(Nobody)).await.unwrap();
    let junk = vec![seed; 100_000];
    while !stop.load(Ordering::SeqCst) {
        let peers = net.peers();
        let asked = peers.iter().flat_map(|peer| {
            let requests = [Request::Push(junk.clone()), Request::Submit(junk[..500].to_vec())];
            requests.map(|request| net.ask(peer.key, request))
        });
        // As fast as they are answered, or refused.
        let all: Vec<_> = asked.collect();
        for answer in all {
            let _ = tokio::time::timeout(Duration::from_millis(100), answer).await;
        }
        net.tell(News::Committed { height: u64::MAX, anchor: ddt_ledger::Hash([seed; 32]) });
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    net.stop().await;
}

/// While something happens, strangers shout at every port of the nodes, hold connections over
/// which they say nothing, and one that speaks the right protocol floods with it.
pub fn disturb(cluster: &Cluster, seed: u8, happens: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    let targets: Vec<SocketAddr> = cluster.nodes.iter().flat_map(ports).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    thread::scope(|scope| {
        let (stop, runtime) = (&stop, &runtime);
        let _end = Told(stop);
        for (at, target) in targets.iter().enumerate() {
            scope.spawn(move || shout(*target, at as u64, stop));
        }
        scope.spawn(move || runtime.block_on(flood(cluster, seed, stop)));
        // These never read.
        let each = SILENT / targets.len();
        let silent: Vec<TcpStream> =
            targets.iter().flat_map(|target| (0..each).filter_map(|_| connect(*target))).collect();
        happens();
        drop(silent);
    });
}
