//! Strangers at the ports that everybody can reach.

use crate::load::{all_is_well, further, under_load};
use crate::support::cluster::{Cluster, Node};
use crate::support::strangers::disturb;

// Broken by: connections without a bound; a decoder that panics; a task of the network that
// waits for one peer; a height that is believed because a peer says it.
#[test]
fn strangers_who_shout_and_strangers_who_say_nothing_stop_nobody() {
    let mut cluster = Cluster::running(4, &[]);
    let finals = under_load(&mut cluster, |cluster, paid| {
        disturb(cluster, 7, || further(paid, 30));
    });
    assert!(cluster.nodes.iter_mut().all(Node::is_alive));
    all_is_well(&cluster, &finals, &[]);
}
