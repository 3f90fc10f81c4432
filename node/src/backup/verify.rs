//! Whether a book is what its validators certified.

use ddt_ledger::audit::audit;
use ddt_ledger::proof::{CertifiedAnchor, Claim, Hex, PROOF_VERSION, Proof};
use ddt_ledger::store::BookStore;

use crate::failure::{Failure, FailureKind};

/// A key that no table has: any key's path leads through the tree to its root.
const NO_ROW: [u8; 2] = [0xff; 2];

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The last height whose state is certified; 0 for genesis, which needs no signatures.
    pub height: u64,
    /// How many validators signed, of how many.
    pub signers: (usize, usize),
}

/// Recounts everything, and proves the recomputed tree against the certified root.
///
/// Opening the book has computed the tree from its rows. A path through that tree leads to
/// the root that validators signed only if the whole tree is theirs.
pub fn verify(book: &BookStore) -> Result<Verdict, Failure> {
    let snapshot = book.snapshot()?;
    let broken = audit(book.registry(), &snapshot);
    if let Some(fault) = snapshot.fault() {
        return Err(fault.into());
    }
    if let Some(first) = broken.first() {
        let words = format!("the audit finds {} things broken; the first: {first}", broken.len());
        return Err(Failure::new(FailureKind::Proof, "audit", words));
    }
    let key = NO_ROW.to_vec();
    let Some((certified, path)) = book.prove(&key)? else {
        return Ok(Verdict { height: 0, signers: (0, 0) });
    };
    let height = certified.height;
    let missing = || Failure::fault(format!("anchor {} is missing", height.saturating_add(1)));
    let next = certified.snapshot.anchor(height.saturating_add(1))?.ok_or_else(missing)?;
    let proof = Proof {
        version: PROOF_VERSION,
        chain: book.chain(),
        height,
        handovers: certified.snapshot.handovers(height)?,
        anchor: CertifiedAnchor { body: Hex(next.body), certificate: next.certificate },
        claim: Claim::Row { key: Hex(key), value: None, path },
    };
    let verified = proof.verify(book.genesis());
    let verified = verified.map_err(|error| {
        let words = format!("the state after anchor {height} is not the certified one: {error}");
        Failure::new(FailureKind::Proof, "proof", words)
    })?;
    Ok(Verdict { height, signers: verified.signers })
}
