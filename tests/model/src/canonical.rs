//! Canonical bytes and hashes, as the first page of the specification has them.

use crate::Money;

/// An account, a key, or a hash.
pub type Id = [u8; 32];
/// Milliseconds, or a length of time: wide and signed, so that no sum of them overflows.
pub type Time = i128;

/// What has canonical bytes.
pub trait Canonical {
    /// Appends them.
    fn write(&self, out: &mut Vec<u8>);

    /// Them alone.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl Canonical for $number {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }
        }
    )* };
}

numbers!(u8 u16 u32 u64 u128);

impl Canonical for Time {
    fn write(&self, out: &mut Vec<u8>) {
        u64::try_from(*self).expect("a time").write(out);
    }
}

impl Canonical for Money {
    fn write(&self, out: &mut Vec<u8>) {
        u128::try_from(self).expect("an amount is not negative").write(out);
    }
}

impl Canonical for bool {
    fn write(&self, out: &mut Vec<u8>) {
        u8::from(*self).write(out);
    }
}

impl<const N: usize> Canonical for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self);
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        u32::try_from(self.len()).expect("a short list").write(out);
        self.iter().for_each(|item| item.write(out));
    }
}

impl Canonical for &str {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().write(out);
    }
}

impl Canonical for String {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().write(out);
    }
}

impl<T: Canonical> Canonical for &T {
    fn write(&self, out: &mut Vec<u8>) {
        (*self).write(out);
    }
}

impl Canonical for () {
    fn write(&self, _: &mut Vec<u8>) {}
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Canonical),*> Canonical for ($($name,)*) {
            #[allow(non_snake_case)]
            fn write(&self, out: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.write(out);)*
            }
        }
    };
}

tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);

/// `H[context](parts)`.
pub fn hash(context: &str, parts: &[&[u8]]) -> Id {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    parts.iter().for_each(|part| {
        hasher.update(part);
    });
    *hasher.finalize().as_bytes()
}
