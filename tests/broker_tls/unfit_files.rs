//! Certificates and keys that cannot be used, in every form in which other programs write them.

use super::*;

#[tokio::test]
async fn files_that_cannot_be_used_are_mistakes_of_the_configuration_with_their_place() {
    let works = Works::open("tls-check").await;
    let folder = &works.folder.0;
    let ca = Authority::new(folder, "ca");
    let (one, two) = (ca.issue("one", NOW), ca.issue("two", NOW));
    std::fs::write(folder.join("empty.pem"), "nothing\n").unwrap();
    let flaws = |tls: &str| match config::load(&configure(&works, 8_883, tls)) {
        Ok(config) => vec![format!("{:?}", config.broker.tls.map(|tls| tls.server_name))],
        Err(flaws) => {
            flaws.iter().map(|flaw| flaw.to_string().replace(&format!("{}/", folder.display()), "")).collect()
        }
    };
    let good =
        flaws(r#"ca = "ca.pem", certificate = "one.crt", key = "one.key", server_name = "broker.example""#);
    assert_eq!(good, [r#"Some(Some("broker.example"))"#]);
    // The forms in which other programs write keys.
    openssl(folder, &["ec", "-in", "one.key", "-out", "one.sec1"]);
    openssl(
        folder,
        &[
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=gw", "-keyout", "rsa.key", "-out",
            "rsa.crt",
        ],
    );
    openssl(folder, &["rsa", "-in", "rsa.key", "-traditional", "-out", "rsa.pkcs1"]);
    for (certificate, key, form) in [
        ("one.crt", "one.sec1", "EC PRIVATE KEY"),
        ("rsa.crt", "rsa.pkcs1", "RSA PRIVATE KEY"),
        ("rsa.crt", "rsa.key", "BEGIN PRIVATE KEY"),
    ] {
        assert!(std::fs::read_to_string(folder.join(key)).unwrap().contains(form), "{key}");
        let good = flaws(&format!("ca = \"ca.pem\", certificate = \"{certificate}\", key = \"{key}\""));
        assert_eq!(good, ["Some(None)"], "{key}");
    }
    let wrong = flaws(r#"ca = "none.pem", certificate = "empty.pem", key = "ca.pem""#).join("\n");
    assert!(wrong.contains("agent.toml:"), "{wrong}");
    assert!(wrong.contains("none.pem: cannot be read"), "{wrong}");
    assert!(wrong.contains("empty.pem: no certificate in it"), "{wrong}");
    assert!(wrong.contains("unencrypted private key in PEM is expected"), "{wrong}");
    let wrong = flaws(r#"ca = "ca.pem", certificate = "one.crt", key = "two.key""#).join("\n");
    assert!(wrong.contains("two.key: is not the key of one.crt"), "{wrong}");
    let wrong = flaws(r#"ca = "ca.pem", certificate = "one.crt""#).join("\n");
    assert!(wrong.contains("`certificate` and `key` belong together"), "{wrong}");
    let wrong = flaws(r#"ca = "ca.pem", server_name = "not a name""#).join("\n");
    assert!(wrong.contains("`not a name` is no host name"), "{wrong}");
    let refused = watch(&[
        "--ca",
        &ca.file.display().to_string(),
        "--certificate",
        &one.certificate.display().to_string(),
        "--key",
        &two.key.display().to_string(),
    ])
    .await;
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--key: "), "{refused:?}");
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).current_dir(folder).stderr(Stdio::null()).status();
    assert!(done.unwrap().success(), "openssl {arguments:?}");
}
