//! Where register maps come from: the shipped folder and those of the user, each file read once.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    host::text,
    metering::Profile,
    terms::{
        Flaw, Flaws,
        flaw::{Place, Wrong},
        form::{self, Form, Value},
    },
};

/// Most folders of profiles.
const MAX_FOLDERS: usize = 8;
/// Largest profile file that is read, in bytes: the largest shipped one has under 4 000.
const MAX_PROFILE_BYTES: u64 = 262_144;

/// Every profile file of the configured folders, and which of them were asked for.
#[derive(Default)]
pub(super) struct Profiles {
    found: BTreeMap<String, Found>,
    /// A folder could not be read: which profiles there are is not known.
    is_of_part: bool,
    wanted: RefCell<BTreeSet<String>>,
}

struct Found {
    path: PathBuf,
    read: Result<Arc<Profile>, Vec<Flaw>>,
}

impl Profiles {
    /// Reads every profile of the folders that `[gateway] profiles` names, `meters` without it; relative ones lie
    /// beside the configuration.
    pub(super) fn read(gateway: &Form<'_>, base: &Path) -> Profiles {
        let folders = gateway.optional("profiles", folders).unwrap_or_else(|| vec!["meters".to_owned()]);
        let mut profiles = Profiles::default();
        for folder in folders {
            let folder = base.join(folder);
            match files(&folder) {
                Ok(paths) => paths.into_iter().for_each(|path| profiles.add(gateway, path)),
                Err(e) => {
                    profiles.is_of_part = true;
                    gateway.flaw(
                        "profiles",
                        format!("{}: {e}", folder.display()),
                        "name folders of meter profiles: the shipped one and your own",
                    );
                }
            }
        }
        profiles
    }

    /// Profiles at hand.
    pub(super) fn given(profiles: &[Arc<Profile>]) -> Profiles {
        let found = |profile: &Arc<Profile>| {
            let id = profile.id.to_string();
            (id.clone(), Found { path: PathBuf::from(id), read: Ok(profile.clone()) })
        };
        Profiles { found: profiles.iter().map(found).collect(), ..Profiles::default() }
    }

    fn add(&mut self, gateway: &Form<'_>, path: PathBuf) {
        let Some(id) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else { return };
        if let Some(other) = self.found.get(&id) {
            let wrong =
                format!("profile `{id}` stands twice: {} and {}", other.path.display(), path.display());
            gateway.flaw("profiles", wrong, "rename one of the files, and the id in it");
            return;
        }
        let read = parse(&path, &id);
        self.found.insert(id, Found { path, read });
    }

    /// The profile a meter asks for; what is wrong with it is noted as a mistake of the configuration.
    pub(super) fn wanted(&self, form: &Form<'_>) -> Option<Arc<Profile>> {
        let wanted = form.required("profile", form::text)?;
        let Some(found) = self.found.get(&wanted) else {
            if self.is_of_part {
                return None;
            }
            let known: Vec<&str> = self.found.keys().map(String::as_str).collect();
            let right = format!("known: {}", known.join(", "));
            form.flaw("profile", format!("there is no profile `{wanted}`"), right);
            return None;
        };
        self.wanted.borrow_mut().insert(wanted);
        match &found.read {
            Ok(profile) => Some(profile.clone()),
            Err(flaws) => {
                flaws.iter().for_each(|flaw| form.flaws().add(flaw.place.clone(), flaw.what.clone()));
                None
            }
        }
    }

    /// A broken file that no meter needs stops nobody, but it is said.
    pub(super) fn warn_of_unneeded(&self, warnings: &Flaws) {
        let wanted = self.wanted.borrow();
        for (_, found) in self.found.iter().filter(|(id, _)| !wanted.contains(*id)) {
            for Flaw { place, what } in found.read.as_ref().err().into_iter().flatten() {
                let wrong = format!("no meter needs this profile, but {}", what.wrong);
                warnings.add(place.clone(), Wrong::new(wrong, what.right.clone()));
            }
        }
    }
}

/// One folder, or a list of them.
fn folders(value: &Value) -> form::Reading<Vec<String>> {
    let folders =
        if let Value::Text(_) = value { vec![form::text(value)?] } else { form::list(form::text)(value)? };
    if (1..=MAX_FOLDERS).contains(&folders.len()) {
        Ok(folders)
    } else {
        Err(Wrong::new(format!("names {} folders", folders.len()), format!("1 to {MAX_FOLDERS} are allowed")))
    }
}

/// The profile files of a folder, in the order of their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    Ok(paths)
}

