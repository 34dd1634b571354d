//! A file that a person wrote, read whole: of a limited size, no pipe and no device, and UTF-8.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    string::FromUtf8Error,
    sync::Arc,
};

use crate::terms::{
    Flaw,
    flaw::{Place, Wrong},
};

/// Reads a file of at most so many bytes.
///
/// # Errors
/// It is not there, may not be read, is larger, is no file that ends, or holds a byte that is not UTF-8.
pub fn read(path: &Path, most_bytes: u64) -> Result<String, Flaw> {
    let unreadable = |e: io::Error| {
        flaw(path, format!("cannot be read: {e}"), "check the path and its permissions".to_owned())
    };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        let what = if about.is_dir() { "a folder" } else { "a pipe or a device" };
        return Err(flaw(path, format!("cannot be read: it is {what}"), "name a file".to_owned()));
    }
    let mut bytes = Vec::new();
    if about.len() <= most_bytes {
        // What a file says of its size need not be so.
        let file = File::open(path).map_err(unreadable)?;
        file.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    let size = about.len().max(bytes.len() as u64);
    if size > most_bytes {
        let right = format!("at most {most_bytes} are read: is this the right file?");
        return Err(flaw(path, format!("{size} bytes"), right));
    }
    String::from_utf8(bytes).map_err(|e| not_utf8(path, &e))
}

/// A flaw of a whole file.
pub fn flaw(path: &Path, wrong: impl Into<String>, right: impl Into<String>) -> Flaw {
    let place = Place { file: path.display().to_string().into(), line: 0, column: 0 };
    Flaw { place, what: Wrong::new(wrong, right) }
}

fn not_utf8(path: &Path, error: &FromUtf8Error) -> Flaw {
    let file: Arc<str> = path.display().to_string().into();
    let at = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(error.as_bytes().get(..at).unwrap_or_default());
    let byte = error.as_bytes().get(at).copied().unwrap_or_default();
    let wrong = format!("byte 0x{byte:02x} is not UTF-8");
    Flaw { place: Place::in_text(&file, &before, at), what: Wrong::new(wrong, "save the file as UTF-8") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, bytes: &[u8], most_bytes: u64) -> String {
        let path = std::env::temp_dir().join(format!("coldhearth-text-{name}-{}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        let read = read(&path, most_bytes);
        fs::remove_file(&path).unwrap();
        let folder = format!("{}/", std::env::temp_dir().display());
        read.unwrap_or_else(|flaw| flaw.to_string().replace(&folder, ""))
    }

    #[test]
    fn a_byte_that_is_no_utf_8_is_told_with_its_place() {
        assert_eq!(told("good", "炉 = 1\n".as_bytes(), 100), "炉 = 1\n");
        let gbk = told("gbk", b"a = 1\n# n = \"2\xba\xc5\"\n", 100);
        assert!(gbk.ends_with(":2:9: byte 0xba is not UTF-8, save the file as UTF-8"), "{gbk}");
        let utf_16 = told("utf16", b"\xff\xfea\0", 100);
        assert!(utf_16.ends_with(":1:1: byte 0xff is not UTF-8, save the file as UTF-8"), "{utf_16}");
    }

    #[test]
    fn what_never_ends_is_not_begun_and_a_limit_holds_whatever_a_file_says_of_its_size() {
        assert!(told("large", b"12345", 4).contains("5 bytes, at most 4 are read"));
        let device = read(Path::new("/dev/zero"), 4).unwrap_err().to_string();
        assert!(device.contains("cannot be read: it is a pipe or a device"), "{device}");
        let folder = read(&std::env::temp_dir(), 4).unwrap_err().to_string();
        assert!(folder.contains("it is a folder"), "{folder}");
        // Its size is said to be 0.
        let told = read(Path::new("/proc/self/status"), 4).unwrap_err().to_string();
        assert!(told.contains("5 bytes, at most 4 are read"), "{told}");
    }
}
