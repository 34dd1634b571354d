//! PURE file. Charts as SVG in the page itself. What was not seen is hatched, and never drawn as a value: no line leads over a
//! gap, and a gap is not zero. Whole numbers only.

use std::fmt::Write as _;

use crate::{
    regulator::{due::due_ms, store::sights::SpanSum, sums::Accounted},
    terms::{
        MilliWatts, WattHours,
        time::LegalTime,
        words::{self, Language},
    },
};

/// Steps of a chart at most: more would be narrower than a pixel.
pub(super) const MOST_STEPS: i64 = 400;
/// Share of a step that may be unseen before it is hatched over, in parts per million.
pub(super) const HATCHED_PPM: i64 = 10_000;
/// A day, in milliseconds.
pub(super) const DAY_MS: i64 = 86_400_000;
/// Lawful Chinese time, ahead of UTC in milliseconds.
const OFFSET_MS: i64 = 28_800_000;
/// From ten in the evening to six in the morning, counted from midnight in milliseconds.
const NIGHT: [(i64, i64); 2] = [(0, 21_600_000), (79_200_000, DAY_MS)];

/// Width and height of the drawn part of a power chart, in units of the drawing.
const WIDTH: i64 = 8_000;
const HEIGHT: i64 = 1_600;
/// Room for the labels at its left, above and below.
const LEFT: i64 = 900;
const TOP: i64 = 220;
const BOTTOM: i64 = 260;
/// Ticks of a chart at most, and how far they may be from each other, in milliseconds: hours, a day, days.
const MOST_TICKS: i64 = 8;
const TICKS: [i64; 4] = [10_800_000, DAY_MS, 2 * DAY_MS, 5 * DAY_MS];
/// How far the strokes of what was not seen are from each other, in units of the drawing: so few that a week of them is printed at
/// once.
const HATCH_EVERY: i64 = 100;
/// Width and height of a spark.
const SPARK: (i64, i64) = (600, 100);

/// A stretch of time that is drawn, and in which steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Where it begins, Unix milliseconds.
    pub(super) from_unix_ms: i64,
    /// Where it ends.
    pub(super) to_unix_ms: i64,
    /// Its steps, in milliseconds.
    pub(super) step_ms: i64,
}

/// One step as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Which, from 0.
    pub(super) number: i64,
    /// Mean power by the registers; none where they do not tell.
    pub(super) mean: Option<MilliWatts>,
    /// It was not seen, or not all of it was.
    pub(super) is_hatched: bool,
}

impl Frame {
    /// So many days up to a time, in steps of quarters of an hour of which there are not too many.
    pub(super) fn days(days: i64, to_unix_ms: i64) -> Frame {
        const QUARTER_MS: i64 = 900_000;
        let length_ms = days.max(1).saturating_mul(DAY_MS);
        let quarters = (length_ms / QUARTER_MS).div_euclid(MOST_STEPS) + 1;
        let step_ms = quarters * QUARTER_MS;
        let to_unix_ms = to_unix_ms.div_euclid(step_ms).saturating_add(1).saturating_mul(step_ms);
        Frame { from_unix_ms: to_unix_ms.saturating_sub(length_ms / step_ms * step_ms), to_unix_ms, step_ms }
    }

    /// How many steps there are.
    pub(super) const fn steps(&self) -> i64 {
        (self.to_unix_ms - self.from_unix_ms) / self.step_ms
    }

    /// Every step of it; one of which nothing was told is there, hatched. The last one is still going on.
    pub(super) fn all(&self, told: &[SpanSum], now_unix_ms: i64) -> Vec<Step> {
        let mut told = told.iter().peekable();
        let mut all = Vec::new();
        for number in 0..self.steps() {
            let from = self.from_unix_ms + number * self.step_ms;
            if from > now_unix_ms {
                break;
            }
            while told.next_if(|sum| sum.from_unix_ms < from).is_some() {}
            let sum = told.next_if(|sum| sum.from_unix_ms == from);
            let due_ms = self.step_ms.min(now_unix_ms - from);
            all.push(self.step(number, sum, due_ms));
        }
        all
    }

