//! Messages for both verifiers to judge: altered after they were signed, signed as they stand, signed by the wrong hands.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coldhearth::evidence::{Ed25519, Signer as _, record::SIGNED_PREFIX};
use serde_json::{Value, json};

use crate::{Object, golden, goldens, key, public};

/// Takes a message and words that name it.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&dyn Fn() -> String, &[u8]);

// Messages that are altered after they were signed.

/// The family of the golden tests, and some: every flipped bit, every deleted byte, every truncation, garbage around it,
/// other ways to write the same.
fn altered(name: &str, bytes: &[u8], take: Take<'_>) {
    for position in 0..bytes.len() {
        take(&|| format!("{name} cut to {position}"), &bytes[..position]);
        let mut copy = bytes.to_vec();
        copy.remove(position);
        take(&|| format!("{name}: byte {position} deleted"), &copy);
        for bit in 0..8 {
            let mut copy = bytes.to_vec();
            copy[position] ^= 1 << bit;
            take(&|| format!("{name}: byte {position} bit {bit}"), &copy);
        }
    }
    let text = str::from_utf8(bytes).unwrap();
    let members = text.strip_prefix('{').unwrap();
    let swapped = |name: &str| {
        let member = format!("\"{name}\":{},", serde_json::from_str::<Object>(text).unwrap()[name]);
        text.replacen(&member, "", 1).replacen('{', &format!("{{{member}"), 1)
    };
    let signature = |change: &dyn Fn(&str) -> String| {
        let from = text.find("\"sig\":\"").unwrap() + 7;
        format!("{}{}{}", &text[..from], change(&text[from..from + 88]), &text[from + 88..])
    };
    for (what, other) in [
        ("a member twice", format!("{{\"alg\":\"ed25519\",{members}")),
        ("a sibling", format!("{{\"aaa\":1,{members}")),
        ("another signature beside", text.replacen("\"sig\":", "\"sig\":\"\",\"sig\":", 1)),
        ("an escaped letter", text.replacen("ed25519", "\\u0065d25519", 1)),
        ("an escaped solidus", text.replacen("coldhearth/1", "coldhearth\\/1", 1)),
        ("an escaped name", text.replacen("\"fmt\"", "\"f\\u006dt\"", 1)),
        ("`fmt` first", swapped("fmt")),
        ("`sig` first", swapped("sig")),
        ("`type` first", swapped("type")),
        ("a space", text.replacen(':', ": ", 1)),
        ("a space behind", format!("{text} ")),
        ("a space before", format!(" {text}")),
        ("a line feed behind", format!("{text}\n")),
        ("a carriage return behind", format!("{text}\r")),
        ("twice", format!("{text}{text}")),
        ("in a list", format!("[{text}]")),
        ("a byte order mark", format!("\u{feff}{text}")),
        ("a zero behind", format!("{text}\0")),
        ("base64 without padding", signature(&|sig| sig.trim_end_matches('=').to_owned())),
        ("base64 with more padding", signature(&|sig| format!("{sig}="))),
        ("base64 with spare bits", signature(&|sig| spare_bits(sig))),
        ("base64 with a space", signature(&|sig| format!(" {sig}"))),
        ("base64 with a line feed", signature(&|sig| format!("{sig}\\n"))),
        ("base64 of the other alphabet", signature(&|sig| format!("-{}", &sig[1..]))),
        ("base64 in two parts", signature(&|sig| format!("{}=={}", &sig[..2], &sig[2..]))),
        ("base64 of 63 bytes", signature(&|sig| STANDARD.encode(&STANDARD.decode(sig).unwrap()[..63]))),
        (
            "base64 of 65 bytes",
            signature(&|sig| STANDARD.encode([&STANDARD.decode(sig).unwrap()[..], &[0]].concat())),
        ),
        ("a signature plus the order", signature(&plus_order)),
        ("a signature of zeros", signature(&|_| STANDARD.encode([0; 64]))),
        ("a signature of the neutral point", signature(&|_| STANDARD.encode([&[1][..], &[0; 63]].concat()))),
    ] {
        assert_ne!(other, text, "{name}: {what}");
        take(&|| format!("{name}: {what}"), other.as_bytes());
    }
}

/// The same 64 bytes, written with a bit that means nothing.
fn spare_bits(signature: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let last = alphabet.iter().position(|symbol| *symbol == signature.as_bytes()[85]).unwrap();
    format!("{}{}==", &signature[..85], char::from(alphabet[last | 1]))
}

