//! A member that does not die but is frozen: no connection of it ends by itself, neither at the broker nor at the database.
//! How long at most its part is nobody's is said by `TAKEN_OVER_MS` and what it is made of; here, that it is taken over at all.

use std::process::Command;

use coldhearth::{
    evidence::{Kind, PublicKey, Receipt, Signed},
    host::{Clock as _, SystemClock},
    regulator::share::canary::E_BRK_SHARE,
    terms::place::Level,
};

use crate::{
    BROKER, admit_the_voice,
    cluster::Cluster,
    lines, receipts, rewriting,
    support::{Folder, Mosquitto, Process, Subscriber, authority::Publisher, free_port, soon},
};

fn signal(process: &Process, name: &str) {
    let id = process.0.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

/// Does what a gateway does: sends again what receipts say is missing, and its newest now and then, until all is receipted.
async fn insist(subscriber: &mut Subscriber, publisher: &mut Publisher, key: &PublicKey, lines: &[Vec<u8>]) {
    let (clock, last) = (SystemClock::default(), lines.len() as u64 - 1);
    soon("everything to be receipted", async {
        loop {
            let pause = clock.sleep_until(clock.now().uptime_ms + 500);
            let bytes = tokio::select! {
                (kind, bytes) = subscriber.next() => (kind == Kind::Receipt).then_some(bytes),
                () = pause => None,
            };
            let Some(bytes) = bytes else {
                publisher.publish(&lines[lines.len() - 1..]).await;
                continue;
            };
            let receipt = Receipt::open(&Signed::read(&bytes).unwrap(), key).unwrap();
            if receipt.upto.seq == last && receipt.missing.is_empty() {
                return;
            }
            for (from, to) in receipt.missing {
                let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
                publisher.publish(&lines[from..=to]).await;
            }
        }
    })
    .await;
}

async fn is_taken_over(name: &str, port: u16, ails: &[&str], parts: [u64; 2]) {
    let cluster = Cluster::found(name, port, 2, Level::County).await;
    cluster.store(admit_the_voice);
    let members: Vec<Process> = (0..2).map(|at| cluster.serve(at)).collect();
    for at in 0..2 {
        cluster.until_ails(at, ails).await;
    }
    cluster.until_divided(&parts).await;
    let lines = lines(90);
    let mut subscriber = receipts(port).await;
    let mut publisher = Publisher::start(port).await;
    publisher.publish(&lines[..30]).await;
    insist(&mut subscriber, &mut publisher, &cluster.key(), &lines[..30]).await;
    // The county's last digits are 21: the part of the first where divisions are taken.
    signal(&members[0], "-STOP");
    publisher.publish(&lines[30..60]).await;
    insist(&mut subscriber, &mut publisher, &cluster.key(), &lines[..60]).await;
    cluster.until(1, "coldhearth_share_members_present", 1).await;
    cluster.until(1, "coldhearth_share_parts", parts.iter().sum()).await;
    signal(&members[0], "-CONT");
    cluster.until_divided(&parts).await;
    publisher.publish(&lines[60..]).await;
    insist(&mut subscriber, &mut publisher, &cluster.key(), &lines).await;
    let kept = cluster.ask("select count(*), (select count(*) from coldhearth.fork) from coldhearth.record");
    assert_eq!(kept, "90|0");
}

#[tokio::test]
async fn a_frozen_member_is_taken_over_where_the_broker_shares() {
    let folder = Folder::new("frozen-shared");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    is_taken_over("frozen-shared", broker.port, &[], [0, 0]).await;
}

#[tokio::test]
async fn a_frozen_member_is_taken_over_where_divisions_are_taken() {
    let folder = Folder::new("frozen-divided");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let port = rewriting::start(broker.port, rewriting::silent).await;
    is_taken_over("frozen-divided", port, &[E_BRK_SHARE], [50, 50]).await;
}
