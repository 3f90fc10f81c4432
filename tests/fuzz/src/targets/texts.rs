//! Everything that is read from a short text.

use std::fmt::Display;
use std::str::FromStr;

use ddt_contracts::domains::DomainName;
use ddt_ledger::{AccountId, Address, Amount, Hash, PublicKey};
use ddt_tests::people::Person;
use ddt_wallet::keystore::check_name;
use ddt_wallet::username::Username;
use ddt_wallet::{Mnemonic, SignedMessage};

use crate::cursor::Cursor;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "texts",
    about: "Ids, amounts, hashes, keys, names, words and message signatures, as people type them.",
    run,
    seeds,
    bytes_max: 2_048,
    tries: 30_000,
};

fn run(bytes: &[u8]) -> End {
    let mut cursor = Cursor::of(bytes);
    let kind = cursor.byte() % 9;
    let Ok(text) = std::str::from_utf8(cursor.rest()) else { return end("not text") };
    let how = match kind {
        0 => shown::<AccountId>(text),
        1 => shown::<Address>(text),
        2 => amount(text),
        3 => shown::<SignedMessage>(text),
        4 => hex(text),
        5 => domain(text),
        6 => match text.parse::<Username>() {
            Ok(name) => end(name.as_str() == text),
            Err(rule) => end_of(rule),
        },
        7 => words(text),
        _ => end(check_name(text).is_ok()),
    };
    end((kind, how))
}

/// What was read is shown as something that is read as the same.
fn shown<T: FromStr<Err: Display> + Display + PartialEq>(text: &str) -> End {
    match text.parse::<T>() {
        Ok(value) => {
            let again = value.to_string();
            assert!(again.parse::<T>().is_ok_and(|back| back == value), "{text}: {again}");
            end("read")
        }
        Err(error) => end_of(error),
    }
}

/// An amount is what a plain reading of its digits says.
fn amount(text: &str) -> End {
    if let Ok(amount) = text.parse::<Amount>() {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let units = format!("{whole}{fraction:0<9}").parse::<u128>();
        assert_eq!(units, Ok(amount.units()), "{text}");
    }
    shown::<Amount>(text)
}

fn hex(text: &str) -> End {
    let (hash, key) = (Hash::from_hex(text), PublicKey::from_hex(text));
    assert_eq!(hash.is_some(), key.is_some());
    if let Some(hash) = hash {
        assert_eq!(hash.to_string(), text.to_ascii_lowercase());
    }
    end(hash.is_some())
}

fn domain(text: &str) -> End {
    match DomainName::new(text) {
        Ok(name) => {
            assert_eq!(name.as_str(), text, "a name that is read as another");
            end("read")
        }
        Err(refusal) => end(refusal.code),
    }
}

fn words(text: &str) -> End {
    match Mnemonic::parse(text) {
        Ok(words) => {
            let phrase = words.phrase();
            let again = Mnemonic::parse(&phrase).expect("its own words");
            assert!(again.entropy() == words.entropy());
            end("read")
        }
        Err(error) => end_of(error),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let alice = Person::named("alice");
    let signature = format!("ddt-message-1:{}:{}", alice.key(), alice.sign(&Hash::ZERO));
    let phrase = "test test test test test test test test test test test junk";
    let texts: [(u8, String); 10] = [
        (0, alice.id().to_string()),
        (1, Address([7; 20]).to_string()),
        (2, "12.000000001".into()),
        (2, Amount::MAX.to_string()),
        (3, signature),
        (4, alice.key().to_string()),
        (5, "hello-world".into()),
        (6, "alice".into()),
        (7, phrase.into()),
        (8, "my_wallet-2".into()),
    ];
    texts.iter().map(|(kind, text)| [&[*kind], text.as_bytes()].concat()).collect()
}
