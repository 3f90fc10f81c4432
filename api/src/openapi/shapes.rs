//! What the answers of fixed routes look like.
//!
//! A shape is a line of `name:type` pairs. Types are those of [`type_schema`] or other
//! shapes; `[type]` is a list, `type?` may be null, `name~:type` may be absent.

use serde_json::{Map, Value as Json, json};

use crate::paging::LIMIT_MAX;

const SHAPES: &[(&str, &str)] = &[
    ("event_body", "event:hex"),
    ("refusal", "code:text words:text"),
    ("party", "kind:text account~:account programme~:count key~:hash node_key~:key zone~:count"),
    ("posting", "from:party to:party amount:amount reason:text"),
    (
        "receipt",
        "height:count index:count stage:text subject:text name:text? tag:count? id:hash? \
         author:account? zone:count? number:count? outcome:text refusal:refusal? fee:amount \
         postings:[posting]",
    ),
    (
        "named_receipt",
        "height:count index:count stage:text subject:text name:text? tag:count? id:hash? \
         author:account? zone:count? number:count? outcome:text refusal:refusal? fee:amount \
         postings:[posting] time:time words:text? fields:object?",
    ),
    (
        "event",
        "anchor:count height:count? index:count? stage:text subject:text name:text? tag:count? \
         id:hash author:account? zone:count? number:count? outcome:text? refusal:refusal? \
         fee:amount? postings:[posting] term:count? block:count? place:count? \
         soft_receipt:soft_receipt? fields:object? words:text? key:key? role:text? nonce:count? \
         valid_until:time? signature:signature? bytes:hex? proof~:proof?",
    ),
    (
        "soft_receipt",
        "chain:hash event:hash zone:count term:count height:count number:count \
         bytes:hex signature:signature",
    ),
    ("submitted", "anchor:count event:hash stage:text soft_receipt:soft_receipt? receipt:receipt?"),
    ("forecast", "anchor:count event:hash? outcome:text fee:amount? refusal:refusal?"),
    (
        "status",
        "anchor:count lowest:count anchor_id:hash chain:hash network:text time:time clock:time \
         epoch:count proven:count? events:count accounts:count now:time node:node_status",
    ),
    (
        "node_status",
        "version:text role:text started_ms:time mempool:count peers:count peer_id:text \
         is_ready:flag not_ready:text times:stage_times",
    ),
    ("stage_times", "sequenced:percentiles final:percentiles"),
    ("percentiles", "events:count p50_ms:count? p99_ms:count?"),
    (
        "zone",
        "zone:count router:account key:key events:count voids:count is_validator:flag \
         is_governed:flag",
    ),
    (
        "zone_now",
        "anchor:count zone:count router:account key:key events:count voids:count \
         is_validator:flag is_governed:flag",
    ),
    (
        "lane",
        "zone:count term:count height:count tip:hash next_number:count key:key opened:time \
         heard:time",
    ),
    (
        "lane_now",
        "anchor:count zone:count term:count height:count tip:hash next_number:count key:key \
         opened:time heard:time",
    ),
    (
        "anchor",
        "height:count id:hash stage:text time:time clock:time epoch:count receipts:count \
         state_root:hash receipts_root:hash",
    ),
    ("roots", "state_root:hash receipts_root:hash"),
    ("tip", "zone:count term:count height:count block:hash"),
    ("statement", "key:key time:time signature:signature"),
    ("vote", "key:key signature:signature"),
    ("certificate", "height:count round:count anchor:hash signatures:[vote]"),
    (
        "anchor_whole",
        "anchor:count height:count id:hash stage:text time:time clock:time epoch:count \
         receipts:count state_root:hash receipts_root:hash previous:hash before:roots \
         next_validators:hash maker:hex maker_zone:count? tips:[tip] statements:[statement] \
         certificate:certificate body:hex",
    ),
    (
        "account_now",
        "anchor:count account:account is_open:flag balance:amount key:key? rotations:count \
         opened:time? nonce_highest:count node_keys:[node_key] proof~:proof?",
    ),
    ("node_key", "key:key role:text allowance:amount nonce_highest:count is_revoked:flag"),
    (
        "proof",
        "version:count chain:hash height:count handovers:[object] anchor:object claim:object",
    ),
    ("fee", "event:text? bytes:count fee:amount"),
    ("fees", "anchor:count value_index:decimal event:amount byte:amount asked:fee? params:object"),
    (
        "epoch",
        "epoch:count height:count time:time events:count supply:amount minted:amount \
         burned:amount accounts:amount held:amount pool:amount account_count:count",
    ),
    (
        "economy",
        "anchor:count epoch:count supply:amount genesis:amount minted:amount burned:amount \
         accounts:amount held:amount pool:amount account_count:count is_conserved:flag \
         value_index:decimal epochs:[epoch] next:text?",
    ),
    ("field", "name:text doc:text schema:object"),
    ("view", "name:text doc:text path:text query:[field] row:[field]"),
    ("views", "rows:[view]"),
    ("programme", "id:count name:text purpose:text"),
    (
        "event_row",
        "tag:count name:text signer:text words:text work:count fields:[field] \
         refusals:[refusal]",
    ),
    ("registry", "programmes:[programme] rows:[event_row]"),
    ("hit", "kind:text url:text page:text"),
    ("found", "anchor:count rows:[hit]"),
    ("reveals", "rows:[object]"),
    ("problem", "type:text title:text status:count detail:text field~:text request_id~:text"),
];