fn parse(path: &Path, id: &str) -> Result<Arc<Profile>, Vec<Flaw>> {
    let name = path.display().to_string();
    let file: Arc<str> = name.as_str().into();
    let text = text::read(path, MAX_PROFILE_BYTES).map_err(|flaw| vec![flaw])?;
    let profile = Profile::parse(&name, &text)?;
    if profile.id.as_str() != id {
        let offset = text.lines().take_while(|line| !line.starts_with("id")).map(|line| line.len() + 1).sum();
        let what = Wrong::new(
            format!("id is `{}`, but the file is named `{id}`", profile.id),
            "meters name a profile by its file: make both the same",
        );
        return Err(vec![Flaw { place: Place::in_text(&file, &text, offset), what }]);
    }
    Ok(Arc::new(profile))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::terms::form::Node;

    const GOOD: &str = include_str!("../../../config/meters/finder-7e78.toml");

    /// Reads `[gateway] profiles` over folders `a` and `b`, then asks for a profile as a meter would.
    fn ask(
        folders: &str,
        files: &[(&str, &str)],
        wanted: &str,
    ) -> (Option<Arc<Profile>>, Vec<Flaw>, Vec<Flaw>) {
        static TURN: AtomicU32 = AtomicU32::new(0);
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let base = std::env::temp_dir().join(format!("coldhearth-profiles-{}-{turn}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        for (file, text) in files {
            let path = base.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let text = format!("profiles = {folders}\nprofile = \"{wanted}\"\n");
        let node = Node::parse("agent.toml", &text).unwrap();
        let (flaws, warnings) = (Flaws::default(), Flaws::default());
        let form = Form::of(&node, &flaws).unwrap();
        let profiles = Profiles::read(&form, &base);
        let profile = profiles.wanted(&form);
        profiles.warn_of_unneeded(&warnings);
        fs::remove_dir_all(&base).unwrap();
        (profile, flaws.into_sorted(), warnings.into_sorted())
    }

    #[test]
    fn a_users_folder_stands_beside_the_shipped_one() {
        let own = GOOD.replace("id = \"finder-7e78\"", "id = \"own\"");
        let files = [("a/finder-7e78.toml", GOOD), ("b/own.toml", own.as_str())];
        for wanted in ["finder-7e78", "own"] {
            let (profile, flaws, warnings) = ask("[\"a\", \"b\"]", &files, wanted);
            assert_eq!(profile.unwrap().id.as_str(), wanted);
            assert!(flaws.is_empty() && warnings.is_empty(), "{flaws:?} {warnings:?}");
        }
        assert!(ask("\"a\"", &files, "own").0.is_none(), "one folder alone");
    }

    #[test]
    fn a_profile_that_two_folders_have_is_an_error_that_names_both() {
        let files = [("a/finder-7e78.toml", GOOD), ("b/finder-7e78.toml", GOOD)];
        let (_, flaws, _) = ask("[\"a\", \"b\"]", &files, "finder-7e78");
        let said: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        assert_eq!(flaws.len(), 1, "{said:?}");
        assert!(said[0].contains("a/finder-7e78.toml") && said[0].contains("b/finder-7e78.toml"), "{said:?}");
    }

    #[test]
    fn a_broken_file_stops_the_agent_only_when_a_meter_needs_it_and_is_told_of_anyhow() {
        let broken = GOOD.replace("type = \"f32\"", "type = \"f33\"").replace("fc = 4", "fc = 6");
        let broken = broken.replace("id = \"finder-7e78\"", "id = \"broken\"");
        let files = [("a/finder-7e78.toml", GOOD), ("a/broken.toml", broken.as_str())];
        let (profile, flaws, warnings) = ask("\"a\"", &files, "finder-7e78");
        assert!(profile.is_some() && flaws.is_empty(), "{flaws:?}");
        assert!(warnings.len() >= 2, "one warning per mistake: {warnings:?}");
        assert!(warnings.iter().all(|w| w.place.file.ends_with("broken.toml") && w.place.line > 0));
        let (profile, flaws, warnings) = ask("\"a\"", &files, "broken");
        assert!(profile.is_none() && flaws.len() >= 2 && warnings.is_empty(), "{flaws:?} {warnings:?}");
    }

    #[test]
    fn a_file_has_the_name_of_its_id_and_a_folder_exists() {
        let (profile, flaws, _) = ask("\"a\"", &[("a/other.toml", GOOD)], "other");
        assert!(profile.is_none());
        assert_eq!(flaws.first().map(|flaw| flaw.place.line), Some(2), "{flaws:?}");
        let (_, flaws, _) = ask("[\"a\", \"none\"]", &[("a/finder-7e78.toml", GOOD)], "finder-7e78");
        assert!(flaws.first().unwrap().to_string().contains("none"), "{flaws:?}");
        assert!(!ask("[]", &[], "x").1.is_empty());
    }
}
