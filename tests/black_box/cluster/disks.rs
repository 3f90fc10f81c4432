//! A disk without room.

use crate::load::{all_is_well, further, largest_store, pays, under_load};
use crate::support::cluster::Cluster;

// Broken by: a router that goes on after a write failed; one that cannot go on from what it
// had on disk; a failure whose words do not say what failed.
#[test]
fn a_router_without_room_stops_and_comes_back_when_there_is_some() {
    let mut cluster = Cluster::running(4, &[]);
    let mut finals = vec![pays(&cluster, 3)];
    cluster.nodes[3].kill();
    // No file of it may be written beyond what half of the largest of them has now.
    let largest = largest_store(&cluster.nodes[3]);
    finals.extend(under_load(&mut cluster, |cluster, paid| {
        cluster.nodes[3].file_bytes_max = Some(largest / 2);
        let code = match cluster.nodes[3].try_start() {
            Ok(()) => cluster.nodes[3].ended(),
            Err(ending) => ending.code,
        };
        assert_eq!(code, Some(1), "{}", cluster.nodes[3].log());
        further(paid, 10);
        cluster.nodes[3].file_bytes_max = None;
        cluster.nodes[3].start();
        further(paid, 10);
    }));
    let log = cluster.nodes[3].log();
    assert!(log.contains("File too large"), "{log}");
    finals.push(pays(&cluster, 3));
    all_is_well(&cluster, &finals, &[]);
}
