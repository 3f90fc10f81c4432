//! What the node is told of one peer, in order: that it greeted, its news, that it is lost.

use std::sync::Arc;

use ddt_ledger::PublicKey;
use libp2p::PeerId;
use libp2p_gossipsub::{MessageId, TopicHash};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::behaviour::Names;
use crate::card::SignedCard;
use crate::counters::count;
use crate::host::{Host, Verdict};
use crate::key;
use crate::message::{Hello, Message, News};
use crate::net::{Shared, lock};
use crate::standing::Offence;
use crate::task::Inside;

/// News of one peer that wait to be judged.
pub(super) const QUEUE: usize = 256;
/// News judged in one go.
const BATCH: usize = 32;

/// News as they came.
pub(super) struct Work {
    pub id: MessageId,
    pub author: PublicKey,
    pub topic: TopicHash,
    pub bytes: Vec<u8>,
}

/// What a worker knows.
pub(super) struct Worker {
    pub peer: PeerId,
    pub key: PublicKey,
    pub host: Arc<dyn Host>,
    pub shared: Arc<Shared>,
    pub names: Arc<Names>,
    pub inside: mpsc::Sender<Inside>,
    pub threads: Arc<Semaphore>,
    /// The worker of the last time that the peer was here.
    pub before: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs until the peer is lost and everything it sent is judged.
    pub(super) async fn run(mut self, hello: Hello, mut queue: mpsc::Receiver<Work>) {
        if let Some(before) = self.before.take() {
            // However it ended.
            let _ = before.await;
        }
        let (shared, host, key) = (Arc::clone(&self.shared), Arc::clone(&self.host), self.key);
        let greeted = move || {
            let is_forged = take_cards(&shared, &hello.cards);
            host.greeted(key, &hello);
            is_forged
        };
        if self.on_thread(greeted).await == Some(true) {
            self.report(Inside::Blame { peer: self.peer, offence: Offence::News }).await;
        }
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            self.judge(std::mem::take(&mut batch)).await;
        }
        let (host, key) = (Arc::clone(&self.host), self.key);
        self.on_thread(move || host.lost(key)).await;
    }

    async fn judge(&self, batch: Vec<Work>) {
        let ids: Vec<MessageId> = batch.iter().map(|work| work.id.clone()).collect();
        let (shared, host) = (Arc::clone(&self.shared), Arc::clone(&self.host));
        let names = Arc::clone(&self.names);
        let judge_all = move || {
            let judge = |work: Work| judge(&*host, &shared, &names, work);
            batch.into_iter().map(judge).collect::<Vec<_>>()
        };
        let judged = self.on_thread(judge_all).await;
        // If the node panicked, nothing is known of these: they are not passed on.
        let judged = judged.unwrap_or_else(|| vec![(Verdict::Ignore, None); ids.len()]);
        let heights = judged.iter().filter_map(|(_, height)| *height).collect();
        let verdicts = ids.into_iter().zip(judged.into_iter().map(|(verdict, _)| verdict));
        let verdicts = verdicts.collect();
        self.report(Inside::Judged { peer: self.peer, verdicts, heights }).await;
    }

    async fn report(&self, result: Inside) {
        // The task is gone only when everything ends.
        let _ = self.inside.send(result).await;
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _thread = self.threads.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }
}

/// What news are worth, and the height that their author says it has.
fn judge(
    host: &dyn Host,
    shared: &Shared,
    names: &Names,
    work: Work,
) -> (Verdict, Option<(PeerId, u64)>) {
    let Ok(news) = News::decode(&work.bytes) else { return (Verdict::Reject, None) };
    if names.topic_of(&news).hash() != work.topic {
        return (Verdict::Reject, None);
    }
    let height = match &news {
        News::Committed { height, .. } => key::peer_of(&work.author).map(|peer| (peer, *height)),
        _ => None,
    };
    match news {
        News::Card(card) => (take_card(shared, &card), None),
        news => match host.news(work.author, news) {
            Verdict::Reject => (Verdict::Reject, None),
            verdict => (verdict, height),
        },
    }
}

/// Takes a card if it counts, is newer, and its router signed it.
pub(crate) fn take_card(shared: &Shared, card: &SignedCard) -> Verdict {
    let now = (shared.clock)();
    let (verdict, chain) = {
        let book = lock(&shared.cards);
        (book.judge(card, now), book.chain())
    };
    let verifies = || {
        count(&shared.counting.cards_checked);
        card.verifies(chain)
    };
    match verdict {
        Verdict::Accept if verifies() => lock(&shared.cards).take(card.clone(), now),
        Verdict::Accept => Verdict::Reject,
        other => other,
    }
}

/// Takes what counts of many cards, up to the first that is wrong. Says whether one was.
pub(crate) fn take_cards(shared: &Shared, cards: &[SignedCard]) -> bool {
    cards.iter().any(|card| take_card(shared, card) == Verdict::Reject)
}
