//! The meter profiles a commissioning verb knows: every good file of the folders given, and the mistakes of the others.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    host::{Exit, Failure},
    metering::Profile,
    terms::Flaw,
};

/// Where profiles are looked for unless told otherwise: an installed gateway's, then those of a source tree.
pub const USUAL_FOLDERS: [&str; 2] = ["/etc/coldhearth/meters", "config/meters"];
/// Most profile files read.
pub const MAX_PROFILES: usize = 1_000;

/// Profiles by identifier, and what is wrong with the files that are none.
#[derive(Debug, Default)]
pub struct Library {
    /// The good ones, in the order of their identifiers.
    pub profiles: Vec<Arc<Profile>>,
    /// Mistakes of the others. They hinder nobody who does not need those files.
    pub flaws: Vec<Flaw>,
    /// The folders that were read.
    pub folders: Vec<PathBuf>,
}

impl Library {
    /// Reads every `*.toml` of the folders; without any, of the first usual folder that exists. Of two profiles of one
    /// identifier the later folder's counts.
    ///
    /// # Errors
    /// A folder cannot be read, or no good profile is in any.
    pub fn read(folders: &[PathBuf]) -> Result<Library, Failure> {
        let usual = || USUAL_FOLDERS.iter().map(PathBuf::from).find(|folder| folder.is_dir());
        let folders = if folders.is_empty() { usual().into_iter().collect() } else { folders.to_vec() };
        let mut library = Library { folders, ..Library::default() };
        for folder in library.folders.clone() {
            library.add(&folder)?;
        }
        library.profiles.sort_by_key(|profile| profile.id);
        if library.profiles.is_empty() {
            let seen: Vec<String> = library.flaws.iter().map(ToString::to_string).collect();
            let message = format!(
                "no meter profile found in {}; name their folder with --profiles DIR\n{}",
                library.names(),
                seen.join("\n")
            );
            return Err(Failure::new(Exit::Config, message.trim_end()));
        }
        Ok(library)
    }

    fn add(&mut self, folder: &Path) -> Result<(), Failure> {
        let failed = |e: std::io::Error| {
            let cure = "name the folder of the meter profiles with --profiles DIR";
            Failure::new(Exit::Config, format!("{}: {e}; {cure}", folder.display()))
        };
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .map_err(failed)?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .take(MAX_PROFILES)
            .collect();
        paths.sort();
        for path in paths {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            match Profile::parse(&path.display().to_string(), &text) {
                Ok(profile) => {
                    self.profiles.retain(|known| known.id != profile.id);
                    self.profiles.push(Arc::new(profile));
                }
                Err(flaws) => self.flaws.extend(flaws),
            }
        }
        Ok(())
    }

    /// A profile by its identifier.
    ///
    /// # Errors
    /// There is none; the message names those there are, and the mistakes of a file of that name.
    pub fn named(&self, id: &str) -> Result<Arc<Profile>, Failure> {
        if let Some(profile) = self.profiles.iter().find(|profile| profile.id.as_str() == id) {
            return Ok(profile.clone());
        }
        let file = format!("{id}.toml");
        let broken = self.flaws.iter().filter(|flaw| Path::new(&*flaw.place.file).ends_with(&file));
        let broken: Vec<String> = broken.map(ToString::to_string).collect();
        let known: Vec<&str> = self.profiles.iter().map(|profile| profile.id.as_str()).collect();
        let message = if broken.is_empty() {
            format!("there is no profile `{id}` in {}; known: {}", self.names(), known.join(", "))
        } else {
            broken.join("\n")
        };
        Err(Failure::new(Exit::Config, message))
    }

    fn names(&self) -> String {
        if self.folders.is_empty() {
            return USUAL_FOLDERS.join(" or ");
        }
        let names: Vec<String> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profiles_are_found_and_one_is_got_by_name() {
        let library = Library::read(&["config/meters".into()]).unwrap();
        assert!(library.flaws.is_empty(), "{:?}", library.flaws);
        assert_eq!(library.named("janitza-19000").unwrap().id.as_str(), "janitza-19000");
        let failure = library.named("no-such-meter").unwrap_err();
        assert!(failure.exit == Exit::Config && failure.message.contains("known: "), "{failure}");
    }

    #[test]
    fn a_folder_without_profiles_is_a_mistake_of_the_configuration() {
        for folder in ["/nonexistent", "src"] {
            let failure = Library::read(&[folder.into()]).unwrap_err();
            assert!(failure.exit == Exit::Config && failure.message.contains("--profiles"), "{failure}");
        }
    }
}
