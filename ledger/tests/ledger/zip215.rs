//! ZIP-215, told a second time from its text, and published edge cases: what the ledger says of
//! a signature, alone and in a batch, is what the rule says.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use ddt_ledger::key::all_verify;
use ddt_ledger::{Hash, PublicKey, Signature};
use sha2::{Digest, Sha512};

use crate::support::disk::Random;
use crate::support::network::Person;

type Item = (PublicKey, Hash, Signature);

/// The encodings of points of small order as ZIP-215 publishes them in its test vectors: eight
/// in their one canonical form, six in another.
const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/// From "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020): message, key,
/// signature, and whether ZIP-215 takes it.
const PUBLISHED: [(&str, &str, &str, bool); 10] = [
    (
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a\
         0000000000000000000000000000000000000000000000000000000000000000",
        true,
    ),
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43\
         a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        true,
    ),
    (
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa\
         8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        true,
    ),
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f\
         87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        true,
    ),
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512\
         5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        true,
    ),
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7\
         e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        true,
    ),
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e\
         547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        false,
    ),
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942\
         7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        false,
    ),
    (
        "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f\
         454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
        false,
    ),
    (
        "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f\
         084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
        true,
    ),
];

fn bytes<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(text, &mut bytes).expect("hex");
    bytes
}

/// The rule: key and nonce point are any encodings of points, S is below the order of the base
/// point, and [8](S B) = [8](R + k A) with k over the bytes as they were given.
fn rule((key, message, signature): &Item) -> bool {
    let (nonce, scalar) = signature.0.split_at(32);
    let nonce: [u8; 32] = nonce.try_into().expect("32 bytes");
    let scalar: [u8; 32] = scalar.try_into().expect("32 bytes");
    let Some(a) = CompressedEdwardsY(key.0).decompress() else { return false };
    let Some(r) = CompressedEdwardsY(nonce).decompress() else { return false };
    let Some(s) = Scalar::from_canonical_bytes(scalar).into_option() else { return false };
    let mut hash = Sha512::new();
    hash.update(nonce);
    hash.update(key.0);
    hash.update(message.0);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    (ED25519_BASEPOINT_POINT * s - r - a * k).mul_by_cofactor().is_identity()
}

/// What the ledger says, having asserted that it is the rule, alone, in a batch and in company.
fn verifies(item: &Item) -> bool {
    let single = item.0.verifies(&item.1, &item.2);
    assert_eq!(single, rule(item), "not the rule: {item:?}");
    assert_eq!(all_verify(&[*item]), single, "a batch of one: {item:?}");
    let person = Person::new(9);
    let good = (person.key(), Hash([9; 32]), person.sign(&Hash([9; 32])));
    assert_eq!(all_verify(&[good, *item, good]), single, "in company: {item:?}");
    single
}

/// Every encoding whose y is not below p: 2^255 - 19 and the eighteen after it, with either sign.
fn not_canonical() -> Vec<[u8; 32]> {
    let mut encodings = Vec::new();
    for low in 0xed..=0xff {
        for high in [0x7f, 0xff] {
            let mut encoding = [0xff; 32];
            (encoding[0], encoding[31]) = (low, high);
            encodings.push(encoding);
        }
    }
    encodings
}

fn item(key: &[u8; 32], nonce: &[u8; 32], scalar: &[u8; 32]) -> Item {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(nonce);
    signature[32..].copy_from_slice(scalar);
    (PublicKey(*key), Hash(*b"Zcash test vectors, but 32 bytes"), Signature(signature))
}

/// Broken by: cofactorless or partly cofactored verification, a scalar that is reduced, a nonce
/// point that is hashed in another form than it came in.
#[test]
fn published_edge_cases_are_judged_by_the_rule() {
    let mut good = Vec::new();
    for (place, (message, key, signature, is_good)) in PUBLISHED.iter().enumerate() {
        let item = (PublicKey(bytes(key)), Hash(bytes(message)), Signature(bytes(signature)));
        assert_eq!(verifies(&item), *is_good, "vector {place}");
        if *is_good {
            good.push(item);
        }
    }
    assert!(all_verify(&good));
}

/// Broken by: refusing any of the encodings, as key or as nonce point, alone or in a batch.
#[test]
fn the_published_matrix_of_196_verifies() {
    let encodings = SMALL_ORDER.map(bytes::<32>);
    let mut items = Vec::new();
    for key in &encodings {
        for nonce in &encodings {
            let item = item(key, nonce, &[0; 32]);
            assert!(verifies(&item));
            items.push(item);
        }
    }
    assert_eq!(items.len(), 196);
    assert!(all_verify(&items));
    // One signature that is none spoils the whole batch.
    let (key, message, mut signature) = items[100];
    signature.0[32] = 1;
    assert!(!verifies(&(key, message, signature)));
    items[100] = (key, message, signature);
    assert!(!all_verify(&items));
}

/// Broken by: a batch that reads a non-canonical point in another way than a single signature.
#[test]
fn points_that_are_not_canonical_are_judged_alike() {
    let honest = Person::new(3).key().0;
    let mut taken = 0;
    for encoding in not_canonical() {
        for scalar in [[0; 32], Scalar::ONE.to_bytes()] {
            let items = [
                item(&encoding, &encoding, &scalar),
                item(&honest, &encoding, &scalar),
                item(&encoding, &honest, &scalar),
            ];
            taken += items.iter().filter(|item| verifies(item)).count();
        }
    }
    // Only those of small order, which stand for nobody.
    assert!(taken > 0, "none was taken");
}

/// Broken by: any difference from the rule at all.
#[test]
fn random_points_and_scalars_are_judged_by_the_rule() {
    let mut random = Random(5);
    let small = SMALL_ORDER.map(bytes::<32>);
    for _ in 0..400 {
        let mut any = || -> [u8; 32] {
            let mut bytes = [0; 32];
            bytes.chunks_mut(8).for_each(|part| part.copy_from_slice(&random.next().to_le_bytes()));
            match bytes[0] % 3 {
                0 => small[usize::from(bytes[1]) % small.len()],
                1 => Person::new(bytes[1] % 8).key().0,
                _ => bytes,
            }
        };
        let (key, nonce, mut scalar) = (any(), any(), any());
        scalar[31] &= 0x1f;
        verifies(&item(&key, &nonce, &scalar));
    }
}
