//! What schemas promise, and what a hostile one can't do.

use super::*;

fn compile(schema: &str) -> Result<ArgsSchema, String> {
    ArgsSchema::compile(&Json::stored(schema))
}

fn check(schema: &str, args: &str) -> Result<(), String> {
    let checked = compile(schema).expect("a schema").check(&Json::stored(args));
    checked.map_err(|failure| {
        assert_eq!(failure.class(), ErrorClass::Validation);
        failure.message().to_owned()
    })
}

/// As schemars writes it, with a recursive type and an enum.
const TREE: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Args",
    "type": "object",
    "properties": {
        "text": { "type": "string", "maxLength": 5 },
        "top": { "type": "integer", "format": "uint", "minimum": 0, "default": 5 },
        "tree": { "$ref": "#/$defs/Tree" }
    },
    "required": ["text"],
    "$defs": {
        "Tree": { "oneOf": [
            { "type": "object", "properties": { "op": { "const": "leaf" } }, "required": ["op"] },
            { "type": "object", "properties": {
                "op": { "const": "node" }, "left": { "$ref": "#/$defs/Tree" }, "right": { "$ref": "#/$defs/Tree" }
            }, "required": ["op", "left", "right"] }
        ] }
    }
}"##;

#[test]
fn args_that_do_not_match_are_told_where_and_what_is_wrong() {
    assert_eq!(check(TREE, r#"{"text":"abc","top":3,"tree":{"op":"leaf"}}"#), Ok(()));
    insta::assert_snapshot!(check(TREE, "{}").expect_err("no text"), @r#"args: "text" is a required property"#);
    insta::assert_snapshot!(check(TREE, r#"{"text":7}"#).expect_err("a number"), @r#"args/text: 7 is not of type "string""#);
    insta::assert_snapshot!(check(TREE, r#"{"text":"a","top":-1}"#).expect_err("negative"), @"args/top: -1 is less than the minimum of 0");
    insta::assert_snapshot!(check(TREE, "[]").expect_err("a list"), @r#"args: [] is not of type "object""#);
    insta::assert_snapshot!(check(TREE, r#"{"text":"a","tree":{"op":"node","left":{"op":"leaf"}}}"#).expect_err("half a tree"), @r#"args/tree: {"left":{"op":"leaf"},"op":"node"} is not valid under any of the schemas listed in the 'oneOf' keyword"#);
}

#[test]
fn a_schema_that_is_none_or_refers_elsewhere_is_refused_with_advice() {
    let refused = |schema: &str| compile(schema).err().unwrap_or_else(|| panic!("taken: {schema}"));
    insta::assert_snapshot!(refused(r#"{"type": "strng"}"#), @r#""strng" is not valid under any of the schemas listed in the 'anyOf' keyword"#);
    insta::assert_snapshot!(refused(r#"{"$ref": "https://example.com/schema.json"}"#), @r#"$ref "https://example.com/schema.json" is not supported: refer to # or #/$defs/NAME of the schema itself"#);
    insta::assert_snapshot!(refused(r#"{"$ref": "file:///etc/passwd"}"#), @r#"$ref "file:///etc/passwd" is not supported: refer to # or #/$defs/NAME of the schema itself"#);
    insta::assert_snapshot!(refused(r#"{"$id": "https://example.com/", "$ref": "x"}"#), @"$id is not supported: refer to #/$defs/NAME");
    insta::assert_snapshot!(refused(r#"{"$schema": "https://example.com/mine"}"#), @"$schema names a draft that is not supported: use 2020-12, 2019-09 or draft-07");
    insta::assert_snapshot!(refused(r##"{"allOf": [{"$ref": "#"}]}"##), @"a $ref leads back to itself without going into the value");
    insta::assert_snapshot!(refused(r#"{"pattern": "(?=a)b"}"#), @r#"the pattern "(?=a)b" is not supported: write it without look-around and back-references"#);
    insta::assert_snapshot!(refused(r#"{"pattern": "(a{1000}){1000}"}"#), @r#"the pattern "(a{1000}){1000}" is not supported: it compiles to more than 262144 bytes; repeat less"#);
    assert!(refused(&format!(r#"{{"description": "{}"}}"#, "x".repeat(70_000))).contains("bytes"));
}

/// Levels that each refer twice to the next: twice as much work each.
fn doubling(levels: usize, level: impl Fn(String) -> String) -> String {
    let definition = |n: usize| match n {
        n if n < levels => format!(r#""a{n}": {}"#, level(format!(r##"{{"$ref": "#/$defs/a{}"}}"##, n + 1))),
        n => format!(r#""a{n}": {{"type": "string"}}"#),
    };
    let all: Vec<_> = (0..=levels).map(definition).collect();
    format!(r##"{{"$ref": "#/$defs/a0", "$defs": {{{}}}}}"##, all.join(","))
}

#[test]
fn a_schema_that_doubles_the_work_with_every_level_is_stopped_at_once() {
    let same = doubling(20, |next| format!(r#"{{"anyOf": [{next}, {next}]}}"#));
    assert!(check(&same, "1").expect_err("too much").contains("too long"));
    let inside = doubling(40, |next| format!(r#"{{"anyOf": [{{"items": {next}}}, {{"items": {next}}}]}}"#));
    let deep = "[".repeat(40) + &"]".repeat(40);
    assert!(check(&inside, &deep).expect_err("too much").contains("too long"));
    assert_eq!(check(&inside, "[[[]]]"), Ok(()), "it costs little where the args are small");
}

#[test]
fn work_that_no_value_has_to_share_is_not_counted_twice() {
    // Each of the properties leads to the same definition, but to another part of the value.
    let split = doubling(40, |next| format!(r#"{{"properties": {{"x": {next}, "y": {next}}}}}"#));
    let deep = r#"{"x":"#.repeat(39) + r#"{"x":"end"}"# + &"}".repeat(39);
    assert_eq!(check(&split, &deep), Ok(()));
}

#[test]
fn ordinary_args_of_a_megabyte_are_checked() {
    let schema =
        r#"{"type": "object", "properties": {"numbers": {"type": "array", "items": {"type": "integer"}}}}"#;
    let numbers = vec!["1"; 500_000].join(",");
    assert_eq!(check(schema, &format!(r#"{{"numbers":[{numbers}]}}"#)), Ok(()));
    let wrong = check(schema, &format!(r#"{{"numbers":[{numbers},"x"]}}"#)).expect_err("a word");
    assert_eq!(wrong, r#"args/numbers/500000: "x" is not of type "integer""#);
}

#[test]
fn a_text_that_many_patterns_look_at_is_stopped_before_they_do() {
    let patterns: Vec<_> = (0..100).map(|n| format!(r#"{{"pattern": "(x+x+)+{n}"}}"#)).collect();
    let schema = format!(r#"{{"allOf": [{}]}}"#, patterns.join(","));
    let text = format!("{:?}", "x".repeat(1 << 20));
    assert!(check(&schema, &text).expect_err("too much").contains("too long"));
    assert!(
        compile(&schema.replace("]}", r#",{"pattern": "x"}]}"#))
            .is_err_and(|error| error.contains("101 patterns"))
    );
}

#[test]
fn the_deepest_args_go_through_the_longest_chain_without_exhausting_the_stack() {
    let chain = "{\"not\":".repeat(30) + r##"{"items":{"$ref":"#"}}"## + &"}".repeat(30);
    let deep = "[".repeat(126) + &"]".repeat(126);
    assert!(check(&chain, &deep).expect_err("too deep").contains("too long"));
    let recursive = r##"{"allOf":[{"anyOf":[{"items":{"$ref":"#"}}]}]}"##;
    assert_eq!(check(recursive, &deep), Ok(()));
}

/// Numbers and a list of so many that are none of them.
fn enum_and_items(entries: usize, items: usize) -> (String, String) {
    let schema = format!(r#"{{"items": {{"enum": [true, {}1]}}}}"#, "0, ".repeat(entries));
    (schema, format!("[{}]", vec!["2"; items].join(",")))
}

#[test]
fn a_list_of_values_is_priced_by_all_that_is_in_it() {
    let (schema, args) = enum_and_items(20_000, 524_000);
    assert!(check(&schema, &args).expect_err("too much").contains("too long"));
    let (schema, args) = enum_and_items(20, 10_000);
    assert!(check(&schema, &args).expect_err("none of them").contains("is not one of"));
    let schema = format!(r#"{{"items": {{"const": [{}0]}}}}"#, "0, ".repeat(20_000));
    let args = format!("[{}]", vec!["[]"; 300_000].join(","));
    assert!(check(&schema, &args).expect_err("too much").contains("too long"));
}

#[test]
fn a_pattern_is_priced_by_what_it_is_when_all_is_repeated_as_often_as_it_says() {
    let text = format!("{:?}", "a".repeat(1 << 20));
    let wide = |repeated: u32| format!(r#"{{"pattern": "[ab]*a[ab]{{{repeated}}}[c-z]"}}"#);
    assert!(compile(&wide(5000)).err().is_some_and(|error| error.contains("repeat less")));
    assert!(check(&wide(2000), &text).expect_err("too much").contains("too long"));
    let thirty = format!(r#"{{"allOf": [{}]}}"#, vec![wide(200); 30].join(","));
    assert!(check(&thirty, &text).expect_err("too much").contains("too long"));
    let by_name = r#"{"patternProperties": {"[ab]*a[ab]{2000}[c-z]": true}}"#;
    let name = format!(r#"{{{text}: 1}}"#);
    assert!(check(by_name, &name).expect_err("too much").contains("too long"));
    assert!(check(&wide(2000), r#""aaaa""#).expect_err("no match").contains("does not match"));
}

#[test]
fn the_patterns_of_everyday_life_are_put_to_thousands_of_texts() {
    let id = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
    let schema = format!(r#"{{"items": {{"pattern": "{id}"}}}}"#);
    let args = vec![r#""01234567-89ab-cdef-0123-456789abcdef""#; 10_000].join(",");
    assert_eq!(check(&schema, &format!("[{args}]")), Ok(()));
    let schema = r#"{"items": {"pattern": "^[^@\\s]+@[^@\\s]+\\.[a-z]+$"}}"#;
    let args = vec![r#""somebody@example.com""#; 2_000].join(",");
    assert_eq!(check(schema, &format!("[{args}]")), Ok(()));
    for pattern in ["^.{1,20}$", r"^\\p{L}+$", "^[a-z0-9-]{0,63}[a-z]$"] {
        let schema = format!(r#"{{"items": {{"pattern": "{pattern}"}}}}"#);
        let args = vec![r#""anameofsomelength""#; 10_000].join(",");
        assert_eq!(check(&schema, &format!("[{args}]")), Ok(()), "{pattern}");
    }
}

#[test]
fn items_that_have_to_be_unique_are_priced_by_how_they_can_be_told_apart() {
    let schema = r#"{"uniqueItems": true}"#;
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    let words = list((0..50_000).map(|n| format!(r#""word {n}""#)).collect());
    assert_eq!(check(schema, &words), Ok(()));
    // All of these have one hash: it does not tell how lists nest.
    let nested = |n: usize| {
        (0..14).fold("1".to_owned(), |inner, bit| {
            if n >> bit & 1 == 0 { format!("[[{inner}]]") } else { format!("[{inner}]") }
        })
    };
    let lists = list((0..16_000).map(nested).collect());
    assert!(check(schema, &lists).expect_err("too much").contains("too long"));
    let large = |count: u64| list((0..count).map(|n| ((1 << 63) + n).to_string()).collect());
    assert_eq!(check(schema, &large(20_000)), Ok(()));
    assert!(check(schema, &large(50_000)).expect_err("too much").contains("too long"));
}

#[test]
fn names_that_are_looked_up_are_priced_each() {
    let names: Vec<_> = (0..3000).map(|n| format!(r#""n{n}""#)).collect();
    let schema = format!(r#"{{"items": {{"not": {{"required": [{}]}}}}}}"#, names.join(","));
    let args = format!("[{}]", vec!["{}"; 300_000].join(","));
    assert!(check(&schema, &args).expect_err("too much").contains("too long"));
    assert_eq!(check(&schema, "[{},{}]"), Ok(()));
}

#[test]
fn a_division_that_needs_long_arithmetic_is_priced_as_such() {
    let schema = |divisor: &str| format!(r#"{{"items": {{"multipleOf": {divisor}}}}}"#);
    let args = |number: &str| format!("[{}]", vec![number; 100_000].join(","));
    assert!(check(&schema("1e-300"), &args("1.5e300")).expect_err("too much").contains("too long"));
    assert_eq!(check(&schema("0.01"), &args("123456.78")), Ok(()));
}

#[test]
fn only_what_is_small_is_answered_where_others_wait() {
    let at_once = |schema: &str, args: &str| {
        compile(schema).expect("a schema").check_at_once(&Json::stored(args)).map(|answer| answer.is_ok())
    };
    assert_eq!(at_once(TREE, r#"{"text":"abc","tree":{"op":"leaf"}}"#), Some(true));
    assert_eq!(at_once(TREE, r#"{"text":7}"#), Some(false));
    assert_eq!(at_once("true", &format!("{:?}", "x".repeat(100_000))), None);
    let pattern = r#"{"pattern": "[ab]*a[ab]{1000}[c-z]"}"#;
    assert_eq!(at_once(pattern, r#""ab""#), Some(false));
    assert_eq!(at_once(pattern, &format!("{:?}", "ab".repeat(2000))), None);
}
