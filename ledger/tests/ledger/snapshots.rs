//! Snapshots: a state in pieces, each verified by itself, and the book made from them.

use std::path::Path;

use ddt_ledger::anchor::Roots;
use ddt_ledger::codec::encode;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::hash::{Domain, Hash};
use ddt_ledger::proof::{CertifiedAnchor, Hex, ProofError};
use ddt_ledger::state::{Manifest, Page, Piece, PieceError, StateReader, StateTree, Subtree};
use ddt_ledger::store::{BookStore, MANIFEST_FILE, Restoring, Spread, Standing, piece_file};
use ddt_ledger::trust::Trust;
use ddt_ledger::{ChainId, Millis};
use tempfile::TempDir;

use crate::replay::history;
use crate::support::disk::{Cut, Disk, Random, cut};
use crate::support::network::{Decided, Network, genesis};
use crate::support::programme::REGISTRY;

const ANCHORS: usize = 5;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A network, and everything that a restored book needs of it.
struct Taken {
    network: Network,
    manifest: Manifest,
    pieces: Vec<Vec<u8>>,
    standing: Standing,
    rows: Page,
    roots: Roots,
    height: u64,
}

fn certified(decided: &Decided) -> CertifiedAnchor {
    let (body, certificate) = (Hex(encode(&decided.body)), decided.certificate.clone());
    CertifiedAnchor { body, certificate }
}

/// Cuts the state after the last but one anchor into pieces of about so many bytes.
fn taken(piece_bytes: u64) -> Taken {
    let mut network = Network::new();
    history(&mut network, 7, ANCHORS);
    let snapshot = network.store.snapshot().expect("a snapshot");
    let (head, roots) = network.store.head();
    let rows = snapshot.after(&[], &[], 1_000_000).expect("rows");
    let place = folder();
    let spread = Spread::of(&snapshot, place.path(), &mut || true).expect("rows").expect("all");
    let about = (network.chain, head.height, roots.state);
    let made = spread.cut(about, piece_bytes, &mut || true).expect("pieces").expect("all");
    let read = |name: &str| std::fs::read(place.path().join(name)).expect("a file");
    let manifest = Manifest::decode(&read(MANIFEST_FILE)).expect("a manifest");
    assert_eq!(manifest, made);
    let pieces: Vec<_> = (0..manifest.pieces() as u32).map(|at| read(&piece_file(at))).collect();
    let files = std::fs::read_dir(place.path()).expect("a folder").count();
    assert_eq!(files, pieces.len() + 1, "nothing else is left");
    history(&mut network, 8, 1);
    let [.., own, next] = network.history.as_slice() else { panic!("no anchors") };
    let trust = Trust::of(&network.genesis).expect("a genesis");
    let (_, certified_roots) = trust.roots(&certified(own), &certified(next)).expect("a proof");
    assert_eq!(certified_roots, roots);
    let standing = Standing { anchor: certified(own), roots, handovers: Vec::new() };
    Taken { manifest, pieces, standing, rows, roots, height: head.height, network }
}

fn restore(taken: &Taken, disk: &Disk, place: &Path) -> Result<BookStore, StoreFault> {
    let mut making = Restoring::begin(disk.backend(), &genesis(), REGISTRY, place)?;
    for (at, bytes) in taken.pieces.iter().enumerate() {
        let piece = Piece::check(bytes, &taken.manifest, at as u32).expect("a true piece");
        making.add(piece.rows)?;
    }
    making.finish(&taken.standing)
}