/// The same signature with the order of the group added to its number: lax verifiers cannot tell it from the first.
fn plus_order(signature: &str) -> String {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = STANDARD.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    STANDARD.encode(bytes)
}

// Messages that are signed as they stand, however they are written.

/// Signs text that has every member but `sig`, which goes before `successor`.
fn sign_text(text: &[u8], successor: &str, signer: &Ed25519) -> Vec<u8> {
    let signature = STANDARD.encode(signer.sign(&[SIGNED_PREFIX, text].concat()));
    let needle = format!("\"{successor}\":");
    // The last of this name is the message's own.
    let at = text.windows(needle.len()).rposition(|window| window == needle.as_bytes()).unwrap();
    [&text[..at], format!("\"sig\":\"{signature}\",").as_bytes(), &text[at..]].concat()
}

/// Signs an object in order, whatever its members say.
pub(crate) fn sign(mut object: Object, signer: &Ed25519) -> Vec<u8> {
    object.remove("sig");
    let text = serde_json::to_vec(&object).unwrap();
    object.insert("sig".into(), STANDARD.encode(signer.sign(&[SIGNED_PREFIX, &text].concat())).into());
    serde_json::to_vec(&object).unwrap()
}

/// A golden with other members, signed.
fn with(name: &str, changes: Value, signer: &Ed25519) -> Vec<u8> {
    let mut object = golden(name);
    object.insert("kid".into(), signer.public_key().id().to_string().into());
    let Value::Object(changes) = changes else { panic!() };
    for (name, value) in changes {
        object.insert(name, value);
    }
    sign(object, signer)
}

/// Values of a member nobody knows, as bytes: some are lawful, some only look so.
fn odd_values() -> Vec<Vec<u8>> {
    let texts = r#"
        0 -0 1 -1 00 01 +1 .5 1. 1.0 1.5 -1.0 1e2 1E2 1e-2 1e400 0x1 9007199254740991 -9007199254740991 9007199254740992
        -9007199254740992 9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809
        18446744073709551615 18446744073709551616 NaN Infinity -Infinity null true false True nan [] {} [[]] [{}] [1] [1,2]
        [1,] [,1] [null] [1.0] ["a"] [true,false] {"a":1} {"a":1,"a":1} {"a":1,"b":2} {"b":1,"a":2} {"A":1} {"":1}
        {"é":1} {"a-b":1} {"a\u0062":1} {"a":null} {a:1} {"a"} {"a":1,} {"a":{"b":[{"c":1}]}} "" "a" 'a' "炉" "\u7089" "é" "é"
        "\u0041" "\/" "/" "\"" "\\" "\\\\" "\b" "\f" "\n" "\r" "\t" "\u000a" "\u007f" "\u0000" "\ud83d\ude00" "😀" "\ud800"
        "\udc00\ud800" "\x41" "\U00000041" "<>&" "\u003c" "?" "a"b" "a
    "#;
    let mut all: Vec<Vec<u8>> = texts.split_whitespace().map(|text| text.as_bytes().to_vec()).collect();
    all.extend(
        ["", " 1", "1 ", "[1, 2]", "{\"a\": 1}", "\" a b \"", "{\"a b\":1}", "1/**/"]
            .map(|t| t.as_bytes().to_vec()),
    );
    // Single characters at the edges of what counts as a control character, and such that look like nothing or a line.
    let characters =
        ["\0", "\t", "\n", "\x1f", "\x7f", "\u{80}", "\u{9f}", "\u{a0}", "\u{ad}", "\u{200b}", "\u{2028}"];
    let more =
        ["\u{2029}", "\u{202e}", "\u{feff}", "\u{fffd}", "\u{ffff}", "\u{fdd0}", "\u{e000}", "\u{10ffff}"];
    all.extend(characters.iter().chain(&more).map(|c| format!("\"{c}\"").into_bytes()));
    let no_utf8: [&[u8]; 7] = [
        b"\xff",
        b"\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe7\x82",
        b"\xf0\x82\x82\xac",
    ];
    all.extend(no_utf8.map(|bytes| [b"\"", bytes, b"\""].concat()));
    for depth in [5, 6, 7, 8, 9, 20, 127, 128, 200, 5_000] {
        for (open, inside, close) in [
            ("[", "", "]"),
            ("[", "1", "]"),
            ("{\"a\":", "{}", "}"),
            ("{\"a\":", "1", "}"),
            ("{\"a\":[", "\"\"", "]}"),
        ] {
            all.push(
                [open.repeat(depth).as_bytes(), inside.as_bytes(), close.repeat(depth).as_bytes()].concat(),
            );
        }
    }
    all.push(format!("1{}", "0".repeat(5_000)).into_bytes());
    all
}