    fn step(&self, number: i64, sum: Option<&SpanSum>, due_ms: i64) -> Step {
        let Some(sum) = sum else { return Step { number, mean: None, is_hatched: true } };
        let meters = i64::try_from(sum.meters).unwrap_or(i64::MAX).max(1);
        let seen_ms = sum.seen_ms / meters;
        let missing_ms = due_ms.saturating_sub(seen_ms).max(sum.unseen_ms / meters);
        // The interval that is being filled has not ended yet: that is no gap.
        let is_going_on = due_ms < self.step_ms && sum.unseen_ms == 0;
        let is_hatched = (!is_going_on
            && missing_ms.saturating_mul(1_000_000) > due_ms.saturating_mul(HATCHED_PPM))
            || sum.energy.is_none()
            || sum.untold > 0;
        let mean =
            sum.energy.and_then(|energy| mean(energy, sum.seen_ms.saturating_add(sum.unseen_ms) / meters));
        Step { number, mean, is_hatched }
    }
}

/// Mean power of an energy over a time; none over no time.
fn mean(WattHours(energy): WattHours, span_ms: i64) -> Option<MilliWatts> {
    let milliwatts = i128::from(energy) * 3_600_000_000 / i128::from((span_ms > 0).then_some(span_ms)?);
    i64::try_from(milliwatts).ok().map(MilliWatts)
}

/// How much of a stretch was seen, in percent of what was due since it was first told of at all; a dash where nothing was due, or
/// ever told. Several meters of one furnace are one time.
pub(super) fn coverage(
    told: &[SpanSum],
    witnessed_from_unix_ms: Option<i64>,
    frame: &Frame,
    now_unix_ms: i64,
) -> String {
    let mut accounted = Accounted::default();
    for sum in told {
        let meters = i64::try_from(sum.meters).unwrap_or(i64::MAX).max(1);
        let (observed_ms, unaccounted_ms) = (sum.seen_ms / meters, sum.unseen_ms / meters);
        accounted.add(Accounted { observed_ms, unaccounted_ms, ..Accounted::default() });
    }
    let time = (frame.from_unix_ms, frame.to_unix_ms);
    let covered = witnessed_from_unix_ms
        .and_then(|witnessed_from| accounted.covered(due_ms(witnessed_from, time, now_unix_ms)));
    covered.map_or_else(|| "–".to_owned(), |part| format!("{}.{:02} %", part / 100, part % 100))
}

/// Energy of a stretch by the registers; none where none of it is told.
pub(super) fn energy(told: &[SpanSum]) -> Option<WattHours> {
    let mut all = told.iter().filter_map(|sum| sum.energy).peekable();
    all.peek()?;
    Some(WattHours(all.map(|energy| energy.0).fold(0, i64::saturating_add)))
}

/// Power over time. `title` is what whoever hears the page is told.
pub(super) fn power(frame: &Frame, steps: &[Step], title: &str, language: Language) -> String {
    let highest = steps.iter().filter_map(|step| step.mean).map(|mean| mean.watts().abs()).max().unwrap_or(0);
    let top = scale(highest);
    let (width, height) = (LEFT + WIDTH, TOP + HEIGHT + BOTTOM);
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        escaped(title)
    );
    let count = frame.steps().max(1);
    let x = |number: i64| LEFT + number * WIDTH / count;
    nights(&mut out, frame);
    for step in steps {
        let (from, to) = (x(step.number), x(step.number + 1));
        if let Some(mean) = step.mean {
            let tall = (mean.watts().abs().saturating_mul(HEIGHT) / top).clamp(0, HEIGHT);
            let class = if mean.0 < 0 { "back" } else { "bar" };
            rectangle(&mut out, class, (from, TOP + HEIGHT - tall), (to - from, tall.max(8)));
        }
    }
    for (from, to) in gaps(steps) {
        hatch(&mut out, (x(from), x(to)));
    }
    labels(&mut out, frame, top, language);
    out.push_str("</svg>");
    out
}

