//! The numbers beside an axis: round ones, as many as fit, as short as they can be told apart.

use super::clock::{DAY, MOST, date, month_start};
use super::scene::{Axis, Scale};

pub struct Tick {
    /// On the axis, which of a logarithmic one is the exponent.
    pub at: f64,
    pub label: String,
}

/// As many ticks as stand beside each other in `room`, each with `extent` of its label and `gap` between them.
pub fn that_fit(axis: &Axis, room: f64, gap: f64, extent: impl Fn(&str) -> f64) -> Vec<Tick> {
    let mut most = ((room / (extent("0") + gap)) as usize).clamp(2, 12);
    loop {
        let ticks = ticks(axis, most);
        let place = |tick: &Tick| axis.part(tick.at) * room;
        let fits = ticks.windows(2).all(|pair| {
            let between = (place(&pair[1]) - place(&pair[0])).abs();
            between >= (extent(&pair[0].label) + extent(&pair[1].label)) / 2.0 + gap
        });
        if fits || most <= 1 {
            return ticks;
        }
        most -= 1;
    }
}

/// At most about so many.
fn ticks(axis: &Axis, most: usize) -> Vec<Tick> {
    let (low, high) = (axis.low.min(axis.high), axis.low.max(axis.high));
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Vec::new();
    }
    match axis.scale {
        Scale::Linear => linear(low, high, most, 0.0),
        Scale::Whole => linear(low, high, most, 1.0),
        Scale::Log => log(low, high, most),
        Scale::Time if low.abs().max(high.abs()) < MOST => time(low, high, most),
        Scale::Time => linear(low, high, most, 0.0),
    }
}

/// 1, 2 or 5 times a power of ten, at least so large that `most` of them cover the span.
fn nice(span: f64, most: usize) -> f64 {
    let least = span / most.max(1) as f64;
    let power = 10_f64.powi(least.log10().floor() as i32);
    let step = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|step| step * power >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

fn linear(low: f64, high: f64, most: usize, least: f64) -> Vec<Tick> {
    let step = nice(high / 2.0 - low / 2.0, most) * 2.0;
    let step = if step.is_finite() && high - low < f64::MAX {
        nice(high - low, most)
    } else {
        step
    }
    .max(least);
    let values = multiples(low, high, step);
    let largest = low.abs().max(high.abs());
    values
        .into_iter()
        .map(|at| Tick {
            at,
            label: number(at, step, largest),
        })
        .collect()
}

/// The multiples of a step between two numbers.
fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    // A little beyond both, as the ends are rounded.
    let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
    // A step that the numbers are too large for leads nowhere.
    if !(last - first).is_finite() || last - first > 1000.0 || low + step == low {
        return Vec::new();
    }
    (0..=(last - first) as i64).map(|i| (first + i as f64) * step).collect()
}

/// A multiple of `step`, in the shorter of both ways to write it.
pub fn number(value: f64, step: f64, largest: f64) -> String {
    let places = |v: f64| if v > 0.0 { v.log10().floor() as i32 } else { 0 };
    // A step of 2.5 has one digit more than one of 2.
    let mut last = places(step * (1.0 + 1e-9));
    if (step / 10_f64.powi(last)).fract() > 1e-6 && (step / 10_f64.powi(last)).fract() < 1.0 - 1e-6 {
        last -= 1;
    }
    if value.abs() < step * 1e-6 {
        return "0".into();
    }
    let plain = format!("{value:.0$}", (-last).clamp(0, 20) as usize);
    if last > -5 && (plain.len() <= 7 || largest < 1e6) {
        return plain;
    }
    let digits = (places(value.abs()) - last).clamp(0, 15) as usize;
    let short = format!("{value:.digits$e}");
    match short.split_once('e') {
        Some((mantissa, power)) if mantissa.contains('.') => {
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            format!("{mantissa}e{power}")
        }
        _ => short,
    }
}

/// `low` and `high` are exponents of ten.
fn log(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let power = |at: f64| Tick {
        at,
        label: number(10_f64.powf(at), 10_f64.powf(at.floor()), 10_f64.powf(at)),
    };
    let decades = multiples(low, high, ((high - low) / most.max(1) as f64).ceil().max(1.0));
    if decades.len() > 2 || (decades.len() == 2 && most < 4) {
        return decades.into_iter().map(power).collect();
    }
    for digits in [&[1.0, 2.0, 5.0][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]] {
        let exponents = low.floor() as i64..=high.floor() as i64;
        let all = exponents.flat_map(|power| digits.iter().map(move |digit: &f64| power as f64 + digit.log10()));
        let ticks: Vec<Tick> = all.filter(|at| (low..=high).contains(at)).map(power).collect();
        if (3..=most.max(3)).contains(&ticks.len()) {
            return ticks;
        }
    }
    let ticks = linear(10_f64.powf(low), 10_f64.powf(high), most, 0.0);
    ticks
        .into_iter()
        .map(|tick| Tick {
            at: tick.at.log10(),
            ..tick
        })
        .filter(|tick| tick.at.is_finite())
        .collect()
}

