//! News: told to all, judged by the node before they are passed on.

use std::time::Instant;

use libp2p::PeerId;
use libp2p_gossipsub::{Message as Gossip, MessageAcceptance, MessageId, PublishError};

use crate::counters::{add, count};
use crate::host::Verdict;
use crate::key;
use crate::message::{Message, NEWS_BYTES_MAX, News};
use crate::standing::Offence;
use crate::task::Task;
use crate::task::worker::Work;

impl Task {
    /// Tells everybody.
    pub(super) fn tell(&mut self, news: &News) {
        let bytes = news.encode();
        let counting = &self.shared.counting;
        // The version byte is not part of the limit.
        if bytes.len() > NEWS_BYTES_MAX + 1 || news.check().is_err() {
            return count(&counting.news_dropped);
        }
        let length = bytes.len();
        let topic = self.names.topic_of(news);
        match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            Ok(_) => {
                count(&counting.news_out);
                add(&counting.news_bytes_out, length);
            }
            // There is nobody to tell.
            Err(PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => {
                tracing::debug!(%error, "news not told");
                count(&counting.news_dropped);
            }
        }
    }

    pub(super) fn on_gossip(&mut self, from: PeerId, id: MessageId, message: Gossip) {
        count(&self.shared.counting.news_in);
        add(&self.shared.counting.news_bytes_in, message.data.len());
        let author = message.source.and_then(|author| Some((author, key::key_of(&author)?)));
        let Some((author, key)) = author else {
            return self.judged(from, &id, Verdict::Reject);
        };
        let Some(entry) = self.peers.get_mut(&from) else {
            return self.judged(from, &id, Verdict::Ignore);
        };
        let bucket = if author == from { &mut entry.news } else { &mut entry.passed_on };
        if !bucket.take(Instant::now()) {
            count(&self.shared.counting.news_dropped);
            self.judged(from, &id, Verdict::Ignore);
            return self.blame(from, Offence::Flood);
        }
        let work = Work { id: id.clone(), author: key, topic: message.topic, bytes: message.data };
        if entry.work.try_send(work).is_err() {
            count(&self.shared.counting.news_dropped);
            self.judged(from, &id, Verdict::Ignore);
        }
    }

    pub(super) fn on_judged(
        &mut self,
        from: PeerId,
        verdicts: Vec<(MessageId, Verdict)>,
        heights: Vec<(PeerId, u64)>,
    ) {
        for (author, height) in heights {
            if let Some(peer) = self.peers.get_mut(&author) {
                peer.height = peer.height.max(height);
            }
        }
        for (id, verdict) in verdicts {
            self.judged(from, &id, verdict);
            if verdict == Verdict::Reject {
                count(&self.shared.counting.news_rejected);
                self.blame(from, Offence::News);
            }
        }
        self.look_at_cards();
    }

    fn judged(&mut self, from: PeerId, id: &MessageId, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Ignore => MessageAcceptance::Ignore,
            Verdict::Reject => MessageAcceptance::Reject,
        };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(id, &from, acceptance);
    }
}