/// Every message with such a value, signed as it stands, and messages as long as can be.
fn oddly_written(take: Take<'_>) {
    for (name, seed) in
        [("00-genesis", 7), ("11-checkpoint", 7), ("12-act", 7), ("30-receipt", 9), ("42-act-permit", 9)]
    {
        let mut object = golden(name);
        object.remove("sig");
        let successor = object.keys().find(|name| name.as_str() > "sig").unwrap().clone();
        let text = serde_json::to_vec(&object).unwrap();
        let insert = |value: &[u8]| {
            sign_text(&[b"{\"aaa\":", value, b",", &text[1..]].concat(), &successor, &key(seed))
        };
        for value in odd_values() {
            take(&|| format!("{name} with {}", String::from_utf8_lossy(&value)), &insert(&value));
        }
        let empty = insert(b"\"\"").len();
        for limit in [32 * 1024, 64 * 1024] {
            for length in [limit - 1, limit, limit + 1] {
                let value = format!("\"{}\"", "x".repeat(length - empty));
                let message = insert(value.as_bytes());
                assert_eq!(message.len(), length);
                take(&|| format!("{name} of {length} bytes"), &message);
            }
        }
    }
}

/// Header members of a record that say what they may not, in a record that is otherwise in order and well signed.
fn oddly_headed(take: Take<'_>) {
    let zeros = "0".repeat(64);
    let odd = json!({
        "fmt": ["coldhearth/2", "coldhearth/1 ", "", 1],
        "alg": ["sm2-sm3", "ed25519ph", "ED25519", "none", "", 1],
        "kid": ["", "FE812C12F3AB4CE6", "fe812c12f3ab4ce", "fe812c12f3ab4ce60", "5c29b78f10a35a49", "0000000000000000", 1, {}],
        "type": ["", "receipt", "Checkpoint", "checkpoint ", 1, []],
        "gateway_id": ["", "gw-04", "GW-03", "gw 03", "gw/03", "a".repeat(24), "a".repeat(25), "炉", 3, true],
        "log_id": ["", "3f1c9a70e2b84d1", "3F1C9A70E2B84D15", "3f1c9a70e2b84d150", "3f1c9a70e2b84d1g", "0000000000000007", 5],
        "seq": [-1, 0, 1, 23, 24, 25, true, "11", 9_007_199_254_740_991_i64, []],
        "prev": ["", "0".repeat(63), "0".repeat(65), "A".repeat(64), zeros, 0],
        "wall_unix_ms": [-1, 0, "0", true, 9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64],
        "clock": ["", "NTP", "gps", "rtc", "none", 1],
        "clock_err_ms": [-1, 0, 4_294_967_295_i64, 4_294_967_296_i64, "0", false],
        "uptime_ms": [-1, 0, 4_294_967_296_i64, 9_007_199_254_740_991_i64, "0"],
        "boot_count": [-1, 0, 4_294_967_295_i64, 4_294_967_296_i64, "0"],
        "receipt": ["", "0", "0".repeat(63), "F".repeat(64), zeros, 0, false],
        "key_epoch": [-1, 1, 2, 4_294_967_295_i64, 4_294_967_296_i64, "0", false],
    });
    for (name, values) in odd.as_object().unwrap() {
        let mut absent = golden("11-checkpoint");
        absent.remove(name);
        take(&|| format!("`{name}` absent"), &sign(absent, &key(7)));
        for value in values.as_array().unwrap() {
            let message =
                with("11-checkpoint", json!({ "kid": public(7).id().to_string(), name: value }), &key(7));
            take(&|| format!("`{name}` is {value}"), &message);
        }
    }
}

/// A signature of the golden checkpoint by its key whose first half is the neutral point and whose second half is the
/// hash times the secret number. `openssl` believes it.
const WEAK_SIGNATURE: &str =
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFlMBz9W6RAziHnfuS8+0iEl4/UQ2bgrKEQHB/WVhfCg==";

fn log_id(digits: &str) -> String {
    format!("{digits:0>16}")
}

