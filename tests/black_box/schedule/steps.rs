//! What happens to a network, one thing after the other, and what is looked at after each.

use std::sync::atomic::AtomicUsize;

use crate::load::{all_is_well, further, pays, under_load};
use crate::support::cluster::{Cluster, Node};
use crate::support::doors;
use crate::support::{Dice, cli};
use crate::troubles;

/// Full nodes that join, at most.
const FULL_MAX: usize = 2;
/// Of all final payments these are asked for after each step: the last, the older ones at the
/// end.
const LOOKED_AT: usize = 60;
/// Clients pay at the routers before this place: no liar is among them, since what one is given
/// may never come to an end.
const CLIENTS: usize = 3;
/// Of so many networks one ends with a router that signs two blocks.
const TWINS_EACH: usize = 3;

/// What may happen.
#[derive(Clone, Copy, Debug)]
enum What {
    Dies,
    StaysDead,
    Stops,
    IsSilent,
    TwoAreSilent,
    TwoDie,
    AllDie,
    JoinsOrDies,
    DiesWhileAnotherIsSilent,
    Halves,
    IsAlone,
    LongWays,
    LosesItsDisk,
    HasNoRoom,
    HasAnotherTime,
    Lies,
    Strangers,
}

/// All of it, for the dice.
const ALL: [What; 17] = [
    What::Dies,
    What::StaysDead,
    What::Stops,
    What::IsSilent,
    What::TwoAreSilent,
    What::TwoDie,
    What::AllDie,
    What::JoinsOrDies,
    What::DiesWhileAnotherIsSilent,
    What::Halves,
    What::IsAlone,
    What::LongWays,
    What::LosesItsDisk,
    What::HasNoRoom,
    What::HasAnotherTime,
    What::Lies,
    What::Strangers,
];

/// Whom a step is about.
#[derive(Clone, Copy)]
pub struct Step {
    /// A router.
    pub one: usize,
    /// Another one.
    pub other: usize,
    /// The only router that ever lies in this network.
    pub liar: usize,
    /// How many there are.
    pub routers: usize,
    /// Payments until it is over.
    pub count: usize,
    /// Decides the rest.
    pub chance: u64,
}

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
    liar: usize,
}

impl History {
    /// The network of a seed, all of it running.
    pub fn new(seed: u64) -> History {
        let mut dice = Dice(seed);
        let routers = 4 + dice.below(4);
        let liar = CLIENTS + dice.below(routers - CLIENTS);
        let cluster = match doors::are_possible() {
            true => Cluster::apart(routers, &[]),
            false => Cluster::running(routers, &[]),
        };
        History { cluster, finals: Vec::new(), steps: 0, dice, routers, liar }
    }

    /// One thing happens under load.
    pub fn step(&mut self) {
        self.steps += 1;
        let (routers, liar) = (self.routers, self.liar);
        let what = ALL[self.dice.below(ALL.len())];
        let one = self.dice.below(routers);
        let other = (one + 1 + self.dice.below(routers - 1)) % routers;
        let (some, count) = (1 + self.dice.below(8), 1 + self.dice.below(12));
        let step = Step { one, other, liar, routers, count, chance: self.dice.roll() };
        println!("  step {}: {what:?}, {one}, {other} of {routers}", self.steps);
        let happens = |cluster: &mut Cluster, paid: &AtomicUsize| {
            further(paid, some);
            happen(cluster, paid, what, step);
            further(paid, some);
        };
        self.finals.extend(under_load(&mut self.cluster, happens));
        self.cluster.start_all();
        let last = self.finals.len().saturating_sub(LOOKED_AT);
        all_is_well(&self.cluster, &self.finals[last..], &[]);
    }

    /// Everything that was ever final is everywhere. Then a router may sign two blocks for each
    /// place, which is its end as a router, and changes nothing of this.
    pub fn end(&mut self) {
        let at = self.dice.below(self.routers);
        self.finals.push(pays(&self.cluster, at));
        all_is_well(&self.cluster, &self.finals, &[]);
        if self.dice.below(TWINS_EACH) == 0 {
            println!("  at the end: {} signs two blocks for each place", self.liar);
            self.finals.extend(troubles::twins(&mut self.cluster, self.liar));
            all_is_well(&self.cluster, &self.finals, &[self.liar]);
        }
    }
}

fn freeze(nodes: &[&Node], paid: &AtomicUsize, count: usize) {
    nodes.iter().for_each(|node| cli::signal(node.pid(), "STOP"));
    if nodes.len() < 2 {
        further(paid, count);
    }
    nodes.iter().for_each(|node| cli::signal(node.pid(), "CONT"));
}

/// It is over when this returns, so what a network bears at f of its routers only is never there
/// at more.
fn happen(cluster: &mut Cluster, paid: &AtomicUsize, what: What, step: Step) {
    let Step { one, other, routers, count, .. } = step;
    match what {
        // Killed, and started at once or later.
        What::Dies => cluster.nodes[one].kill(),
        What::StaysDead => {
            cluster.nodes[one].kill();
            further(paid, count);
        }
        // In order.
        What::Stops => assert_eq!(cluster.nodes[one].interrupt(), Some(0)),
        // For a while.
        What::IsSilent => freeze(&[&cluster.nodes[one]], paid, count),
        // More than may fail: nothing is decided, and then it goes on.
        What::TwoAreSilent => freeze(&[&cluster.nodes[one], &cluster.nodes[other]], paid, 0),
        What::TwoDie => {
            cluster.nodes[one].kill();
            cluster.nodes[other].kill();
        }
        // At once.
        What::AllDie => cluster.nodes.iter_mut().for_each(Node::kill),
        What::JoinsOrDies if cluster.nodes.len() < routers + FULL_MAX => {
            cluster.add_full_node(one);
        }
        What::JoinsOrDies => {
            let last = cluster.nodes.len() - 1;
            cluster.nodes[last].kill();
        }
        What::DiesWhileAnotherIsSilent => {
            cli::signal(cluster.nodes[other].pid(), "STOP");
            cluster.nodes[one].kill();
            cluster.nodes[one].start();
            cli::signal(cluster.nodes[other].pid(), "CONT");
        }
        What::Halves => troubles::halves(cluster, step),
        What::IsAlone => troubles::alone(cluster, paid, step),
        What::LongWays => troubles::long_ways(cluster, paid, step),
        What::LosesItsDisk => troubles::lost_disk(cluster, paid, step),
        What::HasNoRoom => troubles::no_room(cluster, paid, step),
        What::HasAnotherTime => troubles::another_time(cluster, paid, step),
        What::Lies => troubles::lies(cluster, paid, step),
        What::Strangers => troubles::strangers(cluster, paid, step),
    }
    cluster.start_all();
}
