//! The log: what of it is shown, where, and how.

use std::fmt::{Debug, Write};
use std::io::IsTerminal;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Where a stream's end says that the other side was gone first, which is no news.
const STREAMS: &str = "yamux";
const GONE_FIRST: &str = "Failure while closing connection";
/// Whoever names the engine in the settings hears all of it.
const ENGINE: &str = "arc_malachitebft";

/// Begins to log, to standard error.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("warn"));
    let no_talk = NoTalk { is_all_told: log.level.contains(ENGINE) };
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal() && !is_plain)
        .with_writer(std::io::stderr);
    let layer = match log.format {
        LogFormat::Human => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer).with(no_talk).with(filter).try_init();
}

/// Leaves out what means nothing to an operator.
struct NoTalk {
    is_all_told: bool,
}

impl<S: Subscriber> Layer<S> for NoTalk {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if self.is_all_told {
            return true;
        }
        let mut line = Line { target: event.metadata().target().into(), message: String::new() };
        event.record(&mut line);
        let is_gone_first =
            line.target.starts_with(STREAMS) && line.message.starts_with(GONE_FIRST);
        !is_gone_first && !ddt_consensus::is_mere_talk(&line.target, &line.message)
    }
}

/// What an event says, and where; one that came by the `log` crate has its target as a field.
struct Line {
    target: String,
    message: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.target = value.to_string(),
            "message" => self.message = value.to_string(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        }
    }
}
