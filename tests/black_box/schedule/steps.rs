//! What happens to a network, one thing after the other, and what is looked at after each.

use std::sync::atomic::AtomicUsize;

use crate::load::{all_is_well, further, pays, under_load};
use crate::support::cluster::{Cluster, Node};
use crate::support::{Dice, cli};

/// Full nodes that join, at most.
const FULL_MAX: usize = 2;
/// Of all final payments these are asked for after each step: the last, the older ones at the
/// end.
const LOOKED_AT: usize = 60;

/// A network's life.
pub struct History {
    /// The network.
    pub cluster: Cluster,
    /// What was said to be final.
    pub finals: Vec<String>,
    /// Steps begun.
    pub steps: usize,
    dice: Dice,
    routers: usize,
}

impl History {
    /// The network of a seed, all of it running.
    pub fn new(seed: u64) -> History {
        let mut dice = Dice(seed);
        let routers = 4 + dice.below(4);
        let cluster = Cluster::running(routers, &[]);
        History { cluster, finals: Vec::new(), steps: 0, dice, routers }
    }

    /// One thing happens under load.
    pub fn step(&mut self) {
        self.steps += 1;
        let what = self.dice.below(9);
        let one = self.dice.below(self.routers);
        let other = (one + 1 + self.dice.below(self.routers - 1)) % self.routers;
        let (some, more) = (1 + self.dice.below(8), 1 + self.dice.below(12));
        println!("  step {}: {what} of {one}, {other}", self.steps);
        let routers = self.routers;
        let happens = |cluster: &mut Cluster, paid: &AtomicUsize| {
            further(paid, some);
            happen(cluster, paid, (what, one, other, routers), more);
            further(paid, some);
        };
        self.finals.extend(under_load(&mut self.cluster, happens));
        self.cluster.start_all();
        let last = self.finals.len().saturating_sub(LOOKED_AT);
        all_is_well(&self.cluster, &self.finals[last..], &[]);
    }

    /// Everything that was ever final is everywhere.
    pub fn end(&mut self) {
        let at = self.dice.below(self.routers);
        self.finals.push(pays(&self.cluster, at));
        all_is_well(&self.cluster, &self.finals, &[]);
    }
}

fn freeze(nodes: &[&Node], paid: &AtomicUsize, count: usize) {
    nodes.iter().for_each(|node| cli::signal(node.pid(), "STOP"));
    if nodes.len() < 2 {
        further(paid, count);
    }
    nodes.iter().for_each(|node| cli::signal(node.pid(), "CONT"));
}

fn happen(
    cluster: &mut Cluster,
    paid: &AtomicUsize,
    (what, one, other, routers): (usize, usize, usize, usize),
    count: usize,
) {
    match what {
        // Killed, and started at once or later.
        0 => cluster.nodes[one].kill(),
        1 => {
            cluster.nodes[one].kill();
            further(paid, count);
        }
        // Stopped in order.
        2 => assert_eq!(cluster.nodes[one].interrupt(), Some(0)),
        // Silent for a while.
        3 => freeze(&[&cluster.nodes[one]], paid, count),
        // More than may fail: nothing is decided, and then it goes on.
        4 => freeze(&[&cluster.nodes[one], &cluster.nodes[other]], paid, 0),
        5 => {
            cluster.nodes[one].kill();
            cluster.nodes[other].kill();
        }
        // All at once.
        6 => cluster.nodes.iter_mut().for_each(Node::kill),
        // Somebody joins, or dies.
        7 if cluster.nodes.len() < routers + FULL_MAX => {
            cluster.add_full_node(one);
        }
        7 => {
            let last = cluster.nodes.len() - 1;
            cluster.nodes[last].kill();
        }
        // One dies while another is silent.
        _ => {
            cli::signal(cluster.nodes[other].pid(), "STOP");
            cluster.nodes[one].kill();
            cluster.nodes[one].start();
            cli::signal(cluster.nodes[other].pid(), "CONT");
        }
    }
    cluster.start_all();
}
