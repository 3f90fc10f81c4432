//! Network namespaces on one bridge: machines that can be cut off from each other, while this
//! test reaches them all.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::cluster::Node;

/// The ports of every node; each has an address of its own.
const PORTS: (u16, u16, u16) = (8410, 8420, 8400);

/// Some namespaces; gone when it is dropped.
pub struct Ground {
    tag: u32,
    count: usize,
}

fn ip(words: &str) -> bool {
    let output = Command::new("ip").args(words.split(' ')).output().unwrap();
    output.status.success()
}

fn must(words: &str) {
    assert!(ip(words), "ip {words}");
}

impl Ground {
    /// So many namespaces, counted from 1.
    pub fn new(count: usize) -> Ground {
        // The system takes namespaces down a moment after they are gone: names are used once.
        static GROUNDS: AtomicU32 = AtomicU32::new(0);
        let number = GROUNDS.fetch_add(1, Ordering::Relaxed);
        let ground = Ground { tag: std::process::id().wrapping_add(number) % 250, count };
        let (bridge, tag) = (ground.bridge(), ground.tag);
        must(&format!("link add {bridge} type bridge"));
        must(&format!("addr add 10.77.{tag}.254/24 dev {bridge}"));
        must(&format!("link set {bridge} up"));
        for number in 1..=count {
            let (name, link) = (ground.name(number), format!("ddt{tag}v{number}"));
            let address = ground.address(number);
            must(&format!("netns add {name}"));
            must(&format!("link add {link} type veth peer name eth0 netns {name}"));
            must(&format!("link set {link} master {bridge} up"));
            must(&format!("-n {name} addr add {address}/24 dev eth0"));
            must(&format!("-n {name} link set lo up"));
            must(&format!("-n {name} link set eth0 up"));
        }
        ground
    }

    fn bridge(&self) -> String {
        format!("ddt{}br", self.tag)
    }

    fn name(&self, number: usize) -> String {
        format!("ddt{}n{number}", self.tag)
    }

    fn address(&self, number: usize) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 77, self.tag as u8, number as u8))
    }

    /// A node in the namespace of its number.
    pub fn node(&self, home: &Path, number: usize) -> Node {
        let mut node = Node::new(home, self.address(number), PORTS);
        node.namespace = Some(self.name(number));
        node
    }

    /// Nothing passes between these and those any more.
    pub fn cut(&self, these: &[usize], those: &[usize]) {
        let pairs = these.iter().flat_map(|one| those.iter().map(move |other| (*one, *other)));
        for (one, other) in pairs {
            for (from, to) in [(one, other), (other, one)] {
                let (name, to) = (self.name(from), self.address(to));
                must(&format!("-n {name} route add blackhole {to}/32"));
            }
        }
    }

    /// Everything passes again.
    pub fn heal(&self) {
        for from in 1..=self.count {
            let name = self.name(from);
            for to in (1..=self.count).map(|to| self.address(to)) {
                ip(&format!("-n {name} route del blackhole {to}/32"));
            }
        }
    }

    /// Everything that a node sends is delayed and lost so; `false` where that cannot be.
    pub fn slow(&self, how: &str) -> bool {
        (1..=self.count).all(|number| {
            let words = format!("-n {} qdisc add dev eth0 root netem {how}", self.name(number));
            Command::new("tc").args(words.split(' ')).output().unwrap().status.success()
        })
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for number in 1..=self.count {
            ip(&format!("link del ddt{}v{number}", self.tag));
            ip(&format!("netns del {}", self.name(number)));
        }
        ip(&format!("link del {}", self.bridge()));
    }
}
