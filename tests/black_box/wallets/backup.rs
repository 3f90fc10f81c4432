//! The backup and the password: words and seeds out, in and compared.

use std::fs;

use crate::desk::{Desk, mode, refused, set_mode, text};
use crate::support::cli::{self, Ending};

/// Words that a wallet may have, and messages by themselves.
const OWN: [&str; 18] = [
    "account", "already", "another", "decline", "detail", "error", "false", "first", "follow",
    "match", "other", "problem", "ready", "right", "there", "title", "usage", "version",
];

fn no_word_is_told(words: &str, ending: &Ending) {
    let told = format!("{}{}", ending.stdout, ending.stderr);
    let is_telling = |word: &&str| word.len() > 4 && !OWN.contains(word);
    let shown = words.split(' ').filter(|word| is_telling(word) && told.contains(word));
    assert!(shown.count() < 2, "words are told: {told}");
}

// Broken by: words that leave without their owner's word, or into a file that others read.
#[test]
fn words_leave_only_when_their_owner_says_so() {
    let desk = Desk::new();
    let words = desk.wallet("alice");
    let file = desk.path("backup");
    let plain = desk.ddt(&["wallet", "export", "alice", "--i-know"]);
    refused(&plain, (2, "usage"), &["terminal only", "--words-file"]);
    no_word_is_told(&words, &plain);
    let unsure = desk.ddt(&["wallet", "export", "alice", "--words-file", &file]);
    refused(&unsure, (8, "declined"), &["--i-know"]);
    assert!(!fs::exists(&file).unwrap());
    let export = ["wallet", "export", "alice", "--words-file", &file, "--i-know"];
    let wrong = desk.secret("wrong", "not it");
    let shut = cli::ddt(&desk.home, &[&export[..], &["--password-file", &wrong]].concat());
    refused(&shut, (6, "wallet"), &["password is wrong"]);

    let done = desk.ddt(&export);
    assert_eq!(text(&done.data(), "/wrote"), "words");
    no_word_is_told(&words, &done);
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{words}\n"));
    assert_eq!(mode(&file), 0o600);
    refused(&desk.ddt(&export), (2, "usage"), &["is there already"]);
    let nowhere = desk.path("no/folder");
    let ending = desk.ddt(&["wallet", "export", "alice", "--words-file", &nowhere, "--i-know"]);
    assert_eq!(ending.refusal().0, 1);

    let import = ["wallet", "import", "again", "--words-file", &file];
    let back = desk.ddt(&import).data();
    assert_eq!(back["same_as"], serde_json::json!(["alice"]));
    refused(
        &desk.ddt(&["wallet", "export", "nobody", "--words-file", "x", "--i-know"]),
        (6, "wallet"),
        &["no wallet nobody"],
    );
}

// Broken by: telling a right word, or taking another wallet's backup for this one's.
#[test]
fn a_backup_is_compared_word_by_word() {
    let desk = Desk::new();
    let (words, others) = (desk.wallet("alice"), desk.wallet("bob"));
    let check = |typed: &str| {
        let file = desk.secret("typed", typed);
        desk.ddt(&["wallet", "check-words", "alice", "--words-file", &file])
    };
    assert_eq!(check(&words).data()["matches"], true);
    assert_eq!(check(&format!(" {} \n", words.to_uppercase())).data()["matches"], true);
    let mut swapped: Vec<&str> = words.split(' ').collect();
    swapped[6] = "zzzz";
    let short = words.rsplit_once(' ').unwrap().0;
    for (typed, says) in [
        (swapped.join(" "), "word 7 is the first"),
        (short.to_string(), "the first 11 words are right, and 1 are missing"),
        (format!("{words} zoo"), "all 12 words are right, and 1 follow"),
        (others.clone(), "another wallet's"),
        (String::new(), "no word"),
    ] {
        let ending = check(&typed);
        refused(&ending, (6, "wallet.words"), &[says]);
        no_word_is_told(&words, &ending);
    }
    refused(&desk.ddt(&["wallet", "check-words", "alice"]), (2, "usage"), &["--words-file FILE"]);
    let missing = desk.path("missing");
    let ending = desk.ddt(&["wallet", "check-words", "alice", "--words-file", &missing]);
    assert_eq!(ending.refusal().0, 2);
}

