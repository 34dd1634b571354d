//! Values that nobody has read from a plate yet. A first configuration holds some, so that it is good as it is, and names them
//! in `to_fill_in`: whoever fills one in takes its name out, and until then every start says that it is invented.

use super::read::Reader;
use crate::terms::{
    flaw::Wrong,
    form::{self, Form},
};

/// The key that names them.
pub(in crate::agent) const KEY: &str = "to_fill_in";

impl Reader<'_> {
    /// Warns of each placeholder of a table.
    pub(super) fn warn_of_placeholders(&self, form: &Form<'_>) {
        for key in form.optional(KEY, form::list(form::text)).unwrap_or_default() {
            if form.has(&key) {
                let wrong = format!(
                    "`{key}` is a placeholder that nobody has filled in, and is signed as if it were true"
                );
                let right = format!("write what the plate says, and take `{key}` out of `{KEY}`");
                self.warnings.add(form.place(&key).clone(), Wrong::new(wrong, right));
            } else {
                form.flaw(KEY, format!("`{KEY}` names `{key}`, which does not stand here"), "take it out");
            }
        }
    }
}
