//! Whatever is not to the byte what was signed.

use super::*;

#[test]
fn no_flipped_bit_and_no_deleted_byte_is_believed() {
    let mut keyring = Keyring::new(&[key().public_key()]);
    for (name, bytes) in messages() {
        assert!(believes(&mut keyring, &bytes), "{name}");
        for position in 0..bytes.len() {
            let mut cut = bytes.clone();
            cut.remove(position);
            assert!(!believes(&mut keyring, &cut), "{name}: byte {position} deleted");
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[position] ^= 1 << bit;
                assert!(!believes(&mut keyring, &flipped), "{name}: byte {position} bit {bit}");
            }
        }
    }
}

#[test]
fn garbage_around_truncation_and_other_ways_to_write_the_same_are_refused() {
    let mut keyring = Keyring::new(&[key().public_key()]);
    for (name, bytes) in messages() {
        assert!(believes(&mut keyring, &bytes), "{name}");
        let text = String::from_utf8(bytes.clone()).unwrap();
        let members = text.strip_prefix('{').unwrap();
        let doubled = format!("{{\"alg\":\"ed25519\",{members}");
        let sibling = format!("{{\"aaa\":1,{members}");
        let escaped = text.replacen("ed25519", "\\u0065d25519", 1);
        let swapped =
            text.replacen("\"fmt\":\"coldhearth/1\",", "", 1).replacen('{', "{\"fmt\":\"coldhearth/1\",", 1);
        let base64 = text.replacen("==\"", "\"", 1);
        let spaced = text.replacen(':', ": ", 1);
        let solidus = text.replacen("coldhearth/1", "coldhearth\\/1", 1);
        for altered in [
            doubled,
            sibling,
            escaped,
            swapped,
            base64,
            spaced,
            solidus,
            format!("{text} "),
            format!(" {text}"),
            format!("{text}\n"),
            format!("{text}{text}"),
            format!("\u{feff}{text}"),
        ] {
            assert_ne!(altered, text);
            assert!(!believes(&mut keyring, altered.as_bytes()), "{name}: {altered}");
        }
        for length in 0..bytes.len() {
            assert!(!believes(&mut keyring, &bytes[..length]), "{name} cut to {length}");
        }
    }
}

#[test]
fn a_record_of_the_wrong_epoch_is_refused() {
    let all = messages();
    let rotation = all.iter().position(|(name, _)| name.contains("key_rotate")).unwrap();
    let mut keyring = Keyring::new(&[key().public_key()]);
    for (_, bytes) in &all[..=rotation] {
        keyring.open(Unverified::read(bytes).unwrap()).unwrap();
    }
    let last =
        |keyring: &mut Keyring, place: usize| keyring.open(Unverified::read(&all[place].1).unwrap()).unwrap();
    // The replaced key goes on as if nothing had been.
    let before = last(&mut keyring, rotation - 1);
    let mut ahead = before.clone();
    ahead.header.seq += 7;
    let mut stolen = Chain::resume(&ahead, Box::new(key())).unwrap();
    let stolen = stolen.seal(&at(90), bodies().last().unwrap()).unwrap().bytes.to_vec();
    let refused = keyring.open(Unverified::read(&stolen).unwrap());
    assert_eq!(refused.unwrap_err(), Refusal::WrongEpoch(0));
    // The next key signs a place before its own time.
    let mut early = last(&mut keyring, rotation + 1);
    early.header.seq = 4;
    let mut early = Chain::resume(&early, Box::new(next_key())).unwrap();
    let early = early.seal(&at(90), bodies().last().unwrap()).unwrap().bytes.to_vec();
    assert_eq!(keyring.open(Unverified::read(&early).unwrap()).unwrap_err(), Refusal::WrongEpoch(1));
}

#[test]
fn an_act_in_a_log_is_checked_against_the_authority_that_is_trusted() {
    let log = |act: Act| {
        let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LOG, 0, Box::new(key()));
        let genesis = chain.seal(&at(1), &bodies()[0]).unwrap().bytes.to_vec();
        vec![genesis, chain.seal(&at(2), &Body::Act(act)).unwrap().bytes.to_vec()]
    };
    let honest = log(act(ActKind::Permit).0);
    let both = [key().public_key(), authority().public_key()];
    let report = audit(&both, &honest);
    assert!(report.authentic && report.unsigned_acts == 0, "{report:?}");
    assert_eq!(audit(&both[..1], &honest).unsigned_acts, 1, "nobody was named who could have signed it");
    // A gateway that wrote itself a permit in the authority's name.
    let mut invented = act(ActKind::Permit).0;
    invented.members.insert("energy_wh".into(), json!(9_000_000));
    let report = audit(&both, &log(invented));
    assert_eq!(report.first_bad, Some((2, Refusal::BadSignature)));
}
