//! A configuration as its programs read it: layers, limits, secrets, and the first file of all.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use support::Folder;

const AGENT: &str = env!("CARGO_BIN_EXE_coldhearth");
const REGULATOR: &str = env!("CARGO_BIN_EXE_coldhearth-regulator");

/// A folder with the shipped configuration and its profiles.
fn folder(name: &str) -> (Folder, PathBuf) {
    let folder = Folder::new(name);
    std::fs::create_dir(folder.0.join("meters")).unwrap();
    for entry in std::fs::read_dir("config/meters").unwrap() {
        let file = entry.unwrap().path();
        std::fs::copy(&file, folder.0.join("meters").join(file.file_name().unwrap())).unwrap();
    }
    for file in ["agent.toml", "regulator.toml"] {
        std::fs::copy(Path::new("config").join(file), folder.0.join(file)).unwrap();
    }
    std::fs::create_dir(folder.0.join("agent.toml.d")).unwrap();
    let file = folder.0.join("agent.toml");
    (folder, file)
}

fn run(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).env("LANG", "C").envs(variables.iter().copied());
    command.output().unwrap()
}

fn told(output: &Output) -> (i32, String) {
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn a_mistake_names_its_file_its_variable_or_its_flag_in_both_programs() {
    let (folder, file) = folder("layers");
    let file = file.to_str().unwrap();
    let check = |program: &str, more: &[&str], variables: &[(&str, &str)]| {
        let file =
            if program == REGULATOR { file.replace("agent.toml", "regulator.toml") } else { file.to_owned() };
        told(&run(program, &[&["check", &file], more].concat(), variables))
    };
    let port = [("COLDHEARTH__BROKER__PORT", "99999")];
    for program in [AGENT, REGULATOR] {
        let (exit, text) = check(program, &["--set", "broker.keepalive_s=2"], &port);
        assert_eq!(exit, 78, "{text}");
        for line in [
            "environment variable COLDHEARTH__BROKER__PORT: `port` is 99999, 1 to 65535 is allowed",
            "flag --set broker.keepalive_s: `keepalive_s` is 2, 5 to 3600 is allowed",
        ] {
            assert!(text.lines().any(|told| told.ends_with(line)), "{line} in\n{text}");
        }
        let (exit, text) = check(program, &[], &[("COLDHEARTH__BROKER__PASSWORD", "hunter2")]);
        assert!(
            exit == 78
                && text.contains("environment variable COLDHEARTH__BROKER__PASSWORD: `password` is a secret")
        );
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(check(program, &["--set", "broker"], &[]).0, 2, "usage");
        assert_eq!(
            check(program, &["--set", "broker.port=1884"], &port).0,
            0,
            "the flag lies over the variable"
        );
    }
    std::fs::write(folder.0.join("agent.toml.d/20.toml"), "[[meter]]\nid = \"kiln-1-feeder\"\npoll_ms = 5\n")
        .unwrap();
    let (exit, text) = check(AGENT, &[], &[]);
    assert!(
        exit == 78 && text.contains("agent.toml.d/20.toml:3:1: `poll_ms` is 5, 100 to 60000 is allowed"),
        "{text}"
    );
    std::fs::write(
        folder.0.join("agent.toml.d/20.toml"),
        "[[meter]]\nid = \"kiln-1-feeder\"\npoll_ms = 500\n",
    )
    .unwrap();
    let (exit, text) = check(AGENT, &["--show", "--set", "meter.eaf-2-feeder.poll_ms=2000"], &port[..0]);
    assert!(exit == 0 && text.contains("2 meters"), "{text}");
    assert!(
        text.contains("meter.eaf-2-feeder.poll_ms = \"2000\"   # flag --set meter.eaf-2-feeder.poll_ms"),
        "{text}"
    );
    assert!(
        text.lines().any(|line| line.starts_with("meter.kiln-1-feeder.poll_ms = 500   # ")
            && line.ends_with("20.toml:3:1"))
    );
}

#[test]
fn a_password_is_a_file_of_its_own_or_a_credential_and_nobody_elses() {
    let (folder, file) = folder("password");
    let credentials = folder.0.join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let password = credentials.join("broker.password");
    std::fs::write(&password, "hunter2\n").unwrap();
    let mode = |mode| std::fs::set_permissions(&password, std::fs::Permissions::from_mode(mode)).unwrap();
    let variables = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
    let login = ["--set", "broker.user=gw-03", "--set", "broker.password_file=broker.password"];
    for (program, file) in [(AGENT, file.clone()), (REGULATOR, folder.0.join("regulator.toml"))] {
        let check =
            || told(&run(program, &[&["check", file.to_str().unwrap()], &login[..]].concat(), &variables));
        // The second as systemd 254 and later shows a file that an access list gives to the service's user.
        for good in [0o400, 0o440] {
            mode(good);
            assert_eq!(check().0, 0, "{:?}", check());
        }
        mode(0o644);
        let (exit, text) = check();
        let cure = "mode 0644 lets others read the password, hand it out with LoadCredential=";
        assert!(exit == 78 && text.contains(cure), "{text}");
        let own = folder.0.join("broker.password");
        std::fs::write(&own, "hunter2\n").unwrap();
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o640)).unwrap();
        let (exit, text) = check();
        let cure = "mode 0640 lets others read the password, run: chmod 600";
        assert!(exit == 78 && text.contains(cure), "{text}");
        std::fs::remove_file(&own).unwrap();
    }
}

