//! The tables in the dialect of PostgreSQL. Released migrations are never edited.

/// PostgreSQL. Names are compared by their bytes, whatever language the database speaks; messages are kept as bytes,
/// whatever encoding it has.
pub(in crate::regulator::store) const POSTGRES: &[&str] = &[
    "
    create table gateway (
        id text collate \"C\" not null,
        kid text collate \"C\" not null,
        public_key text not null,
        admitted_unix_ms bigint not null,
        revoked_unix_ms bigint,
        primary key (id, kid)
    );
    create table record (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        hash text not null,
        kind text not null,
        asset text not null,
        wall_unix_ms bigint not null,
        received_unix_ms bigint not null,
        bytes bytea not null,
        primary key (gateway, log, seq)
    );
    create table log (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        division text not null,
        uscc text not null,
        seq bigint not null,
        head text not null,
        received_unix_ms bigint not null,
        next_epoch bigint not null,
        root text not null,
        primary key (gateway, log)
    );
    create table turn (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        turn bigint not null,
        primary key (gateway, log)
    );
    create table epoch (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        epoch bigint not null,
        from_seq bigint not null,
        public_key text not null,
        primary key (gateway, log, epoch)
    );
    create table fork (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        held bytea not null,
        shown bytea not null,
        shown_sha256 text not null,
        received_unix_ms bigint not null,
        primary key (gateway, log, seq, shown_sha256)
    );
    create table receipt (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        received_unix_ms bigint not null,
        bytes bytea not null,
        primary key (gateway, log, received_unix_ms, seq)
    );
",
    // Retention, and the head of heads.
    "
    create table pruned (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        hash text not null,
        next_epoch bigint not null,
        pruned_unix_ms bigint not null,
        primary key (gateway, log)
    );
    create table heads (
        number bigint primary key,
        day text not null unique,
        made_unix_ms bigint not null,
        bytes bytea not null
    );
    create table listed (
        number bigint not null references heads (number),
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        head text not null,
        primary key (number, gateway, log)
    );
",
    // What records mention of machines and meters; findings with copies of both records, since they outlive any log; and
    // the logs whose records came before anybody looked.
    "
    create table mention (
        id text collate \"C\" primary key,
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        hash text not null,
        at_unix_ms bigint not null,
        subject text collate \"C\" not null,
        kind text not null,
        key bytea not null,
        detail bytea not null
    );
    create index mention_key on mention (key) where key <> '';
    create index mention_subject on mention (gateway, subject);
    create index mention_place on mention (gateway, log, seq);
    create table finding (
        id text collate \"C\" primary key,
        kind text not null,
        about bytea not null,
        found_unix_ms bigint not null,
        first_gateway text not null,
        first_log text not null,
        first_seq bigint not null,
        first_hash text not null,
        first_bytes bytea not null,
        second_gateway text not null,
        second_log text not null,
        second_seq bigint not null,
        second_hash text not null,
        second_bytes bytea not null
    );
    create index finding_time on finding (found_unix_ms, id);
    create table unindexed (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        next_seq bigint not null,
        primary key (gateway, log)
    );
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn;
",
    // The last mention of a kind beside the first, so all is looked through again; and the paper that excuses a finding.
    "
    alter table finding add column excuse_gateway text, add column excuse_log text, add column excuse_seq bigint,
        add column excuse_hash text, add column excuse_bytes bytea;
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn
        on conflict (gateway, log) do update set next_seq = 0;
",
    // What screens list: each piece of equipment by the newest record of each kind, its meters' intervals, the counts of each
    // day; people, their saved filters, who saw what, and looks on site. The first three are an index, built anew from records.
    "
    create table asset (
        gateway text collate \"C\" not null,
        asset text collate \"C\" not null,
        division text collate \"C\" not null default '',
        uscc text not null default '',
        verdict_log text not null default '',
        verdict_seq bigint not null default -1,
        verdict_unix_ms bigint not null default 0,
        state text not null default '',
        since_unix_ms bigint not null default 0,
        violation_since_unix_ms bigint,
        class text not null default '',
        phase text not null default '',
        last_day text collate \"C\" not null default '',
        entry bytea not null default '',
        overdue_wh bigint not null default 0,
        order_log text not null default '',
        order_seq bigint not null default -1,
        order_unix_ms bigint not null default 0,
        order_id text not null default '',
        rung text not null default '',
        plate_log text not null default '',
        plate_seq bigint not null default -1,
        plate_unix_ms bigint not null default 0,
        seen_unix_ms bigint not null default 0,
        changed_unix_ms bigint not null default 0,
        primary key (gateway, asset)
    );
    create index asset_place on asset (division, gateway, asset);
    create index asset_violation on asset (violation_since_unix_ms) where violation_since_unix_ms is not null;
    create table span (
        gateway text collate \"C\" not null,
        asset text collate \"C\" not null,
        from_unix_ms bigint not null,
        meter text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        to_unix_ms bigint not null,
        energy_wh bigint,
        seen_ms bigint not null,
        unseen_ms bigint not null,
        primary key (gateway, asset, from_unix_ms, meter, log, seq)
    );
    create index record_story on record (gateway, asset, wall_unix_ms)
        where kind in ('state', 'event', 'verdict', 'transition', 'act');
    create table tally (
        day text collate \"C\" not null,
        division text collate \"C\" not null,
        assets bigint not null,
        due bigint not null,
        verified bigint not null,
        drawing bigint not null,
        unproven bigint not null,
        latched bigint not null,
        primary key (day, division)
    );
    create table person (
        name text collate \"C\" primary key,
        role text not null,
        scope text collate \"C\" not null,
        password text not null,
        changed_unix_ms bigint not null
    );
    create table saved (
        person text collate \"C\" not null,
        name bytea not null,
        query bytea not null,
        primary key (person, name)
    );
    create table saw (
        number bigint generated always as identity primary key,
        at_unix_ms bigint not null,
        person text not null,
        scope text collate \"C\" not null,
        what bytea not null,
        status bigint not null
    );
    create table inspection (
        number bigint generated always as identity primary key,
        gateway text collate \"C\" not null,
        asset text collate \"C\" not null,
        asked_by text not null,
        asked_unix_ms bigint not null,
        why bytea not null,
        answered_by text,
        answered_unix_ms bigint,
        found bytea
    );
    create index inspection_asset on inspection (gateway, asset);
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn
        on conflict (gateway, log) do update set next_seq = 0;
",
    // The desk's alarms: what records say is the matter, alarms that are not over, the desk's own log, and how far receivers
    // were told. What older records say is said again by the next verdict.
    "
    create table condition (
        id text collate \"C\" primary key,
        cause text not null,
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        subject text,
        shown text not null,
        at_unix_ms bigint not null,
        changed_unix_ms bigint not null,
        hash text not null,
        waiting bigint not null
    );
    create index condition_waiting on condition (changed_unix_ms, id) where waiting = 1;
    create table alarm (
        id text collate \"C\" primary key,
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
        raised_unix_ms bigint not null,
        changed_unix_ms bigint not null,
        until_unix_ms bigint,
        who bytea,
        why bytea,
        record text,
        gateways bigint
    );
    create index alarm_raised on alarm (raised_unix_ms, id);
    create index alarm_record on alarm (record);
    create table alarm_step (
        number bigint primary key,
        alarm text collate \"C\" not null,
        at_unix_ms bigint not null,
        hash text not null,
        bytes bytea not null
    );
    create index alarm_step_alarm on alarm_step (alarm, number);
    create table pager (
        receiver text collate \"C\" not null,
        kind text collate \"C\" not null,
        upto bigint not null,
        told_unix_ms bigint,
        pause_ms bigint not null,
        claimed_unix_ms bigint,
        primary key (receiver, kind)
    );
",
    // What reports read: verdicts by equipment and time, and papers. A log of a year is records of another kind for the most.
    "
    create index record_verdict on record (gateway, log, asset, wall_unix_ms, seq) where kind = 'verdict';
    create index record_paper on record (gateway, log, seq) where kind in ('transition', 'act', 'answer');
",
    // What verdicts come to, day by day, as far as each log is added up; an index, built anew from records.
    "
    create table summed (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        primary key (gateway, log)
    );
    create table day_sum (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        asset text collate \"C\" not null,
        day bigint not null,
        sum text not null,
        primary key (gateway, log, asset, day)
    );
    create index record_verdict_place on record (gateway, log, asset, seq) where kind = 'verdict';
",
    // No record is later than it arrived, whatever its gateway's clock says; and a quarter of an hour is of the day it lies on.
    "
    drop index record_verdict;
    create index record_verdict on record (gateway, log, asset, (least(wall_unix_ms, received_unix_ms)), seq)
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
    alter table asset add column verdict_received_unix_ms bigint not null default 0;
    alter table asset add column order_received_unix_ms bigint not null default 0;
    alter table asset add column plate_received_unix_ms bigint not null default 0;
    create table left_word (
        gateway text collate \"C\" not null,
        asset text collate \"C\" not null,
        part text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        primary key (gateway, asset, part, log)
    );
    alter table condition add column received_unix_ms bigint not null default 0;
    update condition set received_unix_ms = coalesce((select record.received_unix_ms from record
        where record.gateway = condition.gateway and record.log = condition.log and record.seq = condition.seq), changed_unix_ms);
    delete from asset;
    insert into unindexed (gateway, log, next_seq) select gateway, log, 0 from turn
        on conflict (gateway, log) do update set next_seq = 0;
",
    // What was drawn while a meter was silent is of all the days on which it was.
    "
    delete from summed;
    delete from day_sum;
",
    // Where a gateway that has not spoken yet is said to stand.
    "
    alter table gateway add column division text collate \"C\" not null default '';
",
    // Acts in logs that the authority did not sign, as they arrive.
    "
    create table foreign_act (
        gateway text collate \"C\" not null,
        log text collate \"C\" not null,
        seq bigint not null,
        asset text not null,
        order_id text not null,
        primary key (gateway, log, seq)
    );
",
];
