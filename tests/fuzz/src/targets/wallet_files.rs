//! The wallet's files and ciphertexts: signed events, address books, usernames' rows.

use ddt_contracts::REGISTRY;
use ddt_ledger::event::Signed;
use ddt_tests::people::Person;
use ddt_wallet::message::message_digest;
use ddt_wallet::username::{HashCost, NameKeys, Username};
use ddt_wallet::{AddressBook, SignedFile, SignedMessage};

use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "wallet_files",
    about: "SignedFile::check, AddressBook::parse, SignedMessage, NameKeys::open.",
    run,
    seeds,
    bytes_max: 64 * 1024,
    tries: 5_000,
};

fn run(bytes: &[u8]) -> End {
    let Ok(text) = std::str::from_utf8(bytes) else { return ciphertext(bytes) };
    if let Ok(message) = text.parse::<SignedMessage>() {
        let alice = Person::named("alice");
        let is_hers = message.is_valid(&alice.id(), b"hello");
        let digest = message_digest(&alice.id(), &message.key, b"hello");
        assert_eq!(is_hers, message.key.verifies(&digest, &message.signature));
        return end(is_hers);
    }
    match AddressBook::parse(text) {
        Ok(book) => {
            let text = book.to_json().expect("a book has a text");
            assert_eq!(AddressBook::parse(&text).expect("its own text"), book);
            return end(book.entries().count());
        }
        Err(error) if text.contains("ddt-address-book") => return end_of(error),
        Err(_) => {}
    }
    match SignedFile::check(text, &REGISTRY) {
        Ok((file, event)) => {
            assert_eq!(file.event, event.id());
            let is_known = world().events.iter().any(|known| known == event.bytes());
            assert!(is_known, "a forged event in a file");
            end("signed")
        }
        Err(error) => end_of(error),
    }
}

/// Nobody but who knows the name's key makes what opens.
fn ciphertext(bytes: &[u8]) -> End {
    let name: Username = "alice".parse().expect("a name");
    let keys = NameKeys::of(&name, world().chain, HashCost::UNSAFE_TEST).expect("8 KiB");
    match keys.open(world().chain, bytes) {
        Ok(_) => panic!("a forged username"),
        Err(error) => end_of(error),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let signed = Signed::decode(&world().events[0]).expect("of the world");
    let file = SignedFile::new(&signed, &REGISTRY)
        .and_then(|file| file.to_json().map_err(|_| ddt_ledger::event::MALFORMED));
    let alice = Person::named("alice");
    let digest = message_digest(&alice.id(), &alice.key(), b"hello");
    let message = format!("ddt-message-1:{}:{}", alice.key(), alice.sign(&digest));
    let mut book = AddressBook::default();
    book.add("bob", Person::named("bob").id()).expect("a new name");
    vec![
        file.expect("a file").into_bytes(),
        message.into_bytes(),
        book.to_json().expect("a text").into_bytes(),
        vec![0xff; ddt_wallet::username::CIPHERTEXT_BYTES],
    ]
}
