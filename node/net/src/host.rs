//! The node, seen from the network.

use std::future::Future;
use std::pin::Pin;

use ddt_ledger::PublicKey;

use crate::card::SignedCard;
use crate::message::{Answer, Hello, News, Request};

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a node says of itself to who greets it. Chain and program are added by the network, and
/// the cards that it knows.
#[derive(Clone, Debug, Default)]
pub struct Greeting {
    /// The last committed height.
    pub height: u64,
    /// The lowest height whose anchor and blocks it can send.
    pub lowest: u64,
    /// Router cards, for instance those kept on disk since the last run.
    pub cards: Vec<SignedCard>,
}

/// What becomes of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good: passed on.
    Accept,
    /// Old, or of no use here: not passed on, and nobody's fault.
    Ignore,
    /// Wrong in a way that whoever passed it on could have seen: counts against the peer.
    Reject,
}

/// The node, as far as the network needs it.
///
/// `hello`, `greeted`, `lost` and `news` run on threads made for blocking, `greeted`, `news` and
/// `lost` one after the other for each peer. A slow answer delays that peer alone.
pub trait Host: Send + Sync + 'static {
    /// What this node says of itself.
    fn hello(&self) -> Greeting;

    /// A peer of the same chain said who it is. It may be asked from now on.
    fn greeted(&self, peer: PublicKey, hello: &Hello);

    /// The last connection to a peer that had greeted is closed.
    fn lost(&self, peer: PublicKey);

    /// Takes news and judges them, before they are passed on. Must be quick. `from` is the
    /// author's transport key, proven by its signature; the author need not be a neighbour.
    /// Cards do not come here: see [`crate::Net::cards`].
    fn news(&self, from: PublicKey, news: News) -> Verdict;

    /// Answers a neighbour. Greetings do not come here.
    fn answer(&self, from: PublicKey, request: Request) -> BoxFuture<'static, Answer>;
}