// Broken by: a piece without one of its rows or sorted otherwise, summaries combined in another
// way than the tree's, indexes that are not made, a head without its anchor.
#[test]
fn a_state_goes_through_pieces_of_any_size_and_the_book_goes_on() {
    let mut cuts = Vec::new();
    for piece_bytes in [1 << 20, 1_000, 100, 1] {
        let taken = taken(piece_bytes);
        cuts.push(taken.manifest.bits);
        let (chain, root) = (taken.network.chain, taken.roots.state);
        taken.manifest.check(chain, taken.height, &root).expect("the certified state");
        let place = folder();
        let disk = Disk::default();
        let store = restore(&taken, &disk, &place.path().join("runs")).expect("a book");
        assert_eq!(store.head().1, taken.roots);
        assert_eq!(store.lowest(), taken.height + 1);
        let rows = store.snapshot().expect("a snapshot").after(&[], &[], 1_000_000);
        assert_eq!(rows.expect("rows"), taken.rows);
        assert!(store.certified().expect("no fault").is_none(), "the state before is unknown");
        // What follows is the same as where all history is.
        let mut joined = Network::with(genesis(), store);
        joined.replay(taken.network.history.last().expect("anchors").clone());
        assert_eq!(joined.store.head(), taken.network.store.head());
        let proven = joined.store.certified().expect("no fault").expect("a certified state");
        assert_eq!(proven.height, taken.height);
        drop((proven, joined));
        let again = BookStore::open(disk.backend(), &genesis(), REGISTRY).expect("a book");
        assert_eq!((again.head(), again.lowest()), (taken.network.store.head(), taken.height + 1));
        let count = again.reindex().expect("indexes");
        assert_eq!(count, taken.network.store.reindex().expect("indexes"));
    }
    assert!(cuts.is_sorted() && cuts[0] == 0 && cuts[3] > 8, "cut into 2 to {cuts:?} pieces");
}

// Broken by: a part of the bytes that no check covers.
#[test]
fn every_flipped_bit_of_manifest_and_pieces_is_refused() {
    let taken = taken(1_500);
    let (chain, root) = (taken.network.chain, taken.roots.state);
    let good = taken.manifest.encode();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            let decoded = Manifest::decode(&bytes);
            let is_taken = decoded.and_then(|m| m.check(chain, taken.height, &root)).is_ok();
            assert!(!is_taken, "bit {bit} of byte {at}");
        }
    }
    let index = (0..taken.pieces.len()).max_by_key(|at| taken.pieces[*at].len()).expect("pieces");
    let good = &taken.pieces[index];
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        let checked = Piece::check(&bytes, &taken.manifest, index as u32);
        assert!(checked.is_err(), "byte {at} of piece {index}");
    }
}

fn piece(taken: &Taken, at: usize) -> Piece {
    Piece::check(&taken.pieces[at], &taken.manifest, at as u32).expect("a true piece")
}

// Broken by: a check that trusts what the bytes say of themselves.
#[test]
fn another_cut_height_chain_or_place_is_refused() {
    let taken = taken(1_500);
    let (chain, height, root) = (taken.network.chain, taken.height, taken.roots.state);
    let check = |manifest: &Manifest, height| {
        Manifest::decode(&manifest.encode()).and_then(|m| m.check(chain, height, &root))
    };
    assert_eq!(check(&taken.manifest, height), Ok(()));
    assert_eq!(check(&taken.manifest, height + 1), Err(PieceError::Other));
    let with = |change: fn(&mut Manifest)| {
        let mut other = taken.manifest.clone();
        change(&mut other);
        check(&other, height)
    };
    assert_eq!(with(|m| m.version = 2), Err(PieceError::Version(2)));
    assert_eq!(with(|m| m.height += 1), Err(PieceError::Other));
    assert_eq!(with(|m| m.chain = ChainId(Hash([9; 32]))), Err(PieceError::Other));
    assert_eq!(with(|m| m.bits += 1), Err(PieceError::Malformed));
    assert_eq!(with(|m| m.bits = 200), Err(PieceError::Malformed));
    let twice = |m: &mut Manifest| {
        m.bits += 1;
        m.subtrees = m.subtrees.iter().flat_map(|part| [*part, Subtree::Empty]).collect();
    };
    assert!(with(twice).is_err());
    let first = piece(&taken, 0);
    let refused = |change: fn(&mut Piece)| {
        let mut other = first.clone();
        change(&mut other);
        Piece::check(&other.encode(), &taken.manifest, 0)
    };
    assert_eq!(refused(|p| p.version = 2), Err(PieceError::Version(2)));
    assert_eq!(refused(|p| p.height += 1), Err(PieceError::Other));
    assert_eq!(refused(|p| p.bits += 1), Err(PieceError::Other));
    assert_eq!(refused(|p| p.index += 1), Err(PieceError::Other));
    assert_eq!(Piece::check(&taken.pieces[1], &taken.manifest, 0), Err(PieceError::Other));
    assert_eq!(Piece::check(&[], &taken.manifest, 0), Err(PieceError::Malformed));
}

