//! What routers sign, good or twice, as a story writes it.

use ddt_ledger::certificate::{ValidatorAddress, VoteKind, VoteStatement};
use ddt_ledger::codec::encode;
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, SoftReceipt};
use ddt_ledger::{ChainId, Hash, Millis, Zone};

use super::sign::word_hash;
use crate::people::Person;

/// Canonical bytes and what is signed of them: `block:ZONE,TERM,HEIGHT,WORD`,
/// `vote:ROUTER,HEIGHT,ROUND,WORD` (`nil` for none), `soft:ZONE,TERM,NUMBER,WORD`; of another
/// chain with one word more.
pub(super) fn statement(chain: ChainId, text: &str) -> Result<(Vec<u8>, Hash), String> {
    let wrong = || format!("{text}: want block:, vote: or soft: and four words");
    let (kind, words) = text.split_once(':').ok_or_else(wrong)?;
    let words: Vec<&str> = words.split(',').collect();
    let (words, chain) = match words[..] {
        [a, b, c, d] => ([a, b, c, d], chain),
        [a, b, c, d, other] => ([a, b, c, d], ChainId(word_hash(other))),
        _ => return Err(wrong()),
    };
    let [first, second, third, word] = words;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let zone = || number(first).map(|zone| Zone(zone as u32));
    match kind {
        "block" => {
            let header = BlockHeader {
                version: BLOCK_VERSION,
                chain,
                zone: zone()?,
                term: number(second)?,
                height: number(third)?,
                parent: Hash::ZERO,
                after_anchor: 0,
                first_number: 1,
                count: 1,
                events_root: word_hash(word),
                time: Millis(0),
            };
            Ok((encode(&header), header.id()))
        }
        "vote" => {
            let voter = ValidatorAddress::of(&Person::named(first).key());
            let (height, round) = (number(second)?, number(third)? as u32);
            let anchor = (word != "nil").then(|| word_hash(word));
            let kind = VoteKind::Precommit;
            let vote = VoteStatement { chain, kind, height, round, anchor, voter };
            Ok((encode(&vote), vote.digest()))
        }
        "soft" => {
            let (term, number) = (number(second)?, number(third)?);
            let event = word_hash(word);
            let soft = SoftReceipt { chain, event, zone: zone()?, term, height: 1, number };
            Ok((encode(&soft), soft.digest()))
        }
        _ => Err(wrong()),
    }
}