/// The shipped configuration with a login, a state folder of its own and these lines of `[broker]`.
fn with_broker(folder: &Folder, lines: &str) {
    let text = format!("[gateway]\nstate_dir = \"state\"\n[broker]\nhost = \"127.0.0.1\"\n{lines}");
    std::fs::write(folder.0.join("agent.toml.d/10.toml"), text).unwrap();
}

#[test]
fn check_warns_of_what_may_come_and_run_ends_at_it_with_its_place() {
    let (folder, file) = folder("needs");
    let file = file.to_str().unwrap();
    let check = || told(&run(AGENT, &["check", file], &[]));
    let started = || told(&run(AGENT, &["run", "--config", file], &[]));
    with_broker(&folder, "user = \"x\"\npassword_file = \"mq.pass\"\n");
    let place = "agent.toml.d/10.toml:6:1: ";
    let is_told = |text: &str, what: &str| {
        text.lines().any(|line| line.contains(place) && line.contains("mq.pass: ") && line.contains(what))
    };
    let absent = "is not there, put it there, or hand it out as a credential of that name";
    let (exit, text) = check();
    assert!(exit == 0 && is_told(&text, absent) && text.contains("warning: "), "{text}");
    let (exit, text) = started();
    assert!(exit == 78 && is_told(&text, absent), "{exit} {text}");
    assert!(!folder.0.join("state").exists(), "no journal was begun");
    let password = folder.0.join("mq.pass");
    std::os::unix::fs::symlink(&password, &password).unwrap();
    let (exit, text) = check();
    assert!(exit == 78 && is_told(&text, "name a file that holds the password"), "{text}");
    std::fs::remove_file(&password).unwrap();
    std::fs::write(&password, "\n").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (exit, text) = check();
    assert!(exit == 78 && is_told(&text, "is empty, write the password into it"), "{text}");
    std::fs::write(&password, "hunter2\n").unwrap();
    assert_eq!(check().0, 0, "{:?}", check());
}

#[test]
fn a_key_that_others_may_read_or_that_is_none_is_told_by_check_and_by_run_with_its_place() {
    let (folder, file) = folder("key");
    let file = file.to_str().unwrap();
    let ended =
        |verb: &[&str], variables: &[(&str, &str)]| told(&run(AGENT, &[verb, &[file]].concat(), variables));
    let (check, started) = (&["check"][..], &["run", "--config"][..]);
    with_broker(&folder, "");
    std::fs::create_dir(folder.0.join("state")).unwrap();
    coldhearth::host::keys::load_or_make(&folder.0.join("state"), "gateway.key", true).unwrap();
    let key = folder.0.join("state/gateway.key");
    let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(ended(check, &[]).0, 0);
    mode(0o644);
    for verb in [check, started] {
        let (exit, text) = ended(verb, &[]);
        let place = "agent.toml.d/10.toml:2:1: ";
        let what = "gateway.key: mode 0644 lets others read the key, run: chmod 600 ";
        assert!(exit == 78 && text.contains(place) && text.contains(what), "{exit} {text}");
    }
    let credentials = folder.0.join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::rename(&key, credentials.join("gateway.key")).unwrap();
    let variables = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
    let mode = std::fs::Permissions::from_mode(0o440);
    std::fs::set_permissions(credentials.join("gateway.key"), mode).unwrap();
    assert_eq!(ended(check, &variables).0, 0, "{:?}", ended(check, &variables));
    std::fs::write(&key, "garbage\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    for verb in [check, started] {
        let (exit, text) = ended(verb, &[]);
        assert!(exit == 78 && text.contains("10.toml:2:1: ") && text.contains("enrolment copy"), "{text}");
    }
}

