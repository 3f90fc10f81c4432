//! Rotated keys, tickets and messages: what an independent program derived from the same words.

use ddt_contracts::REGISTRY;
use ddt_contracts::accounts::possession_digest;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, Draft, Role, Signed};
use ddt_ledger::schema::Bytes;
use ddt_ledger::{AccountId, ChainId, Hash, Millis, PublicKey, Signature};
use ddt_wallet::derivation::{DerivationError, INDEX_END};
use ddt_wallet::keys::path_text;
use ddt_wallet::message::{SignatureTextError, message_digest};
use ddt_wallet::sign::sign;
use ddt_wallet::{Mnemonic, Seed, SignedMessage};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    mnemonic: String,
    chain: ChainId,
    keys: Vec<Key>,
    events: Vec<Event>,
    possessions: Vec<Possession>,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Key {
    index: u32,
    rotation: u32,
    path: String,
    public_key: PublicKey,
}

#[derive(Deserialize)]
struct Event {
    name: String,
    index: u32,
    rotation: u32,
    author: AccountId,
    key: PublicKey,
    nonce: u64,
    valid_until: Millis,
    tag: u16,
    body: String,
    digest: Hash,
    bytes: String,
    id: Hash,
}

#[derive(Deserialize)]
struct Possession {
    index: u32,
    rotation: u32,
    digest: Hash,
    signature: Signature,
}

#[derive(Deserialize)]
struct Message {
    index: u32,
    rotation: u32,
    account: AccountId,
    message: String,
    digest: Hash,
    text: String,
}

fn vectors() -> (Vectors, Seed) {
    let text = include_str!("../../tests/vectors/tickets.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    let seed = Seed::from_words(&Mnemonic::parse(&vectors.mnemonic).unwrap());
    (vectors, seed)
}

/// Breaks when: a rotation is left out of the path, or the first key gets a fourth level.
#[test]
fn rotated_keys_stand_where_they_should() {
    let (vectors, seed) = vectors();
    assert_eq!(vectors.keys.len(), 7);
    for key in &vectors.keys {
        let derived = seed.rotated_key(key.index, key.rotation).unwrap();
        assert_eq!(derived.public(), key.public_key, "{}", key.path);
        assert_eq!(path_text(key.index, key.rotation), key.path);
    }
    let first = seed.rotated_key(3, 0).unwrap().public();
    assert_eq!(first, seed.owner_key(3).unwrap().public());
    for (index, rotation) in [(INDEX_END, 0), (INDEX_END, 1), (0, INDEX_END), (0, u32::MAX)] {
        let error = seed.rotated_key(index, rotation).unwrap_err();
        assert_eq!(error, DerivationError::Index(index.max(rotation)));
    }
}

/// Breaks when: a field of the draft moves, or another digest is signed.
#[test]
fn ticketed_events_are_these_bytes() {
    let (vectors, seed) = vectors();
    assert_eq!(vectors.events.len(), 3);
    for event in &vectors.events {
        assert_eq!(REGISTRY.row_named(&event.name).unwrap().tag, event.tag);
        let draft = Draft {
            version: 1,
            chain: vectors.chain,
            author: event.author,
            key: event.key,
            role: Role::Owner,
            nonce: event.nonce,
            valid_until: event.valid_until,
            tag: event.tag,
            body: Bytes::new(hex::decode(&event.body).unwrap()).unwrap(),
        };
        assert_eq!(draft.digest(), event.digest);
        let key = seed.rotated_key(event.index, event.rotation).unwrap();
        assert_eq!(key.public(), event.key);
        let signed = sign(draft, &key);
        assert_eq!(hex::encode(encode(&signed)), event.bytes);
        assert_eq!(signed.id(), event.id);
        let bytes = hex::decode(&event.bytes).unwrap();
        assert_eq!(Signed::decode(&bytes).unwrap(), signed);
        assert!(Checked::check(&bytes, vectors.chain, &REGISTRY).is_ok());
    }
}

/// Breaks when: the account or the key is left out of what shows possession.
#[test]
fn possession_is_of_this_key_for_this_account() {
    let (vectors, seed) = vectors();
    for possession in &vectors.possessions {
        let account = seed.owner_key(possession.index).unwrap().account();
        let key = seed.rotated_key(possession.index, possession.rotation).unwrap();
        let digest = possession_digest(&account, &key.public());
        assert_eq!(digest, possession.digest);
        assert_eq!(key.sign(&digest), possession.signature);
    }
    assert_eq!(vectors.possessions.len(), 2);
}

/// Breaks when: account, key or a byte of the message is left out of the digest.
#[test]
fn messages_are_signed_as_an_independent_program_signs_them() {
    let (vectors, seed) = vectors();
    assert_eq!(vectors.messages.len(), 5);
    for message in &vectors.messages {
        let content = hex::decode(&message.message).unwrap();
        let key = seed.rotated_key(message.index, message.rotation).unwrap();
        let digest = message_digest(&message.account, &key.public(), &content);
        assert_eq!(digest, message.digest);
        let signed = SignedMessage::sign(&message.account, &key, &content);
        assert_eq!(signed.to_string(), message.text);
        let read: SignedMessage = format!(" {}\n", message.text).parse().unwrap();
        assert_eq!(read, signed);
        assert!(read.is_valid(&message.account, &content));
        assert_eq!(read.is_first_key(&message.account), message.rotation == 0);
        let changed = [content.as_slice(), b"."].concat();
        assert!(!read.is_valid(&message.account, &changed));
        assert!(!read.is_valid(&AccountId([9; 32]), &content));
        let other = SignedMessage { key: seed.owner_key(7).unwrap().public(), ..read };
        assert!(!other.is_valid(&message.account, &content));
    }
}

/// Breaks when: a message can be written whose signature is one of an event or of possession.
#[test]
fn a_message_is_never_something_else() {
    let (vectors, seed) = vectors();
    let key = seed.owner_key(0).unwrap();
    let account = key.account();
    let event = vectors.events.first().unwrap();
    let bytes = hex::decode(&event.bytes).unwrap();
    let draft = bytes.get(..bytes.len() - 64).unwrap();
    let signed = SignedMessage::sign(&account, &key, draft);
    assert!(!event.key.verifies(&event.digest, &signed.signature));
    let next = seed.rotated_key(0, 1).unwrap();
    let possession = SignedMessage::sign(&account, &next, b"");
    let digest = possession_digest(&account, &next.public());
    assert!(!next.public().verifies(&digest, &possession.signature));
}

/// Breaks when: a damaged line is taken for a signature that is wrong, or for another thing.
#[test]
fn damaged_signature_texts_are_told_apart() {
    let (vectors, _) = vectors();
    let good = &vectors.messages.first().unwrap().text;
    let cut = good.get(..good.len() - 1).unwrap();
    for (text, wanted) in [
        ("", SignatureTextError::Format),
        ("hello", SignatureTextError::Format),
        ("ddt-message-1", SignatureTextError::Format),
        ("ddt-message-1:00", SignatureTextError::Format),
        ("ddt-message-1:00:00", SignatureTextError::Digits),
        (cut, SignatureTextError::Digits),
        (&format!("{good}:00"), SignatureTextError::Format),
        (&good.replacen("-1:", "-2:", 1), SignatureTextError::Newer),
    ] {
        assert_eq!(text.parse::<SignedMessage>(), Err(wanted), "{text}");
    }
}
