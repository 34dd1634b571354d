//! One line of a copy, written and read.

use serde_json::{Map, Value, json};

use crate::{
    evidence::{
        KeyId, LogId, PublicKey,
        heads::Listed,
        lineage::{ClashId, ClashKind, Mention, Says, kind_and_end},
    },
    regulator::alarms::{AlarmId, KeptPager, KeptStep, Kind},
    regulator::foreign::ForeignAct,
    regulator::store::{
        Admitted, Kept, KeptEpoch, KeptFinding, KeptFork, KeptHalf, KeptHeads, KeptReceipt, KeptRecord, Log,
        Pruned,
        inspections::{Inspection, Said},
        people::Saw,
        sights::Scope,
    },
    terms::{
        AssetId, Digest, GatewayId, Name, OrderId,
        place::{CreditCode, Division},
    },
};

/// Everything a line may say between the first and the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Gateway(Admitted),
    Log(Kept),
    Pruned(Log, Pruned),
    Epoch(Log, KeptEpoch),
    Record(Log, u64, KeptRecord),
    Fork(Log, KeptFork),
    Receipt(Log, KeptReceipt),
    Mention(Mention),
    Unindexed(Log, u64),
    Foreign(ForeignAct),
    Finding(KeptFinding),
    Heads(KeptHeads),
    Listed(u64, Listed),
    AlarmStep(KeptStep),
    Pager(KeptPager),
    Saw(Saw),
    Inspection(Inspection),
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn mention(said: &Mention) -> Value {
    let (_, key, detail) = said.says.columns();
    json!({ "mention": {
        "gateway": said.gateway.to_string(), "log": said.log.to_string(), "seq": said.seq,
        "hash": said.hash.to_string(), "at_unix_ms": said.at_unix_ms, "subject": said.subject.to_string(),
        "kind": said.kind(), "key": key, "detail": detail,
    }})
}

fn half(half: &KeptHalf) -> Value {
    json!({
        "gateway": half.gateway.to_string(), "log": half.log.to_string(), "seq": half.seq,
        "hash": half.hash.to_string(), "bytes": text(&half.bytes),
    })
}

fn finding(found: &KeptFinding) -> Value {
    let KeptFinding { id, kind, about, found_unix_ms, halves: [first, second], excuse } = found;
    json!({ "finding": {
        "id": id.to_string(), "kind": kind.word(), "about": about, "found_unix_ms": found_unix_ms,
        "first": half(first), "second": half(second), "excuse": excuse.as_ref().map(half),
    }})
}

fn pager(pager: &KeptPager) -> Value {
    json!({ "pager": {
        "receiver": pager.receiver.to_string(), "kind": pager.kind.word(), "upto": pager.upto,
        "told_unix_ms": pager.told_unix_ms, "pause_ms": pager.pause_ms,
    }})
}

fn saw(Saw { at_unix_ms, person, scope, what, status }: &Saw) -> Value {
    json!({ "saw": {
        "at_unix_ms": at_unix_ms, "person": person.to_string(), "scope": scope.as_str(), "what": what, "status": status,
    }})
}

fn foreign(ForeignAct { gateway, log, seq, asset, order }: &ForeignAct) -> Value {
    json!({ "foreign": {
        "gateway": gateway.to_string(), "log": log.to_string(), "seq": seq,
        "asset": asset.map(|asset| asset.to_string()), "order": order.map(|order| order.to_string()),
    }})
}

fn said(Said { who, at_unix_ms, what }: &Said) -> Value {
    json!({ "who": who.to_string(), "at_unix_ms": at_unix_ms, "what": what })
}

fn inspection(Inspection { number, gateway, asset, asked, answered }: &Inspection) -> Value {
    json!({ "inspection": {
        "number": number, "gateway": gateway.to_string(), "asset": asset.to_string(), "asked": said(asked),
        "answered": answered.as_ref().map(said),
    }})
}

