//! The description of the API: the real answers keep to it, and `docs/api.md` is written from it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use std::{fmt::Write as _, fs, path::Path};

use common::{Feed, alert, event, get, push, start};
use sentinel_wire::v1::{AnomalyReport, EventBatch, NodeStatus, node_status::*};
use serde_json::Value;
use tokio_stream::{StreamExt as _, iter};

/// What a value has that its schema does not allow, or lacks. The part of JSON Schema that the document uses.
fn faults(value: &Value, schema: &Value, document: &Value, place: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.strip_prefix('#').unwrap()).expect(reference);
        return faults(value, target, document, place);
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the test does not know the type {other}"),
    };
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        other => panic!("{place}: a schema without a type: {other}"),
    };
    if !kinds.iter().any(|kind| is(kind)) {
        return vec![format!("{place}: {value} is no {kinds:?}")];
    }
    let mut found = Vec::new();
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        found.push(format!("{place}: {value} is none of {}", schema["enum"]));
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(item, &schema["items"], document, &format!("{place}[{number}]")));
    }
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(key).is_none() {
            found.push(format!("{place}: {key} is missing"));
        }
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{key}");
        match (schema["properties"].get(key), schema.get("additionalProperties")) {
            (Some(schema), _) => found.extend(faults(item, schema, document, &place)),
            (None, Some(Value::Bool(false))) => found.push(format!("{place}: not described")),
            (None, Some(schema)) => found.extend(faults(item, schema, document, &place)),
            (None, None) => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_answers_are_as_described() {
    let detector = start("").await;
    let document = detector.json("/openapi.json").await;
    let mut client = detector.client().await;
    push(&mut client, vec![alert("a", "r1", "high", "n1", 1_767_225_600_000)]).await;
    let report =
        AnomalyReport { event_id: "e".into(), reason: "odd".into(), score: 0.5, ..Default::default() };
    client.report_anomaly(report).await.unwrap();
    let events =
        vec![event("e1", "file_read", "n1", &[("pid", "7"), ("comm", "nc"), ("filename", "/etc/shadow")])];
    let mut acks = client.push_events(iter([EventBatch { sequence: 1, events }])).await.unwrap().into_inner();
    acks.next().await.unwrap().unwrap();
    let status = NodeStatus {
        hostname: "n1".into(),
        counters: [("c".to_owned(), 1.5)].into(),
        hooks: vec![Hook::default()],
        rules: Some(RuleSetStatus { hits: vec![RuleHits::default()], ..Default::default() }),
        cgroups: vec![CgroupUse::default()],
        ..NodeStatus::default()
    };
    client.report_status(status).await.unwrap();
    let mut checked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let described = &operations["get"]["responses"]["200"]["content"];
        let address = match path.as_str() {
            "/api/stats" => "/api/stats?from=1767225500000&to=1767225700000",
            other => &other.replace("{alert_id}", "a"),
        };
        if path == "/events" {
            let mut feed = Feed::open(detector.http, "/events?since=0", &[]).await;
            let alert = &document["components"]["schemas"]["Alert"];
            for _ in 0..2 {
                assert_eq!(
                    faults(&feed.next().await.unwrap().1, alert, &document, path),
                    Vec::<String>::new()
                );
            }
            continue;
        }
        let answer = get(detector.http, address, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        let kind = described.as_object().unwrap().keys().next().unwrap();
        assert!(answer.head.contains(&format!("content-type: {kind}")), "{path}: {}", answer.head);
        let schema = &described[kind]["schema"];
        if schema.get("$ref").is_some() {
            let value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(faults(&value, schema, &document, path), Vec::<String>::new());
            checked += 1;
        }
    }
    assert_eq!(checked, 5);
    // Lists that are empty would prove nothing.
    let lineage = detector.json("/api/lineage/a").await;
    assert!(
        !lineage["touched"].as_array().unwrap().is_empty()
            && !lineage["processes"].as_array().unwrap().is_empty()
    );
    let error = get(detector.http, "/api/alerts?limit=0", &[]).await;
    let schema = &document["components"]["schemas"]["Error"];
    assert_eq!(
        faults(&serde_json::from_str(&error.body).unwrap(), schema, &document, "error"),
        Vec::<String>::new()
    );
}

const INTRODUCTION: &str = "# API of the detector

Generated from `crates/detector/src/http/openapi.json` by `UPDATE=1 cargo test -p sentinel-detector`; do not edit.

HTTP at port 8090 (`http` in [the configuration](reference/detector-config.md)). `GET /openapi.json` is the same for
machines. What is wrong is answered with a status of 400 or more and `{\"error\": …}`. With `http.token` set,
everything but `/healthz` needs the header `Authorization: Bearer TOKEN`.

```sh
curl -N http://127.0.0.1:8090/events                    # alerts as they come
curl -N http://127.0.0.1:8090/events?since=0            # all there are, then as they come
curl 'http://127.0.0.1:8090/api/alerts?severity=critical,high&limit=10'
```
";

/// `docs/api.md`.
fn markdown(document: &Value) -> String {
    let mut text = String::from(INTRODUCTION);
    for (path, operations) in document["paths"].as_object().unwrap() {
        let operation = &operations["get"];
        write!(text, "\n## GET {path}\n\n{}.", operation["summary"].as_str().unwrap()).unwrap();
        if let Some(more) = operation["description"].as_str() {
            write!(text, " {more}").unwrap();
        }
        let content = operation["responses"]["200"]["content"].as_object().unwrap();
        let (kind, content) = content.iter().next().unwrap();
        match content["schema"]["$ref"].as_str() {
            Some(reference) => {
                let name = reference.rsplit('/').next().unwrap();
                writeln!(text, " Answers [{name}](#{}).", name.to_lowercase()).unwrap();
            }
            None => writeln!(text, " Answers `{kind}`.").unwrap(),
        }
        if let Some(parameters) = operation["parameters"].as_array() {
            text.push_str("\n| parameter | in | meaning |\n|---|---|---|\n");
            for parameter in parameters {
                let said = |key: &str| parameter[key].as_str().unwrap();
                writeln!(text, "| `{}` | {} | {} |", said("name"), said("in"), said("description")).unwrap();
            }
        }
    }
    text.push_str("\n# Objects\n");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        writeln!(text, "\n## {name}\n").unwrap();
        if let Some(about) = schema["description"].as_str() {
            writeln!(text, "{about}\n").unwrap();
        }
        text.push_str("| key | type | meaning |\n|---|---|---|\n");
        rows(&mut text, schema, "");
    }
    text
}