/// What was not seen, neighbours as one: from which step on, and which is the first after it.
fn gaps(steps: &[Step]) -> Vec<(i64, i64)> {
    let mut all: Vec<(i64, i64)> = Vec::new();
    for step in steps.iter().filter(|step| step.is_hatched) {
        match all.last_mut() {
            Some((_, end)) if *end == step.number => *end += 1,
            Some(_) | None => all.push((step.number, step.number + 1)),
        }
    }
    all
}

/// Strokes over an area, cut where it ends: a pattern that is filled in makes a printer draw each stroke by itself, and a file of
/// many megabytes.
fn hatch(out: &mut String, (from, to): (i64, i64)) {
    let base = TOP + HEIGHT;
    let mut foot = (from - HEIGHT).div_euclid(HATCH_EVERY) * HATCH_EVERY;
    out.push_str("<path class=\"gap\" d=\"");
    while foot < to {
        let (begins, ends) = ((from - foot).max(0), (to - foot).min(HEIGHT));
        if begins < ends {
            let long = ends - begins;
            let _infallible = write!(out, "M{} {}l{long}-{long}", foot + begins, base - begins);
        }
        foot += HATCH_EVERY;
    }
    out.push_str("\"></path>");
}

fn rectangle(out: &mut String, class: &str, (x, y): (i64, i64), (width, height): (i64, i64)) {
    let _infallible = write!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{height}\"></rect>",
        width.max(1)
    );
}

fn nights(out: &mut String, frame: &Frame) {
    let length = (frame.to_unix_ms - frame.from_unix_ms).max(1);
    let x = |unix_ms: i64| LEFT + (unix_ms - frame.from_unix_ms).clamp(0, length) * WIDTH / length;
    let mut midnight = (frame.from_unix_ms + OFFSET_MS).div_euclid(DAY_MS) * DAY_MS - OFFSET_MS;
    while midnight < frame.to_unix_ms {
        for (from, to) in NIGHT {
            let (from, to) = (x(midnight + from), x(midnight + to));
            if from < to {
                rectangle(out, "night", (from, TOP), (to - from, HEIGHT));
            }
        }
        midnight += DAY_MS;
    }
}

fn labels(out: &mut String, frame: &Frame, top_w: i64, language: Language) {
    let (base, right) = (TOP + HEIGHT, LEFT + WIDTH);
    for (part, y) in [(0, base), (1, TOP + HEIGHT / 2), (2, TOP)] {
        let watts = top_w * part / 2;
        let _infallible = write!(
            out,
            "<path class=\"axis\" d=\"M{LEFT} {y}H{right}\"></path><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 40,
            y + 40,
            power_of(watts, top_w)
        );
    }
    let clock = escaped(words::K_LAWFUL_TIME.in_language(language));
    let _infallible =
        write!(out, "<text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{clock}</text>", TOP - 40);
    ticks(out, frame);
}

/// Where which day or hour begins.
fn ticks(out: &mut String, frame: &Frame) {
    let length = (frame.to_unix_ms - frame.from_unix_ms).max(1);
    let every = TICKS.into_iter().find(|every| length / every <= MOST_TICKS).unwrap_or(length);
    let mut at = (frame.from_unix_ms + OFFSET_MS).div_euclid(every) * every + every - OFFSET_MS;
    while at < frame.to_unix_ms {
        let x = LEFT + (at - frame.from_unix_ms) * WIDTH / length;
        let told = LegalTime(at).to_string();
        // Of `YYYY-MM-DD HH:MM:SS` a day by its date, an hour by its time.
        let is_midnight = (at + OFFSET_MS).rem_euclid(DAY_MS) == 0;
        let text = if is_midnight { told.get(5..10) } else { told.get(11..16) }.unwrap_or_default();
        let _infallible = write!(
            out,
            "<path class=\"tick\" d=\"M{x} {}V{}\"></path><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
            TOP + HEIGHT,
            TOP + HEIGHT + 50,
            TOP + HEIGHT + 210
        );
        at += every;
    }
}

