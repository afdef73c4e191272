//! Colours of series and of values.

use super::scene::{Axis, Scale};

pub type Rgb = [u8; 3];

/// From the least to the largest value: viridis, which is as even in grey and for most who see fewer colours.
const MAP: [Rgb; 9] = [
    [0x44, 0x01, 0x54],
    [0x47, 0x2d, 0x7b],
    [0x3b, 0x52, 0x8b],
    [0x2c, 0x72, 0x8e],
    [0x21, 0x91, 0x8c],
    [0x28, 0xae, 0x80],
    [0x5e, 0xc9, 0x62],
    [0xad, 0xdc, 0x30],
    [0xfd, 0xe7, 0x25],
];

/// The colour of a part from 0 to 1.
pub fn of_part(part: f64) -> Rgb {
    let at = part.clamp(0.0, 1.0) * (MAP.len() - 1) as f64;
    let i = (at as usize).min(MAP.len() - 2);
    between(MAP[i], MAP[i + 1], at - i as f64)
}

/// The colours of an axis from its low to its high end; a mask has two.
pub fn along(axis: &Axis, part: f64) -> Rgb {
    let is_mask = axis.scale == Scale::Whole && axis.high - axis.low == 1.0;
    of_part(if is_mask { part.round() } else { part })
}

pub fn between(a: Rgb, b: Rgb, part: f64) -> Rgb {
    std::array::from_fn(|i| (f64::from(a[i]) * (1.0 - part) + f64::from(b[i]) * part).round() as u8)
}