// Broken by: a password that stays valid, or a change that a wrong one could make.
#[test]
fn a_changed_password_opens_and_the_old_one_does_not() {
    let desk = Desk::new();
    desk.wallet("alice");
    let new = desk.secret("new", "battery staple\nsecond line");
    let empty = desk.secret("empty", "\n");
    let file = desk.home.join("keystore/alice.json");
    let before = fs::read(&file).unwrap();
    let change = |old: &str, new: &str| {
        let arguments = ["wallet", "password", "alice", "--new-password-file", new];
        cli::ddt(&desk.home, &[&arguments[..], &["--password-file", old]].concat())
    };
    refused(&change(&new, &new), (6, "wallet"), &["password is wrong"]);
    refused(&change(&desk.password, &empty), (6, "wallet"), &["password is empty"]);
    refused(&change(&desk.password, &desk.path("no")), (2, "usage"), &["there is no"]);
    let nobody = desk.ddt(&["wallet", "password", "alice"]);
    refused(&nobody, (2, "usage"), &["--new-password-file FILE"]);
    assert_eq!(fs::read(&file).unwrap(), before);

    let changed = change(&desk.password, &new).data();
    assert_eq!(changed["name"], "alice");
    assert_eq!(mode(&file), 0o600);
    let sign = |password: &str| {
        let sign = ["wallet", "sign-message", "alice", "hello", "--offline"];
        cli::ddt(&desk.home, &[&sign[..], &["--password-file", password]].concat())
    };
    assert_eq!(sign(&new).code, Some(0));
    refused(&sign(&desk.password), (6, "wallet"), &["password is wrong"]);
}

// Broken by: taking any bytes for a seed, or a seed that others could read.
#[test]
fn seeds_and_wallets_files_are_imported_and_checked() {
    let desk = Desk::new();
    let seed: Vec<u8> = (1..=32).collect();
    let raw = desk.secret("raw", &seed);
    let digits = desk.secret("digits", format!("{}\n", hex(&seed)));
    let import =
        |name: &str, flag: &str, file: &str| desk.ddt(&["wallet", "import", name, flag, file]);
    let first = import("raw", "--seed-file", &raw).data();
    let second = import("digits", "--seed-file", &digits).data();
    assert_eq!(first["account"], second["account"]);
    let out = desk.path("seed.out");
    let export = ["wallet", "export", "raw", "--words-file", &out, "--i-know"];
    assert_eq!(text(&desk.ddt(&export).data(), "/wrote"), "seed");
    assert_eq!(fs::read_to_string(&out).unwrap().trim(), hex(&seed));
    let check = desk.ddt(&["wallet", "check-words", "raw", "--words-file", &digits]);
    refused(&check, (6, "wallet.words"), &["made of a seed"]);
    for wrong in [&seed[..31], &[7; 32], &[0; 32], b"", b"not hex at all", &[1; 70_000]] {
        let file = desk.secret("wrong", wrong);
        refused(&import("wrong", "--seed-file", &file), (6, "wallet.seed"), &["seed"]);
    }
    let open = desk.secret("open", &seed);
    set_mode(&open, 0o644);
    refused(&import("open", "--seed-file", &open), (1, "fault"), &["chmod 600"]);
    refused(&import("no", "--seed-file", &desk.path("no")), (2, "usage"), &["there is no"]);

    assert_eq!(desk.ddt(&["wallet", "add-account", "raw"]).code, Some(0));
    let file = desk.home.join("keystore/raw.json").to_str().unwrap().to_string();
    let other = Desk::new();
    let copy = other.secret("raw copy", fs::read(&file).unwrap());
    let keystore = |password: &str| {
        let arguments = ["wallet", "import", "moved", "--keystore", &copy];
        other.ddt(&[&arguments[..], &["--keystore-password-file", password]].concat())
    };
    let wrong = other.secret("wrong", "not it");
    refused(&keystore(&wrong), (6, "wallet"), &["password is wrong"]);
    let asked = other.ddt(&["wallet", "import", "moved", "--keystore", &copy]);
    refused(&asked, (2, "usage"), &["--keystore-password-file"]);
    let moved = keystore(&desk.password).data();
    assert_eq!(moved["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(moved["account"], first["account"]);
    let damaged = other.secret("raw copy", "{}");
    assert_eq!(damaged, copy);
    refused(&keystore(&desk.password), (6, "wallet"), &["damaged"]);
    let two = other.ddt(&["wallet", "import", "x", "--keystore", &copy, "--seed-file", &raw]);
    assert_eq!(two.code, Some(2));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
