//! What routers sign, good or twice, as a story writes it.

use ddt_ledger::certificate::{ValidatorAddress, VoteKind, VoteStatement};
use ddt_ledger::codec::encode;
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, SoftReceipt};
use ddt_ledger::merkle::ListTree;
use ddt_ledger::routers::Sealed;
use ddt_ledger::{ChainId, Hash, Millis, Zone};

use super::sign::word_hash;
use crate::people::Person;

/// Canonical bytes and what is signed of them: `block:ZONE,TERM,HEIGHT,WORD`,
/// `vote:ROUTER,HEIGHT,ROUND,WORD` (`nil` for none), `soft:ZONE,TERM,NUMBER,WORD`; a block of one
/// event with it, or with `nil` without: `there:ZONE,TERM,NUMBER,WORD` at the height that `soft`
/// promises, `later:…` at the next; of another chain with one word more.
pub(super) fn statement(chain: ChainId, text: &str) -> Result<(Vec<u8>, Hash), String> {
    let kinds = "block:, vote:, soft:, there: or later:";
    let wrong = || format!("{text}: want {kinds} and four words");
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
    let header = |height, first_number, events_root| {
        let (zone, term) = (zone()?, number(second)?);
        Ok::<_, String>(BlockHeader {
            version: BLOCK_VERSION,
            chain,
            zone,
            term,
            height,
            parent: Hash::ZERO,
            after_anchor: 0,
            first_number,
            count: 1,
            events_root,
            time: Millis(0),
        })
    };
    match kind {
        "block" => {
            let header = header(number(third)?, 1, word_hash(word))?;
            Ok((encode(&header), header.id()))
        }
        "there" | "later" => {
            let height = if kind == "there" { 1 } else { 2 };
            let tree = ListTree::new([word_hash(word).0]);
            let header = header(height, number(third)?, tree.root())?;
            let event = tree.prove(0).filter(|_| word != "nil");
            let event = event.map(|proof| (word_hash(word), proof));
            let id = header.id();
            Ok((encode(&Sealed { header, event }), id))
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