// Broken by: rows that are counted but not hashed, or hashed whatever their order.
#[test]
fn missing_extra_and_moved_rows_are_refused() {
    let taken = taken(1_500);
    let at = (0..taken.pieces.len())
        .find(|at| (3..60).contains(&piece(&taken, *at).rows.len()))
        .expect("a piece with some rows");
    let good = piece(&taken, at);
    let check = |change: &dyn Fn(&mut Page)| {
        let mut other = good.clone();
        change(&mut other.rows);
        Piece::check(&other.encode(), &taken.manifest, at as u32).map(|_| ())
    };
    assert_eq!(check(&|_| {}), Ok(()));
    assert_eq!(check(&|rows| drop(rows.pop())), Err(PieceError::Hash));
    assert_eq!(check(&|rows| rows.clear()), Err(PieceError::Hash));
    assert_eq!(check(&|rows| rows.swap(0, 1)), Err(PieceError::Place));
    assert_eq!(check(&|rows| rows.insert(0, rows[0].clone())), Err(PieceError::Place));
    assert_eq!(check(&|rows| rows[0].1.push(0)), Err(PieceError::Hash));
    let strange = piece(&taken, (at + 1) % taken.pieces.len()).rows;
    assert_eq!(check(&|rows| rows.extend(strange.clone())), Err(PieceError::Place));
    // A lone row has one place only, although a tree with it elsewhere hashes alike.
    let row = (b"a row".to_vec(), b"a value".to_vec());
    let chain = ChainId(Hash([1; 32]));
    let (piece, leaf) = Piece::of((chain, 1, 0), 0, vec![row.clone()]);
    let Subtree::Leaf { place, .. } = leaf else { panic!("one row is a leaf") };
    let mut subtrees = vec![Subtree::Empty, Subtree::Empty];
    let own = usize::from(place.0[0] >> 7);
    subtrees[own] = leaf;
    let manifest = |subtrees| Manifest { version: 1, chain, height: 1, bits: 1, subtrees };
    let root = StateTree::build([row]).root();
    assert_eq!(manifest(subtrees.clone()).root(), root);
    assert!(Manifest::decode(&manifest(subtrees.clone()).encode()).is_ok());
    subtrees.swap(0, 1);
    assert_eq!(manifest(subtrees.clone()).root(), root);
    let moved = Manifest::decode(&manifest(subtrees).encode());
    assert_eq!((moved, piece.rows.len()), (Err(PieceError::Place), 1));
}

// Broken by: a root believed from one anchor alone, from strangers' signatures, or from
// anchors that are not neighbours.
#[test]
fn a_root_needs_a_chain_of_certificates_from_genesis() {
    let mut network = Network::new();
    history(&mut network, 3, 4);
    let anchors: Vec<CertifiedAnchor> = network.history.iter().map(certified).collect();
    let trust = Trust::of(&network.genesis).expect("a genesis");
    assert!(trust.roots(&anchors[1], &anchors[2]).is_ok());
    let neighbours = Err(ProofError::Anchor("the two are not neighbours"));
    assert_eq!(trust.roots(&anchors[1], &anchors[3]), neighbours);
    assert_eq!(trust.roots(&anchors[2], &anchors[1]), neighbours);
    for forged in [&anchors[1], &anchors[2]] {
        let mut forged = forged.clone();
        forged.certificate.signatures.pop();
        let pair = match forged.certificate.height == anchors[1].certificate.height {
            true => (forged, anchors[2].clone()),
            false => (anchors[1].clone(), forged),
        };
        assert!(matches!(trust.roots(&pair.0, &pair.1), Err(ProofError::Certificate { .. })));
    }
    let other = Genesis { time_ms: Millis(1), ..genesis() };
    let stranger = Trust::of(&other).expect("a genesis");
    assert_eq!(stranger.roots(&anchors[1], &anchors[2]), Err(ProofError::Chain));
}

