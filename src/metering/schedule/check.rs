//! Who the meter is, before its values count: at the start, after every reconnection, at both ends of every interval
//! and after a step of power.

use super::{
    super::{
        Answer, Fault, Sample,
        decode::applied,
        identity::{Route, Routes},
        inquiry::ORDER,
    },
    Told,
    watch::{
        After, IDENTITY_BUDGET_DEADLINES, IDENTITY_PERIOD_MS, RETRY_ROUTE_MS, Stage, Trouble, Visit, Watch,
        tell, trouble,
    },
};
use crate::{metering::decode::Declared, terms::Stamp};

impl Watch {
    pub(super) fn begin_identity(&mut self, visit: &mut Visit, uptime_ms: u64) {
        if self.silent != Routes::default()
            && uptime_ms.saturating_sub(self.routes_tried_ms) >= RETRY_ROUTE_MS
        {
            self.silent = Routes::default();
        }
        let (registers, routes, silent) = (self.inquiry.register_routes(), self.routes, self.silent);
        let is_asked = |route: &Route| registers.has(*route) || (routes.has(*route) && !silent.has(*route));
        self.inquiry.begin(ORDER.into_iter().filter(is_asked));
        (self.lost, self.objection) = (false, None);
        visit.start_over(Stage::Identity);
        if self.inquiry.question().is_none() {
            // A map without such words, of a meter that cannot be asked otherwise: what was declared is all there is.
            visit.start_over(Stage::Values);
            (self.checked, self.stepped, self.power_then) = (true, false, None);
            self.checked_ms = uptime_ms;
            self.terms = applied(&self.point.profile, self.point.declared, Declared::default());
        }
    }

    pub(super) fn on_identity(
        &mut self,
        visit: &mut Visit,
        at: &Stamp,
        answer: Answer<'_>,
        told: &mut Told,
    ) -> After {
        if let Err(fault) = answer {
            let is_probe =
                self.inquiry.route().is_some_and(|route| self.routes.has(route) && !self.proven.has(route));
            match trouble(fault) {
                Trouble::Busy => return self.park_identity(fault, at, told),
                Trouble::Noise if !self.lost && !visit.put_again() => return After::Ask,
                Trouble::Silence if is_probe && matches!(fault, Fault::Timeout | Fault::Closed) => {
                    if self.inquiry.identity().route.is_none() {
                        return self.suspect(fault, at, told);
                    }
                    // At once, for the connection may be gone with it, and then the inquiry begins anew.
                    self.leave_out(at);
                }
                Trouble::Noise if is_probe => self.leave_out(at),
                Trouble::Silence | Trouble::Noise => return self.lose(fault, at, told),
                Trouble::Refusal | Trouble::Objection => self.objection = Some(fault),
            }
        } else {
            self.tally.recovered += u64::from(visit.take_again());
        }
        self.inquiry.on_answer(answer);
        self.tally.bisections += self.inquiry.take_bisections();
        if self.inquiry.question().is_none() {
            return self.conclude(visit, at, told);
        }
        // A chain without an end, each of whose answers comes just in time, must not hold the bus.
        let took_ms = at.uptime_ms.saturating_sub(visit.began_ms());
        if took_ms > IDENTITY_BUDGET_DEADLINES * u64::from(self.point.deadline_ms()) {
            return self.lose(Fault::Timeout, at, told);
        }
        After::Ask
    }

    /// Nobody has answered yet, so the route may be silent or the meter: the next cycle goes without the route, and if
    /// the meter answers then, it was the route.
    fn suspect(&mut self, fault: Fault, at: &Stamp, told: &mut Told) -> After {
        self.leave_out(at);
        self.inquiry.route().iter().for_each(|route| self.suspects.add(*route));
        tell(told, Sample::IdentityMiss { meter: self.point.meter, at: *at, fault });
        self.say_miss(fault, at, told)
    }

    /// The present route is not asked again for a while.
    fn leave_out(&mut self, at: &Stamp) {
        self.inquiry.route().iter().for_each(|route| self.silent.add(*route));
        self.routes_tried_ms = at.uptime_ms;
    }

    fn lose(&mut self, fault: Fault, at: &Stamp, told: &mut Told) -> After {
        tell(told, Sample::IdentityMiss { meter: self.point.meter, at: *at, fault });
        self.miss(fault, at, told)
    }

    fn park_identity(&mut self, fault: Fault, at: &Stamp, told: &mut Told) -> After {
        if self.may_park() { After::Park } else { self.lose(fault, at, told) }
    }

    /// Everything has been asked that can be: what multiplies the values follows, and whether they can be read at all.
    fn conclude(&mut self, visit: &mut Visit, at: &Stamp, told: &mut Told) -> After {
        if self.lost {
            // Part of it came over the connection before: it is asked for anew.
            return After::Ask;
        }
        let mut identity = *self.inquiry.identity();
        for route in self.routes.iter() {
            if identity.silent.has(route) {
                self.silent.add(route);
                self.routes_tried_ms = at.uptime_ms;
            } else if !self.silent.has(route) {
                self.proven.add(route);
            }
        }
        self.silent.iter().for_each(|route| identity.silent.add(route));
        let fingerprint = identity.fingerprint();
        if self.fingerprint.replace(fingerprint).is_some_and(|known| known != fingerprint) {
            self.forget(at.uptime_ms);
        }
        self.tally.identities += 1;
        (self.checked, self.stepped, self.power_then) = (true, false, None);
        self.checked_ms = at.uptime_ms;
        let period = IDENTITY_PERIOD_MS.cast_signed();
        self.interval_ends = (at.wall_unix_ms.div_euclid(period) + 1).saturating_mul(period);
        self.terms = match self.inquiry.origin() {
            Ok(origin) => {
                self.origin = origin;
                applied(&self.point.profile, self.point.declared, self.inquiry.told())
            }
            Err(fault) => Err(fault),
        };
        let meter = self.point.meter;
        tell(
            told,
            match identity.route {
                Some(_) => Sample::Identity { meter, at: *at, identity },
                None => {
                    let objection = self.objection.or(self.terms.err());
                    let fault = objection.unwrap_or(Fault::Timeout);
                    Sample::IdentityMiss { meter, at: *at, fault }
                }
            },
        );
        visit.start_over(Stage::Values);
        match self.terms {
            Ok(_) => After::Ask,
            Err(fault) => self.miss(fault, at, told),
        }
    }
}