impl Line {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Line::Gateway(Admitted { gateway, key, admitted_unix_ms, revoked_unix_ms, division }) => {
                json!({ "gateway": {
                    "division": division.map(|division| division.to_string()),
                    "id": gateway.to_string(), "public_key": key.to_base64(),
                    "admitted_unix_ms": admitted_unix_ms, "revoked_unix_ms": revoked_unix_ms,
                }})
            }
            Line::Log(kept) => json!({ "log": {
                "gateway": kept.gateway.to_string(), "log": kept.log.to_string(),
                "division": kept.division.to_string(), "uscc": kept.enterprise.to_string(),
                "seq": kept.seq, "head": kept.head.to_string(), "received_unix_ms": kept.received_unix_ms,
                "next_epoch": kept.next_epoch, "root": kept.root.to_string(),
            }}),
            Line::Pruned((gateway, log), Pruned { seq, hash, next_epoch, pruned_unix_ms }) => {
                json!({ "pruned": {
                    "gateway": gateway.to_string(), "log": log.to_string(), "seq": seq, "hash": hash.to_string(),
                    "next_epoch": next_epoch, "pruned_unix_ms": pruned_unix_ms,
                }})
            }
            Line::Epoch((gateway, log), KeptEpoch { epoch, from, key }) => json!({ "epoch": {
                "gateway": gateway.to_string(), "log": log.to_string(), "epoch": epoch, "from_seq": from,
                "public_key": key.to_base64(),
            }}),
            Line::Record((gateway, log), seq, record) => json!({ "record": {
                "gateway": gateway.to_string(), "log": log.to_string(), "seq": seq,
                "hash": record.hash.to_string(), "kind": record.kind, "asset": record.asset,
                "wall_unix_ms": record.wall_unix_ms, "received_unix_ms": record.received_unix_ms,
                "bytes": text(&record.bytes),
            }}),
            Line::Fork((gateway, log), fork) => json!({ "fork": {
                "gateway": gateway.to_string(), "log": log.to_string(), "seq": fork.seq,
                "held": text(&fork.held), "shown": text(&fork.shown), "received_unix_ms": fork.received_unix_ms,
            }}),
            Line::Receipt((gateway, log), receipt) => json!({ "receipt": {
                "gateway": gateway.to_string(), "log": log.to_string(), "seq": receipt.seq,
                "given_unix_ms": receipt.given_unix_ms, "bytes": text(&receipt.bytes),
            }}),
            Line::Mention(said) => mention(said),
            Line::Unindexed((gateway, log), from) => json!({ "unindexed": {
                "gateway": gateway.to_string(), "log": log.to_string(), "from_seq": from,
            }}),
            Line::Finding(found) => finding(found),
            Line::Foreign(act) => foreign(act),
            Line::Heads(KeptHeads { number, day, made_unix_ms, bytes }) => json!({ "heads": {
                "number": number, "day": day.to_string(), "made_unix_ms": made_unix_ms, "bytes": text(bytes),
            }}),
            Line::Listed(number, (gateway, log, seq, head)) => json!({ "listed": {
                "number": number, "gateway": gateway.to_string(), "log": log.to_string(), "seq": seq,
                "head": head.to_string(),
            }}),
            Line::AlarmStep(step) => json!({ "alarm_step": {
                "number": step.number, "alarm": step.alarm.to_string(), "at_unix_ms": step.at_unix_ms,
                "hash": step.hash.to_string(), "bytes": text(&step.bytes),
            }}),
            Line::Pager(kept) => pager(kept),
            Line::Saw(seen) => saw(seen),
            Line::Inspection(asked) => inspection(asked),
        }
    }

    /// Reads a line; `None` for one that this program would not write.
    pub(super) fn of(value: &Value) -> Option<Line> {
        let (kind, value) = value.as_object()?.iter().next()?;
        let m = Members(value.as_object()?);
        Some(match kind.as_str() {
            "gateway" => Line::Gateway(Admitted {
                gateway: GatewayId::new(m.text("id")?)?,
                key: PublicKey::from_base64(m.text("public_key")?)?,
                admitted_unix_ms: m.whole("admitted_unix_ms")?,
                revoked_unix_ms: m.optional("revoked_unix_ms")?,
                // Copies of before say nothing of it.
                division: m.text("division").and_then(Division::parse),
            }),
            "log" => Line::Log(m.kept()?),
            "pruned" => Line::Pruned(
                m.log()?,
                Pruned {
                    seq: m.count("seq")?,
                    hash: m.digest("hash")?,
                    next_epoch: m.small("next_epoch")?,
                    pruned_unix_ms: m.whole("pruned_unix_ms")?,
                },
            ),
            "epoch" => {
                let key = PublicKey::from_base64(m.text("public_key")?)?;
                Line::Epoch(m.log()?, KeptEpoch { epoch: m.small("epoch")?, from: m.count("from_seq")?, key })
            }
            "record" => Line::Record(m.log()?, m.count("seq")?, m.record()?),
            "fork" => Line::Fork(
                m.log()?,
                KeptFork {
                    seq: m.count("seq")?,
                    held: m.bytes("held")?,
                    shown: m.bytes("shown")?,
                    received_unix_ms: m.whole("received_unix_ms")?,
                },
            ),
            "receipt" => {
                let (seq, given_unix_ms) = (m.count("seq")?, m.whole("given_unix_ms")?);
                Line::Receipt(m.log()?, KeptReceipt { seq, given_unix_ms, bytes: m.bytes("bytes")? })
            }
            "mention" => Line::Mention(m.mention()?),
            "unindexed" => Line::Unindexed(m.log()?, m.count("from_seq")?),
            "finding" => Line::Finding(m.finding()?),
            "foreign" => Line::Foreign(m.foreign()?),
            "heads" => Line::Heads(KeptHeads {
                number: m.count("number")?,
                day: crate::terms::LegalDay::parse(m.text("day")?)?,
                made_unix_ms: m.whole("made_unix_ms")?,
                bytes: m.bytes("bytes")?,
            }),
            "listed" => {
                let (gateway, log) = m.log()?;
                Line::Listed(m.count("number")?, (gateway, log, m.count("seq")?, m.digest("head")?))
            }
            "alarm_step" => Line::AlarmStep(m.alarm_step()?),
            "pager" => Line::Pager(m.pager()?),
            "saw" => Line::Saw(m.saw()?),
            "inspection" => Line::Inspection(m.inspection()?),
            _ => return None,
        })
    }
}

