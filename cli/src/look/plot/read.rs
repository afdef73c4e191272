//! A plot's values, read once or twice, as a scene that fits a picture.

use super::Args;
use super::choose::Wanted;
use super::reduce::{Bins, Cells, Columns, Extent, Left};
use super::scene::{Axis, Bar, Body, Grid, Kind, Line, Pixels, Scale, Scene, range};
use super::values::{Place, Pool, Series, Source};
use crate::frame::fault::{Fault, Result};
use crate::look::stats::{column, rounded};

/// What there is to draw in.
pub struct Room {
    /// For lines.
    pub dots: (usize, usize),
    /// For points that are counted.
    pub points: (usize, usize),
    /// For maps and images.
    pub cells: (usize, usize),
}

/// So many points are kept one by one; more of them are counted in cells.
const POINTS: u64 = 5_000;

/// A line that runs back and forth is kept whole.
const WHOLE: u64 = 1 << 20;

pub fn scene(wanted: &Wanted<'_>, pool: &mut Pool<'_>, room: &Room, args: &Args) -> Result<Scene> {
    let mut scene = match wanted.kind {
        Kind::Line | Kind::Scatter if wanted.has_x => against(wanted, pool, room, args),
        Kind::Line => lines(wanted, pool, room, args),
        Kind::Scatter => points(wanted, pool, room, args),
        Kind::Bar => bars(wanted, pool, args),
        Kind::Hist => histogram(wanted, pool, room, args),
        Kind::Heat => heat(wanted, pool, room, args),
        Kind::Image => image(wanted, pool, room),
    }?;
    scene.title = args.title.clone().unwrap_or_else(|| wanted.title.clone());
    Ok(scene)
}

/// The scale of the values of these series.
fn scale(series: &[Series], log: bool) -> Scale {
    match series {
        _ if log => Scale::Log,
        [one, ..] if one.clock.is_some() => Scale::Time,
        _ => Scale::Linear,
    }
}

/// What the values are called: by name where there is one of them.
fn value_name(series: &[Series]) -> String {
    match series {
        [one] => one.name.clone(),
        _ => String::new(),
    }
}

/// Indexes of the n-th axis of the result as the array counts them.
fn index_axis(source: &Source<'_>, n: usize) -> (f64, f64, u64) {
    source.kept().nth(n).map_or((0.0, 1.0, 1), |axis| {
        let step = axis.runs.first().map_or(1, |run| run.step);
        (axis.place(0) as f64, step as f64, axis.count())
    })
}

fn nothing(left: &Left) -> Fault {
    let note = left.note().unwrap_or_else(|| "left out: none".into());
    Fault::new(format_args!("found no value that can be drawn ({note})"))
}

fn scene_of(kind: Kind, x: Axis, y: Axis, body: Body, left: &Left) -> Scene {
    Scene {
        title: String::new(),
        kind,
        x,
        y,
        color: None,
        body,
        notes: left.note().into_iter().collect(),
    }
}

