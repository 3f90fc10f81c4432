//! BIP 39 words, English: the one backup from which everything comes back.

use std::cmp::Reverse;
use std::fmt;

use bip39::Language;
use zeroize::Zeroizing;

use crate::random::{self, RandomError};

/// Longest text taken for words, in bytes: 24 words have at most 215.
pub const PHRASE_BYTES_MAX: usize = 1024;

/// The words everybody knows, for test wallets. Money sent to them is anybody's.
pub const TEST_WORDS: &str = "test test test test test test test test test test test junk";

/// How many words a new wallet gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordCount {
    /// 128 bits of entropy.
    Twelve,
    /// 256 bits of entropy.
    #[default]
    TwentyFour,
}

/// BIP 39 words whose checksum is right. Overwritten when dropped; `Debug` shows none.
pub struct Mnemonic {
    inner: bip39::Mnemonic,
}

/// Why a text is no BIP 39 words. Neither `Display` nor `Debug` shows any word, so that it can
/// be logged; [`MnemonicError::suggestion`] is for the screen of whoever typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MnemonicError {
    /// Not a number of words BIP 39 allows.
    #[error("{0} words; there are 12, 15, 18, 21 or 24 (new wallets here have 12 or 24)")]
    WordCount(usize),
    /// A word is not in the list.
    #[error("word {position} is not in the BIP 39 English list; check its spelling")]
    UnknownWord {
        /// Counted from 1.
        position: usize,
        /// The nearest word of the list, when one is near.
        suggestion: Suggestion,
    },
    /// Every word is in the list, but together they are no backup.
    #[error(
        "every word is in the list, but their checksum is wrong: a word is not the right one, \
         or two are swapped; compare each with your backup"
    )]
    Checksum,
    /// Far too much text.
    #[error("{0} bytes of text is too much for 24 words")]
    TooLong(usize),
    /// Entropy of a length BIP 39 does not allow.
    #[error("{0} bytes of entropy; BIP 39 has 16, 20, 24, 28 or 32")]
    EntropyLength(usize),
}

/// A word of the list that may be what was meant. Secret: probably one of the words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Suggestion(Option<&'static str>);

impl fmt::Debug for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(secret)" } else { "None" })
    }
}

impl MnemonicError {
    /// "Did you mean …?": the list's word nearest to the unknown one. Show it to the person
    /// who typed, and keep it out of logs: it is probably one of their words.
    pub fn suggestion(&self) -> Option<&'static str> {
        match self {
            MnemonicError::UnknownWord { suggestion, .. } => suggestion.0,
            _ => None,
        }
    }
}

impl Mnemonic {
    /// New words from the operating system's randomness.
    ///
    /// # Errors
    /// When it gives none.
    pub fn generate(count: WordCount) -> Result<Mnemonic, RandomError> {
        let entropy = random::bytes::<32>()?;
        let length = match count {
            WordCount::Twelve => 16,
            WordCount::TwentyFour => 32,
        };
        // 16 and 32 bytes are lengths of BIP 39, so the library cannot refuse them.
        let bytes = entropy.get(..length).unwrap_or_default();
        Mnemonic::from_entropy(bytes).map_err(|_| RandomError(getrandom::Error::UNEXPECTED))
    }

    /// Reads words, in any case and with any white space between them.
    ///
    /// # Errors
    /// In this order: too long, number of words, first unknown word, checksum.
    pub fn parse(text: &str) -> Result<Mnemonic, MnemonicError> {
        if text.len() > PHRASE_BYTES_MAX {
            return Err(MnemonicError::TooLong(text.len()));
        }
        let text = Zeroizing::new(text.to_ascii_lowercase());
        bip39::Mnemonic::parse_in_normalized(Language::English, &text)
            .map(|inner| Mnemonic { inner })
            .map_err(|error| explain(error, &text))
    }

