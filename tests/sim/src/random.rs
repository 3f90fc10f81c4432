//! The one source of chance: a seed says everything that happens.

/// The numbers of the tests, with what a simulated world asks of them.
#[derive(Clone, Debug)]
pub struct Random(ddt_tests::random::Random);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Random {
        Random(ddt_tests::random::Random::of(seed))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0.number()
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number().checked_rem(end).unwrap_or_default()
    }

    /// A place in a list of this length.
    pub fn place(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True this often in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// Bytes for whoever wants a seed.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_mut(8).for_each(|part| part.copy_from_slice(&self.number().to_le_bytes()));
        bytes
    }
}
