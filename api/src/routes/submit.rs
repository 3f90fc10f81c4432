//! Submitting signed events, and asking what they would do.

use std::time::Duration;

use axum::Json as AxumJson;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ddt_ledger::admit::{Admission, admit, admit_unsigned};
use ddt_ledger::codec::decode;
use ddt_ledger::event::{
    CHAIN, Checked, Draft, EVENT_BYTES_MAX, EVENT_VERSION, MALFORMED, VERSION,
};
use ddt_ledger::{ChainId, Refusal};
use serde_json::json;

use super::events::soft_receipt;
use super::ok;
use super::receipts::receipt_row;
use crate::backend::{Stage, SubmitError, Submitted, Wait};
use crate::body;
use crate::error::Problem;
use crate::paging::Params;
use crate::reading::App;

/// How long a submission is waited for, unless asked otherwise.
const WAIT_DEFAULT: Duration = Duration::from_secs(30);

fn wait(app: &App, params: &Params) -> Result<Option<Wait>, Problem> {
    params.only(&["wait", "timeout_ms"])?;
    let max = app.limits.wait_max;
    let wanted = format!("A number of milliseconds from 1 to {} is", max.as_millis());
    let timeout = match params.parsed::<u64>("timeout_ms", &wanted)?.map(Duration::from_millis) {
        None => WAIT_DEFAULT.min(max),
        Some(timeout) if !timeout.is_zero() && timeout <= max => timeout,
        Some(_) => return Err(Problem::parameter("timeout_ms", format!("{wanted} wanted."))),
    };
    let Some(word) = params.get("wait") else { return Ok(None) };
    let stage = Stage::from_word(word).filter(|stage| *stage > Stage::Accepted);
    let words = "One of sequenced, final and proven is wanted.";
    let stage = stage.ok_or_else(|| Problem::parameter("wait", words))?;
    Ok(Some(Wait { stage, timeout }))
}

/// 200 when the stage asked for was reached, 202 while the event is on its way.
async fn answer(app: &App, submitted: Submitted, wait: Option<Wait>) -> Result<Response, Problem> {
    let registry = app.backend.book().registry();
    let anchor = app.look_up(|reading| Ok(reading.head.height))?;
    let receipt = submitted.receipt.as_ref().map(|receipt| receipt_row(registry, anchor, receipt));
    let is_reached = wait.is_some_and(|wait| submitted.stage >= wait.stage);
    let json = json!({
        "anchor": anchor,
        "event": submitted.event,
        "stage": submitted.stage,
        "soft_receipt": soft_receipt(&submitted)?,
        "receipt": receipt,
    });
    let status = if is_reached { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut response = (status, AxumJson(json)).into_response();
    if let Ok(url) = HeaderValue::from_str(&format!("/v1/events/{}", submitted.event)) {
        response.headers_mut().insert(header::LOCATION, url);
    }
    Ok(response)
}

pub(super) async fn submit(
    State(app): State<App>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let wait = wait(&app, &params)?;
    let bytes = body::event(request, &app.limits).await?;
    match app.backend.submit(bytes, wait).await {
        Ok(submitted) => answer(&app, submitted, wait).await,
        Err(SubmitError::Timeout(submitted)) => answer(&app, *submitted, wait).await,
        Err(error) => Err(error.into()),
    }
}

/// An unsigned event's canonical bytes, for this chain.
fn draft(bytes: &[u8], chain: ChainId) -> Result<Draft, Refusal> {
    let draft: Draft = decode(bytes, EVENT_BYTES_MAX).map_err(|_| MALFORMED)?;
    if draft.version != EVENT_VERSION {
        return Err(VERSION);
    }
    if draft.chain == chain { Ok(draft) } else { Err(CHAIN) }
}

pub(super) async fn forecast(
    State(app): State<App>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    params.only(&["unsigned"])?;
    let is_unsigned = params.flag("unsigned")?;
    let bytes = body::event(request, &app.limits).await?;
    let answer = app.read(move |reading| {
        let (registry, chain) = (reading.registry(), reading.book().chain());
        let (rows, now) = (&reading.snapshot, reading.backend.now());
        let (admission, id) = if is_unsigned {
            (admit_unsigned(registry, rows, draft(&bytes, chain)?, now)?, None)
        } else {
            let event = Checked::check(&bytes, chain, registry)?;
            (admit(registry, rows, &event, now)?, Some(event.id()))
        };
        let (outcome, fee, refusal) = match admission {
            Admission::Admitted { fee, forecast: Ok(()), .. } => ("done", Some(fee), None),
            Admission::Admitted { fee, forecast: Err(refusal), .. } => {
                ("refused", Some(fee), Some(refusal))
            }
            Admission::Void(refusal) => ("void", None, Some(refusal)),
        };
        let refusal = refusal.map(|refusal| json!({"code": refusal.code, "words": refusal.words}));
        Ok(json!({
            "anchor": reading.head.height,
            "event": id,
            "outcome": outcome,
            "fee": fee,
            "refusal": refusal,
        }))
    });
    answer.await.map(ok)
}