/// Thirty days in the height of a line: a bar a day, hatched where it was not seen.
pub(super) fn spark(steps: &[Step], count: i64, title: &str) -> String {
    let (width, height) = SPARK;
    let highest =
        steps.iter().filter_map(|step| step.mean).map(|mean| mean.watts().abs()).max().unwrap_or(0).max(1);
    let mut out = format!(
        "<svg class=\"spark\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        escaped(title)
    );
    let x = |number: i64| number * width / count.max(1);
    let (mut bars, mut gaps) = (String::new(), String::new());
    for step in steps {
        let (from, to) = (x(step.number), x(step.number + 1));
        if let Some(mean) = step.mean {
            let tall = (mean.watts().abs().saturating_mul(height) / highest).clamp(2, height);
            let _infallible = write!(bars, "M{from} {height}V{}H{}V{height}Z", height - tall, to - 2);
        }
        if step.is_hatched {
            // Strokes from corner to corner: a line without a pattern of its own.
            let _infallible = write!(gaps, "M{from} {height}L{to} 0");
        }
    }
    let _infallible = write!(
        out,
        "<path class=\"bar\" d=\"{bars}\"></path><path class=\"hatch\" d=\"{gaps}\"></path></svg>"
    );
    out
}

/// The first of 1, 2, 5, 10, … kilowatts that is not below.
fn scale(watts: i64) -> i64 {
    let mut step = 1_000_i64;
    loop {
        for times in [1, 2, 5] {
            let top = step.saturating_mul(times);
            if top >= watts || top == i64::MAX {
                return top;
            }
        }
        step = step.saturating_mul(10);
    }
}

/// A power in the unit that its axis is in: short enough for the room at its left.
fn power_of(watts: i64, top_w: i64) -> String {
    let (unit, name) = if top_w >= 1_000_000 { (1_000_000, "MW") } else { (1_000, "kW") };
    if watts % unit == 0 {
        format!("{} {name}", watts / unit)
    } else {
        format!("{}.{} {name}", watts / unit, watts % unit / (unit / 10))
    }
}