/// Nothing where nothing is named; `None` where what is named means nothing.
fn told<T>(named: Option<Option<T>>) -> Option<Option<T>> {
    named.map_or(Some(None), |named| named.map(Some))
}

/// The members of a line.
struct Members<'a>(&'a Map<String, Value>);

impl Members<'_> {
    fn foreign(&self) -> Option<ForeignAct> {
        let ((gateway, log), seq) = (self.log()?, self.count("seq")?);
        let asset = told(self.text("asset").map(AssetId::new))?;
        let order = told(self.text("order").map(OrderId::new))?;
        Some(ForeignAct { gateway, log, seq, asset, order })
    }

    fn finding(&self) -> Option<KeptFinding> {
        Some(KeptFinding {
            id: ClashId::from_hex(self.text("id")?)?,
            kind: ClashKind::from_word(self.text("kind")?)?,
            about: self.text("about")?.to_owned(),
            found_unix_ms: self.whole("found_unix_ms")?,
            halves: [self.half("first")?, self.half("second")?],
            excuse: if self.is_told("excuse") { Some(self.half("excuse")?) } else { None },
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.text(name)?.as_bytes().to_vec())
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    fn small(&self, name: &str) -> Option<u32> {
        u32::try_from(self.count(name)?).ok()
    }

    fn whole(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    fn optional(&self, name: &str) -> Option<Option<i64>> {
        let value = self.0.get(name)?;
        if value.is_null() { Some(None) } else { value.as_i64().map(Some) }
    }

    fn digest(&self, name: &str) -> Option<Digest> {
        Digest::from_hex(self.text(name)?)
    }

    fn log(&self) -> Option<Log> {
        GatewayId::new(self.text("gateway")?).zip(LogId::from_hex(self.text("log")?))
    }

    fn kept(&self) -> Option<Kept> {
        let (gateway, log) = self.log()?;
        Some(Kept {
            gateway,
            log,
            division: Division::parse(self.text("division")?)?,
            enterprise: CreditCode::parse(self.text("uscc")?)?,
            seq: self.count("seq")?,
            head: self.digest("head")?,
            received_unix_ms: self.whole("received_unix_ms")?,
            next_epoch: self.small("next_epoch")?,
            root: KeyId::from_hex(self.text("root")?)?,
        })
    }

    fn mention(&self) -> Option<Mention> {
        let (gateway, log) = self.log()?;
        let (kind, end) = kind_and_end(self.text("kind")?);
        Some(Mention {
            gateway,
            log,
            seq: self.count("seq")?,
            hash: self.digest("hash")?,
            at_unix_ms: self.whole("at_unix_ms")?,
            subject: Name::new(self.text("subject")?)?,
            says: Says::of_columns(kind, self.text("key")?, self.text("detail")?)?,
            end,
        })
    }

    fn alarm_step(&self) -> Option<KeptStep> {
        Some(KeptStep {
            number: self.count("number")?,
            alarm: AlarmId::from_hex(self.text("alarm")?)?,
            at_unix_ms: self.whole("at_unix_ms")?,
            hash: self.digest("hash")?,
            bytes: self.bytes("bytes")?,
        })
    }

    fn pager(&self) -> Option<KeptPager> {
        Some(KeptPager {
            receiver: Name::new(self.text("receiver")?)?,
            kind: Kind::from_word(self.text("kind")?)?,
            upto: self.count("upto")?,
            told_unix_ms: self.optional("told_unix_ms")?,
            pause_ms: self.whole("pause_ms")?,
            // Whoever was at telling him is not there any more.
            claimed_unix_ms: None,
        })
    }

    fn said(&self, name: &str) -> Option<Said> {
        let m = Members(self.0.get(name)?.as_object()?);
        let what = m.text("what")?.to_owned();
        Some(Said { who: Name::new(m.text("who")?)?, at_unix_ms: m.whole("at_unix_ms")?, what })
    }

    fn inspection(&self) -> Option<Inspection> {
        Some(Inspection {
            number: self.count("number")?,
            gateway: GatewayId::new(self.text("gateway")?)?,
            asset: AssetId::new(self.text("asset")?)?,
            asked: self.said("asked")?,
            answered: if self.is_told("answered") { Some(self.said("answered")?) } else { None },
        })
    }

    fn saw(&self) -> Option<Saw> {
        Some(Saw {
            at_unix_ms: self.whole("at_unix_ms")?,
            person: Name::new(self.text("person")?)?,
            scope: Scope::parse(self.text("scope")?)?,
            what: self.text("what")?.to_owned(),
            status: u16::try_from(self.count("status")?).ok()?,
        })
    }

    fn half(&self, name: &str) -> Option<KeptHalf> {
        let m = Members(self.0.get(name)?.as_object()?);
        let (gateway, log) = m.log()?;
        Some(KeptHalf {
            gateway,
            log,
            seq: m.count("seq")?,
            hash: m.digest("hash")?,
            bytes: m.bytes("bytes")?,
        })
    }

    /// Whether this is there, and not null.
    fn is_told(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    fn record(&self) -> Option<KeptRecord> {
        Some(KeptRecord {
            hash: self.digest("hash")?,
            kind: self.text("kind")?.to_owned(),
            asset: self.text("asset")?.to_owned(),
            wall_unix_ms: self.whole("wall_unix_ms")?,
            received_unix_ms: self.whole("received_unix_ms")?,
            bytes: self.bytes("bytes")?,
        })
    }
}
