//! Holds what records mention of machines and meters against all that is kept, and makes findings of what does not go
//! together, in the same batch as the records: neither is ever kept without the other.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alarms::signals,
    carry, sight,
    store::{Answered, Asked, Batch, KeptFinding, KeptHalf, Log, Store, StoreFault},
};
use crate::{
    catalogue::Rules,
    evidence::{
        PublicKey, Record,
        lineage::{
            self, Clash, ClashKind, End, Located, MAX_GATEWAYS_OF_ONE, MAX_OF_KIND_BY_GATEWAY,
            MAX_OF_ONE_BY_GATEWAY, Mention, MentionId, Place, Says,
        },
        record::Unverified,
    },
    host::exit::{Exit, Failure},
    terms::{GatewayId, LegalDay, Name},
};

/// Older records looked through at once.
pub const INDEXED_AT_ONCE: u32 = 1_000;

/// What a batch came to beside its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Findings, by kind.
    pub findings: [u64; ClashKind::ALL.len()],
    /// Findings that a paper excuses: found so, or excused when it came.
    pub excused: u64,
    /// Mentions that are not compared: of one kind by one gateway, or of one number by many, there are too many.
    pub dropped: u64,
}

impl Found {
    /// Adds what was found elsewhere.
    pub fn add(&mut self, more: Found) {
        self.findings.iter_mut().zip(more.findings).for_each(|(count, more)| *count += more);
        self.excused += more.excused;
        self.dropped += more.dropped;
    }

    /// How many there are of each kind.
    pub fn by_kind(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ClashKind::ALL.into_iter().map(ClashKind::word).zip(self.findings)
    }

    fn count(&mut self, kind: ClashKind) {
        let counts = ClashKind::ALL.into_iter().zip(&mut self.findings);
        counts.filter(|(of, _)| *of == kind).for_each(|(_, count)| *count += 1);
    }
}

/// Compares mentions by the shipped catalogue.
pub struct Lineage {
    rules: Rules,
    /// The authority's keys.
    authority: Vec<PublicKey>,
}

impl Lineage {
    /// With the catalogue that is shipped.
    ///
    /// # Errors
    /// None that a test would let pass.
    pub fn shipped() -> Result<Lineage, Failure> {
        let rules = Rules::shipped().map_err(|flaws| {
            Failure::new(Exit::Bug, flaws.first().map_or_else(String::new, ToString::to_string))
        })?;
        Ok(Lineage { rules, authority: Vec::new() })
    }

    /// Believes acts in logs that these keys of the authority signed, and no others.
    #[must_use]
    pub fn believing(mut self, keys: &[PublicKey]) -> Lineage {
        self.authority.extend_from_slice(keys);
        self
    }

    /// The authority's keys.
    pub(super) fn authority(&self) -> &[PublicKey] {
        &self.authority
    }

    /// What a record mentions that arrived at this time.
    pub fn mentions(&self, record: &Record, received_unix_ms: i64) -> Vec<Mention> {
        lineage::mentions(record, &self.rules, LegalDay::of_unix_ms(received_unix_ms))
    }

    /// Keeps of the mentions of a batch those that are new, and adds the findings they lead to. `places` are those that
    /// the batch knows and the store may not; `placed` the logs whose genesis comes with it.
    ///
    /// # Errors
    /// The store failed.
    pub fn settle(
        &self,
        store: &mut dyn Store,
        batch: &mut Batch,
        places: &BTreeMap<Log, Place>,
        placed: &BTreeSet<Log>,
        now_unix_ms: i64,
    ) -> Answered<Found> {
        let mut found = Found::default();
        let ids: BTreeSet<_> = batch.mentions.iter().map(Mention::id).collect();
        let known_ids = if ids.is_empty() { BTreeMap::new() } else { store.known_mentions(&ids)? };
        batch.mentions = lineage::to_be_kept(std::mem::take(&mut batch.mentions), &known_ids);
        if batch.mentions.is_empty() && placed.is_empty() {
            return Ok(found);
        }
        store.match_alone()?;
        let places = all_places(store, &batch.mentions, places)?;
        let located = |mention: &Mention| {
            let place = places.get(&(mention.gateway, mention.log)).copied();
            Located { mention: mention.clone(), place }
        };
        let mut near = Near { store, all: BTreeMap::new(), places: &places };
        let earlier = if placed.is_empty() { Vec::new() } else { near.ask(Asked::Logs(placed))? };
        let mut new: Vec<Located> = batch.mentions.iter().map(located).collect();
        near.gather(new.iter().chain(&earlier))?;
        let counts = counts_of(near.store, &new)?;
        found.dropped = limit(&mut new, &near, counts, &known_ids);
        warn_of(found.dropped, &batch.mentions);
        batch.mentions = new.iter().map(|new| new.mention.clone()).collect();
        new.extend(earlier);
        let known: Vec<Located> = near.all.into_values().collect();
        let clashes = lineage::clashes(&new, &known);
        self.keep(store, batch, clashes, now_unix_ms, &mut found)?;
        Ok(found)
    }