#[test]
fn a_private_key_for_tls_is_its_owners_alone() {
    let (folder, file) = folder("tls-key");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x", "-keyout", "tk.pem", "-out"])
        .arg("tc.pem")
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let tls = "tls = { ca = \"tc.pem\", certificate = \"tc.pem\", key = \"tk.pem\" }\n";
    with_broker(&folder, tls);
    let regulator = folder.0.join("regulator.toml");
    std::fs::create_dir(folder.0.join("regulator.toml.d")).unwrap();
    std::fs::write(folder.0.join("regulator.toml.d/10.toml"), format!("[broker]\n{tls}")).unwrap();
    let key = folder.0.join("tk.pem");
    for (program, file) in [(AGENT, &file), (REGULATOR, &regulator)] {
        let check = || told(&run(program, &["check", file.to_str().unwrap()], &[]));
        for (mode, exit) in [(0o600, 0), (0o640, 78), (0o644, 78)] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            let (ended, text) = check();
            assert_eq!(ended, exit, "{mode:o} {text}");
            let what = "lets others read the key, run: chmod 600 ";
            assert!(exit == 0 || text.contains("10.toml:") && text.contains(what), "{text}");
        }
    }
    std::fs::remove_file(&key).unwrap();
    for (program, file) in [(AGENT, &file), (REGULATOR, &regulator)] {
        let (exit, text) = told(&run(program, &["check", file.to_str().unwrap()], &[]));
        assert!(exit == 0 && text.contains("tk.pem: is not there"), "it may be handed out: {text}");
    }
}

#[test]
fn what_never_ends_is_no_configuration() {
    let folder = Folder::new("pipe");
    let pipe = folder.0.join("agent.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for file in [pipe.to_str().unwrap(), "/dev/zero"] {
        let (exit, text) = told(&run(AGENT, &["check", file], &[]));
        assert!(exit == 78 && text.contains("it is a pipe or a device"), "{text}");
    }
    for (program, shipped) in [(AGENT, "agent.toml"), (REGULATOR, "regulator.toml")] {
        let file = folder.0.join(format!("gbk-{shipped}"));
        let mut bytes = std::fs::read(Path::new("config").join(shipped)).unwrap();
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        bytes.extend(b"# name = \"2\xba\xc5\"\n");
        std::fs::write(&file, bytes).unwrap();
        let (exit, text) = told(&run(program, &["check", file.to_str().unwrap()], &[]));
        let what = format!("{shipped}:{}:12: byte 0xba is not UTF-8, save the file as UTF-8", lines + 1);
        assert!(exit == 78 && text.contains(&what), "{what} in {text}");
    }
}

#[test]
fn limits_are_named_where_they_are_passed() {
    let (folder, file) = folder("limits");
    let text = std::fs::read_to_string(&file).unwrap();
    let keys: Vec<String> = (0..17).map(|n| format!("\"{n}.pub\"")).collect();
    let more = format!("[authority]\nkeys = [{}]\n[broker]\ndrain_per_s = 20_000\n", keys.join(", "));
    std::fs::write(folder.0.join("agent.toml.d/10.toml"), more).unwrap();
    let (exit, told) = told(&run(AGENT, &["check", file.to_str().unwrap()], &[]));
    assert_eq!(exit, 78);
    for line in [
        "10.toml:2:1: 17 keys, at most 16 are believed at once",
        "10.toml:4:1: `drain_per_s` is 20000, 1 to 10000",
    ] {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "check writes nothing");
}

const CHOICES: [&str; 14] = [
    "init",
    "--gateway",
    "gw-03",
    "--division",
    "130421",
    "--uscc",
    "91350100M000100Y43",
    "--equipment",
    "eaf-2=electric_furnace:12.5MW:2011-12-31",
    "--meter",
    "janitza-19000@tcp://10.1.4.7:502/3,ct=400/5,nominal_v=35kV,voltage_point=line",
    "--state-dir",
    "state",
    "--out",
];

