//! A scene as lines of text: braille for lines and points, half blocks for maps and images where there is colour.

mod screen;

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Color, Style};

use self::screen::Screen;
use super::color::{self, Rgb};
use super::read::Room;
use super::scene::{Axis, Bar, Body, Grid, Kind, Line, Pixels, Scale, Scene, legend, named};
use super::ticks::{self, Tick};
use crate::frame::context::Context;
use crate::frame::text::{cut, width};

/// What no plot is smaller than.
const LEAST: (usize, usize) = (20, 8);

/// Columns beside a heat map for what its colours mean.
const SCALE: usize = 12;

/// The size that was asked for, or that of the terminal without the line of the prompt; in a pipe one that fits a page.
pub fn size(asked: Option<(usize, usize)>, context: &Context) -> (usize, usize) {
    let of_terminal = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
    let columns = context.width().unwrap_or(80);
    let rows = of_terminal.map_or((columns / 4).clamp(12, 30), |(_, height)| {
        usize::from(height.0).saturating_sub(2)
    });
    let (columns, rows) = asked.unwrap_or((columns, rows));
    (columns.clamp(LEAST.0, 1000), rows.clamp(LEAST.1, 1000))
}

/// The most that can be drawn in.
pub fn room((columns, rows): (usize, usize)) -> Room {
    let (columns, rows) = (columns - 2, rows - 4);
    Room {
        dots: (2 * columns, 4 * rows),
        points: (2 * columns, 4 * rows),
        cells: (columns, 2 * rows),
    }
}

pub fn write(scene: &Scene, size: (usize, usize), context: &Context, out: &mut dyn Write) -> io::Result<()> {
    let mut drawing = Drawing::new(scene, size, context);
    drawing.frame();
    drawing.body();
    drawing.screen.write(context, out)?;
    let faint = context.style(Style::new().dimmed());
    for note in &scene.notes {
        writeln!(out, "{faint}{}{faint:#}", cut(note, size.0, context.ascii()))?;
    }
    Ok(())
}

struct Drawing<'s> {
    scene: &'s Scene,
    screen: Screen,
    glyphs: Glyphs,
    colored: bool,
    /// What is between the axes, in characters.
    left: usize,
    top: usize,
    columns: usize,
    rows: usize,
}

/// What lines are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Glyphs {
    Ascii,
    Unicode,
}

impl<'s> Drawing<'s> {
    fn new(scene: &'s Scene, (width_of, height): (usize, usize), context: &Context) -> Self {
        let legend = usize::from(legend(scene).is_some());
        let (top, below) = (1 + legend, 3);
        let rows = height.saturating_sub(top + below).max(2);
        let labels = ticks::that_fit(&scene.y, rows as f64, 1.0, |_| 1.0);
        let gutter = labels.iter().map(|tick| width(&tick.label)).max().unwrap_or(0) + 1;
        let beside = if scene.color.is_some() { SCALE } else { 1 };
        let left = gutter + 1;
        let room = width_of.saturating_sub(left + beside).max(4);
        let (columns, rows) = match &scene.body {
            Body::Pixels(_) => in_proportion(scene, room, rows),
            _ => (room, rows),
        };
        Drawing {
            scene,
            screen: Screen::new(width_of, top + rows + below),
            glyphs: if context.ascii() {
                Glyphs::Ascii
            } else {
                Glyphs::Unicode
            },
            colored: context.colored(),
            left,
            top,
            columns,
            rows,
        }
    }

