//! PURE file. A report as the authority vouches for it: the hash of its JSON, signed as everything else is.

use super::{Scope, Sheet, sheet::is_preliminary};
use crate::{
    evidence::{PublicKey, Refusal, Sealer, Signed, Signer, canonical::Unwritable, members::Members},
    terms::{Digest, LegalDay, place::Division},
};

/// Seals the digest of a report; the bytes are left in the sealer. Tells the report's JSON that it is the digest of.
///
/// # Errors
/// It cannot be written canonically.
pub fn seal(sheet: &Sheet, sealer: &mut Sealer, signer: &dyn Signer) -> Result<String, Unwritable> {
    let (json, rows) = (sheet.to_json_text(), sheet.rows_text());
    let Scope { within, from, to, made_unix_ms } = sheet.scope;
    sealer.seal(signer, |object| {
        object
            .text("type", "report")
            .text("report", sheet.report)
            .shown("division", within)
            .shown("from_day", from)
            .shown("to_day", to)
            .whole("made_unix_ms", made_unix_ms)
            .count("rows", u64::try_from(sheet.rows.len()).unwrap_or(u64::MAX))
            .shown("rows_sha256", Digest::of(rows.as_bytes()))
            .shown("report_sha256", Digest::of(json.as_bytes()));
        if let Some(before) = sheet.replaces {
            object.shown("replaces_sha256", before);
        }
    })?;
    Ok(json)
}

/// What an authority vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Which report.
    pub report: String,
    /// Of which division.
    pub division: Division,
    /// Its first day.
    pub from: LegalDay,
    /// The first day that is not in it.
    pub to: LegalDay,
    /// When it was made, by the authority's clock, Unix milliseconds.
    pub made_unix_ms: i64,
    /// SHA-256 of its JSON.
    pub sha256: Digest,
    /// SHA-256 of its rows: the same where it was made twice and says the same. Of older reports that of the whole.
    pub rows_sha256: Digest,
    /// SHA-256 of the JSON of the report in whose place it stands.
    pub replaces: Option<Digest>,
    /// Who signed it.
    pub by: PublicKey,
}

impl Vouched {
    /// Whether it was made while what arrived was of its time still.
    pub fn is_preliminary(&self) -> bool {
        is_preliminary(self.to, self.made_unix_ms)
    }

    /// Whether it is the same report of the same time and division.
    pub fn is_of(&self, report: &str, scope: &Scope) -> bool {
        (self.report.as_str(), self.division, self.from, self.to)
            == (report, scope.within, scope.from, scope.to)
    }
}

/// Believes what one of these authorities has signed.
///
/// # Errors
/// Why not.
pub fn open(bytes: &[u8], authorities: &[PublicKey]) -> Result<Vouched, Refusal> {
    let signed = Signed::read(bytes)?;
    let mut believed = Err(Refusal::BadSignature);
    for authority in authorities {
        believed = believed.or_else(|_| signed.check(authority).map(|_| *authority));
    }
    let by = believed?;
    let m: Members<'_> = signed.members();
    m.parsed("type", |kind| (kind == "report").then_some(()))?;
    let sha256 = m.parsed("report_sha256", Digest::from_hex)?;
    let rows = m.optional("rows_sha256", |m| m.parsed("rows_sha256", Digest::from_hex))?;
    let replaces = m.optional("replaces_sha256", |m| m.parsed("replaces_sha256", Digest::from_hex))?;
    Ok(Vouched {
        report: m.text("report")?.to_owned(),
        division: m.parsed("division", Division::parse)?,
        from: m.parsed("from_day", LegalDay::parse)?,
        to: m.parsed("to_day", LegalDay::parse)?,
        made_unix_ms: m.whole("made_unix_ms")?,
        sha256,
        rows_sha256: rows.unwrap_or(sha256),
        replaces,
        by,
    })
}

/// What `authority` vouches for by these bytes, where that is this JSON; `None` where it is another.
///
/// # Errors
/// Why not.
pub fn check(bytes: &[u8], json: &[u8], authority: PublicKey) -> Result<Option<Vouched>, Refusal> {
    let vouched = open(bytes, &[authority])?;
    Ok((vouched.sha256 == Digest::of(json)).then_some(vouched))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::Ed25519,
        regulator::reports::{Cell, Column, Rests, Row},
        terms::words,
    };

    #[test]
    fn one_figure_that_is_another_is_not_vouched_for() {
        let day = |text| LegalDay::parse(text).unwrap();
        let sheet = Sheet {
            report: "coverage",
            title: words::REPORT_COVERAGE,
            scope: Scope {
                within: Division::NATION,
                from: day("2026-01-01"),
                to: day("2026-04-01"),
                made_unix_ms: 1_795_800_000_000,
            },
            columns: vec![Column::in_unit("observed_min", words::R_OBSERVED, "min")],
            rows: vec![Row { cells: vec![Cell::Count(41)], rests: Rests::default() }],
            notes: Vec::new(),
            wrong: Vec::new(),
            files: Vec::new(),
            replaces: None,
        };
        let (mut sealer, key) = (Sealer::default(), Ed25519::from_seed(&[9; 32]));
        let json = seal(&sheet, &mut sealer, &key).unwrap();
        let (bytes, authority) = (sealer.bytes().to_vec(), key.public_key());
        let vouched = check(&bytes, json.as_bytes(), authority).unwrap().unwrap();
        assert_eq!(
            open(&bytes, &[Ed25519::from_seed(&[8; 32]).public_key(), authority]),
            Ok(vouched.clone())
        );
        assert_eq!((vouched.by, vouched.replaces), (authority, None));
        assert!(vouched.is_of("coverage", &sheet.scope) && !vouched.is_of("list", &sheet.scope));
        // The same made anew a minute later is another paper that says the same.
        let later = Scope { made_unix_ms: sheet.scope.made_unix_ms + 60_000, ..sheet.scope };
        seal(&Sheet { scope: later, ..sheet.clone() }, &mut sealer, &key).unwrap();
        let again = open(sealer.bytes(), &[authority]).unwrap();
        assert_eq!(again.rows_sha256, vouched.rows_sha256);
        assert_ne!(again.sha256, vouched.sha256);
        // What stands in the place of another says so, in what is signed and in the report itself.
        let corrected = Sheet { replaces: Some(vouched.sha256), ..sheet.clone() };
        let corrected_json = seal(&corrected, &mut sealer, &key).unwrap();
        assert_eq!(open(sealer.bytes(), &[authority]).unwrap().replaces, Some(vouched.sha256));
        assert!(corrected_json.contains(&format!("\"replaces\":\"{}\"", vouched.sha256)), "{corrected_json}");
        let altered = json.replace("41", "42");
        assert_eq!(check(&bytes, altered.as_bytes(), authority), Ok(None));
        assert!(check(&bytes, json.as_bytes(), Ed25519::from_seed(&[8; 32]).public_key()).is_err());
    }
}