fn base64(seed: u8) -> Value {
    public(seed).to_base64().into()
}

fn checkpoint(log: &str, seq: u64, epoch: u32, seed: u8) -> Vec<u8> {
    with("11-checkpoint", json!({ "log_id": log_id(log), "seq": seq, "key_epoch": epoch }), &key(seed))
}

fn rotation(log: &str, seq: u64, epoch: u32, seed: u8, next: &Value) -> Vec<u8> {
    let (log, next_epoch) = (log_id(log), epoch + 1);
    let members = json!({ "log_id": log, "seq": seq, "key_epoch": epoch, "next_epoch": next_epoch, "public_key": next });
    with("24-key_rotate", members, &key(seed))
}

fn genesis(log: &str, changes: &Value, seed: u8) -> Vec<u8> {
    let mut members = json!({ "log_id": log_id(log), "public_key": base64(seed) });
    members.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    with("00-genesis", members, &key(seed))
}

/// Good signatures by the wrong hands or at the wrong place. What is said changes what is believed after it.
pub(crate) fn wrongly_keyed(take: Take<'_>) {
    let mut say = |what: &str, message: Vec<u8>| take(&|| what.to_owned(), &message);
    strangers(&mut say);
    rotations_to_nobody(&mut say);
    epochs(&mut say);
    continued_logs(&mut say);
    let mut weak = golden("11-checkpoint");
    weak.insert("sig".into(), WEAK_SIGNATURE.into());
    say("a signature whose first half is of small order", serde_json::to_vec(&weak).unwrap());
}

/// Says a message and what it is.
type Say<'a> = &'a mut dyn FnMut(&str, Vec<u8>);

fn strangers(say: Say<'_>) {
    say("the gateway signs a receipt", with("30-receipt", json!({}), &key(7)));
    say("the gateway signs an act", with("40-act-reset", json!({}), &key(7)));
    say("the authority signs a record", with("11-checkpoint", json!({}), &key(9)));
    say("the authority begins a log", genesis("a0", &json!({}), 9));
    say("a stranger signs an act", with("40-act-reset", json!({}), &key(6)));
    say("a stranger begins a log", genesis("a0", &json!({}), 6));

    say("a log begins", genesis("a1", &json!({}), 7));
    say("a genesis of another key", genesis("a2", &json!({ "public_key": base64(8) }), 7));
    say("a genesis without a key", genesis("a2", &json!({ "public_key": "" }), 7));
    say("a genesis at another place", genesis("a2", &json!({ "seq": 1 }), 7));
    say("a genesis that follows", genesis("a2", &json!({ "prev": "1".repeat(64) }), 7));
    say("a genesis of a later epoch", genesis("a2", &json!({ "key_epoch": 1 }), 7));
    say("a genesis of another gateway", genesis("a2", &json!({ "gateway_id": "gw-04" }), 7));
    say("a record where a genesis stands", checkpoint("a1", 0, 0, 7));
    say("a record in the log", checkpoint("a1", 3, 0, 7));
    say("a later epoch that nobody announced", checkpoint("a1", 4, 1, 7));
}

fn rotations_to_nobody(say: Say<'_>) {
    for (what, bad) in [
        ("no key", json!("")),
        ("no text", json!(1)),
        ("31 bytes", json!(STANDARD.encode([9; 31]))),
        ("33 bytes", json!(STANDARD.encode([9; 33]))),
        ("65 bytes", json!(STANDARD.encode([4; 65]))),
        ("no padding", json!(public(8).to_base64().trim_end_matches('='))),
        ("spare bits", json!(public(8).to_base64().replace("8o=", "8p="))),
        ("off the curve", json!(STANDARD.encode([&[2][..], &[0; 31]].concat()))),
        ("the neutral point", json!(STANDARD.encode([&[1][..], &[0; 31]].concat()))),
        ("the point of order 2", json!(STANDARD.encode([&[0xec][..], &[0xff; 30], &[0x7f]].concat()))),
        ("a point of order 4", json!(STANDARD.encode([0; 32]))),
        (
            "the neutral point, written otherwise",
            json!(STANDARD.encode([&[0xee][..], &[0xff; 30], &[0x7f]].concat())),
        ),
        ("a point of order 8", json!("xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=")),
        ("the other of order 8", json!("JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=")),
    ] {
        say(&format!("a rotation to {what}"), rotation("a1", 9, 0, 7, &bad));
    }
    for next in [json!(0), json!(2), json!("1"), json!(true), json!(-1)] {
        let changes = json!({ "log_id": log_id("a1"), "seq": 9, "next_epoch": next });
        say(&format!("a rotation to epoch {next}"), with("24-key_rotate", changes, &key(7)));
    }
}

