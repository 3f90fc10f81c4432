//! Server-sent events: what happens, as it is committed, and what a client missed.
//!
//! Each stream reads the store from a place of its own, so a slow client holds nothing but
//! that place. Ids are `anchor:index`; an anchor's own message follows its receipts, with
//! their count as its index.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use ddt_ledger::AccountId;
use ddt_ledger::receipt::{Receipt, Subject};
use ddt_ledger::store::Place;
use futures_util::stream;
use serde_json::{Value as Json, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};

use super::chain;
use super::receipts::receipt_row;
use crate::error::Problem;
use crate::paging::Params;
use crate::reading::{App, Reading};

/// Messages read from the store at once, and kept for a client that reads slowly.
const BATCH: usize = 128;

/// What a client wants to hear.
#[derive(Clone, Debug, Default)]
struct Topics {
    anchors: bool,
    events: bool,
    accounts: Vec<AccountId>,
}

/// Most accounts of one stream.
const ACCOUNTS_MAX: usize = 16;

impl Topics {
    fn read(params: &Params) -> Result<Topics, Problem> {
        let mut topics = Topics::default();
        let wrong = || {
            let words = "Of anchors, events and account:apt1… is wanted, with commas between.";
            Problem::parameter("topics", words)
        };
        for topic in params.get("topics").unwrap_or("anchors,events").split(',') {
            match topic.split_once(':') {
                None if topic == "anchors" => topics.anchors = true,
                None if topic == "events" => topics.events = true,
                Some(("account", id)) if topics.accounts.len() < ACCOUNTS_MAX => {
                    topics.accounts.push(id.parse().map_err(|_| wrong())?);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(topics)
    }
}

/// One message.
#[derive(Debug)]
struct Message {
    topic: &'static str,
    id: Place,
    data: Json,
}

/// What to read next: an anchor's height and an index among its receipts. The anchor's own
/// message has the receipts' count as its index.
type Next = (u64, u64);

/// Messages from a place on, and the place to go on from; `is_more` when there are more now.
struct Batch {
    messages: Vec<Message>,
    next: Next,
    is_more: bool,
}

fn last_seen(headers: &HeaderMap) -> Result<Option<Place>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let place = value.to_str().ok().and_then(|text| text.split_once(':'));
    let place = place.and_then(|(height, index)| Some((height.parse().ok()?, index.parse().ok()?)));
    place.map(Some).ok_or_else(|| Problem::parameter("Last-Event-ID", "Want anchor:index."))
}

pub(super) async fn live(
    State(app): State<App>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    params.only(&["topics"])?;
    let topics = Topics::read(&params)?;
    let seen = last_seen(&headers)?;
    let Ok(permit) = app.streams.clone().try_acquire_owned() else {
        return Err(Problem::busy("server.busy", "Too many live streams are open."));
    };
    // Listening starts before the place is read: no anchor falls between the two.
    let commits = app.backend.anchors();
    let head = app.look_up(|reading| Ok(reading.head.height))?;
    let (sender, receiver) = mpsc::channel(BATCH);
    let next = match seen {
        Some((height, index)) => (height, u64::from(index).saturating_add(1)),
        None => (head.saturating_add(1), 0),
    };
    tokio::spawn(follow(app, topics, next, commits, sender, permit));
    let messages = stream::unfold(receiver, |mut receiver| async {
        let event: Event = receiver.recv().await?;
        Some((Ok::<_, Infallible>(event), receiver))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::default()).into_response())
}

async fn follow(
    app: App,
    topics: Topics,
    mut next: Next,
    mut commits: broadcast::Receiver<u64>,
    sender: mpsc::Sender<Event>,
    _permit: OwnedSemaphorePermit,
) {
    loop {
        let (wanted, replay_max) = (topics.clone(), app.limits.replay_anchors_max);
        let batch = app.read(move |reading| batch(reading, &wanted, next, replay_max)).await;
        let Ok(batch) = batch else { return };
        next = batch.next;
        for message in batch.messages {
            let (height, index) = message.id;
            let event = Event::default()
                .event(message.topic)
                .id(format!("{height}:{index}"))
                .data(message.data.to_string());
            if sender.send(event).await.is_err() {
                return;
            }
        }
        if batch.is_more {
            continue;
        }
        let committed = tokio::select! {
            committed = commits.recv() => committed,
            () = sender.closed() => return,
        };
        if committed == Err(RecvError::Closed) {
            return;
        }
    }
}

fn batch(
    reading: &Reading,
    topics: &Topics,
    (mut height, mut index): Next,
    replay_max: u64,
) -> Result<Batch, Problem> {
    let head = reading.head.height;
    let after = head.saturating_add(1);
    // From the future (another chain, a store set back) or too long ago.
    if height > after || head.saturating_sub(height) > replay_max {
        let data = json!({"anchor": head, "words": "Read the lists anew, then go on from here."});
        let message = Message { topic: "resync", id: (head, u32::MAX), data };
        return Ok(Batch { messages: vec![message], next: (after, 0), is_more: false });
    }
    let mut messages = Vec::new();
    let mut reads = 0usize;
    while height <= head && messages.len() < BATCH && reads < BATCH {
        reads = reads.saturating_add(1);
        let count = receipt_count(reading, height)?;
        let first = u32::try_from(index).unwrap_or(u32::MAX);
        let receipts = reading.snapshot.receipts(height, first, BATCH)?;
        index = index.saturating_add(u64::try_from(receipts.len()).unwrap_or(u64::MAX));
        let wanted = receipts.iter().filter_map(|receipt| message(reading, topics, receipt));
        messages.extend(wanted);
        if index < u64::from(count) && !receipts.is_empty() {
            continue;
        }
        if topics.anchors && index <= u64::from(count) && height > 0 {
            let data = chain::anchor_summary(reading, height)?;
            messages.push(Message { topic: "anchor", id: (height, count), data });
        }
        (height, index) = (height.saturating_add(1), 0);
    }
    Ok(Batch { messages, next: (height, index), is_more: height <= head })
}

fn receipt_count(reading: &Reading, height: u64) -> Result<u32, Problem> {
    Ok(reading.snapshot.anchor(height)?.map_or(0, |record| record.head.receipts))
}

fn message(reading: &Reading, topics: &Topics, receipt: &Receipt) -> Option<Message> {
    let is_event = matches!(receipt.subject, Subject::Event(_));
    let touched = receipt.accounts();
    let is_own = topics.accounts.iter().any(|account| touched.contains(account));
    let topic = match (is_own, topics.events && is_event) {
        (true, _) => "account",
        (false, true) => "event",
        (false, false) => return None,
    };
    let data = receipt_row(reading.registry(), reading.head.height, receipt);
    Some(Message { topic, id: (receipt.height, receipt.index), data })
}
