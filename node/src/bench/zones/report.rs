//! What `ddt bench zones` says.

use serde_json::{Value as Json, json};

use super::ZonesArgs;
use super::measuring::{Measured, Synced};
use crate::bench::latency::{STAGES, by_stage, lines};
use crate::bench::opaque::{PAYLOAD_BYTES, PAYLOADS};
use crate::cli::Output;

/// What a network of so many routers did.
pub struct Figures {
    pub zones: u32,
    pub measured: Measured,
    pub synced: Option<Synced>,
}

/// What was counted: payments, or what rides in an event.
struct Unit {
    name: &'static str,
    each: f64,
}

impl Unit {
    fn of(args: &ZonesArgs) -> Unit {
        match args.opaque {
            true => Unit { name: "payloads", each: PAYLOADS as f64 },
            false => Unit { name: "payments", each: 1.0 },
        }
    }
}

/// Says what all networks did, beside so many signatures a second that the machine verifies.
pub fn report(args: &ZonesArgs, all: &[Figures], limit: f64, output: &Output) {
    let words: Vec<String> = all.iter().map(|figures| shown(args, figures, limit)).collect();
    let networks: Vec<Json> = all.iter().map(|figures| data(args, figures, limit)).collect();
    let data = json!({
        "networks": networks,
        "delay_ms": args.delay_ms,
        "jitter_ms": args.jitter_ms,
        "loss_percent": args.loss_percent,
        "verification_limit_per_second": limit,
    });
    output.result(data, words.join("\n"));
}

fn data(args: &ZonesArgs, figures: &Figures, limit: f64) -> Json {
    let Figures { zones, measured, synced } = figures;
    let unit = Unit::of(args);
    let mut data = json!({
        "zones": zones,
        "events_per_second": measured.rate,
        "cpu_seconds_per_event": measured.cpu,
        "loopback_bytes_per_event": measured.bytes,
        "idle": by_stage(&measured.idle),
        "loaded": by_stage(&measured.loaded),
        "events_per_second_loaded": measured.loaded_rate,
        "idle_final_in_delays": in_delays(args, figures),
        "ratio_to_verification_limit_over_zones": measured.rate / over_zones(limit, *zones),
        "synced": synced.as_ref().map(|synced| json!({
            "events": synced.events,
            "seconds": synced.seconds,
            "ratio_to_live": synced.events / synced.seconds / measured.rate,
            "live_events_per_second": synced.live_rate,
        })),
    });
    if args.opaque
        && let Some(object) = data.as_object_mut()
    {
        object.insert("payloads_per_second".to_string(), json!(measured.rate * unit.each));
    }
    data
}

fn over_zones(limit: f64, zones: u32) -> f64 {
    limit / f64::from(zones)
}

/// Times to finality on an idle network, on average, in delays between two routers.
fn in_delays(args: &ZonesArgs, figures: &Figures) -> Option<f64> {
    let at = STAGES.iter().position(|stage| *stage == "final")?;
    let mean = figures.measured.idle.get(at)?.mean;
    (args.delay_ms > 0 && figures.zones > 1).then(|| mean / args.delay_ms as f64)
}

fn shown(args: &ZonesArgs, figures: &Figures, limit: f64) -> String {
    let Figures { zones, measured, synced } = figures;
    let Unit { name, each } = Unit::of(args);
    let or_unknown = |value: Option<f64>, unit: &str| {
        value.map_or("unknown".to_string(), |value| format!("{value:.1} {unit}"))
    };
    let beside = match args.opaque {
        true => format!("{:.1} MB a second", measured.rate * each * PAYLOAD_BYTES as f64 / 1e6),
        false => format!(
            "ratio {:.3} to the {limit:.0} signatures that the machine verifies, divided by the \
             routers",
            measured.rate / over_zones(limit, *zones)
        ),
    };
    let mut words = format!(
        "{zones} router(s): {:.0} {name} a second in the book, {beside}\n  {} of processor and {} \
         over loopback, clients included, for each of them\n  milliseconds: p50, p99, of how \
         many payments; idle\n{}  at {:.0} a second\n{}",
        measured.rate * each,
        or_unknown(measured.cpu.map(|seconds| seconds * 1e6 / each), "µs"),
        or_unknown(measured.bytes.map(|bytes| bytes / each), "bytes"),
        lines(&measured.idle),
        measured.loaded_rate * each,
        lines(&measured.loaded),
    );
    if let Some(delays) = in_delays(args, figures) {
        let line =
            format!("  idle, final after {delays:.1} delays of {} ms, on average\n", args.delay_ms);
        words.push_str(&line);
    }
    if let Some(Synced { events, seconds, live_rate }) = synced {
        let rate = events / seconds;
        let line = format!(
            "  a new full node executed {:.0} {name} in {seconds:.1} s, {:.0} a second, {:.1} \
             times as fast as they came\n",
            events * each,
            rate * each,
            rate / measured.rate,
        );
        words.push_str(&line);
        if args.follow_at > 0 {
            words.push_str(&format!(
                "    meanwhile {:.0} came a second: {:.1} times as fast as these\n",
                live_rate * each,
                rate / live_rate,
            ));
        }
    }
    words
}
