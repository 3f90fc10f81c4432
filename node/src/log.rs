//! The log: what of it is shown, where, and how.

use std::io::IsTerminal;

use tracing::Metadata;
use tracing_subscriber::filter::{EnvFilter, FilterExt, dynamic_filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// That the other side was gone first is no news.
const CLOSING: &str = "yamux=error";

/// Begins to log, to standard error. What the settings name comes last, and so goes before what
/// is left out here.
pub fn start(log: &Log) {
    let directives = [ddt_consensus::LOG_DIRECTIVES, CLOSING, log.level.as_str()].join(",");
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("warn"));
    let is_worth_reading = |line: &Metadata<'_>| ddt_consensus::is_worth_reading(line.target());
    let filter = filter.and(dynamic_filter_fn(move |line, _| is_worth_reading(line)));
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal() && !is_plain)
        .with_writer(std::io::stderr);
    let layer = match log.format {
        LogFormat::Human => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}
