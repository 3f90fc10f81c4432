//! ZIP-215: one rule of validity, the same for one signature and for many at once.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ddt_ledger::key::all_verify;
use ddt_ledger::{Hash, PublicKey, Signature};
use sha2::{Digest, Sha512};

use crate::support::disk::Random;
use crate::support::network::Person;

type Item = (PublicKey, Hash, Signature);

/// The order of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Single verification, having asserted that the batch agrees.
fn verifies(item: &Item) -> bool {
    let single = item.0.verifies(&item.1, &item.2);
    assert_eq!(all_verify(&[*item]), single, "batch and single disagree: {item:?}");
    let good = good(7);
    assert_eq!(all_verify(&[good, *item, good]), single, "in company: {item:?}");
    single
}

fn good(number: u8) -> Item {
    let person = Person::new(number);
    let message = Hash([number; 32]);
    (person.key(), message, person.sign(&message))
}

/// Every encoding that decompresses to a point of order at most 8: the y-coordinates of the
/// eight points, those plus p where it fits in 255 bits, with either sign bit.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    let mut found = Vec::new();
    for point in EIGHT_TORSION {
        let mut y = point.compress().to_bytes();
        y[31] &= 0x7f;
        let mut candidates = vec![y];
        // Only y below 19 has a second encoding y + p.
        if y[0] < 19 && y[1..].iter().all(|byte| *byte == 0) {
            let mut second = p;
            second[0] += y[0];
            candidates.push(second);
        }
        for mut candidate in candidates {
            for _ in 0..2 {
                let is_point = CompressedEdwardsY(candidate).decompress().is_some();
                if is_point && !found.contains(&candidate) {
                    found.push(candidate);
                }
                candidate[31] ^= 0x80;
            }
        }
    }
    found
}

/// Broken by: cofactorless verification, or refusing non-canonical encodings of points
/// (what `ed25519-dalek` does).
#[test]
fn all_small_order_vectors_verify() {
    let encodings = small_order_encodings();
    assert_eq!(encodings.len(), 14);
    let canonical = encodings.iter().filter(|bytes| {
        let point = CompressedEdwardsY(**bytes).decompress().expect("a point");
        point.compress().to_bytes() == **bytes
    });
    assert_eq!(canonical.count(), 8);
    let mut items = Vec::new();
    for key in &encodings {
        for nonce in &encodings {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(nonce);
            items.push((PublicKey(*key), Hash(*b"Zcash test vectors, but 32 bytes"), {
                Signature(signature)
            }));
        }
    }
    assert_eq!(items.len(), 196);
    assert!(items.iter().all(verifies));
    assert!(all_verify(&items));
}

/// Broken by: reducing S instead of refusing it at L and above (malleable signatures).
#[test]
fn a_scalar_of_the_order_or_more_is_refused() {
    let plus_order = |bytes: &mut [u8]| {
        let mut carry = 0u16;
        for (byte, order) in bytes.iter_mut().zip(ORDER) {
            carry += u16::from(*byte) + u16::from(order);
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
    };
    for number in 1..9 {
        let (key, message, mut signature) = good(number);
        assert!(verifies(&(key, message, signature)));
        plus_order(&mut signature.0[32..]);
        assert!(!verifies(&(key, message, signature)));
    }
    for scalar in [ORDER, [0xff; 32]] {
        let key = small_order_encodings()[0];
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&key);
        signature[32..].copy_from_slice(&scalar);
        assert!(!verifies(&(PublicKey(key), Hash::ZERO, Signature(signature))));
    }
}

/// A signature whose nonce point, key, or both carry a small-order part.
fn crafted(random: &mut Random, nonce_torsion: usize, key_torsion: usize) -> Item {
    let mut scalar = || {
        let mut wide = [0; 64];
        wide.chunks_mut(8).for_each(|part| part.copy_from_slice(&random.next().to_le_bytes()));
        Scalar::from_bytes_mod_order_wide(&wide)
    };
    let (secret, nonce) = (scalar(), scalar());
    let point = |scalar: Scalar, torsion: usize| -> EdwardsPoint {
        ED25519_BASEPOINT_POINT * scalar + EIGHT_TORSION[torsion]
    };
    let key = point(secret, key_torsion).compress().to_bytes();
    let nonce_point = point(nonce, nonce_torsion).compress().to_bytes();
    let message = Hash([nonce_torsion as u8; 32]);
    let mut challenge = Sha512::new();
    challenge.update(nonce_point);
    challenge.update(key);
    challenge.update(message.0);
    let challenge = Scalar::from_bytes_mod_order_wide(&challenge.finalize().into());
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&nonce_point);
    signature[32..].copy_from_slice((nonce + challenge * secret).as_bytes());
    (PublicKey(key), message, Signature(signature))
}

/// Broken by: a single verification without the cofactor, which the batch has.
#[test]
fn torsion_is_multiplied_away_for_one_and_for_many() {
    let mut random = Random(1);
    let mut items = Vec::new();
    for nonce_torsion in 0..8 {
        for key_torsion in 0..8 {
            let item = crafted(&mut random, nonce_torsion, key_torsion);
            assert!(verifies(&item), "{nonce_torsion}, {key_torsion}");
            items.push(item);
        }
    }
    assert!(all_verify(&items));
}

/// Broken by: a batch that answers for another set than its members one by one.
#[test]
fn a_batch_answers_as_its_members_do() {
    let mut random = Random(2);
    assert!(all_verify(&[]));
    for _ in 0..60 {
        let mut items = Vec::new();
        for _ in 0..1 + random.below(12) {
            let mut item = match random.below(3) {
                0 => crafted(&mut random, 3, 5),
                _ => good(random.below(20) as u8),
            };
            match random.below(20) {
                0 => item.0.0[random.below(32)] ^= 1 << random.below(8),
                1 => item.1.0[random.below(32)] ^= 1 << random.below(8),
                2 => item.2.0[random.below(64)] ^= 1 << random.below(8),
                _ => {}
            }
            items.push(item);
        }
        let single = items.iter().all(|(key, message, sign)| key.verifies(message, sign));
        assert_eq!(all_verify(&items), single);
    }
}

/// Broken by: accepting a key or nonce that is no point, or any changed bit.
#[test]
fn no_bit_of_a_signature_may_change() {
    let (key, message, signature) = good(5);
    for bit in 0..512 {
        let mut wrong = signature;
        wrong.0[bit / 8] ^= 1 << (bit % 8);
        assert!(!verifies(&(key, message, wrong)), "bit {bit}");
    }
    for bit in 0..256 {
        let mut wrong = key;
        wrong.0[bit / 8] ^= 1 << (bit % 8);
        assert!(!verifies(&(wrong, message, signature)), "bit {bit}");
    }
}
