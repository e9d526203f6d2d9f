//! Outputs: widths, lists, types in JSON.

use sentinel_rules::language::eval::{Engine, Memory, Selection};
use serde_json::{Value, json};

use crate::build::{connect, exec, load, open, rendered, rule};

fn fields(output: &str, event: &sentinel_event::Observation) -> Value {
    let engine = Engine::new(load(&rule("evt.type exists", output)), &Selection::default());
    let mut text = Vec::new();
    engine.evaluate(event, &mut Memory::default(), &mut |alert| alert.falco_json(&mut text));
    serde_json::from_slice::<Value>(&text).expect("JSON")["output_fields"].clone()
}

#[test]
fn a_list_is_shown_in_parentheses() {
    let start = exec("x", &["x", "-b", "1", "-a"]);
    assert_eq!(rendered(r#"%getopt(proc.args,"ab:")"#, &start), "(b,1,a)");
    assert_eq!(rendered(r#"[%getopt(proc.args,"ab:")[b]|%getopt(proc.args,"z")[z]]"#, &start), "[1|<NA>]");
}

#[test]
fn widths_are_bytes() {
    let event = open("/é", 0);
    for (output, expected) in [
        ("[%3fd.name]", "[/é]"),
        ("[%5fd.name]", "[/é  ]"),
        ("[%4evt.is_open_read]", "[true]"),
        ("[%2fd.num]", "[3 ]"),
        ("[%6container.image.tag]", "[<NA>  ]"),
        ("[%5toupper(proc.name)]", "[CAT  ]"),
        ("[%0proc.name]", "[]"),
    ] {
        assert_eq!(rendered(output, &event), expected, "{output}");
    }
}

#[test]
fn values_keep_their_types_in_json() {
    let told = fields(
        "%fd.sip %fd.sport %fd.connected %evt.rawres %user.loginuid %evt.res %proc.aname %container.image.tag \
         %toupper(proc.name) %evt.time.iso8601 %proc.aname[1]",
        &connect("::1", 9),
    );
    let expected = json!({
        "container.image.tag": null,
        "evt.rawres": 0,
        "evt.res": "SUCCESS",
        "evt.time": crate::build::NOW,
        "evt.time.iso8601": "2023-11-14T22:13:20.123456789+0000",
        "fd.connected": true,
        "fd.sip": "::1",
        "fd.sport": 9,
        "proc.aname": "bash sshd",
        "proc.aname[1]": "bash",
        "user.loginuid": -1,
    });
    assert_eq!(told, expected);
}

#[test]
fn a_field_that_stands_twice_or_beside_a_text_is_one_field() {
    let told = fields("%proc.name.x%proc.name:%proc.aname[2]%3proc.name", &open("/x", 0));
    let expected = json!({"evt.time": crate::build::NOW, "proc.aname[2]": "sshd", "proc.name": "cat"});
    assert_eq!(told, expected);
    assert_eq!(
        rendered("%proc.name.x%proc.name:%proc.aname[2]%3proc.name", &open("/x", 0)),
        "cat.xcat:sshdcat"
    );
}
