//! BIP 39 words: official vectors, and what is said to somebody who mistyped one.

use ddt_wallet::mnemonic::{PHRASE_BYTES_MAX, TEST_WORDS};
use ddt_wallet::{Mnemonic, MnemonicError, WordCount};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    entropy: String,
    mnemonic: String,
    seed: String,
}

/// Breaks when: another word list, another number of PBKDF2 rounds, bits in another order.
#[test]
fn official_vectors_hold() {
    let text = include_str!("../../tests/vectors/bip39.json");
    let Vectors { vectors } = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let entropy = hex::decode(&vector.entropy).unwrap();
        let words = Mnemonic::parse(&vector.mnemonic).unwrap();
        assert_eq!(*words.entropy(), entropy);
        assert_eq!(hex::encode(*words.seed("TREZOR")), vector.seed);
        assert_eq!(*Mnemonic::from_entropy(&entropy).unwrap().phrase(), vector.mnemonic);
    }
}

/// Breaks when: the entropy is constant, cut, or of the other length.
#[test]
fn new_words_have_their_length_and_differ() {
    for (count, length) in [(WordCount::Twelve, 12), (WordCount::TwentyFour, 24)] {
        let words = Mnemonic::generate(count).unwrap();
        assert_eq!(words.words().count(), length);
        assert_ne!(*words.phrase(), *Mnemonic::generate(count).unwrap().phrase());
        let again = Mnemonic::parse(&words.phrase()).unwrap();
        assert_eq!(*again.entropy(), *words.entropy());
    }
    assert_eq!(WordCount::default(), WordCount::TwentyFour);
}

/// Breaks when: parsing is case-sensitive or knows only the blank.
#[test]
fn case_and_white_space_do_not_matter() {
    let spaced = format!("  {}\n", TEST_WORDS.to_uppercase().replace(' ', "\t \n"));
    assert_eq!(*Mnemonic::parse(&spaced).unwrap().phrase(), TEST_WORDS);
    assert!(Mnemonic::parse(TEST_WORDS).unwrap().is_test());
    assert!(!Mnemonic::generate(WordCount::Twelve).unwrap().is_test());
}

/// Breaks when: positions count from 0, the nearest word is not looked for, or anything at
/// all is suggested for a word that is near none.
#[test]
fn an_unknown_word_is_named_by_position_with_the_nearest_one() {
    let cases = [
        (1, "abandn", Some("abandon")),
        (3, "aband", Some("abandon")),
        (12, "yelow", Some("yellow")),
        (5, "wvae", Some("wave")),
        (7, "worthless", Some("worth")),
        (2, "umbrellas", Some("umbrella")),
        (4, "xxxxxxxx", None),
        (4, "é", None),
        (4, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None),
    ];
    for (position, typed, nearest) in cases {
        let mut words: Vec<&str> = TEST_WORDS.split(' ').collect();
        words[position - 1] = typed;
        let error = Mnemonic::parse(&words.join(" ")).unwrap_err();
        let MnemonicError::UnknownWord { position: told, .. } = error else {
            panic!("{typed}: {error}");
        };
        assert_eq!((told, error.suggestion()), (position, nearest), "{typed}");
        assert!(error.to_string().contains(&format!("word {position} ")));
    }
}

/// Breaks when: an error derives its texts from the words (they end in logs).
#[test]
fn errors_and_debug_texts_hold_no_word() {
    let typed = TEST_WORDS.replace("junk", "junkk");
    let error = Mnemonic::parse(&typed).unwrap_err();
    assert_eq!(error.suggestion(), Some("junk"));
    let words = Mnemonic::parse(TEST_WORDS).unwrap();
    for text in [format!("{error:?}"), error.to_string(), format!("{words:?}")] {
        assert!(!text.contains("junk") && !text.contains("test"), "{text}");
    }
}

/// Breaks when: the checksum is not checked, or its error is one with "unknown word".
#[test]
fn a_wrong_checksum_is_said_apart() {
    let swapped = "junk test test test test test test test test test test test";
    assert_eq!(Mnemonic::parse(swapped).unwrap_err(), MnemonicError::Checksum);
    let words = ["abandon"; 24].join(" ");
    assert_eq!(Mnemonic::parse(&words).unwrap_err(), MnemonicError::Checksum);
}

/// Breaks when: a count is rounded, or unknown words are looked for first.
#[test]
fn other_numbers_of_words_are_refused() {
    for count in [0, 1, 11, 13, 23, 25, 48, 100] {
        let words = vec!["zzz"; count].join(" ");
        assert_eq!(Mnemonic::parse(&words).unwrap_err(), MnemonicError::WordCount(count));
    }
    let long = "a".repeat(PHRASE_BYTES_MAX + 1);
    assert_eq!(Mnemonic::parse(&long).unwrap_err(), MnemonicError::TooLong(long.len()));
    for length in [0, 15, 17, 33, 64] {
        let error = Mnemonic::from_entropy(&vec![7; length]).unwrap_err();
        assert_eq!(error, MnemonicError::EntropyLength(length));
    }
}