fn epochs(say: Say<'_>) {
    say("still the first epoch", checkpoint("a1", 30, 0, 7));
    say("the rotation", rotation("a1", 10, 0, 7, &base64(8)));
    say("the replaced key goes on", checkpoint("a1", 11, 0, 7));
    say("the replaced key calls itself the next", checkpoint("a1", 11, 1, 7));
    say("the replaced key before its end", checkpoint("a1", 9, 0, 7));
    say("the next key before its beginning", checkpoint("a1", 10, 1, 8));
    say("the next key at its beginning", checkpoint("a1", 11, 1, 8));
    say("the next key calls itself the first", checkpoint("a1", 12, 0, 8));
    say("the next key begins again", genesis("a1", &json!({ "key_epoch": 1 }), 8));
    say("a second rotation to a third key", rotation("a1", 6, 0, 7, &base64(5)));
    say("after the earlier of two rotations", checkpoint("a1", 9, 0, 7));
    say("before the earlier of two rotations", checkpoint("a1", 5, 0, 7));
    say("the third key", checkpoint("a1", 12, 1, 5));
    say("the next key where the third would begin", checkpoint("a1", 7, 1, 8));
    say("a third rotation to the next key", rotation("a1", 4, 0, 7, &base64(8)));
    say("the next key from there on", checkpoint("a1", 7, 1, 8));
    say("a rotation of the next key", rotation("a1", 20, 1, 8, &base64(5)));
    say("epoch two", checkpoint("a1", 21, 2, 5));
    say("a rotation back to the first key", rotation("a1", 30, 2, 5, &base64(7)));
    say("the first key as epoch three", checkpoint("a1", 31, 3, 7));
}

fn continued_logs(say: Say<'_>) {
    let continued = |log: &str| json!({ "log_id": log_id(log), "seq": 10, "head": "0".repeat(64) });
    say("a log that continues", genesis("a3", &json!({ "continues": continued("a1"), "key_epoch": 1 }), 8));
    say("its next record", checkpoint("a3", 1, 1, 8));
    say(
        "continued by another epoch's key",
        genesis("a4", &json!({ "continues": continued("a1"), "key_epoch": 2 }), 8),
    );
    say(
        "continues what nobody heard of",
        genesis("a4", &json!({ "continues": continued("b1"), "key_epoch": 1 }), 8),
    );
    say("continues something else", genesis("a4", &json!({ "continues": [], "key_epoch": 1 }), 8));
    let elsewhere = json!({ "continues": continued("a1"), "key_epoch": 1, "gateway_id": "gw-04" });
    say("continues another gateway's log", genesis("a4", &elsewhere, 8));
    say("continues by a record", checkpoint("a4", 1, 1, 8));
    say("a log heard of in its middle", checkpoint("a5", 5, 0, 7));
    say("its genesis later", genesis("a5", &json!({}), 7));
    say("a rotation to the gateway's own key", rotation("a5", 9, 0, 7, &base64(7)));
    say("the same key, next epoch", checkpoint("a5", 10, 1, 7));
}

/// What is believed of all that.
pub(crate) const RIGHTLY_KEYED: [&str; 20] = [
    "a log begins",
    "a record in the log",
    "still the first epoch",
    "the rotation",
    "the replaced key before its end",
    "the next key at its beginning",
    "a second rotation to a third key",
    "before the earlier of two rotations",
    "a third rotation to the next key",
    "the next key from there on",
    "a rotation of the next key",
    "epoch two",
    "a rotation back to the first key",
    "the first key as epoch three",
    "a log that continues",
    "its next record",
    "a log heard of in its middle",
    "its genesis later",
    "a rotation to the gateway's own key",
    "the same key, next epoch",
];

/// Every message there is for this test, always in the same order.
pub(crate) fn every_message(take: Take<'_>) {
    for (name, bytes) in goldens() {
        take(&|| name.clone(), &bytes);
    }
    for (name, bytes) in goldens() {
        altered(&name, &bytes, take);
    }
    oddly_written(take);
    oddly_headed(take);
    wrongly_keyed(take);
}
