//! The network: late, lossy, repeating itself, garbling, and parted for a while.

use std::collections::BTreeSet;

use ddt_ledger::Millis;

use crate::message::Endpoint;
use crate::random::Random;

/// How bad the network is.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Lost so often in a thousand.
    pub loss: u64,
    /// Delivered twice so often in a thousand.
    pub twice: u64,
    /// Garbled so often in a thousand.
    pub garbled: u64,
    /// Longest ordinary delay.
    pub delay_ms_max: u64,
    /// Routers on the other side; clients reach both.
    pub parted: BTreeSet<Endpoint>,
}

/// How one copy of a message arrives.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// After so long.
    pub delay: Millis,
    /// Changed on the way, at this place.
    pub garbled_at: Option<u64>,
}

impl Network {
    /// A network as bad as this seed wants it.
    pub fn of(random: &mut Random) -> Network {
        let worst = [0, 20, 100, 250][random.place(4)];
        Network {
            loss: random.below(worst + 1),
            twice: random.below(worst + 1),
            garbled: random.below(worst / 5 + 1),
            delay_ms_max: random.between(2, 400),
            parted: BTreeSet::new(),
        }
    }

    /// A network without faults.
    pub fn heal(&mut self) {
        let delay_ms_max = self.delay_ms_max.min(50);
        *self = Network { delay_ms_max, ..Network::default() };
    }

    /// The copies of a message that arrive.
    pub fn carry(&self, from: Endpoint, to: Endpoint, random: &mut Random) -> Vec<Arrival> {
        if self.parted.contains(&from) != self.parted.contains(&to) {
            return Vec::new();
        }
        let copies = 1 + u64::from(random.chance(self.twice));
        let mut arrivals = Vec::new();
        for _ in 0..copies {
            let is_slow = random.chance(20);
            let delay = random.between(1, self.delay_ms_max * if is_slow { 20 } else { 1 });
            let garbled_at = random.chance(self.garbled).then(|| random.number());
            if !random.chance(self.loss) {
                arrivals.push(Arrival { delay: Millis(delay), garbled_at });
            }
        }
        arrivals
    }
}
