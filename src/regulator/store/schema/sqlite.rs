//! The tables in the dialect of SQLite. Released migrations are never edited.

/// SQLite.
pub(in crate::regulator::store) const SQLITE: &[&str] = &[
    "
    create table gateway (
        id text not null,
        kid text not null,
        public_key text not null,
        admitted_unix_ms integer not null,
        revoked_unix_ms integer,
        primary key (id, kid)
    ) strict, without rowid;
    create table record (
        gateway text not null,
        log text not null,
        seq integer not null,
        hash text not null,
        kind text not null,
        asset text not null,
        wall_unix_ms integer not null,
        received_unix_ms integer not null,
        bytes text not null,
        primary key (gateway, log, seq)
    ) strict, without rowid;
    create table log (
        gateway text not null,
        log text not null,
        division text not null,
        uscc text not null,
        seq integer not null,
        head text not null,
        received_unix_ms integer not null,
        next_epoch integer not null,
        root text not null,
        primary key (gateway, log)
    ) strict, without rowid;
    create table epoch (
        gateway text not null,
        log text not null,
        epoch integer not null,
        from_seq integer not null,
        public_key text not null,
        primary key (gateway, log, epoch)
    ) strict, without rowid;
    create table fork (
        gateway text not null,
        log text not null,
        seq integer not null,
        held text not null,
        shown text not null,
        received_unix_ms integer not null,
        primary key (gateway, log, seq, shown)
    ) strict, without rowid;
    create table receipt (
        gateway text not null,
        log text not null,
        seq integer not null,
        received_unix_ms integer not null,
        bytes text not null,
        primary key (gateway, log, received_unix_ms, seq)
    ) strict, without rowid;
",
    // How often each log was written to; a log that is not there was written to before anybody counted, or never.
    "
    create table turn (
        gateway text not null,
        log text not null,
        turn integer not null,
        primary key (gateway, log)
    ) strict, without rowid;
    insert into turn (gateway, log, turn) select distinct gateway, log, 1 from record;
",
    // Retention, and the head of heads.
    "
    create table pruned (
        gateway text not null,
        log text not null,
        seq integer not null,
        hash text not null,
        next_epoch integer not null,
        pruned_unix_ms integer not null,
        primary key (gateway, log)
    ) strict, without rowid;
    create table heads (
        number integer primary key,
        day text not null unique,
        made_unix_ms integer not null,
        bytes text not null
    ) strict;
    create table listed (
        number integer not null references heads (number),
        gateway text not null,
        log text not null,
        seq integer not null,
        head text not null,
        primary key (number, gateway, log)
    ) strict, without rowid;
",
    // What records mention of machines and meters; findings with copies of both records, since they outlive any log; and
    // the logs whose records came before anybody looked.
    "
    create table mention (
        id text primary key,
        gateway text not null,
        log text not null,
        seq integer not null,
        hash text not null,
        at_unix_ms integer not null,
        subject text not null,
        kind text not null,
        key text not null,
        detail text not null
    ) strict, without rowid;
    create index mention_key on mention (key) where key <> '';
    create index mention_subject on mention (gateway, subject);
    create index mention_place on mention (gateway, log, seq);
    create table finding (
        id text primary key,
        kind text not null,
        about text not null,
        found_unix_ms integer not null,
        first_gateway text not null,
        first_log text not null,
        first_seq integer not null,
        first_hash text not null,
        first_bytes text not null,
        second_gateway text not null,
        second_log text not null,
        second_seq integer not null,
        second_hash text not null,
        second_bytes text not null
    ) strict, without rowid;
    create index finding_time on finding (found_unix_ms, id);
    create table unindexed (
        gateway text not null,
        log text not null,
        next_seq integer not null,
        primary key (gateway, log)
    ) strict, without rowid;
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn;
",
    // The last mention of a kind beside the first, so all is looked through again; and the paper that excuses a finding.
    "
    alter table finding add column excuse_gateway text;
    alter table finding add column excuse_log text;
    alter table finding add column excuse_seq integer;
    alter table finding add column excuse_hash text;
    alter table finding add column excuse_bytes text;
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn where true
        on conflict (gateway, log) do update set next_seq = 0;
",
    // What screens list: each piece of equipment by the newest record of each kind, its meters' intervals, the counts of each
    // day; people, their saved filters, who saw what, and looks on site. The first three are an index, built anew from records.
    "
    create table asset (
        gateway text not null,
        asset text not null,
        division text not null default '',
        uscc text not null default '',
        verdict_log text not null default '',
        verdict_seq integer not null default -1,
        verdict_unix_ms integer not null default 0,
        state text not null default '',
        since_unix_ms integer not null default 0,
        violation_since_unix_ms integer,
        class text not null default '',
        phase text not null default '',
        last_day text not null default '',
        entry text not null default '',
        overdue_wh integer not null default 0,
        order_log text not null default '',
        order_seq integer not null default -1,
        order_unix_ms integer not null default 0,
        order_id text not null default '',
        rung text not null default '',
        plate_log text not null default '',
        plate_seq integer not null default -1,
        plate_unix_ms integer not null default 0,
        seen_unix_ms integer not null default 0,
        changed_unix_ms integer not null default 0,
        primary key (gateway, asset)
    ) strict, without rowid;
    create index asset_place on asset (division, gateway, asset);
    create index asset_violation on asset (violation_since_unix_ms) where violation_since_unix_ms is not null;
    create table span (
        gateway text not null,
        asset text not null,
        from_unix_ms integer not null,
        meter text not null,
        log text not null,
        seq integer not null,
        to_unix_ms integer not null,
        energy_wh integer,
        seen_ms integer not null,
        unseen_ms integer not null,
        primary key (gateway, asset, from_unix_ms, meter, log, seq)
    ) strict, without rowid;
    create index record_story on record (gateway, asset, wall_unix_ms)
        where kind in ('state', 'event', 'verdict', 'transition', 'act');
    create table tally (
        day text not null,
        division text not null,
        assets integer not null,
        due integer not null,
        verified integer not null,
        drawing integer not null,
        unproven integer not null,
        latched integer not null,
        primary key (day, division)
    ) strict, without rowid;
    create table person (
        name text primary key,
        role text not null,
        scope text not null,
        password text not null,
        changed_unix_ms integer not null
    ) strict, without rowid;
    create table saved (
        person text not null,
        name text not null,
        query text not null,
        primary key (person, name)
    ) strict, without rowid;
    create table saw (
        number integer primary key autoincrement,
        at_unix_ms integer not null,
        person text not null,
        scope text not null,
        what text not null,
        status integer not null
    ) strict;
    create table inspection (
        number integer primary key autoincrement,
        gateway text not null,
        asset text not null,
        asked_by text not null,
        asked_unix_ms integer not null,
        why text not null,
        answered_by text,
        answered_unix_ms integer,
        found text
    ) strict;
    create index inspection_asset on inspection (gateway, asset);
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn where true
        on conflict (gateway, log) do update set next_seq = 0;
",
    // The desk's alarms: what records say is the matter, alarms that are not over, the desk's own log, and how far receivers
    // were told. What older records say is said again by the next verdict.
    "
    create table condition (
        id text primary key,
        cause text not null,
        gateway text not null,
        log text not null,
        seq integer not null,
        subject text,
        shown text not null,
        at_unix_ms integer not null,
        changed_unix_ms integer not null,
        hash text not null,
        waiting integer not null
    ) strict, without rowid;
    create index condition_waiting on condition (changed_unix_ms, id) where waiting = 1;
    create table alarm (
        id text primary key,
        kind text not null,
        priority text not null,
        cause text not null,
        division text not null,
        uscc text,
        gateway text,
        subject text,
        life text not null,
        hush text not null,
        level text not null,
        raised_unix_ms integer not null,
        changed_unix_ms integer not null,
        until_unix_ms integer,
        who text,
        why text,
        record text,
        gateways integer
    ) strict, without rowid;
    create index alarm_raised on alarm (raised_unix_ms, id);
    create index alarm_record on alarm (record);
    create table alarm_step (
        number integer primary key,
        alarm text not null,
        at_unix_ms integer not null,
        hash text not null,
        bytes text not null
    ) strict;
    create index alarm_step_alarm on alarm_step (alarm, number);
    create table pager (
        receiver text not null,
        kind text not null,
        upto integer not null,
        told_unix_ms integer,
        pause_ms integer not null,
        claimed_unix_ms integer,
        primary key (receiver, kind)
    ) strict, without rowid;
",
    // What reports read: verdicts by equipment and time, and papers. A log of a year is records of another kind for the most.
    "
    create index record_verdict on record (gateway, log, asset, wall_unix_ms, seq) where kind = 'verdict';
    create index record_paper on record (gateway, log, seq) where kind in ('transition', 'act', 'answer');
",
    // What verdicts come to, day by day, as far as each log is added up; an index, built anew from records.
    "
    create table summed (
        gateway text not null,
        log text not null,
        seq integer not null,
        primary key (gateway, log)
    ) strict, without rowid;
    create table day_sum (
        gateway text not null,
        log text not null,
        asset text not null,
        day integer not null,
        sum text not null,
        primary key (gateway, log, asset, day)
    ) strict, without rowid;
    create index record_verdict_place on record (gateway, log, asset, seq) where kind = 'verdict';
",
    // No record is later than it arrived, whatever its gateway's clock says; and a quarter of an hour is of the day it lies on.
    "
    drop index record_verdict;
    create index record_verdict on record (gateway, log, asset, (min(wall_unix_ms, received_unix_ms)), seq)
        where kind = 'verdict';
    delete from summed;
    delete from day_sum;
",
    // A line that may be the right one is no entry.
    "
    update asset set entry = '' where class <> 'in_scope';
",
    // The log that was left in which a violation is latched, where the gateway speaks in another; the next verdict fills it in.
    "
    alter table asset add column left_log text not null default '';
",
    // Of two logs whatever was heard later is shown, whatever the clock of its gateway said; and how far those are known that are
    // not shown. All of it is made anew.
    "
    alter table asset add column verdict_received_unix_ms integer not null default 0;
    alter table asset add column order_received_unix_ms integer not null default 0;
    alter table asset add column plate_received_unix_ms integer not null default 0;
    create table left_word (
        gateway text not null,
        asset text not null,
        part text not null,
        log text not null,
        seq integer not null,
        primary key (gateway, asset, part, log)
    ) strict, without rowid;
    alter table condition add column received_unix_ms integer not null default 0;
    update condition set received_unix_ms = coalesce((select record.received_unix_ms from record
        where record.gateway = condition.gateway and record.log = condition.log and record.seq = condition.seq), changed_unix_ms);
    delete from asset;
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn where true
        on conflict (gateway, log) do update set next_seq = 0;
",
    // What was drawn while a meter was silent is of all the days on which it was.
    "
    delete from summed;
    delete from day_sum;
",
    // Where a gateway that has not spoken yet is said to stand.
    "
    alter table gateway add column division text not null default '';
",
    // Acts in logs that the authority did not sign, as they arrive.
    "
    create table foreign_act (
        gateway text not null,
        log text not null,
        seq integer not null,
        asset text not null,
        order_id text not null,
        primary key (gateway, log, seq)
    ) strict, without rowid;
",
];
