//! Every record that the stores and the wire hold: one value, one encoding.

use ddt_core::agents::reveal::Task;
use ddt_core::{availability, follower};
use ddt_ledger::accounts::{Account, Duty};
use ddt_ledger::anchor::{Roots, TimeStatement, Tip};
use ddt_ledger::borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::certificate::{
    Certificate, ValidatorAddress, ValidatorSet, VoteKind, VoteStatement,
};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::{Draft, Signed};
use ddt_ledger::fees::ValueIndex;
use ddt_ledger::lane::{BlockHeader, LaneBlock, SignedHeader, SoftReceipt};
use ddt_ledger::merkle::ListProof;
use ddt_ledger::params::Params;
use ddt_ledger::proof::{Claim, Handover, Proof};
use ddt_ledger::receipt::Receipt;
use ddt_ledger::routers::{ClosedTerm, Protocol, Router, RouterKey, Sealed};
use ddt_ledger::stamp::Stamps;
use ddt_ledger::state::TreeProof;
use ddt_ledger::store::AnchorRecord;
use ddt_ledger::system::{EpochRecord, Head, Lane, Supply, Validators};
use ddt_ledger::tickets::Tickets;
use ddt_ledger::vrf::VrfOutput;

use crate::world::world;
use crate::{End, Target, end, end_of};

/// Longest record tried, in bytes.
const BYTES_MAX: usize = 8 * 1024;

pub const TARGET: Target = Target {
    name: "records",
    about: "Borsh of every record: decoded and encoded again it is the same bytes.",
    run,
    seeds,
    bytes_max: BYTES_MAX,
    tries: 30_000,
};

type Law = fn(&[u8]) -> End;

fn law<T: BorshSerialize + BorshDeserialize>(bytes: &[u8]) -> End {
    match decode::<T>(bytes, BYTES_MAX) {
        Ok(value) => {
            assert_eq!(encode(&value), bytes, "{}", std::any::type_name::<T>());
            end("read")
        }
        Err(error) => end_of(error),
    }
}

/// What a record is and how it is read; its first byte says which.
const LAWS: [Law; 41] = [
    law::<Draft>,
    law::<Signed>,
    law::<BlockHeader>,
    law::<LaneBlock>,
    law::<SoftReceipt>,
    law::<TimeStatement>,
    law::<Tip>,
    law::<Roots>,
    law::<VrfOutput>,
    law::<Certificate>,
    law::<ValidatorSet>,
    law::<ValidatorAddress>,
    law::<VoteKind>,
    law::<Receipt>,
    law::<AnchorRecord>,
    law::<Params>,
    law::<Head>,
    law::<Lane>,
    law::<Supply>,
    law::<Validators>,
    law::<Stamps>,
    law::<Tickets>,
    law::<Account>,
    law::<Duty>,
    law::<Handover>,
    law::<Claim>,
    law::<ListProof>,
    law::<TreeProof>,
    law::<availability::SignedVote>,
    law::<availability::Ask>,
    law::<follower::Decided>,
    law::<Task>,
    law::<EpochRecord>,
    law::<ValueIndex>,
    law::<VoteStatement>,
    law::<SignedHeader>,
    law::<Router>,
    law::<RouterKey>,
    law::<ClosedTerm>,
    law::<Protocol>,
    law::<Sealed>,
];

fn run(bytes: &[u8]) -> End {
    let Some((kind, record)) = bytes.split_first() else { return end("nothing") };
    let kind = usize::from(*kind) % LAWS.len();
    end((kind, LAWS[kind](record)))
}

fn seeds() -> Vec<Vec<u8>> {
    let world = world();
    let mut records: Vec<Vec<u8>> = vec![
        world.events[0].clone(),
        world.blocks[0].1.clone(),
        encode(&world.anchors[0]),
        encode(&world.anchors[0].certificate),
        encode(&world.genesis.validators()),
        encode(&world.genesis.params),
        encode(&world.roots),
    ];
    records.extend(world.receipts.iter().step_by(5).map(encode));
    records.extend(world.state.rows.values().cloned());
    let proofs = world.proofs.iter().step_by(9);
    records.extend(proofs.map(|proof: &Proof| encode(&proof.claim)));
    records.sort();
    records.dedup();
    let of_each = |record: &Vec<u8>| {
        // Of the kinds, those that can read it.
        let fits = |kind: &usize| LAWS[*kind](record) == end("read");
        let kinds: Vec<usize> = (0..LAWS.len()).filter(fits).collect();
        kinds.into_iter().map(|kind| [&[kind as u8], record.as_slice()].concat()).collect()
    };
    records.iter().flat_map(|record| -> Vec<Vec<u8>> { of_each(record) }).collect()
}
