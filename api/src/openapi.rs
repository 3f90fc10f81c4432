//! The OpenAPI 3.1 document, made from the routes and the registry.

mod kinds;
mod shapes;

use ddt_ledger::registry::{Registry, Row};
use ddt_ledger::schema::{FieldInfo, Kind};
use ddt_ledger::view::ViewRow;
use serde_json::{Map, Value as Json, json};

use crate::routes::views::view_path;
use crate::routes::{private_routes, public_routes};
pub use kinds::{fields_schema, kind_schema};
use shapes::{path_parameter, shape_schema, type_schema};

#[derive(Clone, Debug)]
struct Parameter {
    name: &'static str,
    /// A shape's type; `!` behind it when the parameter must be given.
    shape: &'static str,
    doc: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    None,
    Event,
    Object,
}

/// A route as it is documented.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    summary: &'static str,
    query: Vec<Parameter>,
    body: Body,
    /// Statuses of success, and the shapes of their answers.
    answers: Vec<(u16, &'static str)>,
    media: &'static str,
    failures: Vec<u16>,
    is_private: bool,
    is_listed: bool,
}

/// A route with nothing but its method, its path and what it does.
pub(crate) fn operation(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        summary,
        query: Vec::new(),
        body: Body::None,
        answers: Vec::new(),
        media: "application/json",
        failures: vec![400, 429, 500, 503],
        is_private: false,
        is_listed: true,
    }
}

impl Operation {
    pub(crate) fn query(
        mut self,
        name: &'static str,
        shape: &'static str,
        doc: &'static str,
    ) -> Self {
        self.query.push(Parameter { name, shape, doc });
        self
    }

    pub(crate) fn paged(self) -> Self {
        self.query("limit", "limit", "Rows of the page, 1 to 100; 20 if not given.").query(
            "cursor",
            "text",
            "Where to go on: `next` of the page before.",
        )
    }

    pub(crate) fn answers(self, shape: &'static str) -> Self {
        self.also(200, shape)
    }

    pub(crate) fn also(mut self, status: u16, shape: &'static str) -> Self {
        self.answers.push((status, shape));
        self
    }

    /// Answers 200 with something else than JSON.
    pub(crate) fn media(mut self, media: &'static str) -> Self {
        self.media = media;
        self.also(200, "text")
    }

    pub(crate) fn event_body(mut self) -> Self {
        self.body = Body::Event;
        self.failures.extend([408, 413, 415]);
        self
    }

    pub(crate) fn json_body(mut self) -> Self {
        self.body = Body::Object;
        self.failures.extend([408, 413, 415]);
        self
    }

    pub(crate) fn may_fail(mut self, status: u16) -> Self {
        if !self.failures.contains(&status) {
            self.failures.push(status);
        }
        self
    }

    pub(crate) fn private(mut self) -> Self {
        self.is_private = true;
        self.failures.extend([401, 403]);
        self
    }

    /// Documented elsewhere, path by path.
    pub(crate) fn unlisted(mut self) -> Self {
        self.is_listed = false;
        self
    }

    fn path_names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
    }

    fn to_json(&self) -> Json {
        let mut parameters: Vec<Json> = self.path_names().map(path_parameter).collect();
        parameters.extend(self.query.iter().map(|parameter| {
            let (shape, is_required) = match parameter.shape.strip_suffix('!') {
                Some(shape) => (shape, true),
                None => (parameter.shape, false),
            };
            query_parameter(parameter.name, type_schema(shape), parameter.doc, is_required)
        }));
        let mut failures = self.failures.clone();
        if self.path.contains('{') {
            failures.push(404);
        }
        let mut responses = problem_responses(failures);
        for (status, shape) in &self.answers {
            let content = json!({ self.media: {"schema": shape_schema(shape)} });
            let answer = json!({"description": self.summary, "content": content});
            responses.insert(status.to_string(), answer);
        }
        let listener = if self.is_private { "private" } else { "public" };
        let mut json = json!({
            "summary": self.summary,
            "tags": [listener],
            "operationId": operation_id(self.method, self.path),
            "parameters": parameters,
            "responses": responses,
        });
        if let Some(object) = json.as_object_mut() {
            if self.is_private {
                object.insert("security".into(), json!([{"token": []}]));
            }
            if let Some(body) = self.body_json() {
                object.insert("requestBody".into(), body);
            }
        }
        json
    }

    fn body_json(&self) -> Option<Json> {
        let content = match self.body {
            Body::None => return None,
            Body::Event => json!({
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/event_body"}},
            }),
            Body::Object => json!({"application/json": {"schema": {"type": "object"}}}),
        };
        Some(json!({"required": true, "content": content}))
    }
}