fn rows(text: &mut String, schema: &Value, place: &str) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{place}{key}");
        let (inner, path) = if property["items"].is_object() {
            (&property["items"], format!("{path}[]"))
        } else {
            (property, path)
        };
        let kind = match (inner["$ref"].as_str(), &inner["type"]) {
            (Some(reference), _) => {
                let name = reference.rsplit('/').next().unwrap();
                format!("[{name}](#{})", name.to_lowercase())
            }
            (None, Value::String(kind)) => kind.clone(),
            (None, kinds) => kinds
                .as_array()
                .unwrap()
                .iter()
                .map(|kind| kind.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(" or "),
        };
        let values: Vec<_> = inner["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|value| format!("`{}`", value.as_str().unwrap()))
            .collect();
        let values =
            if values.is_empty() { String::new() } else { format!(" One of {}.", values.join(", ")) };
        let about = property["description"].as_str().unwrap_or_default();
        writeln!(text, "| `{path}` | {kind} | {about}{values} |").unwrap();
        rows(text, inner, &format!("{path}."));
    }
}

#[test]
fn the_documentation_is_fresh() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(directory.join("src/http/openapi.json")).unwrap();
    let text = markdown(&serde_json::from_str(&document).unwrap());
    let path = directory.join("../../docs/api.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == text,
        "stale: run UPDATE=1 cargo test -p sentinel-detector"
    );
}