    /// Title, axes, numbers, names.
    fn frame(&mut self) {
        let scene = self.scene;
        let bold = Style::new().bold();
        let faint = Style::new().dimmed();
        let is_ascii = self.glyphs == Glyphs::Ascii;
        let all = self.left + self.columns;
        self.screen
            .put(0, 0, &cut(&scene.title, self.screen.columns(), is_ascii), bold);
        if !scene.title.contains(&scene.y.name) {
            let name = format!("  {}", named(&scene.y));
            self.screen.put(width(&scene.title), 0, &name, faint);
        }
        if let Some(names) = legend(scene) {
            let mut x = self.left;
            for (i, name) in names.iter().enumerate() {
                let style = self.series_style(i);
                self.screen.put(x, 1, &self.mark(i).to_string().repeat(2), style);
                self.screen.put(x + 3, 1, name, Style::new());
                x += width(name) + 6;
            }
        }
        let [corner, across, up, tick_up, tick_right] = match self.glyphs {
            Glyphs::Ascii => ['+', '-', '|', '+', '+'],
            Glyphs::Unicode => ['└', '─', '│', '┤', '┬'],
        };
        let bottom = self.top + self.rows;
        for y in self.top..bottom {
            self.screen.set(self.left - 1, y, up, faint);
        }
        for x in self.left..all {
            self.screen.set(x, bottom, across, faint);
        }
        self.screen.set(self.left - 1, bottom, corner, faint);
        for tick in ticks::that_fit(&scene.y, self.rows as f64, 1.0, |_| 1.0) {
            let y = self.top + self.row(&tick);
            self.screen.set(self.left - 1, y, tick_up, faint);
            let x = (self.left - 1).saturating_sub(width(&tick.label));
            self.screen.put(x, y, &tick.label, Style::new());
        }
        for tick in ticks::that_fit(&scene.x, self.columns as f64, 2.0, |label| width(label) as f64) {
            let x = ((scene.x.part(tick.at) * self.columns as f64) as usize).min(self.columns - 1);
            self.screen.set(self.left + x, bottom, tick_right, faint);
            let wide = width(&tick.label);
            let start = (self.left + x)
                .saturating_sub(wide / 2)
                .min(self.screen.columns().saturating_sub(wide));
            self.screen.put(start, bottom + 1, &tick.label, Style::new());
        }
        let name = named(&scene.x);
        let start = self.left + self.columns.saturating_sub(width(&name)) / 2;
        self.screen
            .put(start, bottom + 2, &cut(&name, self.columns, is_ascii), faint);
        if let Some(color) = &scene.color {
            self.scale(color);
        }
    }

    fn row(&self, tick: &Tick) -> usize {
        (((1.0 - self.scene.y.part(tick.at)) * self.rows as f64) as usize).min(self.rows - 1)
    }

    /// The colours of a heat map from top to bottom, with their numbers.
    fn scale(&mut self, axis: &Axis) {
        let x = self.left + self.columns + 2;
        for y in 0..self.rows {
            let part = |half: f64| 1.0 - (y as f64 + half) / self.rows as f64;
            if self.colored {
                let colors = [part(0.25), part(0.75)].map(|part| color::along(axis, part));
                for x in [x, x + 1] {
                    self.screen
                        .half_blocks(x, self.top + y, colors.map(Some), self.glyphs == Glyphs::Ascii);
                }
            } else {
                let shade = self.shade(part(0.5));
                self.screen
                    .put(x, self.top + y, &shade.to_string().repeat(2), Style::new());
            }
        }
        for tick in ticks::that_fit(axis, self.rows as f64, 1.0, |_| 1.0) {
            let y = (((1.0 - axis.part(tick.at)) * self.rows as f64) as usize).min(self.rows - 1);
            self.screen.put(x + 3, self.top + y, &tick.label, Style::new());
        }
    }

    fn body(&mut self) {
        match &self.scene.body {
            Body::Lines(lines) => self.lines(lines),
            Body::Points(lines) => {
                for (i, line) in lines.iter().enumerate() {
                    for &point in &line.points {
                        self.dot(i, self.place(point));
                    }
                }
            }
            Body::Bars(bars) => self.bars(bars),
            Body::Density(grid) => self.density(grid),
            Body::Heat(grid) => self.heat(grid),
            Body::Pixels(pixels) => self.pixels(pixels),
        }
    }