/// Lines over their index: the members of a plot, and the columns of an array of two axes.
fn lines(wanted: &Wanted<'_>, pool: &mut Pool<'_>, room: &Room, args: &Args) -> Result<Scene> {
    let ends = wanted.sources.iter().map(|source| {
        let (start, step, count) = index_axis(source, 0);
        (start, start + step * count.saturating_sub(1) as f64)
    });
    let (low, high) = range(ends.flat_map(|(first, last)| [first, last])).unwrap_or((0.0, 1.0));
    let scale = scale(&wanted.sources[0].series, args.log_y());
    let mut left = Left::default();
    let mut drawn: Vec<(String, Columns)> = Vec::new();
    for source in &wanted.sources {
        let (start, step, _) = index_axis(source, 0);
        let first = drawn.len();
        if let [_, columns] = source.shape()[..] {
            let axis = source.kept().nth(1);
            let place = |i| axis.map_or(i, |axis| axis.place(i));
            drawn.extend((0..columns).map(|i| (format!("[:, {}]", place(i)), Columns::new(low, high, room.dots.0))));
        } else {
            let series = source.series.iter();
            drawn.extend(series.map(|series| (series.name.clone(), Columns::new(low, high, room.dots.0))));
        }
        let is_wide = source.shape().len() == 2;
        source.runs(pool, |place, values| {
            for (s, values) in values.iter().enumerate() {
                if !is_wide {
                    let columns = &mut drawn[first + s].1;
                    let from = start + step * place.along(0, 0) as f64;
                    let step = if place.backwards { -step } else { step };
                    for (n, &value) in values.iter().enumerate() {
                        columns.push(from + step * n as f64, left.take(scale, value));
                    }
                    continue;
                }
                for (n, &value) in values.iter().enumerate() {
                    let x = start + step * place.along(0, n) as f64;
                    drawn[first + place.along(1, n) as usize]
                        .1
                        .push(x, left.take(scale, value));
                }
            }
        })?;
    }
    let lines: Vec<Line> = drawn
        .into_iter()
        .map(|(name, columns)| Line {
            name,
            points: columns.points(),
        })
        .collect();
    let (least, largest) = range(ys(&lines)).ok_or_else(|| nothing(&left))?;
    let names = wanted
        .sources
        .iter()
        .flat_map(|source| &source.series)
        .cloned()
        .collect::<Vec<_>>();
    let x = Axis::new("index", low, high, Scale::Whole);
    Ok(scene_of(
        Kind::Line,
        x,
        Axis::new(value_name(&names), least, largest, scale),
        Body::Lines(lines),
        &left,
    ))
}

fn ys(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines.iter().flat_map(|line| line.points.iter().map(|point| point.1))
}

/// Points over their index.
fn points(wanted: &Wanted<'_>, pool: &mut Pool<'_>, room: &Room, args: &Args) -> Result<Scene> {
    let source = &wanted.sources[0];
    let (start, step, count) = index_axis(source, 0);
    let last = start + step * count.saturating_sub(1) as f64;
    let scales = (Scale::Whole, scale(&source.series, args.log_y()));
    let xs = |place: &Place<'_>, n| start + step * place.along(0, n) as f64;
    let ranges = extents(source, pool, scales.1, 0)?;
    let x = Axis::new("index", start.min(last), start.max(last), Scale::Whole);
    scatter(
        source,
        pool,
        room,
        (x, scales.1),
        &ranges,
        |place, n, _| xs(place, n),
        0,
    )
}

/// The range of the values of all series from the `first` on, and what has none.
fn extents(source: &Source<'_>, pool: &mut Pool<'_>, scale: Scale, first: usize) -> Result<(f64, f64)> {
    let mut extent = Extent::new();
    let mut left = Left::default();
    source.blocks(pool, |values| {
        let values = values[first..].iter().flatten();
        values.for_each(|&value| extent.push(left.take(scale, value)));
    })?;
    extent.range.ok_or_else(|| nothing(&left))
}

/// One series against another.
fn against(wanted: &Wanted<'_>, pool: &mut Pool<'_>, room: &Room, args: &Args) -> Result<Scene> {
    let source = &wanted.sources[0];
    let scales = (
        scale(&source.series[..1], args.log_x()),
        scale(&source.series[1..], args.log_y()),
    );
    let (mut x, mut y) = (Extent::new(), Extent::new());
    let mut left = Left::default();
    source.blocks(pool, |values| {
        values[0].iter().for_each(|&value| x.push(left.take(scales.0, value)));
        values[1..]
            .iter()
            .flatten()
            .for_each(|&value| y.push(left.take(scales.1, value)));
    })?;
    let (Some((low, high)), Some(range)) = (x.range, y.range) else {
        return Err(nothing(&left));
    };
    let axis = Axis::new(source.series[0].name.clone(), low, high, scales.0);
    let is_line = wanted.kind == Kind::Line && (x.ascending || args.kind == Some(Kind::Line));
    if !is_line {
        let at = |_: &Place<'_>, n: usize, values: &[&[f64]]| finite(scales.0, values[0][n]);
        return scatter(source, pool, room, (axis, scales.1), &range, at, 1);
    }
    if !x.ascending && source.count() > WHOLE {
        let hint = "--kind scatter draws any number of points";
        return Err(Fault::new("found more than 2^20 values along an x that is not sorted").hint(hint));
    }
    let columns = || Columns::new(low, high, room.dots.0);
    let mut reduced: Vec<Columns> = source.series[1..].iter().map(|_| columns()).collect();
    let mut whole: Vec<Vec<(f64, f64)>> = vec![Vec::new(); reduced.len()];
    source.runs(pool, |_, values| {
        for (i, ys) in values[1..].iter().enumerate() {
            for (&x_value, &y_value) in values[0].iter().zip(*ys) {
                let point = (finite(scales.0, x_value), finite(scales.1, y_value));
                match x.ascending {
                    true => reduced[i].push(point.0, point.1),
                    false => whole[i].push(point),
                }
            }
        }
    })?;
    let names = source.series[1..].iter().map(|series| series.name.clone());
    let points = reduced.iter().zip(whole);
    let points = points.map(|(columns, whole)| if x.ascending { columns.points() } else { whole });
    let lines = names.zip(points).map(|(name, points)| Line { name, points }).collect();
    let y = Axis::new(value_name(&source.series[1..]), range.0, range.1, scales.1);
    Ok(scene_of(Kind::Line, axis, y, Body::Lines(lines), &left))
}