#[test]
fn init_writes_what_passes_never_over_a_file_and_leaves_nothing_of_what_is_refused() {
    let (folder, shipped) = folder("init");
    let file = folder.0.join("new/agent.toml");
    let out = file.to_str().unwrap();
    let before = std::fs::read(&shipped).unwrap();
    let (exit, text) = told(&run(AGENT, &[&CHOICES[..], &[shipped.to_str().unwrap()]].concat(), &[]));
    assert!(exit == 2 && text.contains("is never written over"), "{text}");
    assert_eq!(std::fs::read(&shipped).unwrap(), before);
    let profiles = folder.0.join("meters");
    let usual = [&CHOICES[..], &[out, "--profiles", profiles.to_str().unwrap()]].concat();
    let authority = coldhearth::host::keys::load_or_make(&folder.0, "authority.key", true).unwrap();
    let key = folder.0.join("authority.key.pub");
    let key = ["--authority", key.to_str().unwrap()];
    let (exit, text) = told(&run(AGENT, &[&usual[..], &key, &["--fingerprint", "dead beef"]].concat(), &[]));
    assert!(exit == 1 && text.contains("not the one that was read out"), "{text}");
    let (exit, text) = told(&run(AGENT, &[&usual[..], &key, &["--broker", "host:0"]].concat(), &[]));
    assert!(exit == 78 && text.contains("--broker: `port` is 0, 1 to 65535 is allowed"), "{text}");
    assert_eq!(
        std::fs::read_dir(file.parent().unwrap()).unwrap().count(),
        0,
        "nothing is left of what was refused"
    );
    let fingerprint = authority.public_key().fingerprint();
    let good = [&usual[..], &key, &["--fingerprint", &fingerprint, "--enrol"]].concat();
    let (exit, text) = told(&run(AGENT, &good, &[("LANG", "zh_CN.UTF-8")]));
    assert!(exit == 0 && text.contains("电表 1 块") && text.contains("fingerprint: "), "{text}");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.contains("额定功率") && written.contains("keys = [\"authority.key.pub\"]"), "{written}");
    let (exit, text) = told(&run(AGENT, &["check", out], &[]));
    assert!(exit == 0 && text.contains("1 meters, 1 pieces of equipment"), "{text}");
    let (exit, _) = told(&run(AGENT, &good, &[]));
    assert_eq!((exit, std::fs::read_to_string(&file).unwrap()), (2, written), "not over its own either");
}

#[test]
fn whoever_installs_under_a_strict_mask_leaves_what_the_service_can_read_and_the_key_to_its_owner() {
    let (folder, _) = folder("mask");
    let file = folder.0.join("strict/agent.toml");
    coldhearth::host::keys::load_or_make(&folder.0, "authority.key", true).unwrap();
    let (key, profiles) = (folder.0.join("authority.key.pub"), folder.0.join("meters"));
    let more = [file.as_path(), Path::new("--profiles"), &profiles, Path::new("--authority"), &key];
    let made = Command::new("sh")
        .args(["-c", "umask 077; exec \"$0\" \"$@\"", AGENT])
        .args(CHOICES)
        .args(more)
        .arg("--enrol")
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let strict = file.parent().unwrap();
    assert_eq!((mode(strict), mode(&file), mode(&strict.join("authority.key.pub"))), (0o755, 0o644, 0o644));
    assert_eq!(mode(&strict.join("state/gateway.key")), 0o600);
}

#[test]
fn what_init_invented_is_told_until_somebody_reads_the_plate() {
    let (folder, _) = folder("invented");
    let file = folder.0.join("new.toml");
    let out = file.to_str().unwrap();
    let mut choices: Vec<&str> = CHOICES.to_vec();
    for choice in &mut choices {
        if choice.starts_with("janitza") {
            *choice = "janitza-19000@tcp://10.1.4.7:502/3";
        }
    }
    let profiles = folder.0.join("meters");
    let key = coldhearth::host::keys::load_or_make(&folder.0, "some.key", true).unwrap();
    std::fs::create_dir(folder.0.join("state")).unwrap();
    std::fs::copy(folder.0.join("some.key"), folder.0.join("state/gateway.key")).unwrap();
    choices.extend([out, "--profiles", profiles.to_str().unwrap(), "--enrol"]);
    let (exit, text) = told(&run(AGENT, &choices, &[]));
    let is_kept = text.contains("is kept") && text.contains(&key.public_key().fingerprint());
    assert!(exit == 0 && is_kept, "{text}");
    let warned = || {
        let (exit, text) = told(&run(AGENT, &["check", out], &[]));
        assert_eq!(exit, 0, "{text}");
        text.lines().filter(|line| line.contains("is a placeholder that nobody has filled in")).count()
    };
    assert_eq!(warned(), 3, "nominal_v, ct and voltage_point");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("to_fill_in = [\"nominal_v\", ", "to_fill_in = [")).unwrap();
    assert_eq!(warned(), 2);
    let private = folder.0.join("some.key");
    let out = folder.0.join("other.toml");
    let more = ["--authority", private.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let choices = [&CHOICES[..CHOICES.len() - 1], &more].concat();
    let (exit, text) = told(&run(AGENT, &choices, &[]));
    assert!(exit == 2 && text.contains("--authority ") && text.contains("this is a private key"), "{text}");
}
