//! What nodes say to each other: news, requests, answers, cards.

use ddt_core::availability::{Ask, SignedVote, Vote};
use ddt_core::follower::Decided;
use ddt_ledger::anchor::TimeStatement;
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::{Hash, Millis, PublicKey, Signature, Zone};
use ddt_net::card::{Card, SignedCard};
use ddt_net::message::{Answer, Hello, Message, News, Request, Submitted};
use ddt_tests::people::Router;

use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "network",
    about: "News, requests, answers and router cards, as they come from peers.",
    run,
    seeds,
    bytes_max: 16 * 1024,
    tries: 20_000,
};

/// Which message, and its bytes.
fn run(bytes: &[u8]) -> End {
    let Some((kind, message)) = bytes.split_first() else { return end("nothing") };
    match kind % 4 {
        0 => read::<News>(*kind, message),
        1 => read::<Request>(*kind, message),
        2 => read::<Answer>(*kind, message),
        _ => {
            if let Ok(signed) = SignedCard::decode(message)
                && signed.verifies(world().chain)
            {
                assert_eq!(message, card().encode(), "a forged card verifies");
            }
            read::<SignedCard>(*kind, message)
        }
    }
}

fn read<M: Message>(kind: u8, bytes: &[u8]) -> End {
    match M::decode(bytes) {
        Ok(message) => {
            assert_eq!(message.encode(), bytes, "another encoding of the same message");
            end((kind % 4, "read", bytes.get(1)))
        }
        Err(error) => end((kind % 4, end_of(error.to_string()))),
    }
}

fn card() -> SignedCard {
    let router = Router::of_zone(1).person;
    let card = Card {
        chain: world().chain,
        router: router.key(),
        transport: router.key(),
        addresses: vec!["/ip4/192.0.2.1/tcp/4001".into()],
        consensus: Vec::new(),
        api: vec!["https://r.example".into()],
        time: Millis(1_000),
    };
    let signature = router.sign(&card.digest());
    SignedCard { card, signature, transport_signature: signature }
}

fn seeds() -> Vec<Vec<u8>> {
    let chain = world().chain;
    let (key, signature) = (PublicKey([4; 32]), Signature([5; 64]));
    let vote = Vote { chain, zone: Zone(1), term: 1, height: 2, block: Hash([6; 32]) };
    let statement = TimeStatement { key, time: Millis(7), signature };
    let hello = Hello { chain, agent: "ddt".into(), height: 3, lowest: 1, cards: vec![card()] };
    let receipt =
        SoftReceipt { chain, event: Hash([8; 32]), zone: Zone(1), term: 1, height: 2, number: 9 };
    let decided = world().anchors.first().map(|anchor| Decided {
        body: anchor.body.0.clone(),
        certificate: anchor.certificate.clone(),
    });
    let news = [
        News::Committed { height: 1, anchor: Hash([6; 32]) },
        News::Vote(SignedVote { vote, key, signature }),
        News::Time { height: 2, previous: Hash([6; 32]), statement },
        News::Card(Box::new(card())),
    ];
    let requests = [
        Request::Hello(hello.clone()),
        Request::Block(Ask { zone: Zone(1), term: 1, height: 2, block: Some(Hash([6; 32])) }),
        Request::Anchors { first: 1 },
        Request::Push(vec![1; 9]),
        Request::Submit(vec![1; 9]),
        Request::Accuse(vec![1; 9]),
    ];
    let answers = [
        Answer::Hello(hello),
        Answer::Block(Some(vec![1; 9])),
        Answer::Anchors(decided.into_iter().collect()),
        Answer::Taken,
        Answer::Submitted(Submitted::Sequenced { receipt, signature }),
        Answer::Submitted(Submitted::Refused { code: "bank.insufficient".into() }),
        Answer::Busy,
    ];
    let with = |kind: u8, bytes: Vec<u8>| [vec![kind], bytes].concat();
    let mut seeds: Vec<Vec<u8>> = news.iter().map(|news| with(0, news.encode())).collect();
    seeds.extend(requests.iter().map(|request| with(1, request.encode())));
    seeds.extend(answers.iter().map(|answer| with(2, answer.encode())));
    seeds.push(with(3, card().encode()));
    seeds
}