fn operation_id(method: &str, path: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let path: String = path.chars().filter(|c| !"{}".contains(*c)).map(word).collect();
    format!("{method}{path}")
}

fn query_parameter(name: &str, schema: Json, doc: &str, is_required: bool) -> Json {
    json!({
        "name": name, "in": "query", "required": is_required,
        "description": doc, "schema": schema,
    })
}

fn problem_responses(mut statuses: Vec<u16>) -> Map<String, Json> {
    statuses.sort_unstable();
    statuses.dedup();
    let schema = json!({"$ref": "#/components/schemas/problem"});
    let response = |status: u16| {
        let content = json!({ crate::error::PROBLEM_JSON: {"schema": schema} });
        (status.to_string(), json!({"description": "A problem.", "content": content}))
    };
    statuses.into_iter().map(response).collect()
}

fn event_schema(row: &Row) -> Json {
    let mut schema = fields_schema(row.fields);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), row.name.into());
        object.insert("description".into(), row.words.into());
        object.insert("x-tag".into(), row.tag.into());
        object.insert("x-signer".into(), format!("{:?}", row.signer).to_lowercase().into());
        let codes: Vec<&str> = row.refusals.iter().map(|refusal| refusal.code).collect();
        object.insert("x-refusals".into(), codes.into());
    }
    schema
}

fn view_operation(view: &ViewRow) -> Json {
    let parameter = |field: &FieldInfo| {
        let (kind, is_required) = match field.kind {
            Kind::Optional(kind) => (*kind, false),
            kind => (kind, true),
        };
        query_parameter(field.name, kind_schema(&kind), field.doc.trim(), is_required)
    };
    let mut parameters: Vec<Json> = view.query.iter().map(parameter).collect();
    let (limit, text, flag) = (type_schema("limit"), type_schema("text"), type_schema("flag"));
    parameters.extend([
        query_parameter("limit", limit, "Rows of the page, 1 to 100; 20 if not given.", false),
        query_parameter("cursor", text, "Where to go on: `next` of the page before.", false),
        query_parameter("proof", flag, "1: with what proves it, where one row holds it.", false),
    ]);
    let row = json!({"$ref": format!("#/components/schemas/view.{}", view.name)});
    let answer = json!({
        "description": view.doc,
        "content": {"application/json": {"schema": shapes::page_schema(row)}},
    });
    let mut responses = problem_responses(vec![400, 404, 429, 500, 503]);
    responses.insert("200".into(), answer);
    let path = view_path(view.name);
    json!({
        "summary": view.doc,
        "tags": ["views"],
        "operationId": operation_id("get", &path),
        "parameters": parameters,
        "responses": responses,
    })
}

/// The whole document: every route of both listeners, every view, every event's fields.
pub fn openapi(registry: &Registry) -> Json {
    let mut paths: Map<String, Json> = Map::new();
    let routes = public_routes().into_iter().chain(private_routes());
    let mut put = |path: &str, method: &str, operation: Json| {
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(methods) = entry.as_object_mut() {
            methods.insert(method.to_string(), operation);
        }
    };
    for route in routes.filter(|route| route.operation.is_listed) {
        put(route.operation.path, route.operation.method, route.operation.to_json());
    }
    let mut schemas = shapes::schemas();
    for view in registry.views() {
        put(&view_path(view.name), "get", view_operation(view));
        schemas.insert(format!("view.{}", view.name), fields_schema(view.row));
    }
    for row in registry.rows() {
        schemas.insert(format!("event.{}", row.name), event_schema(row));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "DDT node",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Reads of the ledger, and submission of signed events. Routes \
                tagged private are on the private listener.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}
