//! How far a long command has come: a bar on a terminal, a log line every few seconds elsewhere.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time between two log lines, and before the first: a job that is shorter logs its end only.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The log lines over which the rate is taken: a minute's, so that it follows a change of pace without jumping.
const RATE_WINDOW: usize = 6;

/// How often the bar is redrawn while nothing advances, so that its clock does not seem to hang.
const TICK: Duration = Duration::from_millis(250);

#[derive(Clone, Copy)]
enum Unit {
    Bytes,
    Items,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Items => "items",
        }
    }

    fn template(self, total_known: bool) -> &'static str {
        match (self, total_known) {
            (Self::Bytes, true) => {
                "{prefix} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}, {eta} left {wide_msg}"
            }
            (Self::Bytes, false) => {
                "{prefix} {spinner} {binary_bytes} {binary_bytes_per_sec}, {elapsed} {wide_msg}"
            }
            (Self::Items, true) => {
                "{prefix} [{bar:30}] {human_pos}/{human_len} {per_sec}, {eta} left {wide_msg}"
            }
            (Self::Items, false) => "{prefix} {spinner} {human_pos} {per_sec}, {elapsed} {wide_msg}",
        }
    }
}

/// The progress of one job, shown on standard error. Dropped without [`finish`](Self::finish), it removes its bar.
pub struct Progress {
    display: Display,
}

enum Display {
    Bar(ProgressBar),
    Log(ProgressLog),
}

impl Progress {
    /// A job measured in bytes; `label` names it in one or two words.
    pub fn bytes(label: impl Into<Cow<'static, str>>, total: Option<u64>) -> Self {
        Self::new(label.into(), total, Unit::Bytes)
    }

    /// A job measured in things of one kind; `label` names it in one or two words.
    pub fn items(label: impl Into<Cow<'static, str>>, total: Option<u64>) -> Self {
        Self::new(label.into(), total, Unit::Items)
    }

    fn new(label: Cow<'static, str>, total: Option<u64>, unit: Unit) -> Self {
        let display = if std::io::stderr().is_terminal() {
            Display::Bar(bar(label, total, unit))
        } else {
            Display::Log(ProgressLog::new(label, total, unit, Instant::now()))
        };
        Self { display }
    }

    /// Says that `done` bytes or items are done by now, in all.
    pub fn advance_to(&mut self, done: u64) {
        match &mut self.display {
            Display::Bar(bar) => bar.set_position(done),
            Display::Log(log) => {
                if let Some(report) = log.advance_to(done, Instant::now()) {
                    log.write(report);
                }
            }
        }
    }

    /// What stands behind the figures, for example how many records were skipped.
    pub fn set_message(&mut self, message: impl Into<Cow<'static, str>>) {
        match &mut self.display {
            Display::Bar(bar) => bar.set_message(message),
            Display::Log(log) => log.message = message.into(),
        }
    }

    /// Runs `print`, which writes to standard error, without the bar in its way.
    pub fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        match &self.display {
            Display::Bar(bar) => bar.suspend(print),
            Display::Log(_) => print(),
        }
    }

    /// Replaces the bar by `summary`, or logs it.
    pub fn finish(self, summary: impl Into<Cow<'static, str>>) {
        match self.display {
            Display::Bar(bar) => {
                bar.set_style(style("{wide_msg}"));
                bar.finish_with_message(summary);
            }
            Display::Log(log) => log.write_end(&summary.into(), Instant::now()),
        }
    }
}

fn bar(label: Cow<'static, str>, total: Option<u64>, unit: Unit) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_style(style(unit.template(total.is_some())));
    bar.set_prefix(label);
    bar.enable_steady_tick(TICK);
    bar
}

fn style(template: &'static str) -> ProgressStyle {
    #[expect(
        clippy::expect_used,
        reason = "the templates are constants of this file, and a test checks each"
    )]
    ProgressStyle::with_template(template).expect("the templates of this file are valid, as a test checks")
}

