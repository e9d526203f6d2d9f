//! Conditions as text: what is in the language, what is not and where it stops, the canonical form.

use sentinel_rules::language::{DEPTH_MAX, parse_condition};

#[test]
fn conditions_have_a_canonical_form() {
    for (text, canonical) in [
        // Precedence, flattening, parentheses.
        ("m", "m"),
        ("a and b or c", "((a and b) or c)"),
        ("a or b and c", "(a or (b and c))"),
        ("a or b or c", "(a or b or c)"),
        ("(a or b) or c", "((a or b) or c)"),
        ("((a))", "a"),
        ("not a and b", "(not a and b)"),
        ("not (a and b)", "not (a and b)"),
        ("not(a)", "not a"),
        ("not not a", "a"),
        ("not not not(a or b)", "not (a or b)"),
        ("a or(b)", "(a or b)"),
        ("a and not(b)", "(a and not b)"),
        ("a and(b or c)or d", "((a and (b or c)) or d)"),
        ("a\tand\r\nb\u{8}and c", "(a and b and c)"),
        ("  a  ", "a"),
        ("android or oracle", "(android or oracle)"),
        ("notx", "notx"),
        // Operators.
        ("proc.name exists", "proc.name exists"),
        ("proc.name existsand m", "(proc.name exists and m)"),
        ("fd.num>=0", "fd.num >= 0"),
        ("fd.num<=-1 and fd.num<0x1F", "(fd.num <= -1 and fd.num < 0x1F)"),
        ("a.b > 1.5e+3", "a.b > 1.5e+3"),
        ("proc.name=cat", "proc.name = cat"),
        ("proc.name==cat", "proc.name == cat"),
        ("proc.name!=cat", "proc.name != cat"),
        ("evt.dir=<", "evt.dir = <"),
        ("a.b contains x", "a.b contains x"),
        ("a.b startswith /etc/", "a.b startswith /etc/"),
        ("a.b bcontains cafebabe", "a.b bcontains cafebabe"),
        ("a.b iglob *x?", "a.b iglob *x?"),
        // Lists.
        ("a.b in(x,y)", "a.b in (x, y)"),
        ("a.b in ( x , \"y z\" )", "a.b in (x, \"y z\")"),
        ("a.b in ()", "a.b in ()"),
        ("a.b in list_name", "a.b in list_name"),
        ("a.b intersects (x)", "a.b intersects (x)"),
        ("a.b pmatch (/var, /etc)", "a.b pmatch (/var, /etc)"),
        // Modifiers.
        ("a.b = oneof (x, y)", "a.b = oneof (x, y)"),
        ("a.b startswith anyof list", "a.b startswith anyof list"),
        ("a.b != allof (x)", "a.b != allof (x)"),
        ("a.b = oneof and x.y exists", "(a.b = oneof and x.y exists)"),
        ("a.b = oneof", "a.b = oneof"),
        ("a.b = anyof or m", "(a.b = anyof or m)"),
        // Arguments.
        ("proc.aname[2]=x", "proc.aname[2] = x"),
        ("a.b[\"\"] exists", "a.b[\"\"] exists"),
        ("a.b['x y'] exists", "a.b[\"x y\"] exists"),
        ("a.b[/proc*] exists", "a.b[/proc*] exists"),
        // Transformers and val().
        ("tolower(a.b) = x", "tolower(a.b) = x"),
        ("concat( a.b , \"x\",toupper(c.d) ) = y", "concat(a.b,\"x\",toupper(c.d)) = y"),
        ("join(\",\", (a.b, \"c\")) = y", "join(\",\",(a.b,\"c\")) = y"),
        ("getopt(a.b, \"ho:\")[o] = x", "getopt(a.b,\"ho:\")[o] = x"),
        ("len(a.b) > 0x10", "len(a.b) > 0x10"),
        ("a.b = val(c.d)", "a.b = val(c.d)"),
        ("a.b < val( c.d )", "a.b < val(c.d)"),
        ("a.b in tolower(c.d)", "a.b in tolower(c.d)"),
        ("a.b = tolower(c.d[1])", "a.b = tolower(c.d[1])"),
        ("a.b = value", "a.b = value"),
        ("a.b = tolowerx", "a.b = tolowerx"),
        // Quotes and escapes.
        (r#"a.b = "x""#, "a.b = x"),
        (r#"a.b = 'it"s'"#, r#"a.b = "it\"s""#),
        (r#"a.b = "it's""#, r#"a.b = "it's""#),
        (r#"a.b = "\b\f\n\r\t\\\/\"\x41""#, r#"a.b = "\b\f\n\r\t\\/\"A""#),
        (r#"a.b = "\ x""#, r#"a.b = "\\x""#),
        (r"a.b = C:\dir", r#"a.b = "C:\\dir""#),
        (r#"a.b = "x=y""#, r#"a.b = "x=y""#),
        (r#"a.b = "\xff\x00""#, r#"a.b = "\xff\x00""#),
        (r#"a.b = "x\\ ""#, r#"a.b = "x\\ ""#),
        ("a.b = é", "a.b = é"),
    ] {
        let parsed = parse_condition(text).map(|expr| expr.canonical());
        assert_eq!(parsed.as_deref(), Ok(canonical), "{text}");
        let again = parse_condition(canonical).map(|expr| expr.canonical());
        assert_eq!(again.as_deref(), Ok(canonical), "again: {text}");
    }
}

#[test]
fn some_canonical_forms_cannot_be_read_back() {
    for (text, canonical) in [
        ("not (not a)", "not not a"),
        ("not(not(not a))", "not not not a"),
        (r#"a.b = """#, "a.b = "),
        (r#"a.b in ("", x)"#, "a.b in (, x)"),
        (r#"a.b in ("(x)", "y,z")"#, "a.b in ((x), y,z)"),
        (r#"a.b = "x\ ""#, r#"a.b = "x\\""#),
        (r#"a.b["[x]"] exists"#, "a.b[[x]] exists"),
        (r#"a.b in ("x\x0b")"#, "a.b in (x\u{b})"),
    ] {
        let parsed = parse_condition(text).map(|expr| expr.canonical());
        assert_eq!(parsed.as_deref(), Ok(canonical), "{text}");
    }
}

#[test]
fn what_is_wrong_is_found_in_its_place() {
    for (text, line, column, message) in [
        ("", 1, 1, "expected a '(' token, a field check, or an identifier"),
        ("  ", 1, 3, "expected a '(' token"),
        ("a b", 1, 3, "unexpected token after 'a', expecting 'or', 'and'"),
        ("a or(b) and c", 1, 9, "unexpected token after ')', expecting 'or', 'and'"),
        ("a and\n  or\n b c", 3, 2, "unexpected token"),
        ("a or", 1, 5, "expected blank or '(' after 'or'"),
        ("a.b exists andx", 1, 15, "expected blank or '(' after 'and'"),
        ("a or \n", 2, 1, "expected a '(' token"),
        ("(a", 1, 3, "expected a ')' token"),
        ("(a b)", 1, 4, "expected a ')' token"),
        ("a)", 1, 2, "unexpected token"),
        ("not(", 1, 5, "expected a '(' token"),
        ("not ", 1, 5, "expected a '(' token"),
        ("a.b", 1, 4, "expected an operator"),
        ("a.b ~ c", 1, 5, "expected an operator"),
        ("a.b contains(c)", 1, 5, "expected an operator"),
        ("a. = b", 1, 2, "unexpected token"),
        ("1.b = c", 1, 1, "expected a '(' token"),
        ("a.b < abc", 1, 7, "expected a number value"),
        ("a.b < \"1\"", 1, 7, "expected a number value"),
        ("a.b = ", 1, 7, "expected a string value"),
        ("a.b = =", 1, 7, "expected a string value"),
        ("a.b = (c)", 1, 7, "expected a string value"),
        ("a.b = oneof x y", 1, 15, "unexpected token"),
        ("a.b in", 1, 7, "expected a list, an identifier"),
        ("a.b in (c", 1, 10, "expected a ')' token"),
        ("a.b in (c,)", 1, 11, "expected a value of the list"),
        ("a.b in (,c)", 1, 9, "expected a value of the list"),
        ("a.b in (c d)", 1, 11, "expected a ')' token"),
        ("a.b in ((c))", 1, 9, "expected a value of the list"),
        ("a.b in \"c\"", 1, 8, "expected a list, an identifier"),
        ("a.b[] exists", 1, 5, "expected a valid field argument: a quoted string or a bare string"),
        ("a.b[ c ] exists", 1, 5, "expected a valid field argument"),
        ("a.b[c exists", 1, 6, "expected a ']' token"),
        ("a.b [c] exists", 1, 5, "expected an operator"),
        ("val(a.b) = c", 1, 4, "unexpected token after 'val'"),
        ("a.b = val(c)", 1, 11, "expected a field in val()"),
        ("a.b = val(val(c.d))", 1, 11, "expected a field in val()"),
        ("a.b = val(c.d)[1]", 1, 15, "unexpected token"),
        ("a.b = val(c.d, e.f)", 1, 14, "expected a ')' token"),
        ("tolower() = x", 1, 10, "expected an argument"),
        ("tolower (a.b) = x", 1, 9, "unexpected token after 'tolower'"),
        ("tolower(abc) = x", 1, 9, "expected a number, a quoted string"),
        ("tolower(a.b,) = x", 1, 13, "expected a number, a quoted string"),
        ("join(\"\", ((a.b))) = x", 1, 11, "expected a number, a quoted string"),
        ("a.b = \"c", 1, 7, "expected the end of the quoted string"),
        (r#"a.b = "c\\""#, 1, 7, "expected the end of the quoted string"),
        (r#"a.b = "c\q""#, 1, 9, "unsupported string escape sequence"),
        (r#"a.b = "c\'""#, 1, 9, "unsupported string escape sequence"),
        (r#"a.b = 'c\"'"#, 1, 9, "unsupported string escape sequence"),
        (r#"a.b = "\x4""#, 1, 8, "two hex digits"),
        (r#"a.b = "\x+4""#, 1, 8, "two hex digits"),
    ] {
        let error = parse_condition(text).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text:?}: {}", error.message);
        assert!(error.message.contains(message), "{text:?}: {}", error.message);
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    let most = DEPTH_MAX / 4 - 1;
    assert_eq!(parse_condition(nested(most)).map(|expr| expr.canonical()).as_deref(), Ok("a"));
    let error = parse_condition(nested(most + 1)).expect_err("one too many");
    assert_eq!(error.message, "exceeded max depth limit of 1000");
    assert_eq!(error.column, most + 2);
    for text in
        ["(".repeat(1 << 20), "not(".repeat(1 << 18), "a and(".repeat(1 << 17), "len(".repeat(1 << 18)]
    {
        let error = parse_condition(text).expect_err("far too many");
        assert_eq!(error.message, "exceeded max depth limit of 1000");
    }
}

#[test]
fn long_conditions_take_linear_time() {
    const SIZE: usize = 1 << 20;
    let repeat = |part: &str, end: &str| format!("{}{end}", part.repeat(SIZE / part.len()));
    let list = format!("a.b in ({})", repeat("x,", "x"));
    assert!(parse_condition(list).is_ok());
    for text in [repeat("not ", "a"), repeat("a or ", "a"), repeat("a.b=c and ", "a"), repeat(" ", "a")] {
        assert!(parse_condition(&text).is_ok());
        assert!(parse_condition(format!("{text} !")).is_err());
    }
    for text in
        [repeat("'", ""), repeat("a.b = \"", ""), repeat("a.", ""), repeat("\\", ""), repeat("oneof ", "")]
    {
        assert!(parse_condition(text).is_err());
    }
}