    fn keep(
        &self,
        store: &mut dyn Store,
        batch: &mut Batch,
        clashes: Vec<Clash>,
        found_unix_ms: i64,
        found: &mut Found,
    ) -> Answered<()> {
        if clashes.is_empty() {
            return Ok(());
        }
        let known = store.known_findings(&clashes.iter().map(|clash| clash.id).collect())?;
        for clash in clashes {
            let excused = clash.excuse.as_ref().map(|by| (by.gateway, by.log, by.seq));
            if known.get(&clash.id) == Some(&excused) {
                continue;
            }
            let was_open = known.get(&clash.id) == Some(&None);
            let Some(mut finding) = made(store, batch, clash, found_unix_ms)? else { continue };
            // What was found stays as it was found; what was excused is shown by what no paper excuses.
            if was_open && let Some(before) = store.finding(finding.id)? {
                finding.halves = before.halves;
            }
            match finding.excuse {
                None => found.count(finding.kind),
                Some(_) => found.excused += 1,
            }
            batch.findings.push(finding);
        }
        Ok(())
    }

    /// Looks through some of the records that came before anybody looked. `None` once there are none.
    ///
    /// # Errors
    /// The store failed; they are looked through by the next call.
    pub fn index(&self, store: &mut dyn Store, of: Option<Log>, now_unix_ms: i64) -> Answered<Option<Found>> {
        let Some((log, _)) = store.unindexed(of)? else { return Ok(None) };
        store.begin(&BTreeSet::from([log]))?;
        let indexed = self.index_page(store, log, now_unix_ms);
        match indexed {
            Ok((found, batch)) => {
                store.commit(&batch)?;
                told(&batch);
                Ok(Some(found))
            }
            Err(fault) => {
                store.abandon();
                Err(fault)
            }
        }
    }

    fn index_page(&self, store: &mut dyn Store, log: Log, now_unix_ms: i64) -> Answered<(Found, Batch)> {
        let mut batch = Batch::default();
        // Another collector may have looked meanwhile.
        let Some((_, from)) = store.unindexed(Some(log))? else { return Ok((Found::default(), batch)) };
        let page = store.records_from(log, from, INDEXED_AT_ONCE)?;
        let next = page.last().and_then(|(last, _)| last.checked_add(1));
        for (seq, record) in &page {
            let read = Unverified::read(&record.bytes).and_then(Unverified::own);
            let read = read.map_err(|why| {
                let (gateway, log) = log;
                let why = format!("{gateway} {log} {seq}: {why}; verify the store first");
                StoreFault::Failed(Failure::new(Exit::Bug, why))
            })?;
            batch.mentions.extend(self.mentions(&read, record.received_unix_ms));
            batch.sights.extend(sight::of(&read, record.received_unix_ms));
        }
        let found = self.settle(store, &mut batch, &BTreeMap::new(), &BTreeSet::new(), now_unix_ms)?;
        batch.unindexed.push((log, next));
        let signals = batch.findings.iter().filter_map(|finding| signals::of_finding(finding, now_unix_ms));
        batch.conditions = signals.collect();
        carry::settle(store, &mut batch, &self.authority)?;
        carry::end(store, &mut batch)?;
        Ok((found, batch))
    }
}

