//! Refusals: a rule said no, deterministically, with a stable code.

use std::fmt;

/// A rule's "no". `code` is stable and public (`programme.reason`); `words` say what is
/// wrong and what to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// `programme.reason`, lower case, at most [`CODE_BYTES_MAX`] bytes, for ever.
    pub code: &'static str,
    /// One sentence for people.
    pub words: &'static str,
}

/// Longest refusal code, in bytes.
pub const CODE_BYTES_MAX: usize = 48;

impl Refusal {
    /// A refusal with its stable code and its sentence.
    pub const fn new(code: &'static str, words: &'static str) -> Refusal {
        Refusal { code, words }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.words, self.code)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl std::error::Error for Refusal {}

/// Declares refusals as constants and lists them in `ALL`, so that a test can demand that
/// each one is observed.
#[macro_export]
macro_rules! refusals {
    ($($name:ident = $code:literal, $words:literal;)*) => {
        $(
            #[doc = $words]
            pub const $name: $crate::Refusal = $crate::Refusal::new($code, $words);
        )*
        /// Every refusal of this module.
        pub const ALL: &[$crate::Refusal] = &[$($name),*];
    };
}