    /// The words that stand for `entropy`.
    ///
    /// # Errors
    /// A length that BIP 39 does not have.
    pub fn from_entropy(entropy: &[u8]) -> Result<Mnemonic, MnemonicError> {
        bip39::Mnemonic::from_entropy_in(Language::English, entropy)
            .map(|inner| Mnemonic { inner })
            .map_err(|_| MnemonicError::EntropyLength(entropy.len()))
    }

    /// The entropy the words stand for, 16 to 32 bytes.
    pub fn entropy(&self) -> Zeroizing<Vec<u8>> {
        let (bytes, length) = self.inner.to_entropy_array();
        let bytes = Zeroizing::new(bytes);
        Zeroizing::new(bytes.get(..length).unwrap_or_default().to_vec())
    }

    /// The words, one by one.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.inner.words()
    }

    /// The words in one line.
    pub fn phrase(&self) -> Zeroizing<String> {
        // Enough room from the start, so that growing leaves no copy behind.
        let mut phrase = Zeroizing::new(String::with_capacity(PHRASE_BYTES_MAX));
        for word in self.inner.words() {
            if !phrase.is_empty() {
                phrase.push(' ');
            }
            phrase.push_str(word);
        }
        phrase
    }

    /// Where a typed backup first differs from these words, counted from 1: a wrong word, a
    /// missing one or one too many. `None` when it is the same. Tells a place, never a word.
    pub fn first_difference(&self, typed: &str) -> Option<usize> {
        let typed = Zeroizing::new(typed.to_ascii_lowercase());
        let (mut own, mut other) = (self.inner.words(), typed.split_whitespace());
        (1_usize..).find_map(|place| match (own.next(), other.next()) {
            (None, None) => Some(None),
            (left, right) if left != right => Some(Some(place)),
            _ => None,
        })?
    }

    /// BIP 39's 64 bytes of seed. This wallet's own keys use the empty passphrase.
    pub fn seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.inner.to_seed(passphrase))
    }

    /// Whether these are [`TEST_WORDS`].
    pub fn is_test(&self) -> bool {
        self.inner.words().eq(TEST_WORDS.split(' '))
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mnemonic({} secret words)", self.inner.word_count())
    }
}

fn explain(error: bip39::Error, text: &str) -> MnemonicError {
    match error {
        bip39::Error::UnknownWord(index) => {
            let typed = text.split_whitespace().nth(index).unwrap_or_default();
            let position = index.saturating_add(1);
            MnemonicError::UnknownWord { position, suggestion: Suggestion(nearest(typed)) }
        }
        bip39::Error::BadWordCount(count) => MnemonicError::WordCount(count),
        // The rest cannot come from parsing in a given language.
        _ => MnemonicError::Checksum,
    }
}

/// The list's word that `typed` was probably meant to be: the only one it begins; or the one
/// the fewest slips of the pen away, at most two; or the one with the same first four letters
/// (no two words of the list share them).
fn nearest(typed: &str) -> Option<&'static str> {
    const TYPED_BYTES_MAX: usize = 16;
    const SLIPS_MAX: usize = 2;
    if typed.is_empty() || typed.len() > TYPED_BYTES_MAX {
        return None;
    }
    let list = Language::English.word_list();
    let only_with = |prefix: &str| {
        let mut words = list.iter().filter(|word| word.starts_with(prefix));
        words.next().filter(|_| words.next().is_none()).copied()
    };
    if let Some(word) = only_with(typed) {
        return Some(word);
    }
    // Of equally near ones the one that begins most alike: slips come late in a word.
    let nearness = |word: &str| {
        let alike = typed.chars().zip(word.chars()).take_while(|(left, right)| left == right);
        (strsim::damerau_levenshtein(typed, word), Reverse(alike.count()))
    };
    let near = list.iter().map(|word| (nearness(word), *word)).min_by_key(|(near, _)| *near);
    if let Some((_, word)) = near.filter(|((slips, _), _)| *slips <= SLIPS_MAX) {
        return Some(word);
    }
    only_with(typed.get(..4)?)
}