/// Seconds since 1970.
fn time(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let span = high - low;
    let least = span / most.max(1) as f64;
    if least > 14.0 * DAY {
        return months(low, high, least);
    }
    const STEPS: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 10_800.0, 21_600.0,
        43_200.0, DAY,
    ];
    let days = [2.0 * DAY, 7.0 * DAY, 14.0 * DAY];
    let step = match least <= 0.5 {
        true => nice(span, most),
        false => STEPS
            .into_iter()
            .chain(days)
            .find(|&step| step >= least)
            .unwrap_or(14.0 * DAY),
    };
    let label = |at: f64| {
        // Ticks are multiples of the step; a float is a little off.
        let at = (at / step.min(1.0)).round() * step.min(1.0);
        let days = (at / DAY).floor();
        let (year, month, day) = date(days as i64);
        let second = at - days * DAY;
        let (hours, minutes) = ((second / 3600.0).floor(), (second / 60.0).floor() % 60.0);
        let seconds = second % 60.0;
        match step {
            step if step >= DAY => format!("{year:04}-{month:02}-{day:02}"),
            _ if second == 0.0 && low.div_euclid(DAY) != high.div_euclid(DAY) => format!("{month:02}-{day:02}"),
            step if step >= 60.0 => format!("{hours:02}:{minutes:02}"),
            step if step >= 1.0 => format!("{hours:02}:{minutes:02}:{seconds:02.0}"),
            step => {
                let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
                format!("{hours:02}:{minutes:02}:{seconds:0width$.digits$}", width = digits + 3)
            }
        }
    };
    multiples(low, high, step)
        .into_iter()
        .map(|at| Tick { at, label: label(at) })
        .collect()
}

/// The first days of months or years, at least so many seconds apart.
fn months(low: f64, high: f64, least: f64) -> Vec<Tick> {
    let wanted = least / (30.5 * DAY);
    let step = match [1, 3, 6].into_iter().find(|&step| f64::from(step) >= wanted) {
        Some(step) => i64::from(step),
        None => 12 * nice(wanted / 12.0, 1).max(1.0) as i64,
    };
    let month = |seconds: f64| {
        let (year, month, _) = date((seconds / DAY).floor() as i64);
        (year - 1970) * 12 + month - 1
    };
    let first = month(low).div_euclid(step) * step;
    // Counted from the year 0, so that the ticks of decades are round.
    let first = if step % 12 == 0 {
        (month(low) + 1970 * 12).div_euclid(step) * step - 1970 * 12
    } else {
        first
    };
    let all = (0..1000)
        .map(|i| first + i * step)
        .map(|months| (months, month_start(months)));
    let inside = all.skip_while(|&(_, at)| at < low).take_while(|&(_, at)| at <= high);
    let label = |months: i64| {
        let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
        if step % 12 == 0 {
            format!("{year}")
        } else {
            format!("{year}-{month:02}")
        }
    };
    inside
        .map(|(months, at)| Tick {
            at,
            label: label(months),
        })
        .collect()
}

/// The date that ticks with hours alone leave out.
pub fn day_of(axis: &Axis) -> Option<String> {
    let (low, high) = (axis.low.min(axis.high), axis.low.max(axis.high));
    if axis.scale != Scale::Time || high - low > 14.0 * DAY || !(-MOST..MOST).contains(&low) {
        return None;
    }
    let (year, month, day) = date((low / DAY).floor() as i64);
    Some(format!("from {year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, scale: Scale, most: usize) -> Vec<String> {
        let axis = Axis {
            name: String::new(),
            low,
            high,
            scale,
        };
        ticks(&axis, most).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn numbers_are_round_and_short() {
        let linear = |low, high| labels(low, high, Scale::Linear, 5);
        assert_eq!(linear(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(linear(-1.0, 1.0), ["-1.0", "-0.5", "0", "0.5", "1.0"]);
        assert_eq!(linear(0.0, 1e9), ["0", "2e8", "4e8", "6e8", "8e8", "1e9"]);
        assert_eq!(linear(0.0, 3e-9), ["0", "1e-9", "2e-9", "3e-9"]);
        assert_eq!(
            linear(1e6, 1e6 + 4.0),
            ["1000000", "1000001", "1000002", "1000003", "1000004"]
        );
        assert_eq!(labels(0.0, 2.0, Scale::Whole, 10), ["0", "1", "2"]);
        assert_eq!(linear(-f64::MAX, f64::MAX).len(), 3);
        assert_eq!(linear(1e300, 1e300), [""; 0]);
    }

    #[test]
    fn powers_stand_on_a_logarithmic_axis() {
        let log = |low, high| labels(low, high, Scale::Log, 5);
        assert_eq!(log(-3.0, 3.0), ["0.01", "1", "100"]);
        assert_eq!(log(0.0, 3.0), ["1", "10", "100", "1000"]);
        assert_eq!(log(0.0, 1.0), ["1", "2", "5", "10"]);
        assert_eq!(log(0.31, 0.45).len(), 4);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let time = |low: f64, high: f64| labels(low, high, Scale::Time, 5);
        let new_year = 1_735_689_600.0;
        assert_eq!(
            time(new_year, new_year + 10.0),
            ["00:00:00", "00:00:02", "00:00:04", "00:00:06", "00:00:08", "00:00:10"]
        );
        assert_eq!(
            time(new_year - 3600.0, new_year + 3600.0),
            ["23:00", "23:30", "01-01", "00:30", "01:00"]
        );
        assert_eq!(time(new_year, new_year + 4.0 * DAY)[0], "2025-01-01");
        assert_eq!(
            time(new_year, new_year + 365.0 * DAY),
            ["2025-01", "2025-04", "2025-07", "2025-10", "2026-01"]
        );
        assert_eq!(
            time(new_year, new_year + 3650.0 * DAY),
            ["2026", "2028", "2030", "2032", "2034"]
        );
        assert_eq!(time(0.001, 0.0052).first().unwrap(), "00:00:00.001");
    }
}
