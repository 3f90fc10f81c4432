//! Bonds, terms, keys, evidence.

use ddt_ledger::certificate::{ValidatorAddress, VoteKind, VoteStatement};
use ddt_ledger::codec::encode;
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, SoftReceipt};
use ddt_ledger::merkle::ListTree;
use ddt_ledger::routers::Sealed;
use ddt_ledger::{ChainId, Hash, Millis, Zone};
use ddt_model::{About, Deed, Id, Money, Routers, Stamp, State, router_digest};
use ddt_tests::people::Person;
use ddt_tests::random::Random;
use ddt_tests::vrf::TestVrf;

use super::somebody;
use crate::letters::{ROUTERS, possession};

/// What a router, or somebody who wants to be one, does; or who has seen one sign twice.
pub fn wish(state: &State, random: &mut Random) -> (Id, Deed) {
    let routers = state.router_rows();
    let router = random.pick(&routers).map(|(account, ..)| account);
    let author = router.filter(|_| random.percent(80)).unwrap_or_else(|| somebody(random));
    let deed = match random.below(40) {
        0..10 => {
            let rich = somebody(random);
            return (rich, Deed::Routers(bond(rich, state, random)));
        }
        10 => Routers::Unbond,
        11..18 => {
            let own = routers.iter().find(|(account, ..)| *account == author);
            let zone = own.and_then(|(_, _, zone)| *zone).filter(|_| random.percent(85));
            let zone = zone.unwrap_or_else(|| random.one([1, 2, 3, 9]));
            let term = state.lane_terms().into_iter().find(|(of, _)| *of == zone);
            let term = term.map_or(1, |(_, term)| term);
            Routers::CloseTerm { zone, term: term + random.one([0, 0, 0, 0, 0, 0, 0, 1]) }
        }
        18..22 => {
            let (key, vrf_key, is_vrf_key) = keys(random);
            let is_proven = random.percent(85);
            let digest = router_digest(&state.chain(), &author, &vrf_key);
            let proof = possession(key, digest, is_proven);
            let key = Person::named(key).key().0;
            Routers::Move { key, vrf_key, proof, is_proven, is_vrf_key }
        }
        22..25 => {
            return (somebody(random), Deed::Routers(evidence(state, random)));
        }
        25..36 => Routers::Alive,
        // A version that this code does not know would end every history.
        _ => Routers::Signal { version: random.one([0, 1, 1, 1]) },
    };
    (author, Deed::Routers(deed))
}

/// A name whose keys are wanted, and its VRF key, which is seldom none.
fn keys(random: &mut Random) -> (&'static str, Id, bool) {
    let name = random.one(ROUTERS);
    match random.percent(8) {
        true => (name, [0xff; 32], false),
        false => (name, TestVrf::named(name).public().0, true),
    }
}

fn bond(author: Id, state: &State, random: &mut Random) -> Routers {
    let (mut name, mut vrf_key, is_vrf_key) = keys(random);
    let routers = state.router_rows();
    let own = routers.iter().find(|(account, ..)| *account == author);
    if let Some((_, key, _)) = own
        && random.percent(80)
    {
        let known = ROUTERS.into_iter().find(|name| Person::named(name).key().0 == *key);
        name = known.expect("a name");
        vrf_key = if is_vrf_key { TestVrf::named(name).public().0 } else { vrf_key };
    }
    let is_proven = random.percent(90);
    let digest = router_digest(&state.chain(), &author, &vrf_key);
    let proof = possession(name, digest, is_proven);
    let least = Money::from(2_000u64) * 1_000_000_000u64;
    let amount = match random.below(12) {
        0 => Money::ZERO,
        1 => least - 1u8,
        2 => Money::from(10u8).pow(27) + 1u8,
        3..6 => Money::from(random.number() % 90_000) * 1_000_000_000u64,
        _ => least + random.number() % 3_000_000_000,
    };
    Routers::Bond {
        key: Person::named(name).key().0,
        vrf_key,
        amount,
        proof,
        is_proven,
        is_vrf_key,
    }
}

