//! When a cron job is due, as Kubernetes reads it
//! (<https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax>).

/// Words that stand for a whole schedule.
const WORDS: &[&str] = &[
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// Why text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Another number of fields.
    #[error("it has {0} fields, and a schedule has five: minute, hour, day, month, weekday")]
    Fields(usize),
    /// A field that says nothing.
    #[error(
        "its {field} is `{text}`, and that is {least} to {most}, `*`, a range or a list of them"
    )]
    Field {
        /// Which.
        field: &'static str,
        /// What it is.
        text: String,
        /// The least that it can be.
        least: u32,
        /// The most that it can be.
        most: u32,
    },
    /// A time zone inside of it.
    #[error("the time zone goes under `timezone`")]
    Zone,
    /// A day that no month has.
    #[error("it is never due: no such month has that day")]
    Never,
}

struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        words: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        words: &[],
    },
    Field {
        name: "day",
        least: 1,
        most: 31,
        words: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "weekday",
        least: 0,
        most: 6,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// The most days that each month has.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Checks a schedule.
///
/// # Errors
///
/// What Kubernetes would refuse, and what is never due.
pub fn check(text: &str) -> Result<(), ScheduleError> {
    if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
        return Err(ScheduleError::Zone);
    }
    if WORDS.contains(&text) {
        return Ok(());
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(ScheduleError::Fields(fields.len()));
    }
    let mut all = Vec::new();
    for (text, field) in fields.iter().zip(&FIELDS) {
        all.push(field.parse(text).ok_or_else(|| ScheduleError::Field {
            field: field.name,
            text: (*text).to_owned(),
            least: field.least,
            most: field.most,
        })?);
    }
    let [_, _, days, months, weekdays] = all.as_slice() else {
        return Ok(());
    };
    // A day and a weekday together are due on either.
    let any_day = weekdays.is_some()
        || months.as_ref().is_none_or(|months| {
            days.as_ref().is_none_or(|days| {
                months.iter().any(|month| {
                    let most = usize::try_from(month - 1)
                        .ok()
                        .and_then(|month| DAYS.get(month));
                    days.iter().any(|day| most.is_some_and(|most| day <= most))
                })
            })
        });
    if any_day {
        Ok(())
    } else {
        Err(ScheduleError::Never)
    }
}

impl Field {
    /// The values that a field names; nothing inside for all of them. Nothing at all for text that is none.
    #[expect(clippy::option_option, reason = "a field is wrong, or all, or some")]
    fn parse(&self, text: &str) -> Option<Option<Vec<u32>>> {
        let mut values = Vec::new();
        let mut is_all = false;
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(number(step)?)),
                None => (part, None),
            };
            if step == Some(0) {
                return None;
            }
            let (first, last) = if range == "*" || range == "?" {
                is_all |= step.is_none_or(|step| step == 1);
                (self.least, self.most)
            } else if let Some((first, last)) = range.split_once('-') {
                (self.value(first)?, self.value(last)?)
            } else {
                let first = self.value(range)?;
                (first, if step.is_some() { self.most } else { first })
            };
            if first < self.least || last > self.most || first > last {
                return None;
            }
            let step = usize::try_from(step.unwrap_or(1)).ok()?;
            values.extend((first..=last).step_by(step));
        }
        Some((!is_all).then_some(values))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let word = self
            .words
            .iter()
            .position(|word| word.eq_ignore_ascii_case(text));
        match word {
            Some(index) => u32::try_from(index).ok().map(|index| index + self.least),
            None => number(text),
        }
    }
}

/// A number without a sign.
fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_takes_is_taken() {
        for text in [
            "@daily",
            "17 3 * * *",
            "*/5 0-6,22 1,15 jan-mar MON",
            "0 0 29 2 *",
            "0 0 31 2 sun",
            "5/10 * ? * *",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let message = |text: &str| check(text).unwrap_err().to_string();
        insta::assert_snapshot!(message("0 0 31 2 *"), @"it is never due: no such month has that day");
        insta::assert_snapshot!(message("0 0 31 4,6,9,11 *"), @"it is never due: no such month has that day");
        insta::assert_snapshot!(message("* * * *"), @"it has 4 fields, and a schedule has five: minute, hour, day, month, weekday");
        insta::assert_snapshot!(message("60 * * * *"), @"its minute is `60`, and that is 0 to 59, `*`, a range or a list of them");
        insta::assert_snapshot!(message("0 0 * * 7"), @"its weekday is `7`, and that is 0 to 6, `*`, a range or a list of them");
        insta::assert_snapshot!(message("TZ=UTC 0 0 * * *"), @"the time zone goes under `timezone`");
        for text in [
            "*/0 * * * *",
            "5-2 * * * *",
            "a * * * *",
            "+1 * * * *",
            "1, * * * *",
            "",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
