//! Usernames: committed to, claimed, kept, handed over, given up.

use ddt_model::{Deed, Id, Stamp, State, Usernames, account_of, claim_hash, username_digest};
use ddt_tests::people::Person;
use ddt_tests::random::Random;

use super::Wishes;
use crate::letters::{STRANGERS, account, possession};

fn ciphertext(random: &mut Random) -> Vec<u8> {
    let length = if random.percent(97) { 296 } else { random.one([0, 295, 297]) };
    vec![random.below(3) as u8; length]
}

impl Wishes {
    /// What a one-time key wants. The stamp is made later.
    pub fn username(&mut self, state: &State, random: &mut Random) -> (Id, Deed) {
        let stamp = Some(Stamp { period: 0, nonce: 0 }).filter(|_| random.percent(97));
        let author = account(random.one(STRANGERS));
        let waits = |(author, row, sealed, salt): &&(Id, Id, Vec<u8>, Id)| {
            state.has_username_commit(author, &claim_hash(author, row, sealed, salt))
        };
        let waiting: Vec<_> = self.claims.iter().filter(waits).cloned().collect();
        let chosen = random.pick(&waiting).or(random.pick(&self.claims));
        let (claimant, row, sealed, salt) =
            chosen.unwrap_or((author, [0; 32], vec![0; 296], [0; 32]));
        let (author, deed) = match random.below(14) {
            0..4 => {
                let (row, salt) = ([random.below(3) as u8; 32], [random.below(2) as u8; 32]);
                let sealed = ciphertext(random);
                let hash = claim_hash(&author, &row, &sealed, &salt);
                self.claims.push((author, row, sealed, salt));
                (author, Usernames::Commit { hash, stamp })
            }
            4..9 => {
                let author = if random.percent(95) { claimant } else { author };
                (author, Usernames::Claim { row, ciphertext: sealed, salt, stamp })
            }
            _ => of_held(state, author, stamp, random),
        };
        (author, Deed::Usernames(deed))
    }
}

/// What is done with a row, mostly by the key that holds it.
fn of_held(
    state: &State,
    author: Id,
    stamp: Option<Stamp>,
    random: &mut Random,
) -> (Id, Usernames) {
    let held = random.pick(&state.usernames_held());
    let (row, holder) = held.map_or(([1; 32], author), |(row, holder)| (row, account_of(&holder)));
    let author = if random.percent(90) { holder } else { author };
    match random.below(5) {
        0..2 => {
            let (name, is_possessed) = (random.one(STRANGERS), random.percent(90));
            let new_key = Person::named(name).key().0;
            let digest = username_digest(&row, &new_key);
            let possession = possession(name, digest, is_possessed);
            let ciphertext = ciphertext(random);
            let deed =
                Usernames::Rotate { row, new_key, possession, ciphertext, stamp, is_possessed };
            (author, deed)
        }
        2..4 => (author, Usernames::Renew { row, stamp }),
        _ => (author, Usernames::Release { row, stamp }),
    }
}
