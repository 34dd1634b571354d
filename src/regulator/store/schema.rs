//! The tables, twice: once in the dialect of each database. Released migrations are never edited; a new schema is a new
//! entry in both lists.

/// SQLite.
pub(super) const SQLITE: &[&str] = &[
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
        primary key (receiver, kind)
    ) strict, without rowid;
",
];

/// PostgreSQL. Names are compared by their bytes, whatever language the database speaks; messages are kept as bytes,
/// whatever encoding it has.
pub(super) const POSTGRES: &[&str] = &[
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
        primary key (receiver, kind)
    );
",
];
