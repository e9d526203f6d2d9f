#![allow(clippy::unwrap_used)]
#![allow(unreachable_pub, reason = "the macro is for libraries")]

use super::*;
use crate::{self as sentinel_service, Reference, Row};

crate::sections! {
    /// All of it.
    Top {
        /// How many.
        how_many: u8 = 3,
        /// More.
        inner: Inner = Inner::default(),
    }

    /// A part.
    Inner {
        /// A name.
        path: String = "p".into(),
    }
}

fn read(text: &str) -> Result<Top, SettingsError> {
    parse("f.yaml", text)
}

#[test]
fn what_is_not_said_is_the_default() {
    for text in ["", "# nothing\n", "howMany:\n", "inner:\n", "inner: {}\n", "howMany: 3"] {
        assert_eq!(read(text).unwrap(), Top::default(), "{text:?}");
    }
    assert_eq!(read("inner: {path: q}").unwrap().inner.path, "q");
}

#[test]
fn errors_name_file_key_and_remedy() {
    for (text, told) in [
        (
            "howmany: 4",
            r#"f.yaml: howmany: unknown field `howmany`, expected `howMany` or `inner`; did you mean "howMany"?"#,
        ),
        ("inner: {pth: x}", r#"did you mean "path"?"#),
        ("zebra: 1", "unknown field `zebra`"),
        ("howMany: many", "f.yaml: howMany: invalid type: string \"many\", expected u8"),
        ("howMany: [", "close every bracket"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
    assert!(!read("zebra: 1").unwrap_err().to_string().contains("did you mean"));
}

#[test]
fn only_the_default_file_may_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none.yaml");
    assert_eq!(load::<Top>(None, missing.to_str().unwrap()).unwrap(), Top::default());
    let error = load::<Top>(Some(&missing), "").unwrap_err().to_string();
    assert!(error.contains("none.yaml: No such file") && error.contains("correct the path"), "{error}");
}

#[test]
fn typing_errors_find_their_word() {
    let known = ["pathPrefixes", "comms", "event", "file_read"];
    let cases = [("pathprefix", Some("pathPrefixes")), ("evnet", Some("event")), ("zebra", None), ("", None)];
    for (word, expected) in cases {
        assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
    }
}

#[test]
fn the_reference_has_every_key_with_default_and_meaning() {
    let sections: &[(&str, &[&str])] = &[("", Top::DOCS), ("inner", Inner::DOCS)];
    let page = Reference { introduction: "# Keys\n", sections, foreign: None };
    let text = page.write(&Top::default()).unwrap();
    let rows: Vec<_> = text.lines().skip(4).collect();
    assert_eq!(
        rows,
        ["| `howMany` | `3` | How many. |", "| `inner` |  | More. |", "| `inner.path` | `p` | A name. |"]
    );
    let foreign: &[Row] = &[("size", 7.into(), "How large.")];
    let page = Reference { foreign: Some(("inner", foreign)), ..page };
    assert!(page.write(&Top::default()).unwrap().ends_with("| `inner.size` | `7` | How large. |\n"));
    assert!(Reference { sections: &[], foreign: None, ..page }.write(&Top::default()).is_err());
}
