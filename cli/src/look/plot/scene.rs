//! What is drawn, whatever draws it: axes and what stands between them, small enough for a picture.

use clap::ValueEnum;
use serde::Serialize;

use super::ticks;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Line,
    Bar,
    Hist,
    Heat,
    Image,
    Scatter,
}

#[derive(Serialize)]
pub struct Scene {
    #[serde(rename = "name")]
    pub title: String,
    pub kind: Kind,
    pub x: Axis,
    pub y: Axis,
    /// What the colours of a heat map mean.
    pub color: Option<Axis>,
    #[serde(flatten)]
    pub body: Body,
    /// What the picture leaves out.
    pub notes: Vec<String>,
}

#[derive(Clone, Serialize)]
pub struct Axis {
    pub name: String,
    /// At the left or at the bottom, of a logarithmic axis the exponents of ten.
    pub low: f64,
    pub high: f64,
    pub scale: Scale,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    Linear,
    /// Indexes and counts: nothing lies between two of them.
    Whole,
    Log,
    /// Seconds since 1970.
    Time,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    Lines(Vec<Line>),
    Points(Vec<Line>),
    Bars(Vec<Bar>),
    /// How many points lie in each cell, the first row at the top.
    Density(Grid),
    Heat(Grid),
    Pixels(Pixels),
}

#[derive(Serialize)]
pub struct Line {
    pub name: String,
    /// In order; NaN is a gap.
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Serialize)]
pub struct Bar {
    pub from: f64,
    pub to: f64,
    pub value: f64,
}

/// Cells row by row, the first at the top; NaN where there is nothing.
#[derive(Serialize)]
pub struct Grid {
    pub columns: usize,
    pub rows: usize,
    pub cells: Vec<f64>,
}

/// Red, green, blue, and how much of them covers what is behind.
#[derive(Serialize)]
pub struct Pixels {
    pub columns: usize,
    pub rows: usize,
    pub cells: Vec<[u8; 4]>,
}

impl Axis {
    /// From `low` to `high`, or a little around a single value.
    pub fn new(name: impl Into<String>, low: f64, high: f64, scale: Scale) -> Self {
        let room = match scale {
            Scale::Whole | Scale::Log => 0.5,
            Scale::Time => 1.0,
            Scale::Linear => (low.abs() * 0.1).max(f64::MIN_POSITIVE.max(if low == 0.0 { 1.0 } else { 0.0 })),
        };
        let (low, high) = if low == high {
            (low - room, high + room)
        } else {
            (low, high)
        };
        Axis {
            name: name.into(),
            low,
            high,
            scale,
        }
    }

    /// How far along the axis a value lies, from 0 to 1.
    pub fn part(&self, value: f64) -> f64 {
        // Halves, as the span of the largest floats is infinite.
        (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
    }

    /// A number as it lies on the axis; NaN where a logarithmic one has no place for it.
    pub fn on(scale: Scale, value: f64) -> f64 {
        match scale {
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Log => f64::NAN,
            _ => value,
        }
    }
}

impl Grid {
    pub fn at(&self, column: usize, row: usize) -> f64 {
        self.cells.get(row * self.columns + column).copied().unwrap_or(f64::NAN)
    }

    /// The least and the largest of the cells that are numbers.
    pub fn range(&self) -> Option<(f64, f64)> {
        range(self.cells.iter().copied())
    }
}

/// The least and the largest of the numbers that are finite.
pub fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .filter(|value| value.is_finite())
        .fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
        })
}

/// The names of several lines.
pub fn legend(scene: &Scene) -> Option<Vec<&str>> {
    match &scene.body {
        Body::Lines(lines) | Body::Points(lines) if lines.len() > 1 => {
            Some(lines.iter().map(|line| &*line.name).collect())
        }
        _ => None,
    }
}

/// What an axis is called, with the date where its numbers are times of a day.
pub fn named(axis: &Axis) -> String {
    match ticks::day_of(axis) {
        Some(day) => format!("{} {day}", axis.name),
        None => axis.name.clone(),
    }
}