fn pattern(pattern: &str, words: &str) -> Json {
    json!({"type": "string", "pattern": pattern, "description": words})
}

/// The JSON schema of a type's name.
pub(super) fn type_schema(name: &str) -> Json {
    match name {
        "count" => json!({"type": "integer", "minimum": 0}),
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}),
        "time" => json!({
            "type": "integer", "minimum": 0,
            "description": "Milliseconds since 1970-01-01 UTC.",
        }),
        "text" => json!({"type": "string"}),
        "flag" => json!({"type": "boolean"}),
        "object" => json!({"type": "object"}),
        "amount" => pattern("^[0-9]+(\\.[0-9]{1,9})?$", "Money, in APT."),
        "decimal" => pattern("^[0-9]+(\\.[0-9]+)?$", "A decimal number."),
        "address" => pattern("^ddt1[02-9ac-hj-np-z]+$", "A DDT address, in bech32m."),
        "account" => pattern("^apt1[02-9ac-hj-np-z]+$", "An account id, in bech32m."),
        "hash" => pattern("^[0-9a-f]{64}$", "32 bytes in hex."),
        "key" => pattern("^[0-9a-f]{64}$", "An Ed25519 public key in hex."),
        "signature" => pattern("^[0-9a-f]{128}$", "An Ed25519 signature in hex."),
        "hex" => pattern("^([0-9a-f]{2})*$", "Bytes in hex."),
        _ => json!({"$ref": format!("#/components/schemas/{name}")}),
    }
}

fn field_schema(kind: &str) -> Json {
    if let Some(inner) = kind.strip_suffix('?') {
        return json!({"anyOf": [field_schema(inner), {"type": "null"}]});
    }
    match kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => json!({"type": "array", "items": type_schema(inner)}),
        None => type_schema(kind),
    }
}

/// A page of rows, with a proof where one was asked for.
pub(super) fn page_schema(row: Json) -> Json {
    json!({
        "type": "object",
        "properties": {
            "anchor": type_schema("count"),
            "rows": {"type": "array", "items": row},
            "next": field_schema("text?"),
            "proof": field_schema("proof?"),
        },
        "required": ["anchor", "rows", "next"],
        "additionalProperties": false,
    })
}

/// The schema of an answer: a type or shape, or `[…]` for a page of it.
pub(super) fn shape_schema(name: &str) -> Json {
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(row) => page_schema(type_schema(row)),
        None => type_schema(name),
    }
}

/// Every shape, by name.
pub(super) fn schemas() -> Map<String, Json> {
    let schema = |(name, line): &(&str, &str)| {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (name, kind) in line.split_whitespace().filter_map(|pair| pair.split_once(':')) {
            let optional = name.strip_suffix('~');
            if optional.is_none() {
                required.push(name);
            }
            properties.insert(optional.unwrap_or(name).to_string(), field_schema(kind));
        }
        let schema = json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        });
        (name.to_string(), schema)
    };
    SHAPES.iter().map(schema).collect()
}

/// A part of a path.
pub(super) fn path_parameter(name: &str) -> Json {
    let (schema, words) = match name {
        "zone" => (type_schema("count"), "A zone's number."),
        "height" => (type_schema("count"), "An anchor's height."),
        "account" => (type_schema("account"), "An account id."),
        "event" => (type_schema("text"), "An event's id, or zone:number."),
        _ => (type_schema("text"), "A name."),
    };
    json!({"name": name, "in": "path", "required": true, "description": words, "schema": schema})
}