/// Two statements that a router key signed, mostly about one place of its own.
fn evidence(state: &State, random: &mut Random) -> Routers {
    let names: Vec<&str> = ROUTERS.to_vec();
    let known = state.router_keys();
    let of_known = |name: &&&str| known.contains(&Person::named(name).key().0);
    let routers: Vec<&str> = names.iter().filter(of_known).copied().collect();
    let name = random.pick(&routers).filter(|_| random.percent(90)).unwrap_or(names[11]);
    let signer = Person::named(name);
    let key = signer.key();
    let own = state.router_rows().into_iter().find(|(_, of, _)| *of == key.0);
    let zone = own.and_then(|(.., zone)| zone).unwrap_or_else(|| random.one([1, 2, 3]));
    let term = state.lane_terms().into_iter().find(|(of, _)| *of == zone).map_or(1, |(_, t)| t);
    let term = term.saturating_sub(random.one([0, 0, 0, 1, 2]));
    let is_this_chain = random.percent(92);
    let chain = if is_this_chain { state.chain() } else { [7; 32] };
    let chain = ChainId(Hash(chain));
    let fault = random.below(4) as u8;
    let is_same = random.percent(8);
    // Of a promise of number 5 at height 1: where the block is, and whether its event is shown.
    let (height, first_number) = (random.one([1, 1, 1, 2]), random.one([5, 5, 5, 6]));
    let is_shown = random.percent(60);
    let statement = |second: bool| {
        let word = Hash([if second && !is_same { 2 } else { 1 }; 32]);
        match fault {
            0 => {
                let header = header(chain, zone, term, word);
                (encode(&header), header.id())
            }
            1 => {
                let (kind, round, anchor) = (VoteKind::Prevote, 0, Some(word));
                let (height, voter) = (state.height(), ValidatorAddress::of(&key));
                let vote = VoteStatement { chain, kind, height, round, anchor, voter };
                (encode(&vote), vote.digest())
            }
            3 if second => {
                let header = header(chain, zone, term, Hash::ZERO);
                sealed(BlockHeader { height, first_number, ..header }, word, is_shown)
            }
            _ => {
                let (zone, event) = (Zone(zone), word);
                let soft = SoftReceipt { chain, event, zone, term, height: 1, number: 5 };
                (encode(&soft), soft.digest())
            }
        }
    };
    let is_forged = random.percent(8);
    let statements = [false, true].map(|second| {
        let (bytes, digest) = statement(second);
        let digest = if second && is_forged { Hash::ZERO } else { digest };
        (bytes, signer.sign(&digest).0.to_vec())
    });
    let (is_its_height, has_number) = (height == 1, first_number == 5);
    let is_conflict = match fault {
        3 if is_shown => is_its_height && has_number && !is_same,
        3 => is_its_height != has_number,
        _ => !is_same,
    };
    let wrong = match (!is_conflict, is_forged) {
        (true, _) => Some("zones.evidence_form"),
        (false, true) => Some("zones.evidence_signature"),
        (false, false) => None,
    };
    let about = match fault {
        1 => About::Height(state.height()),
        _ => About::Term { zone, term },
    };
    let stamp = Some(Stamp { period: 0, nonce: 0 }).filter(|_| random.percent(50));
    Routers::Evidence { fault, key: key.0, statements, stamp, wrong, is_this_chain, about }
}

/// A block of one event, and whether that is shown: canonical bytes, and what is signed.
fn sealed(mut header: BlockHeader, event: Hash, is_shown: bool) -> (Vec<u8>, Hash) {
    let tree = ListTree::new([event.0]);
    header.events_root = tree.root();
    let id = header.id();
    let event = tree.prove(0).filter(|_| is_shown).map(|proof| (event, proof));
    (encode(&Sealed { header, event }), id)
}

fn header(chain: ChainId, zone: u32, term: u64, events_root: Hash) -> BlockHeader {
    BlockHeader {
        version: BLOCK_VERSION,
        chain,
        zone: Zone(zone),
        term,
        height: 3,
        parent: Hash::ZERO,
        after_anchor: 0,
        first_number: 1,
        count: 1,
        events_root,
        time: Millis(0),
    }
}
