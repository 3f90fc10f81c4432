//! Four validators over loopback: one may fail.

use crate::application::{Manner, is_good};
use crate::network::{Router, on_runtime, routers, validators};

async fn start_all(routers: &mut [Router]) {
    for router in routers {
        router.start().await.unwrap();
    }
}

async fn stop_all(routers: &mut [Router]) {
    for router in routers {
        router.stop().await;
    }
}

async fn work(routers: &[Router], until: u64) {
    for router in routers {
        router.app.work_until(until);
    }
    for router in routers {
        router.app.reached(until).await;
    }
}

fn agree(routers: &[Router], until: u64) {
    for router in routers {
        assert_eq!(router.app.bodies(1..=until), routers[0].app.bodies(1..=until));
        router.verify(1..=until, &validators(4));
    }
}

/// Breaks when any message does not survive its codec, when a body does not reach the
/// others, when sync serves other bytes than were decided, or when a certificate differs
/// from what the ledger verifies.
#[test]
fn four_agree_and_one_catches_up() {
    on_runtime(async {
        let mut routers = routers("four", 4);
        start_all(&mut routers).await;
        work(&routers, 4).await;
        agree(&routers, 4);

        routers[3].stop().await;
        work(&routers[..3], 8).await;
        assert!(routers[3].app.decided_nothing_beyond(7));

        routers[3].start().await.unwrap();
        work(&routers, 9).await;
        agree(&routers, 9);
        stop_all(&mut routers).await;
    });
}

/// Breaks when an invalid body is answered with silence instead of a vote against it, or
/// when a verdict of one router is taken for that of all.
#[test]
fn a_proposer_of_invalid_bodies_is_outvoted() {
    on_runtime(async {
        let mut routers = routers("bad", 4);
        routers[1].app.behave(Manner::Bad);
        start_all(&mut routers).await;
        work(&routers, 5).await;
        agree(&routers, 5);
        assert!(routers[0].app.bodies(1..=5).iter().all(|body| is_good(body)));
        let asked = (1..=5).map(|height| routers[1].app.times_proposed(height, 0)).sum::<usize>();
        assert!(asked > 0, "the bad one never had its turn");
        stop_all(&mut routers).await;
    });
}

/// Breaks when a missing block is taken for an invalid body, or when a body that was kept is
/// not judged again.
#[test]
fn a_router_that_lacks_blocks_at_first_follows() {
    on_runtime(async {
        let mut routers = routers("late", 4);
        routers[2].app.behave(Manner::Late);
        start_all(&mut routers).await;
        work(&routers, 3).await;
        agree(&routers, 3);
        assert!(routers[2].app.was_late());
        stop_all(&mut routers).await;
    });
}

/// Breaks when routers without work of their own do not join those who have begun.
#[test]
fn two_routers_with_work_wake_the_idle() {
    on_runtime(async {
        let mut routers = routers("idle", 4);
        start_all(&mut routers).await;
        work(&routers, 1).await;
        // The proposers of heights 2 and 3 are among those who stay without work.
        for router in &routers[..2] {
            router.app.work_until(4);
        }
        for router in &routers {
            router.app.reached(4).await;
        }
        agree(&routers, 4);
        stop_all(&mut routers).await;
    });
}

/// Breaks when the engine's word of two votes is not read, or read of the wrong voter, or when
/// one who votes twice stops the others.
#[cfg(debug_assertions)]
#[test]
fn a_validator_that_votes_twice_is_reported() {
    on_runtime(async {
        let mut routers = routers("twice", 4);
        routers[3].config.votes_twice = true;
        start_all(&mut routers).await;
        let key = crate::network::keys(3).public_key();
        let is_seen = |router: &Router| !router.app.double_votes().is_empty();
        let mut height = 0;
        while !routers[..3].iter().any(is_seen) {
            height += 1;
            work(&routers, height).await;
        }
        agree(&routers, height);
        for seen in routers.iter().flat_map(|router| router.app.double_votes()) {
            assert_eq!(seen.key, key);
            let ((first, one), (second, two)) = (seen.first, seen.second);
            assert_eq!((first.height, first.round), (second.height, second.round));
            assert!(first.kind == second.kind && first.anchor != second.anchor);
            assert!(key.verifies(&first.digest(), &one) && key.verifies(&second.digest(), &two));
        }
        stop_all(&mut routers).await;
    });
}
