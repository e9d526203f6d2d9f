//! Instants as text.

use super::json::print;

const SECOND: u64 = 1_000_000_000; // nanoseconds
const DAY: i64 = 86_400; // seconds

/// How an instant is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `HH:MM:SS`
    Clock,
    /// `YYYY-MM-DD HH:MM:SS`
    Plain,
    /// `YYYY-MM-DDTHH:MM:SS`
    Iso,
}

/// Writes an instant, nanoseconds since the Unix epoch, `offset` seconds ahead of UTC.
pub(super) fn write(real_ns: u64, offset: i32, form: Form, fraction: bool, out: &mut Vec<u8>) {
    let seconds = i64::try_from(real_ns / SECOND).unwrap_or(0) + i64::from(offset);
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    if form != Form::Clock {
        let (year, month, day) = date(days);
        let between = if form == Form::Iso { 'T' } else { ' ' };
        print(out, format_args!("{year:04}-{month:02}-{day:02}{between}"));
    }
    print(out, format_args!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60));
    if fraction {
        print(out, format_args!(".{:09}", real_ns % SECOND));
    }
}

/// Year, month and day of the Gregorian calendar, days after 1970-01-01. Years begin in March here, so that the
/// day that some have more comes last.
fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097; // days of 400 years
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_the_calendar_has_them() {
        for (ns, offset, form, text) in [
            (0, 0, Form::Iso, "1970-01-01T00:00:00.000000000"),
            (1_700_000_000_123_456_789, 0, Form::Iso, "2023-11-14T22:13:20.123456789"),
            (1_709_164_800_000_000_005, 0, Form::Plain, "2024-02-29 00:00:00.000000005"),
            (1_709_164_800_000_000_000, -3600, Form::Plain, "2024-02-28 23:00:00.000000000"),
            (4_107_542_399_000_000_000, 0, Form::Plain, "2100-02-28 23:59:59.000000000"),
            (4_107_542_400_000_000_000, 0, Form::Plain, "2100-03-01 00:00:00.000000000"),
            (0, 5400, Form::Clock, "01:30:00.000000000"),
        ] {
            let mut out = Vec::new();
            write(ns, offset, form, true, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
