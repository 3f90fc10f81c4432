//! One validator: the dev network.

use ddt_consensus::ConsensusError;
use ddt_ledger::certificate::CertificateError;
use ddt_ledger::{ChainId, Hash};

use crate::application::{Manner, TestApplication};
use crate::network::{CHAIN, Router, on_runtime, routers, validators};

fn router(name: &str) -> Router {
    routers(name, 1).remove(0)
}

/// Breaks when votes are signed over anything but the ledger's digest (another domain, no
/// chain, another height), or when a height is made although there is no work for it.
#[test]
fn heights_are_decided_and_their_certificates_verify() {
    on_runtime(async {
        let (mut router, set) = (router("certificates"), validators(1));
        router.app.work_until(5);
        router.start().await.unwrap();
        router.app.reached(5).await;
        router.app.idle_before(6).await;
        router.verify(1..=5, &set);
        assert!(router.app.decided_nothing_beyond(5));

        let (_, good) = router.app.value(3);
        let mut flipped = good.clone();
        flipped.signatures[0].signature.0[5] ^= 1;
        assert_eq!(flipped.verify(CHAIN, &set), Err(CertificateError::Signature));
        let other_chain = ChainId(Hash([8; 32]));
        assert_eq!(good.verify(other_chain, &set), Err(CertificateError::Signature));
        let mut other_round = good.clone();
        other_round.round += 1;
        assert_eq!(other_round.verify(CHAIN, &set), Err(CertificateError::Signature));

        router.app.work_until(6);
        router.app.reached(6).await;
        router.stop().await;
    });
}

/// Breaks when stopping leaves the WAL locked, when a restart begins at another height, or
/// when a lost or too new WAL is not noticed.
#[test]
fn a_restart_goes_on_but_not_without_its_wal() {
    on_runtime(async {
        let mut router = router("restart");
        router.app.work_until(3);
        router.start().await.unwrap();
        router.app.reached(3).await;
        router.stop().await;
        let before = router.app.bodies(1..=3);

        router.app.work_until(6);
        router.start().await.unwrap();
        router.app.reached(6).await;
        router.stop().await;
        assert_eq!(router.app.bodies(1..=3), before);
        router.verify(1..=6, &validators(1));

        let restored = TestApplication::new("restored", &validators(1));
        let newest = std::mem::replace(&mut router.app, restored);
        match router.start().await {
            Err(ConsensusError::WalAhead { wal_height, committed_height: 0, .. }) => {
                assert!((6..=7).contains(&wal_height));
            }
            other => panic!("{other:?}"),
        }
        router.app = newest;

        std::fs::remove_file(router.config.home.join("consensus.wal")).unwrap();
        match router.start().await {
            Err(ConsensusError::WalMissing { committed_height: 6, .. }) => {}
            other => panic!("{other:?}"),
        }
        router.config.accept_lost_wal = true;
        router.app.work_until(7);
        router.start().await.unwrap();
        router.app.reached(7).await;
        router.stop().await;
    });
}

/// Breaks when a decision is acknowledged before it is committed, when its body is not kept
/// before it is voted on, or when a height and round gets a second body after a crash.
#[test]
fn a_failed_commit_ends_consensus_and_is_made_good_after_a_restart() {
    on_runtime(async {
        let mut router = router("crash");
        router.app.behave(Manner::FailsToCommit(3));
        router.app.work_until(4);
        router.start().await.unwrap();
        match router.failed().await {
            ConsensusError::Application { fault, .. } => {
                assert_eq!(fault.to_string(), "disk on fire");
            }
            other => panic!("{other:?}"),
        }
        router.app.behave(Manner::Honest);
        router.start().await.unwrap();
        router.app.reached(4).await;
        router.stop().await;
        assert_eq!(router.app.times_proposed(3, 0), 1);
        router.verify(1..=4, &validators(1));
    });
}

/// Breaks when a panic of the application is swallowed and consensus stalls instead.
#[test]
fn a_panic_of_the_application_ends_consensus() {
    on_runtime(async {
        let mut router = router("panic");
        router.app.behave(Manner::PanicsAt(2));
        router.app.work_until(4);
        router.start().await.unwrap();
        let error = router.failed().await;
        assert!(matches!(error, ConsensusError::Panicked { .. }), "{error:?}");
    });
}

/// Breaks when a proposer without a body stalls its height.
#[test]
fn a_skipped_turn_passes_to_the_next_round() {
    on_runtime(async {
        let mut router = router("skip");
        router.app.behave(Manner::SkipsFirstRound);
        router.app.work_until(1);
        router.start().await.unwrap();
        router.app.reached(1).await;
        router.stop().await;
        assert!(router.app.value(1).1.round > 0);
    });
}

/// Breaks when an address the engine would panic on reaches it.
#[test]
fn senseless_addresses_are_refused() {
    on_runtime(async {
        for listen in ["localhost:80", "/ip4/127.0.0.1/udp/1", ""] {
            let mut router = router("addresses");
            router.config.listen = listen.to_owned();
            let error = router.start().await.unwrap_err();
            assert!(matches!(error, ConsensusError::Config(_)), "{listen}: {error:?}");
        }
        let mut router = router("peers");
        router.config.peers = vec!["/dns4/example.org".to_owned()];
        assert!(matches!(router.start().await, Err(ConsensusError::Config(_))));
    });
}

/// Breaks when a port in use stalls consensus silently.
#[test]
fn a_port_in_use_is_reported() {
    on_runtime(async {
        let mut router = router("port");
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        router.config.listen = format!("/ip4/127.0.0.1/tcp/{port}");
        let error = router.start().await.unwrap_err();
        assert!(matches!(error, ConsensusError::NotListening(_)), "{error:?}");
    });
}
