//! Keys and tickets.

use ddt_model::{Accounts, Deed, Id, State, possession_digest};
use ddt_tests::people::Person;
use ddt_tests::random::Random;

use super::{amount, somebody};
use crate::letters::{KEYS, NODES, possession};

/// What somebody does with an account.
pub fn wish(state: &State, random: &mut Random) -> (Id, Deed) {
    let author = somebody(random);
    let name = random.one(KEYS);
    let node = Person::named(if random.percent(60) { name } else { random.one(NODES) });
    let key = Person::named(name).key().0;
    let own: Vec<Id> = state.node_keys_of(&author).into_iter().map(|(key, _)| key).collect();
    let own = random.pick(&own).filter(|_| random.percent(90)).unwrap_or(key);
    let amount = amount(state, &author, random);
    let deed = match random.below(18) {
        0..2 => {
            let is_possessed = random.percent(80);
            let digest = possession_digest(&author, &key);
            let possession = possession(name, digest, is_possessed);
            Accounts::RotateKey { new_key: key, possession, is_possessed }
        }
        2..8 => {
            let is_router = random.percent(20);
            Accounts::GrantNodeKey { is_router, key: node.key().0, allowance: amount }
        }
        8..10 => Accounts::TopUpNodeKey { key: own, amount },
        10..12 => Accounts::RevokeNodeKey { key: own },
        _ => Accounts::ReserveTickets { count: random.one([0, 1, 2, 3, 5, 90, 129, 255]) },
    };
    (author, Deed::Accounts(deed))
}
