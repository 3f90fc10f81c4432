//! Joining a zone, being there, leaving.

use ddt_model::{Deed, Id, Stamp, State, Zones};
use ddt_tests::people::Person;
use ddt_tests::random::Random;

use super::somebody;
use crate::letters::{KEYS, NODES, STRANGERS, account};

/// What a member, or somebody who wants to be one, does. The stamp is made later.
pub fn wish(state: &State, random: &mut Random) -> (Id, Deed) {
    let is_stranger = random.percent(50);
    let author = if is_stranger { account(random.one(STRANGERS)) } else { somebody(random) };
    let stamp = Some(Stamp { period: 0, nonce: 0 }).filter(|_| random.percent(80));
    let members = state.member_accounts();
    let member = random.pick(&members).filter(|_| random.percent(60));
    let guest = random.pick(&state.guest_accounts()).filter(|_| random.percent(70));
    let author = guest.or(member).unwrap_or(author);
    let is_member = members.contains(&author) == random.percent(90);
    let deed = match (is_member, random.below(10)) {
        (false, _) => {
            let zone = random.one([1, 1, 1, 2, 3, 4]);
            let name = if random.percent(50) { random.one(KEYS) } else { random.one(NODES) };
            let key = Person::named(name).key().0;
            let node_key = Some(key).filter(|_| random.percent(70));
            Zones::SignUp { zone, node_key, stamp }
        }
        (true, 0..7) => Zones::Heartbeat { stamp },
        (true, _) => Zones::Leave { stamp },
    };
    (author, Deed::Zones(deed))
}