    /// Where a point lies, in dots from the top left.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (columns, rows) = self.dots();
        let at = |part: f64, dots: f64| (part * dots).floor().clamp(0.0, dots - 1.0);
        (at(self.scene.x.part(x), columns), at(1.0 - self.scene.y.part(y), rows))
    }

    fn dots(&self) -> (f64, f64) {
        (2.0 * self.columns as f64, 4.0 * self.rows as f64)
    }

    fn lines(&mut self, lines: &[Line]) {
        for (i, line) in lines.iter().enumerate() {
            let mut last: Option<(f64, f64)> = None;
            for &(x, y) in &line.points {
                if x.is_nan() || y.is_nan() {
                    last = None;
                    continue;
                }
                let to = self.place((x, y));
                let from = last.unwrap_or(to);
                let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1.0);
                for step in 0..=steps as usize {
                    let part = step as f64 / steps;
                    let at = |from: f64, to: f64| (from + (to - from) * part).round();
                    self.dot(i, (at(from.0, to.0), at(from.1, to.1)));
                }
                last = Some(to);
            }
        }
    }

    /// A dot of the i-th series.
    fn dot(&mut self, i: usize, (x, y): (f64, f64)) {
        let (x, y) = (x as usize, y as usize);
        let (column, row) = (self.left + x / 2, self.top + y / 4);
        let style = self.series_style(i);
        if self.is_braille() {
            self.screen.braille(column, row, (x % 2, y % 4), style);
        } else {
            self.screen.set(column, row, self.mark(i), style);
        }
    }

    /// Braille, unless several lines can be told apart by their marks alone.
    fn is_braille(&self) -> bool {
        self.glyphs == Glyphs::Unicode && (self.colored || legend(self.scene).is_none())
    }

    fn mark(&self, i: usize) -> char {
        if self.is_braille() {
            '━'
        } else {
            ['*', 'o', '+', 'x', '#', '@', '%', '&'][i % 8]
        }
    }

    fn series_style(&self, i: usize) -> Style {
        let colors = [
            AnsiColor::BrightCyan,
            AnsiColor::BrightYellow,
            AnsiColor::BrightMagenta,
            AnsiColor::BrightGreen,
            AnsiColor::BrightRed,
            AnsiColor::BrightBlue,
            AnsiColor::Cyan,
            AnsiColor::Yellow,
        ];
        Style::new().fg_color(Some(Color::Ansi(colors[i % colors.len()])))
    }

    /// Bars stand on 0, or on the bottom of a logarithmic axis; eighths of a character upwards, halves downwards.
    fn bars(&mut self, bars: &[Bar]) {
        let (x, y) = (&self.scene.x, &self.scene.y);
        let base = if y.scale == Scale::Linear || y.scale == Scale::Whole {
            y.part(0.0)
        } else {
            0.0
        };
        let eighths = 8.0 * self.rows as f64;
        let mut heights: Vec<Option<(f64, bool)>> = vec![None; self.columns];
        for bar in bars.iter().filter(|bar| bar.value.is_finite()) {
            let at = |value: f64| x.part(value) * self.columns as f64;
            let (from, to) = (at(bar.from).round().max(0.0) as usize, at(bar.to).round() as usize);
            // No bar is lost between two columns: the highest of a column shows.
            let height = y.part(bar.value) * eighths;
            let is_seen = bar.value != 0.0 || self.scene.kind != Kind::Hist;
            let above = |height: f64| (height - base * eighths).abs();
            let end = to.max(from + 1).min(self.columns);
            for found in &mut heights[from.min(end)..end] {
                if found.is_none_or(|(other, _)| above(height) > above(other)) {
                    *found = Some((height, is_seen));
                }
            }
        }
        let style = self.series_style(0);
        for (column, found) in heights.iter().enumerate() {
            let Some((height, true)) = *found else {
                continue;
            };
            let zero = (base * eighths / 8.0).round() * 8.0;
            // What is there shows, however little.
            let height = match height - base * eighths {
                above if above >= 0.0 => height.round().max(zero + 1.0),
                _ => height.round().min(zero - 4.0),
            };
            for row in 0..self.rows {
                let bottom = 8.0 * (self.rows - 1 - row) as f64;
                let glyph = self.bar_glyph((height - bottom).clamp(0.0, 8.0), (zero - bottom).clamp(0.0, 8.0));
                if let Some(glyph) = glyph {
                    self.screen.set(self.left + column, self.top + row, glyph, style);
                }
            }
        }
    }

    /// A character that is filled between the height of a bar and its base, both in eighths of it.
    fn bar_glyph(&self, height: f64, base: f64) -> Option<char> {
        let filled = (height - base).abs();
        match self.glyphs {
            _ if filled == 0.0 => None,
            Glyphs::Ascii => (filled >= 4.0 || height < 8.0 && base == 0.0 && filled >= 1.0).then_some('#'),
            Glyphs::Unicode if height > base => "▁▂▃▄▅▆▇█".chars().nth(filled as usize - 1),
            Glyphs::Unicode if filled >= 6.0 => Some('█'),
            Glyphs::Unicode => Some('▀'),
        }
    }

    fn density(&mut self, grid: &Grid) {
        let (columns, rows) = self.dots();
        for row in 0..grid.rows {
            for column in 0..grid.columns {
                if grid.at(column, row) > 0.0 {
                    let at = |i: usize, cells: usize, dots: f64| (i as f64 + 0.5) / cells as f64 * dots;
                    self.dot(0, (at(column, grid.columns, columns), at(row, grid.rows, rows)));
                }
            }
        }
    }

    fn heat(&mut self, grid: &Grid) {
        let Some(axis) = &self.scene.color else {
            return;
        };
        self.halves(grid.columns, grid.rows, |column, row| {
            let value = grid.at(column, row);
            (!value.is_nan()).then(|| (color::of_part(axis.part(value)), axis.part(value)))
        });
    }

    fn pixels(&mut self, pixels: &Pixels) {
        self.halves(pixels.columns, pixels.rows, |column, row| {
            let [r, g, b, alpha] = pixels.cells[row * pixels.columns + column];
            let color = color::between([0, 0, 0], [r, g, b], f64::from(alpha) / 255.0);
            let [r, g, b] = color.map(f64::from);
            Some((color, (0.299 * r + 0.587 * g + 0.114 * b) / 255.0))
        });
    }

    /// Two cells above each other in a character where there is colour, and a shade where there is none.
    fn halves(&mut self, columns: usize, rows: usize, cell: impl Fn(usize, usize) -> Option<(Rgb, f64)>) {
        let of = |place: usize, places: usize, cells: usize| place * cells / places;
        for y in 0..self.rows {
            for x in 0..self.columns {
                let column = of(x, self.columns, columns);
                let [above, below] = [2 * y, 2 * y + 1].map(|half| cell(column, of(half, 2 * self.rows, rows)));
                let at = (self.left + x, self.top + y);
                if self.colored {
                    let colors = [above, below].map(|cell| cell.map(|(color, _)| color));
                    self.screen
                        .half_blocks(at.0, at.1, colors, self.glyphs == Glyphs::Ascii);
                    continue;
                }
                let parts: Vec<f64> = [above, below].into_iter().flatten().map(|(_, part)| part).collect();
                let mean = parts.iter().sum::<f64>() / parts.len() as f64;
                let glyph = if parts.is_empty() { '?' } else { self.shade(mean) };
                self.screen.set(at.0, at.1, glyph, Style::new());
            }
        }
    }

    fn shade(&self, part: f64) -> char {
        let shades = match self.glyphs {
            Glyphs::Ascii => " .:-=+*#%@",
            Glyphs::Unicode => " ·░▒▓█",
        };
        let count = shades.chars().count();
        shades
            .chars()
            .nth(((part * count as f64) as usize).min(count - 1))
            .unwrap_or(' ')
    }
}

/// A character is twice as high as wide.
fn in_proportion(scene: &Scene, columns: usize, rows: usize) -> (usize, usize) {
    let span = |axis: &Axis| (axis.high - axis.low).abs();
    let proportion = (columns as f64 / span(&scene.x)).min(2.0 * rows as f64 / span(&scene.y));
    let fit = |axis: &Axis, per: f64| (span(axis) * proportion / per).round() as usize;
    (fit(&scene.x, 1.0).clamp(1, columns), fit(&scene.y, 2.0).clamp(1, rows))
}