/// Tells of the findings of a batch that was kept.
pub(super) fn told(batch: &Batch) {
    for KeptFinding { id, kind, about, halves: [first, second], excuse, .. } in &batch.findings {
        let place = |half: &KeptHalf| format!("{} {} #{}", half.gateway, half.log, half.seq);
        if let Some(by) = excuse {
            tracing::info!(%id, kind = kind.word(), about, by = place(by), "a paper excuses two records that do not go together");
            continue;
        }
        tracing::warn!(
            %id,
            kind = kind.word(),
            about,
            first = place(first),
            second = place(second),
            "FINDING: two records do not go together; both are kept: coldhearth-regulator findings"
        );
    }
}

/// What is kept near the mentions of a batch.
struct Near<'a> {
    store: &'a mut dyn Store,
    all: BTreeMap<MentionId, Located>,
    places: &'a BTreeMap<Log, Place>,
}

impl Near<'_> {
    fn ask(&mut self, asked: Asked<'_>) -> Answered<Vec<Located>> {
        let mut answered = self.store.mentions(asked)?;
        for located in &mut answered {
            let Mention { gateway, log, .. } = located.mention;
            located.place = located.place.or_else(|| self.places.get(&(gateway, log)).copied());
        }
        self.all.extend(answered.iter().map(|located| (located.mention.id(), located.clone())));
        Ok(answered)
    }

    /// All that names the same machines and meters, and all that is about the equipment of either.
    fn gather<'b>(&mut self, new: impl Iterator<Item = &'b Located>) -> Answered<()> {
        let (mut keys, mut subjects) = (BTreeSet::new(), BTreeSet::new());
        for Located { mention, .. } in new {
            keys.extend(mention.says.key().map(str::to_owned));
            if is_equipment(&mention.says) {
                subjects.insert((mention.gateway, mention.subject));
            }
        }
        let about = if subjects.is_empty() { Vec::new() } else { self.ask(Asked::Subjects(&subjects))? };
        keys.extend(about.iter().filter_map(machine));
        let named = if keys.is_empty() { Vec::new() } else { self.ask(Asked::Keys(&keys))? };
        let others: BTreeSet<(GatewayId, Name)> = named
            .iter()
            .filter(|located| machine(located).is_some())
            .map(|located| (located.mention.gateway, located.mention.subject))
            .filter(|subject| !subjects.contains(subject))
            .collect();
        if !others.is_empty() {
            self.ask(Asked::Subjects(&others))?;
        }
        Ok(())
    }
}

fn is_equipment(says: &Says) -> bool {
    match says {
        Says::Machine { .. } | Says::Plate { .. } | Says::Eliminated(_) | Says::Drew { .. } => true,
        Says::Meter { .. } | Says::MeterLeft { .. } => false,
    }
}

fn machine(located: &Located) -> Option<String> {
    if let Says::Machine { key, .. } = &located.mention.says { Some(key.clone()) } else { None }
}

/// The places that are known, and those of logs that only the store knows.
fn all_places(
    store: &mut dyn Store,
    mentions: &[Mention],
    known: &BTreeMap<Log, Place>,
) -> Answered<BTreeMap<Log, Place>> {
    let mut places = known.clone();
    let unknown = mentions.iter().filter(|mention| !known.contains_key(&(mention.gateway, mention.log)));
    let gateways: BTreeSet<GatewayId> = unknown.map(|mention| mention.gateway).collect();
    if !gateways.is_empty() {
        for kept in store.heads(Some(&gateways))? {
            places.entry((kept.gateway, kept.log)).or_insert((kept.division, kept.enterprise));
        }
    }
    Ok(places)
}

fn counts_of(store: &mut dyn Store, new: &[Located]) -> Answered<BTreeMap<(GatewayId, String), usize>> {
    let gateways: BTreeSet<GatewayId> = new.iter().map(|new| new.mention.gateway).collect();
    if gateways.is_empty() { Ok(BTreeMap::new()) } else { store.mention_counts(&gateways) }
}