/// The value on its axis, NaN where it has no place there.
fn finite(scale: Scale, value: f64) -> f64 {
    Left::default().take(scale, value)
}

/// Points, one by one or counted in cells; `x_of` finds where a value lies along x.
fn scatter(
    source: &Source<'_>,
    pool: &mut Pool<'_>,
    room: &Room,
    (x, scale): (Axis, Scale),
    range: &(f64, f64),
    x_of: impl Fn(&Place<'_>, usize, &[&[f64]]) -> f64,
    first: usize,
) -> Result<Scene> {
    let y = Axis::new(value_name(&source.series[first..]), range.0, range.1, scale);
    let mut left = Left::default();
    let is_few = source.count() <= POINTS;
    let mut points: Vec<Vec<(f64, f64)>> = vec![Vec::new(); source.series.len() - first];
    let (columns, rows) = room.points;
    let mut cells = Cells::new(columns, rows);
    source.runs(pool, |place, values| {
        for (points, ys) in points.iter_mut().zip(&values[first..]) {
            for (n, &value) in ys.iter().enumerate() {
                let point = (x_of(place, n, values), left.take(scale, value));
                if !point.0.is_finite() || !point.1.is_finite() {
                    left.nan += u64::from(point.0.is_nan() && point.1.is_finite());
                } else if is_few {
                    points.push(point);
                } else {
                    let (column, row) = (x.part(point.0) * columns as f64, (1.0 - y.part(point.1)) * rows as f64);
                    cells.push(column as usize, row as usize, 1.0);
                }
            }
        }
    })?;
    let names = source.series[first..].iter().map(|series| series.name.clone());
    let body = match is_few {
        true => Body::Points(names.zip(points).map(|(name, points)| Line { name, points }).collect()),
        false => Body::Density(cells.counts()),
    };
    Ok(scene_of(Kind::Scatter, x, y, body, &left))
}

/// A bar a value.
fn bars(wanted: &Wanted<'_>, pool: &mut Pool<'_>, args: &Args) -> Result<Scene> {
    let source = &wanted.sources[0];
    let scale = scale(&source.series, args.log_y());
    let (start, step, count) = index_axis(source, 0);
    let mut left = Left::default();
    let mut bars = Vec::new();
    source.runs(pool, |place, values| {
        for (n, &value) in values[0].iter().enumerate() {
            let at = start + step * place.along(0, n) as f64;
            let half = 0.4 * step.abs();
            bars.push(Bar {
                from: at - half,
                to: at + half,
                value: left.take(scale, value),
            });
        }
    })?;
    let (low, high) = range(bars.iter().map(|bar| bar.value)).ok_or_else(|| nothing(&left))?;
    let y = bar_axis(value_name(&source.series), low, high, scale);
    let last = start + step * count.saturating_sub(1) as f64;
    let half = 0.5 * step.abs();
    let x = Axis::new("index", start.min(last) - half, start.max(last) + half, Scale::Whole);
    Ok(scene_of(Kind::Bar, x, y, Body::Bars(bars), &left))
}

/// Bars stand on 0, where there is one.
fn bar_axis(name: impl Into<String>, low: f64, high: f64, scale: Scale) -> Axis {
    match scale {
        Scale::Log => Axis::new(
            name,
            low.floor() - if low == low.floor() { 1.0 } else { 0.0 },
            high,
            scale,
        ),
        Scale::Time => Axis::new(name, low - 0.1 * (high - low), high, scale),
        _ => Axis::new(name, low.min(0.0), high.max(0.0), scale),
    }
}

fn histogram(wanted: &Wanted<'_>, pool: &mut Pool<'_>, room: &Room, args: &Args) -> Result<Scene> {
    let source = &wanted.sources[0];
    let along = scale(&source.series, args.log_x());
    let mut left = Left::default();
    let mut extent = Extent::new();
    let mut count = 0_u64;
    source.blocks(pool, |values| {
        for &value in values.iter().flatten() {
            count += 1;
            extent.push(left.take(along, value));
        }
    })?;
    let (low, high) = extent.range.ok_or_else(|| nothing(&left))?;
    let is_whole = matches!(
        source.series[0].column.kind,
        column::Kind::Int | column::Kind::Uint | column::Kind::Bool
    );
    let most = args
        .bins
        .unwrap_or_else(|| ((count as f64).sqrt() as usize).clamp(8, (room.dots.0 / 4).clamp(8, 80)));
    let (x, bins) = if is_whole && along == Scale::Linear && high - low < 1e15 {
        // Every bin has as many integers as any other one.
        let width = ((high - low + 1.0) / most as f64).ceil();
        let bins = ((high - low + 1.0) / width).ceil();
        let axis = Axis::new("", low - 0.5, low - 0.5 + bins * width, Scale::Whole);
        (axis, bins as usize)
    } else {
        (Axis::new("", low, high, along), most)
    };
    let mut bins = Bins::new(x.low, x.high, bins);
    source.blocks(pool, |values| {
        values
            .iter()
            .flatten()
            .for_each(|&value| bins.push(finite(along, value)))
    })?;
    let up = if args.log_y() { Scale::Log } else { Scale::Whole };
    let bars = bins.bars(up);
    let most = range(bars.iter().map(|bar| bar.value)).map_or(0.0, |(_, most)| most);
    let y = match up {
        Scale::Log => Axis::new("count", -0.3, most.max(0.3), up),
        _ => Axis::new("count", 0.0, most, up),
    };
    let x = Axis {
        name: value_name(&source.series),
        ..x
    };
    Ok(scene_of(Kind::Hist, x, y, Body::Bars(bars), &left))
}

/// As many columns and rows as fit, in the array's proportions or not.
fn fitting(shape: &[u64], room: &Room) -> (usize, usize) {
    let most = |len: u64, room: usize| usize::try_from(len).unwrap_or(room).min(room).max(1);
    (most(shape[1], room.cells.0), most(shape[0], room.cells.1))
}

/// Rows downwards, as they are printed.
fn map_axes(source: &Source<'_>) -> (Axis, Axis) {
    let axis = |n, name| {
        let (start, step, count) = index_axis(source, n);
        let (first, last) = (start - step / 2.0, start + step * (count as f64 - 0.5));
        Axis::new(name, first, last, Scale::Whole)
    };
    let (x, rows) = (axis(1, "column"), axis(0, "row"));
    let y = Axis {
        low: rows.high,
        high: rows.low,
        ..rows
    };
    (x, y)
}

/// The cell of a place.
fn cell(place: &Place<'_>, n: usize, shape: &[u64], (columns, rows): (usize, usize)) -> (usize, usize) {
    let part = |axis: usize, cells: usize| {
        (u128::from(place.along(axis, n)) * cells as u128 / u128::from(shape[axis].max(1))) as usize
    };
    (part(1, columns), part(0, rows))
}

fn heat(wanted: &Wanted<'_>, pool: &mut Pool<'_>, room: &Room, args: &Args) -> Result<Scene> {
    let source = &wanted.sources[0];
    let scale = scale(&source.series, args.log_y());
    let shape = source.shape();
    let fit = fitting(&shape, room);
    let mut cells = Cells::new(fit.0, fit.1);
    let mut left = Left::default();
    source.runs(pool, |place, values| {
        for (n, &value) in values[0].iter().enumerate() {
            let (column, row) = cell(place, n, &shape, fit);
            cells.push(column, row, left.take(scale, value));
        }
    })?;
    let grid = cells.means();
    let (low, high) = grid.range().ok_or_else(|| nothing(&left))?;
    let (x, y) = map_axes(source);
    let is_mask = source.series[0].column.kind == column::Kind::Bool;
    let color = match is_mask {
        true => Axis::new(value_name(&source.series), 0.0, 1.0, Scale::Whole),
        false => Axis::new(value_name(&source.series), low, high, scale),
    };
    let mut scene = scene_of(Kind::Heat, x, y, Body::Heat(grid), &left);
    scene.color = Some(color);
    let scale = if is_mask { Scale::Whole } else { scale };
    note_means(&mut scene, &shape, fit, &cells, scale);
    Ok(scene)
}

/// What a cell stands for where it stands for several values.
fn note_means(scene: &mut Scene, shape: &[u64], fit: (usize, usize), cells: &Cells, scale: Scale) {
    if (fit.0 as u64, fit.1 as u64) == (shape[1], shape[0]) {
        return;
    }
    let many = |len: u64, cells: usize| len.div_ceil(cells.max(1) as u64);
    let mut note = format!(
        "a cell is the mean of up to {} x {} values",
        many(shape[0], fit.1),
        many(shape[1], fit.0)
    );
    if let (Some((low, high)), Scale::Linear) = (cells.range, scale) {
        let [low, high] = [low, high].map(|value| rounded(Some(value)));
        note.push_str(&format!("; all lie from {low} to {high}"));
    }
    scene.notes.push(note);
}

fn image(wanted: &Wanted<'_>, pool: &mut Pool<'_>, room: &Room) -> Result<Scene> {
    let source = &wanted.sources[0];
    let shape = source.shape();
    let proportion = (room.cells.0 as f64 / shape[1] as f64)
        .min(room.cells.1 as f64 / shape[0] as f64)
        .min(1.0);
    let least = |len: u64| ((len as f64 * proportion).round() as usize).max(1);
    let fit = (least(shape[1]), least(shape[0]));
    let channels = shape.get(2).copied().unwrap_or(1) as usize;
    let mut cells: Vec<Cells> = (0..channels).map(|_| Cells::new(fit.0, fit.1)).collect();
    let mut left = Left::default();
    source.runs(pool, |place, values| {
        for (n, &value) in values[0].iter().enumerate() {
            let (column, row) = cell(place, n, &shape, fit);
            let channel = place.along(2, n) as usize;
            cells[channel].push(column, row, left.take(Scale::Linear, value));
        }
    })?;
    let column = &source.series[0].column;
    // Bytes from 0 to 255; floats from 0 to 1, as other programs have them; anything else between its extremes.
    let (black, white) = match (column.kind, column.size) {
        (column::Kind::Uint, 1) => (0.0, 255.0),
        (column::Kind::Uint, 2) if channels > 1 => (0.0, 65_535.0),
        (column::Kind::Float, _) if channels > 1 => (0.0, 1.0),
        _ => range(
            cells
                .iter()
                .filter_map(|cells| cells.range)
                .flat_map(|(low, high)| [low, high]),
        )
        .unwrap_or((0.0, 1.0)),
    };
    let means: Vec<Grid> = cells.iter().map(Cells::means).collect();
    let byte = |value: f64| ((value - black) / (white - black) * 255.0).round().clamp(0.0, 255.0) as u8;
    let pixels = (0..fit.0 * fit.1).map(|i| {
        let of = |channel: usize| means.get(channel).map_or(255, |grid| byte(grid.cells[i]));
        match channels {
            1 => [of(0), of(0), of(0), 255],
            _ => [of(0), of(1), of(2), of(3)],
        }
    });
    let pixels = Pixels {
        columns: fit.0,
        rows: fit.1,
        cells: pixels.collect(),
    };
    let (x, y) = map_axes(source);
    let mut scene = scene_of(Kind::Image, x, y, Body::Pixels(pixels), &left);
    note_means(&mut scene, &shape, fit, &cells[0], Scale::Whole);
    Ok(scene)
}