/// Decides when a log line is due and what it says. It is told the time.
struct ProgressLog {
    label: Cow<'static, str>,
    total: Option<u64>,
    unit: Unit,
    message: Cow<'static, str>,
    done: u64,
    started: Instant,
    /// When the last lines were due and how much was done then, the oldest first; never empty.
    marks: VecDeque<(Instant, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Report {
    done: u64,
    /// Bytes or items per second.
    rate: f64,
    /// `None` when the total is not known, is exceeded, or nothing moves.
    seconds_left: Option<u64>,
}

impl ProgressLog {
    fn new(label: Cow<'static, str>, total: Option<u64>, unit: Unit, now: Instant) -> Self {
        let marks = VecDeque::from([(now, 0)]);
        Self { label, total, unit, message: Cow::Borrowed(""), done: 0, started: now, marks }
    }

    /// The line to write, if one is due.
    fn advance_to(&mut self, done: u64, now: Instant) -> Option<Report> {
        self.done = done;
        let &(last, _) = self.marks.back()?;
        if now.duration_since(last) < LOG_INTERVAL {
            return None;
        }
        let &(oldest, done_then) = self.marks.front()?;
        let rate = done.saturating_sub(done_then) as f64 / now.duration_since(oldest).as_secs_f64();
        if self.marks.len() == RATE_WINDOW {
            self.marks.pop_front();
        }
        self.marks.push_back((now, done));
        let left = self.total.and_then(|total| total.checked_sub(done)).filter(|_| rate > 0.0);
        Some(Report { done, rate, seconds_left: left.map(|left| (left as f64 / rate).ceil() as u64) })
    }

    fn write(&self, report: Report) {
        tracing::info!(
            job = %self.label,
            done = report.done,
            total = self.total,
            unit = self.unit.name(),
            rate_per_second = (report.rate * 10.0).round() / 10.0,
            seconds_left = report.seconds_left,
            detail = &*self.message,
            "job.progress"
        );
    }

    fn write_end(&self, summary: &str, now: Instant) {
        let duration_ms = u64::try_from(now.duration_since(self.started).as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            job = %self.label,
            done = self.done,
            unit = self.unit.name(),
            duration_ms,
            summary,
            "job.finished"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(total: Option<u64>) -> (ProgressLog, Instant) {
        let start = Instant::now();
        (ProgressLog::new("import".into(), total, Unit::Items, start), start)
    }

    #[test]
    fn lines_are_ten_seconds_apart() {
        let (mut log, start) = log(None);
        let due: Vec<u64> = (1..=35)
            .filter(|&second| log.advance_to(second, start + Duration::from_secs(second)).is_some())
            .collect();
        assert_eq!(due, [10, 20, 30]);
    }

    #[test]
    fn a_line_tells_rate_and_seconds_left() {
        let (mut log, start) = log(Some(1_000));
        let report = log.advance_to(200, start + Duration::from_secs(20));
        assert_eq!(report, Some(Report { done: 200, rate: 10.0, seconds_left: Some(80) }));
    }

    #[test]
    fn the_rate_follows_a_change_of_pace_within_the_window() {
        let (mut log, start) = log(Some(100_000));
        let mut rates = Vec::new();
        for line in 1..=20_u32 {
            let done = u64::from(if line <= 10 { line * 1_000 } else { 10_000 + (line - 10) * 10 });
            rates.extend(log.advance_to(done, start + LOG_INTERVAL * line).map(|report| report.rate));
        }
        assert_eq!(rates[9], 100.0);
        assert_eq!(rates[19], 1.0);
    }

    #[test]
    fn nothing_is_foretold_without_a_total_a_pace_or_beyond_the_total() {
        for (total, done) in [(None, 50), (Some(100), 0), (Some(100), 200)] {
            let (mut log, start) = log(total);
            let report = log.advance_to(done, start + LOG_INTERVAL).unwrap();
            assert_eq!(report.seconds_left, None, "{total:?} {done}");
        }
    }

    #[test]
    fn the_bar_takes_every_template() {
        for unit in [Unit::Bytes, Unit::Items] {
            for total in [None, Some(10)] {
                let mut progress = Progress { display: Display::Bar(bar("import".into(), total, unit)) };
                progress.advance_to(5);
                progress.set_message("2 skipped");
                assert_eq!(progress.suspend(|| 7), 7);
                progress.finish("10 articles imported");
            }
        }
    }
}