/// Leaves out what is too much to be compared. Tells how much that is.
fn limit(
    new: &mut Vec<Located>,
    near: &Near<'_>,
    mut counts: BTreeMap<(GatewayId, String), usize>,
    known: &BTreeMap<MentionId, u64>,
) -> u64 {
    // Who names each machine and meter, and how often.
    let mut naming: BTreeMap<String, BTreeMap<GatewayId, usize>> = BTreeMap::new();
    let is_first = |mention: &Mention| mention.end == End::First;
    for Located { mention, .. } in near.all.values().filter(|at| is_first(&at.mention)) {
        if let Some(key) = mention.says.key() {
            *naming.entry(key.to_owned()).or_default().entry(mention.gateway).or_default() += 1;
        }
    }
    let before = new.iter().filter(|at| is_first(&at.mention)).count();
    // The last of a kind is compared where the first is.
    let (mut firsts, mut lasts): (Vec<Located>, Vec<Located>) =
        std::mem::take(new).into_iter().partition(|at| is_first(&at.mention));
    firsts.retain(|Located { mention, .. }| {
        if known.contains_key(&mention.id()) {
            return true;
        }
        let of_kind = counts.entry((mention.gateway, mention.says.word().to_owned())).or_default();
        let mut fits = *of_kind < MAX_OF_KIND_BY_GATEWAY;
        if let Some(key) = mention.says.key() {
            let by = naming.entry(key.to_owned()).or_default();
            let named = by.get(&mention.gateway).copied().unwrap_or(0);
            fits &= named < MAX_OF_ONE_BY_GATEWAY && (named > 0 || by.len() < MAX_GATEWAYS_OF_ONE);
            if fits {
                by.insert(mention.gateway, named + 1);
            }
        }
        *of_kind += usize::from(fits);
        fits
    });
    let dropped = u64::try_from(before - firsts.len()).unwrap_or(u64::MAX);
    let fit: BTreeSet<MentionId> =
        firsts.iter().map(|at| at.mention.id()).chain(known.keys().copied()).collect();
    lasts.retain(|at| fit.contains(&Mention { end: End::First, ..at.mention.clone() }.id()));
    new.extend(firsts.into_iter().chain(lasts));
    dropped
}

fn warn_of(dropped: u64, mentions: &[Mention]) {
    if dropped > 0 {
        let gateways: BTreeSet<&str> = mentions.iter().map(|said| said.gateway.as_str()).collect();
        let what = "more machines and meters are named than are compared of one gateway, or of one number";
        tracing::warn!(dropped, ?gateways, "{what}");
    }
}

/// A finding, with its records.
fn made(
    store: &mut dyn Store,
    batch: &Batch,
    clash: Clash,
    found_unix_ms: i64,
) -> Answered<Option<KeptFinding>> {
    let Clash { id, kind, about, first, second, excuse } = clash;
    let halves = half(store, batch, &first)?.zip(half(store, batch, &second)?);
    let by = excuse.as_ref().map(|excuse| half(store, batch, excuse)).transpose()?.flatten();
    let (Some((first, second)), true) = (halves, by.is_some() == excuse.is_some()) else {
        tracing::error!(%id, kind = kind.word(), about, "a record that a finding rests on is not kept any longer");
        return Ok(None);
    };
    Ok(Some(KeptFinding { id, kind, about, found_unix_ms, halves: [first, second], excuse: by }))
}

/// A record as it came: in the batch, or kept before.
fn half(store: &mut dyn Store, batch: &Batch, mention: &Mention) -> Answered<Option<KeptHalf>> {
    let Mention { gateway, log, seq, hash, .. } = *mention;
    let half = |bytes: &[u8]| KeptHalf { gateway, log, seq, hash, bytes: bytes.to_vec() };
    if let Some(record) = batch.records.get(&(gateway, log, seq)) {
        return Ok(Some(half(&record.bytes)));
    }
    let kept = store.records_from((gateway, log), seq, 1)?;
    Ok(kept
        .first()
        .filter(|(at, record)| *at == seq && record.hash == hash)
        .map(|(_, record)| half(&record.bytes)))
}
