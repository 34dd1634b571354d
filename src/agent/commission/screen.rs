//! Where a verb speaks to: lines for a person as they come, or one JSON object at the end for a machine.

use serde::Serialize;

use crate::{
    host::{Exit, Failure},
    terms::words::Language,
};

/// The way out of a verb.
pub struct Screen<'a> {
    say: &'a mut (dyn FnMut(&str) + Send),
    /// The person's language.
    pub language: Language,
    /// Whether a machine reads: then lines are left out.
    pub json: bool,
}

impl<'a> Screen<'a> {
    /// A screen over a way to print one line.
    pub fn new(say: &'a mut (dyn FnMut(&str) + Send), language: Language, json: bool) -> Screen<'a> {
        Screen { say, language, json }
    }

    /// One line, or several, for a person.
    pub fn line(&mut self, text: &str) {
        if !self.json {
            (self.say)(text);
        }
    }

    /// The one object for a machine.
    ///
    /// # Errors
    /// Never for what the verbs hand in.
    pub fn object(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string_pretty(object)
                .map_err(|e| Failure::new(Exit::Bug, format!("the report could not be written: {e}")))?;
            (self.say)(&text);
        }
        Ok(())
    }

    /// One of many objects for a machine, on a line of its own.
    ///
    /// # Errors
    /// Never for what the verbs hand in.
    pub fn json_line(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string(object)
                .map_err(|e| Failure::new(Exit::Bug, format!("the report could not be written: {e}")))?;
            (self.say)(&text);
        }
        Ok(())
    }
}
