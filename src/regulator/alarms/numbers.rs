//! PURE file. How a desk is, in numbers.

use super::Kind;
use crate::host::exposition::Exposition;

/// Alarms as they stand, and what has happened since the start. Arrays are by [`Kind::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Alarms whose condition stands.
    pub standing: [u64; 5],
    /// Alarms that are told and that nobody has acknowledged.
    pub unacknowledged: [u64; 5],
    /// Alarms that people have put aside or taken out of service.
    pub put_aside: [u64; 5],
    /// Steps that this collector has kept.
    pub steps: u64,
    /// Notifications that receivers have taken.
    pub told: u64,
    /// Notifications that were tried in vain, and are told again.
    pub untaken: u64,
    /// Receivers and kinds whose last notification was not taken.
    pub refused: u64,
    /// Receivers and kinds of which something is to be told, or is on its way.
    pub waiting: u64,
}

impl Numbers {
    /// As Prometheus reads them.
    pub fn expose(&self, page: &mut Exposition) {
        let gauges = [
            ("alarms_standing", "Alarms whose condition stands, by kind", self.standing),
            ("alarms_unacknowledged", "Alarms told and not acknowledged, by kind", self.unacknowledged),
            ("alarms_put_aside", "Alarms on the shelf or out of service, by kind", self.put_aside),
        ];
        let labels = Kind::ALL.map(|kind| [("kind", kind.word())]);
        for (name, help, counts) in gauges {
            let samples: Vec<(&[(&str, &str)], u64)> =
                labels.iter().map(|labels| &labels[..]).zip(counts).collect();
            page.gauge(name, help, &samples);
        }
        page.counter("alarm_steps_total", "Steps of alarms, signed and kept", &[(&[], self.steps)]);
        page.counter("notifications_told_total", "Notifications that were taken", &[(&[], self.told)]);
        let help = "Notifications tried in vain; each is told again";
        page.counter("notifications_untaken_total", help, &[(&[], self.untaken)]);
        let help = "Receivers and kinds whose last notification was not taken; it is told again";
        page.gauge("notifications_refused", help, &[(&[], self.refused)]);
        let help = "Receivers and kinds of which something is to be told, or is on its way";
        page.gauge("notifications_waiting", help, &[(&[], self.waiting)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_figure_of_its_own() {
        let mut page = Exposition::default();
        Numbers { standing: [1, 2, 3, 4, 5], untaken: 7, ..Numbers::default() }.expose(&mut page);
        let text = page.into_text();
        for (kind, count) in Kind::ALL.into_iter().zip(1..) {
            let line = format!("coldhearth_alarms_standing{{kind=\"{}\"}} {count}\n", kind.word());
            assert!(text.contains(&line), "{text}");
        }
        assert!(text.contains("coldhearth_notifications_untaken_total 7\n"), "{text}");
    }
}