// Broken by: a book that can be opened before it is whole; rows and anchor in two steps without
// a mark between; a finish that returns before everything is durable.
#[test]
fn a_restoration_survives_a_power_cut_at_any_moment_or_is_thrown_away() {
    let taken = taken(1_500);
    let (disk, place) = (Disk::default(), folder());
    let store = restore(&taken, &disk, &place.path().join("runs")).expect("a book");
    disk.promise(taken.height);
    drop(store);
    let steps = disk.steps();
    let mut random = Random(5);
    let (mut whole, mut refused) = (0, 0);
    for at in 0..=steps.len() {
        for how in [Cut::Lost, Cut::Torn(random.next())] {
            let (bytes, promised) = cut(&steps, at, how, false);
            match BookStore::open(Disk::with(bytes).backend(), &genesis(), REGISTRY) {
                // Nothing was begun yet: an empty file, and so a new book.
                Ok(store) if store.head().0.height == 0 => {
                    assert_eq!(promised, None, "{how:?} at {at}");
                    assert_eq!(store.lowest(), 1);
                }
                Ok(store) => {
                    assert_eq!(store.head().1, taken.roots, "{how:?} at {at}");
                    let rows = store.snapshot().expect("a snapshot").after(&[], &[], 1_000_000);
                    assert_eq!(rows.expect("rows"), taken.rows, "{how:?} at {at}");
                    whole += 1;
                }
                Err(fault) => {
                    assert_eq!(promised, None, "{how:?} at {at}: {fault}");
                    refused += 1;
                }
            }
        }
    }
    assert!(whole > 0 && refused > 0, "{whole} whole, {refused} thrown away");
}

// Broken by: a finish that believes rows of another state, or another anchor's.
#[test]
fn a_book_of_other_rows_is_not_made() {
    let mut taken = taken(1 << 20);
    let place = folder();
    let runs = place.path().join("runs");
    let mut making = Restoring::begin(Disk::default().backend(), &genesis(), REGISTRY, &runs)
        .expect("an empty file");
    making.add(taken.rows[1..].to_vec()).expect("rows");
    assert!(making.finish(&taken.standing).is_err(), "a row is missing");
    let before = &taken.network.history[taken.height as usize - 2];
    taken.standing.anchor = certified(before);
    assert!(restore(&taken, &Disk::default(), &runs).is_err(), "another anchor");
    let mut full = Network::on(&Disk::default());
    history(&mut full, 1, 1);
    let disk = Disk::default();
    drop(Network::on(&disk));
    assert!(Restoring::begin(disk.backend(), &genesis(), REGISTRY, &runs).is_err(), "not empty");
}

// Broken by: another encoding, order or hash of what is stored and sent.
#[test]
fn formats_stay_as_they_are() {
    let row = |n: u8| (vec![0, n, n], vec![n; usize::from(n)]);
    let about = (ChainId(Hash([7; 32])), 258, 1);
    let rows: Vec<_> = (0..20).map(row).collect();
    let place = |row: &(Vec<u8>, Vec<u8>)| ddt_ledger::state::place_of(&row.0).0[0] >> 7;
    let (left, right) = rows.into_iter().partition(|row| place(row) == 0);
    let (left, first) = Piece::of(about, 0, left);
    let (_, second) = Piece::of(about, 1, right);
    let subtrees = vec![first, second];
    let manifest = Manifest { version: 1, chain: about.0, height: about.1, bits: 1, subtrees };
    let id = |bytes: &[u8]| Domain::SNAPSHOT.hash(&[bytes]).to_string();
    assert_eq!(Manifest::id_of(&manifest.encode()).to_string(), id(&manifest.encode()));
    assert_eq!(
        id(&manifest.encode()),
        "f3e10c5d13a5a628b990cae20ed48f554affd41432dc6a0c7ecb0d4740c92242"
    );
    let length = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes().to_vec();
    let mut bytes = [&[1][..], &[7; 32], &[2, 1, 0, 0, 0, 0, 0, 0], &[1], &[0; 4]].concat();
    bytes.extend((left.rows.len() as u32).to_le_bytes());
    for (key, value) in &left.rows {
        bytes.extend([length(key), key.clone(), length(value), value.clone()].concat());
    }
    assert_eq!(left.encode(), bytes);
}
