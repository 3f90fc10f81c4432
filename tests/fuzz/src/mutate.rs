//! Changing an input at random: bits, numbers, words of the format, parts of other inputs.

use ddt_tests::random::Random;

/// Numbers at which decoders turn.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 32,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];

/// Pieces of texts that parsers turn at.
const WORDS: [&[u8]; 24] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"-1",
    b"1e999",
    b"0.000000000001",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"%zz",
    b"..",
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"apt1",
    b"ddt1",
    b"18446744073709551616",
];

/// A changed input, of at most `max` bytes; `others` lend parts.
pub fn mutate(random: &mut Random, input: &[u8], others: &[Vec<u8>], max: usize) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let times = 1 + random.below(4);
    for _ in 0..times {
        change(random, &mut bytes, others);
    }
    bytes.truncate(max);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    let longest = if random.percent(80) { 8 } else { 256 };
    let length = 1 + random.below(longest);
    let end = (at + length).min(bytes.len());
    match random.below(12) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        2 if at < bytes.len() => bytes[at] = random.number() as u8,
        3 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(random.one([1, 255])),
        4 => {
            let number = random.one(NUMBERS).to_le_bytes();
            let width = random.one([1, 2, 4, 8]);
            overwrite(bytes, at, &number[..width]);
        }
        5 => drop(bytes.drain(at..end)),
        6 => {
            let part = bytes[at..end].to_vec();
            insert(bytes, at, &part);
        }
        7 => {
            let part: Vec<u8> = (0..length).map(|_| random.number() as u8).collect();
            insert(bytes, at, &part);
        }
        8 => insert(bytes, at, random.one(WORDS)),
        9 => {
            let part = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            overwrite(bytes, to, &part);
        }
        10 => bytes.truncate(at),
        _ => splice(random, bytes, others, at),
    }
}

fn overwrite(bytes: &mut [u8], at: usize, part: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(part) {
        *to = *from;
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    bytes.splice(at..at, part.iter().copied());
}

/// The front, and then a part of another input.
fn splice(random: &mut Random, bytes: &mut Vec<u8>, others: &[Vec<u8>], at: usize) {
    let Some(other) = others.get(random.below(others.len().max(1))) else { return };
    let from = if random.percent(50) { at.min(other.len()) } else { random.below(other.len() + 1) };
    bytes.truncate(at);
    bytes.extend(&other[from..]);
}
