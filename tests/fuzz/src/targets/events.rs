//! Signed events: as they come, and drafts made of the input that test keys sign.

use ddt_contracts::REGISTRY;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::{
    ALL as REFUSALS, BODY, Checked, Draft, EVENT_BYTES_MAX, EVENT_VERSION, Signed,
};
use ddt_ledger::schema::{Bytes, fill_words};
use ddt_tests::people::Person;
use ddt_wallet::SignedFile;
use ddt_wallet::describe::describe;

use crate::world::world;
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "events",
    about: "Signed::decode, Checked::check and signed files, with signatures of test keys.",
    run,
    seeds,
    bytes_max: EVENT_BYTES_MAX + 64,
    tries: 3_000,
};

fn run(bytes: &[u8]) -> End {
    if let Ok(signed) = Signed::decode(bytes) {
        assert_eq!(encode(&signed), bytes, "another encoding of the same event");
    }
    if let Ok(checked) = Checked::check(bytes, world().chain, &REGISTRY) {
        assert_eq!(checked.bytes(), bytes);
        // Nobody can sign for the people of the world, so it is one of theirs.
        assert!(world().events.iter().any(|event| event == bytes), "a forged event");
    }
    match signed(bytes) {
        Some(bytes) => honest(&bytes),
        None => end("no draft"),
    }
}

/// The draft in the front of the bytes, for this chain, in the hand of a test key.
fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let draft: Draft = ddt_ledger::borsh::BorshDeserialize::deserialize(&mut rest).ok()?;
    assert_eq!(encode(&draft).len(), bytes.len() - rest.len());
    let person = Person::named("alice");
    let (version, chain, key) = (EVENT_VERSION, world().chain, person.key());
    Some(person.seal(Draft { version, chain, key, author: person.id(), ..draft }))
}

/// What a well-signed event may be refused for is known; otherwise everybody reads the same.
fn honest(bytes: &[u8]) -> End {
    let signed = Signed::decode(bytes).expect("sealed just now");
    let tag = signed.draft.tag;
    let checked = match Checked::check(bytes, signed.draft.chain, &REGISTRY) {
        Ok(checked) => checked,
        Err(refusal) => {
            let row = REGISTRY.row(tag).map_or(&[][..], |row| row.refusals);
            let is_declared = row.iter().chain(REFUSALS).any(|known| *known == refusal);
            let is_field = refusal == BODY || field_refusal(refusal.code);
            assert!(is_declared || is_field, "event {tag} does not declare {}", refusal.code);
            return end((tag, refusal.code));
        }
    };
    let row = checked.row(&REGISTRY).expect("a checked event has a row");
    let fields = (row.show)(signed.draft.body.as_slice()).expect("a checked body is shown");
    let words = fill_words(row.words, &fields);
    let said = describe(&signed.draft, &REGISTRY).expect("a checked event is described");
    assert_eq!(said.words, words);
    let file = SignedFile::new(&signed, &REGISTRY).expect("a checked event has a file");
    let text = file.to_json().expect("a file has a text");
    let (again, back) = SignedFile::check(&text, &REGISTRY).expect("a file that was just made");
    assert!(again == file && back == checked, "a signed file says something else");
    end((tag, fields.len()))
}

/// Refusals that fields give while they are decoded.
fn field_refusal(code: &str) -> bool {
    ["field.", "ledger.", "domains.name", "amount."].iter().any(|start| code.starts_with(start))
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = world().events.clone();
    seeds.extend(REGISTRY.rows().map(|row| {
        let draft: Draft = decode::<Signed>(&world().events[0], EVENT_BYTES_MAX)
            .expect("an event of the world")
            .draft;
        let body = super::bodies::sample(row, 1);
        encode(&Draft { tag: row.tag, body: Bytes::new(body).expect("a sample is short"), ..draft })
    }));
    seeds
}
