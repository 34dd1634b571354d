//! A browser as far as the console needs one: cookies, forms, one request a line.

use coldhearth::host::{Clock as _, SystemClock};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::soon;

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Out of what came over the line.
    pub(crate) fn of(said: &[u8]) -> Answer {
        let (head, body) = String::from_utf8(said.to_vec())
            .unwrap()
            .split_once("\r\n\r\n")
            .map(|(head, body)| (head.to_owned(), body.to_owned()))
            .expect("a head and a body");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let answer = Answer { status, head, body };
        if answer.header("transfer-encoding") == "chunked" {
            return Answer { body: joined(&answer.body), ..answer };
        }
        answer
    }

    /// What a header says; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .next()
            .unwrap_or_default()
    }

    /// The token that the forms of this page carry.
    pub(crate) fn form_token(&self) -> String {
        let after = self.body.split("name=\"form\" value=\"").nth(1).expect("a page with a form");
        after.split('"').next().unwrap().to_owned()
    }

    /// The text of the page without its tags.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let mut inside = false;
        for c in self.body.chars() {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    out.push('\n');
                }
                _ if !inside => out.push(c),
                _ => {}
            }
        }
        out.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
    }
}

/// What came in pieces, each after its length; a line that broke off before the last, empty piece is no answer.
fn joined(mut pieces: &str) -> String {
    let mut whole = String::new();
    loop {
        let (length, rest) = pieces.split_once("\r\n").expect("the length of a piece");
        match usize::from_str_radix(length, 16).expect("a length") {
            0 => return whole,
            length => {
                whole.push_str(&rest[..length]);
                pieces = &rest[length + 2..];
            }
        }
    }
}

/// Somebody at a browser.
pub(crate) struct Browser {
    pub(crate) port: u16,
    pub(crate) session: String,
    pub(crate) language: &'static str,
    pub(crate) origin: Option<String>,
}

impl Browser {
    pub(crate) fn at(port: u16) -> Browser {
        Browser {
            port,
            session: String::new(),
            language: "en",
            origin: Some(format!("http://127.0.0.1:{port}")),
        }
    }

    /// Somebody who has come in.
    pub(crate) async fn entered(port: u16, name: &str, password: &str) -> Browser {
        let mut browser = Browser::at(port);
        let answer = browser.enter(name, password).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    pub(crate) async fn enter(&mut self, name: &str, password: &str) -> Answer {
        let answer =
            self.post("/login", &format!("name={name}&password={}", password.replace(' ', "+"))).await;
        let cookie = answer.header("set-cookie");
        if let Some(token) = cookie.strip_prefix("coldhearth=") {
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
            self.session = token.split(';').next().unwrap().to_owned();
        }
        answer
    }

    pub(crate) async fn get(&self, address: &str) -> Answer {
        self.ask(&format!("GET {address} HTTP/1.1\r\n"), b"").await
    }

    pub(crate) async fn post(&self, address: &str, form: &str) -> Answer {
        let head = format!("POST {address} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        self.ask(&head, form.as_bytes()).await
    }

    /// A form of somebody whom a proxy saw there.
    pub(crate) async fn post_from(&self, there: &str, address: &str, form: &str) -> Answer {
        let head = format!(
            "POST {address} HTTP/1.1\r\nX-Forwarded-For: 9.9.9.9, {there}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        self.ask(&head, form.as_bytes()).await
    }

    /// Begins a form with files, and sends no more of it than its token.
    pub(crate) async fn begin_upload(&self, address: &str, token: &str) -> TcpStream {
        let first =
            format!("POST {address} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=edge\r\n");
        let body = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{token}\r\n--edge\r\n\
             Content-Disposition: form-data; name=\"records\"; filename=\"f\"\r\n\r\n{{"
        );
        let mut line = self.line().await;
        line.write_all(self.head(&first, 100_000).as_bytes()).await.unwrap();
        line.write_all(body.as_bytes()).await.unwrap();
        line
    }

    /// A form with files, in this order.
    pub(crate) async fn upload(&self, address: &str, parts: &[(&str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let is_line = ["form", "from", "to", "in", "number", "why"].contains(name);
            let file = if is_line { "" } else { "; filename=\"f\"" };
            body.extend(
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        let head = format!("POST {address} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=edge\r\n");
        self.ask(&head, &body).await
    }

    fn head(&self, first: &str, length: usize) -> String {
        let origin = self.origin.as_ref().map_or_else(String::new, |origin| format!("Origin: {origin}\r\n"));
        format!(
            "{first}Host: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {length}\r\n{origin}Cookie: coldhearth={}; \
             coldhearth-language={}\r\n\r\n",
            self.port, self.session, self.language
        )
    }

    async fn ask(&self, first: &str, body: &[u8]) -> Answer {
        let mut line = self.line().await;
        line.write_all(self.head(first, body.len()).as_bytes()).await.unwrap();
        // Whoever refuses may have gone before all is said.
        let _refused = line.write_all(body).await;
        let mut answer = Vec::new();
        soon("an answer", line.read_to_end(&mut answer)).await.unwrap();
        Answer::of(&answer)
    }

    /// Listens to a stream until it says this.
    pub(crate) async fn hear(&self, address: &str, what: &str, meanwhile: impl Future<Output = ()>) {
        let mut line = self.line().await;
        line.write_all(self.head(&format!("GET {address} HTTP/1.1\r\n"), 0).as_bytes()).await.unwrap();
        let mut heard = String::new();
        let mut some = [0; 4_096];
        let first = soon("the stream", line.read(&mut some)).await.unwrap();
        heard.push_str(&String::from_utf8_lossy(&some[..first]));
        meanwhile.await;
        while !heard.contains(what) {
            let count = soon(what, line.read(&mut some)).await.unwrap();
            assert!(count > 0, "it ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&some[..count]));
        }
    }

    /// Listens to a stream until the other side ends it.
    pub(crate) async fn until_its_end(&self, address: &str, meanwhile: impl Future<Output = ()>) -> String {
        let mut line = self.line().await;
        line.write_all(self.head(&format!("GET {address} HTTP/1.1\r\n"), 0).as_bytes()).await.unwrap();
        let mut heard = Vec::new();
        let mut some = [0; 4_096];
        let first = soon("the stream", line.read(&mut some)).await.unwrap();
        heard.extend_from_slice(&some[..first]);
        meanwhile.await;
        soon("its end", line.read_to_end(&mut heard)).await.unwrap();
        String::from_utf8_lossy(&heard).into_owned()
    }

    pub(crate) async fn line(&self) -> TcpStream {
        let clock = SystemClock::default();
        soon("the console", async {
            loop {
                match TcpStream::connect(("127.0.0.1", self.port)).await {
                    Ok(line) => return line,
                    Err(_) => clock.sleep_until(clock.now().uptime_ms + 20).await,
                }
            }
        })
        .await
    }
}