/// Text within a tag.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: i64 = 900_000;

    fn sum(from_unix_ms: i64, energy: Option<i64>, seen_ms: i64) -> SpanSum {
        let energy = energy.map(WattHours);
        let untold = u64::from(energy.is_none());
        SpanSum { from_unix_ms, energy, untold, seen_ms, unseen_ms: QUARTER - seen_ms, meters: 1 }
    }

    fn hour() -> Frame {
        Frame { from_unix_ms: 0, to_unix_ms: 4 * QUARTER, step_ms: QUARTER }
    }

    #[test]
    fn a_gap_is_hatched_and_never_a_value() {
        let told =
            [sum(0, Some(250), QUARTER), sum(2 * QUARTER, None, 0), sum(3 * QUARTER, Some(250), QUARTER / 2)];
        let steps = hour().all(&told, i64::MAX);
        let seen: Vec<_> =
            steps.iter().map(|step| (step.mean.map(|mean| mean.watts()), step.is_hatched)).collect();
        assert_eq!(seen, [(Some(1_000), false), (None, true), (None, true), (Some(1_000), true)]);
        let drawn = power(&hour(), &steps, "title", Language::English);
        assert_eq!(drawn.matches("class=\"gap\"").count(), 1, "three that lie side by side are one");
        assert_eq!(drawn.matches("class=\"bar\"").count(), 2, "nothing is drawn where nothing is told");
        let drawn = spark(&steps, 4, "title");
        assert_eq!((drawn.matches('L').count(), drawn.matches('Z').count()), (3, 2));
    }

    #[test]
    fn what_was_not_seen_is_hatched_where_it_is_and_in_few_strokes() {
        let mut drawn = String::new();
        hatch(&mut drawn, (LEFT, LEFT + WIDTH));
        let all = drawn.matches('M').count();
        assert!((50..=100).contains(&all), "{all}");
        // Every other step of as many as there are at most.
        let steps = (0..MOST_STEPS).map(|number| Step { number, mean: None, is_hatched: number % 2 == 0 });
        let frame = Frame { from_unix_ms: 0, to_unix_ms: MOST_STEPS * QUARTER, step_ms: QUARTER };
        let drawn = power(&frame, &steps.collect::<Vec<_>>(), "title", Language::English);
        assert!(drawn.len() < 100_000, "{}", drawn.len());
        for stroke in drawn.split(['M', '"']).filter(|stroke| stroke.contains('l') && stroke.contains('-')) {
            let numbers = stroke.split([' ', 'l', '-']).map(str::parse::<i64>).collect::<Result<Vec<_>, _>>();
            let Ok(numbers) = numbers else { continue };
            let [x, y, long, up] = numbers[..] else { panic!("{stroke}") };
            assert_eq!(long, up, "{stroke}");
            let inside = (LEFT..=LEFT + WIDTH).contains(&x) && x + long <= LEFT + WIDTH;
            assert!(inside && y - long >= TOP && y <= TOP + HEIGHT, "{stroke}");
        }
    }

    #[test]
    fn zero_by_the_registers_is_zero_and_no_gap() {
        let steps = hour().all(&[sum(0, Some(0), QUARTER)], QUARTER - 1);
        assert_eq!(steps, [Step { number: 0, mean: Some(MilliWatts(0)), is_hatched: false }]);
        assert_eq!((energy(&[]), energy(&[sum(0, Some(0), 1)])), (None, Some(WattHours(0))));
    }

    #[test]
    fn two_meters_of_one_furnace_are_one_time() {
        let both = SpanSum {
            energy: Some(WattHours(500)),
            seen_ms: 2 * QUARTER,
            meters: 2,
            ..sum(0, Some(1), QUARTER)
        };
        let both = SpanSum { unseen_ms: 0, ..both };
        let frame = Frame { from_unix_ms: 0, to_unix_ms: QUARTER, step_ms: QUARTER };
        let covered = |told: &[SpanSum], since| coverage(told, since, &frame, 10 * QUARTER);
        assert_eq!(covered(&[both], Some(0)), "100.00 %");
        assert_eq!(hour().all(&[both], 0).first().unwrap().mean, Some(MilliWatts::from_watts(2_000)));
        assert_eq!((covered(&[], Some(0)), covered(&[], None)), ("0.00 %".to_owned(), "–".to_owned()));
    }

    #[test]
    fn what_lies_ahead_is_not_drawn_and_a_month_has_not_too_many_steps() {
        assert_eq!(hour().all(&[], 2 * QUARTER).len(), 3);
        for days in [1, 7, 31] {
            let frame = Frame::days(days, 1_795_000_000_000);
            assert!(frame.steps() <= MOST_STEPS && frame.steps() > 90, "{days}: {}", frame.steps());
            assert!(frame.to_unix_ms > 1_795_000_000_000 && frame.from_unix_ms % frame.step_ms == 0);
        }
    }

    #[test]
    fn scales_are_round() {
        assert_eq!([0, 1, 1_001, 4_999, 12_000_000].map(scale), [1_000, 1_000, 2_000, 5_000, 20_000_000]);
        assert!(scale(i64::MAX) >= i64::MAX / 10);
        let axis = |top: i64| [0, top / 2, top].map(|watts| power_of(watts, top)).join(", ");
        assert_eq!(axis(10_000_000), "0 MW, 5 MW, 10 MW");
        assert_eq!(
            (axis(5_000_000), axis(1_000)),
            ("0 MW, 2.5 MW, 5 MW".into(), "0 kW, 0.5 kW, 1 kW".into())
        );
    }

    #[test]
    fn a_title_cannot_leave_its_attribute() {
        assert!(!power(&hour(), &[], "\"><script>", Language::Chinese).contains("<script"));
    }
}
