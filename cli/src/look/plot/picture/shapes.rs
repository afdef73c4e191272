//! What stands where in a picture.

use super::font;
use super::theme::Theme;
use crate::look::plot::color::{self, Rgb};
use crate::look::plot::scene::{Axis, Bar, Body, Grid, Line, Pixels, Scale, Scene, legend, named};
use crate::look::plot::ticks::{self, Tick};

/// Sizes of letters.
const TITLE: f64 = 16.0;
const TEXT: f64 = 13.0;
const SMALL: f64 = 12.0;

/// Between things that do not touch.
const GAP: f64 = 8.0;

/// What the scale of a heat map takes at the right: its bar, and its numbers.
const SCALE_BAR: f64 = 16.0;

pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub paper: Rgb,
    /// Those behind come first.
    pub shapes: Vec<Shape>,
}

/// In pixels from the top left.
pub enum Shape {
    Rect {
        area: Area,
        color: Rgb,
    },
    /// A line through points.
    Path {
        points: Vec<(f64, f64)>,
        width: f64,
        color: Rgb,
    },
    Dot {
        at: (f64, f64),
        radius: f64,
        color: Rgb,
    },
    /// Cells as they are, without a seam or a blend between them.
    Image {
        area: Area,
        columns: usize,
        rows: usize,
        cells: Vec<Rgb>,
    },
    Text(Text),
}

pub struct Text {
    pub text: String,
    /// On the line that letters stand on.
    pub at: (f64, f64),
    pub size: f64,
    pub anchor: Anchor,
    /// Upwards, along an axis.
    pub turned: bool,
    pub color: Rgb,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy)]
pub struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    fn right(&self) -> f64 {
        self.x + self.width
    }

    fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

impl Picture {
    pub fn new(scenes: &[Scene], (width, height): (usize, usize), theme: &Theme) -> Self {
        let mut shapes = Vec::new();
        for (i, scene) in scenes.iter().enumerate() {
            let area = Area {
                x: 0.0,
                y: (i * height) as f64,
                width: width as f64,
                height: height as f64,
            };
            let mut panel = Panel::new(scene, area, theme);
            panel.draw();
            shapes.append(&mut panel.shapes);
        }
        Picture {
            width,
            height: height * scenes.len(),
            paper: theme.paper,
            shapes,
        }
    }
}

/// The axes, a little longer than the values where these would touch the frame; cells fill theirs.
fn roomy(scene: &Scene) -> (Axis, Axis) {
    let (mut x, mut y) = (scene.x.clone(), scene.y.clone());
    match &scene.body {
        Body::Lines(_) => lengthen(&mut y, true, true),
        Body::Points(_) => {
            lengthen(&mut x, true, true);
            lengthen(&mut y, true, true);
        }
        // Bars stand on their zero.
        Body::Bars(_) => {
            let (below, above) = (
                y.low < 0.0 && y.scale == Scale::Linear,
                y.high > 0.0 || y.scale != Scale::Linear,
            );
            lengthen(&mut y, below, above);
        }
        Body::Density(_) | Body::Heat(_) | Body::Pixels(_) => {}
    }
    (x, y)
}

fn lengthen(axis: &mut Axis, below: bool, above: bool) {
    let room = 0.03 * (axis.high - axis.low);
    let (low, high) = (axis.low - room, axis.high + room);
    if room.is_finite() && low.is_finite() && high.is_finite() {
        axis.low = if below { low } else { axis.low };
        axis.high = if above { high } else { axis.high };
    }
}

/// One scene.
struct Panel<'s> {
    scene: &'s Scene,
    theme: &'s Theme,
    /// Those of the scene, some of them longer.
    x: Axis,
    y: Axis,
    /// All of it, and what is between the axes.
    all: Area,
    inner: Area,
    shapes: Vec<Shape>,
}

impl<'s> Panel<'s> {
    fn new(scene: &'s Scene, all: Area, theme: &'s Theme) -> Self {
        let (x, y) = roomy(scene);
        let top = GAP + TITLE + GAP + if legend(scene).is_some() { TEXT + GAP } else { 0.0 };
        let below = GAP + TEXT + if scene.x.name.is_empty() { 0.0 } else { GAP + TEXT } + GAP;
        let notes = scene.notes.len() as f64 * (SMALL + 4.0);
        let height = (all.height - top - below - notes).max(20.0);
        let widest = |axis: &Axis| {
            let ticks = ticks::that_fit(axis, height, GAP, |_| TEXT);
            ticks
                .iter()
                .map(|tick| font::width(&tick.label, TEXT))
                .fold(0.0, f64::max)
        };
        let name = if scene.y.name.is_empty() { 0.0 } else { TEXT + GAP };
        let left = GAP + name + widest(&y) + GAP;
        let right = match &scene.color {
            Some(axis) => {
                2.0 * GAP + SCALE_BAR + GAP + widest(axis) + GAP + if axis.name.is_empty() { 0.0 } else { TEXT + GAP }
            }
            None => 3.0 * GAP,
        };
        let mut inner = Area {
            x: all.x + left,
            y: all.y + top,
            width: (all.width - left - right).max(20.0),
            height,
        };
        if let Body::Pixels(_) = scene.body {
            let span = |axis: &Axis| (axis.high - axis.low).abs();
            let scale = (inner.width / span(&scene.x)).min(inner.height / span(&scene.y));
            inner.width = (span(&scene.x) * scale).max(1.0);
            inner.height = (span(&scene.y) * scale).max(1.0);
        }
        // Lines between pixels are sharp.
        let inner = Area {
            x: inner.x.round(),
            y: inner.y.round(),
            width: inner.width.round(),
            height: inner.height.round(),
        };
        Panel {
            scene,
            theme,
            x,
            y,
            all,
            inner,
            shapes: Vec::new(),
        }
    }

    fn draw(&mut self) {
        let scene = self.scene;
        let is_map = matches!(scene.body, Body::Heat(_) | Body::Pixels(_));
        let (x, y) = (self.x_ticks(), self.y_ticks(&self.y));
        if !is_map {
            self.grid(&x, &y);
        }
        match &scene.body {
            Body::Lines(lines) => self.lines(lines),
            Body::Points(lines) => self.points(lines),
            Body::Bars(bars) => self.bars(bars),
            Body::Density(grid) => self.density(grid),
            Body::Heat(grid) => self.heat(grid),
            Body::Pixels(pixels) => self.pixels(pixels),
        }
        self.frame(&x, &y);
        self.words();
    }

    fn x_ticks(&self) -> Vec<Tick> {
        ticks::that_fit(&self.x, self.inner.width, 3.0 * GAP, |label| font::width(label, TEXT))
    }

    fn y_ticks(&self, axis: &Axis) -> Vec<Tick> {
        ticks::that_fit(axis, self.inner.height, 2.0 * GAP, |_| TEXT)
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let inner = self.inner;
        (
            inner.x + self.x.part(x) * inner.width,
            inner.bottom() - self.y.part(y) * inner.height,
        )
    }

    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, color: Rgb) {
        let area = Area { x, y, width, height };
        self.shapes.push(Shape::Rect { area, color });
    }

    fn text(&mut self, text: &str, at: (f64, f64), size: f64, anchor: Anchor, color: Rgb) {
        self.shapes.push(Shape::Text(Text {
            text: text.to_owned(),
            at,
            size,
            anchor,
            turned: false,
            color,
        }));
    }

    /// Faint lines at the ticks.
    fn grid(&mut self, x: &[Tick], y: &[Tick]) {
        let (inner, color) = (self.inner, self.theme.grid);
        if !matches!(self.scene.body, Body::Bars(_)) {
            for tick in x {
                let x = self.at((tick.at, 0.0)).0.floor();
                self.rect(x, inner.y, 1.0, inner.height, color);
            }
        }
        for tick in y {
            let y = self.at((0.0, tick.at)).1.floor();
            self.rect(inner.x, y, inner.width, 1.0, color);
        }
    }

    /// The axes with their numbers.
    fn frame(&mut self, x: &[Tick], y: &[Tick]) {
        let (inner, ink, faint) = (self.inner, self.theme.ink, self.theme.faint);
        self.rect(inner.x - 1.0, inner.y, 1.0, inner.height + 1.0, faint);
        self.rect(inner.x - 1.0, inner.bottom(), inner.width + 1.0, 1.0, faint);
        for tick in x {
            let x = self.at((tick.at, 0.0)).0;
            self.rect(x.floor(), inner.bottom(), 1.0, 5.0, faint);
            // A label at the end of the axis stays in the picture.
            let half = font::width(&tick.label, TEXT) / 2.0;
            let x = x.min(self.all.right() - half - 2.0).max(self.all.x + half + 2.0);
            self.text(&tick.label, (x, inner.bottom() + GAP + TEXT), TEXT, Anchor::Middle, ink);
        }
        for tick in y {
            let y = self.at((0.0, tick.at)).1;
            self.rect(inner.x - 5.0, y.floor(), 5.0, 1.0, faint);
            self.text(&tick.label, (inner.x - GAP, y + 0.36 * TEXT), TEXT, Anchor::End, ink);
        }
        if let Some(color) = &self.scene.color {
            self.scale(color);
        }
    }

    /// What the colours of a heat map mean.
    fn scale(&mut self, axis: &Axis) {
        let inner = self.inner;
        let x = inner.right() + 2.0 * GAP;
        let rows = inner.height as usize;
        self.shapes.push(Shape::Image {
            area: Area {
                x,
                y: inner.y,
                width: SCALE_BAR,
                height: inner.height,
            },
            columns: 1,
            rows,
            cells: (0..rows)
                .map(|row| color::along(axis, 1.0 - (row as f64 + 0.5) / rows as f64))
                .collect(),
        });
        let mut widest: f64 = 0.0;
        for tick in self.y_ticks(axis) {
            let y = inner.bottom() - axis.part(tick.at) * inner.height;
            self.rect(
                x + SCALE_BAR,
                y.floor().min(inner.bottom() - 1.0),
                4.0,
                1.0,
                self.theme.faint,
            );
            let at = (x + SCALE_BAR + GAP, y + 0.36 * TEXT);
            self.text(&tick.label, at, TEXT, Anchor::Start, self.theme.ink);
            widest = widest.max(font::width(&tick.label, TEXT));
        }
        let at = (x + SCALE_BAR + GAP + widest + GAP + TEXT, inner.y + inner.height / 2.0);
        self.turned(&named(axis), at, inner.height);
    }

    /// The name of an axis, upwards.
    fn turned(&mut self, text: &str, at: (f64, f64), room: f64) {
        self.shapes.push(Shape::Text(Text {
            text: font::cut(text, TEXT, room),
            at,
            size: TEXT,
            anchor: Anchor::Middle,
            turned: true,
            color: self.theme.faint,
        }));
    }

    /// Title, names and notes.
    fn words(&mut self) {
        let (scene, all, inner, theme) = (self.scene, self.all, self.inner, self.theme);
        let title = font::cut(&scene.title, TITLE, all.width - inner.x - GAP);
        self.text(&title, (inner.x, all.y + GAP + TITLE), TITLE, Anchor::Start, theme.ink);
        let middle = (inner.x + inner.width / 2.0, inner.bottom() + 2.0 * (GAP + TEXT));
        self.text(
            &font::cut(&named(&scene.x), TEXT, inner.width),
            middle,
            TEXT,
            Anchor::Middle,
            theme.faint,
        );
        if !scene.y.name.is_empty() {
            self.turned(
                &named(&scene.y),
                (all.x + GAP + TEXT, inner.y + inner.height / 2.0),
                inner.height,
            );
        }
        for (i, note) in scene.notes.iter().rev().enumerate() {
            let y = all.bottom() - GAP - i as f64 * (SMALL + 4.0);
            let note = font::cut(note, SMALL, all.right() - inner.x - GAP);
            self.text(&note, (inner.x, y), SMALL, Anchor::Start, theme.faint);
        }
        if let Some(names) = legend(scene) {
            let (mut x, y) = (inner.x, all.y + GAP + TITLE + GAP + TEXT);
            for (i, name) in names.iter().enumerate() {
                let name = font::cut(name, TEXT, (all.width - inner.x) / 2.0);
                let wide = 24.0 + font::width(&name, TEXT);
                if x + wide > all.right() - GAP {
                    self.text("…", (x, y), TEXT, Anchor::Start, theme.faint);
                    break;
                }
                self.rect(
                    x,
                    y - 0.36 * TEXT - 1.5,
                    16.0,
                    3.0,
                    theme.series[i % theme.series.len()],
                );
                self.text(&name, (x + 22.0, y), TEXT, Anchor::Start, theme.ink);
                x += wide + 2.0 * GAP;
            }
        }
    }

    fn lines(&mut self, lines: &[Line]) {
        for (i, line) in lines.iter().enumerate() {
            let color = self.theme.series[i % self.theme.series.len()];
            for part in line.points.split(|(x, y)| x.is_nan() || y.is_nan()) {
                let points: Vec<_> = part.iter().map(|&point| self.at(point)).collect();
                match points[..] {
                    [] => {}
                    [at] => self.shapes.push(Shape::Dot { at, radius: 1.5, color }),
                    _ => self.shapes.push(Shape::Path {
                        points,
                        width: 1.6,
                        color,
                    }),
                }
            }
        }
    }

    fn points(&mut self, lines: &[Line]) {
        for (i, line) in lines.iter().enumerate() {
            let color = self.theme.series[i % self.theme.series.len()];
            let radius = if line.points.len() > 500 { 1.6 } else { 2.6 };
            for &point in &line.points {
                let at = self.at(point);
                self.shapes.push(Shape::Dot { at, radius, color });
            }
        }
    }

    fn bars(&mut self, bars: &[Bar]) {
        let y = &self.scene.y;
        let has_zero = matches!(y.scale, Scale::Linear | Scale::Whole);
        let zero = if has_zero {
            self.at((0.0, 0.0)).1
        } else {
            self.inner.bottom()
        };
        let color = self.theme.series[0];
        for bar in bars
            .iter()
            .filter(|bar| bar.value.is_finite() && (bar.value != 0.0 || !has_zero))
        {
            let (from, to) = (self.at((bar.from, 0.0)).0, self.at((bar.to, 0.0)).0);
            let top = self.at((0.0, bar.value)).1;
            // A seam between bars that are wide enough for it.
            let (from, to) = (from.round(), to.round());
            let seam = if to - from >= 4.0 { 1.0 } else { 0.0 };
            let (y, height) = (top.min(zero), (top - zero).abs().max(1.0));
            self.rect(from, y, (to - from - seam).max(1.0), height, color);
        }
        if has_zero {
            self.rect(self.inner.x, zero.floor(), self.inner.width, 1.0, self.theme.faint);
        }
    }

    fn density(&mut self, grid: &Grid) {
        let most = grid.range().map_or(1.0, |(_, most)| most);
        let color = |value: f64| match value.is_nan() {
            true => self.theme.paper,
            false => {
                let part = if most > 1.0 { value.ln() / most.ln() } else { 1.0 };
                color::between(self.theme.paper, self.theme.series[0], 0.3 + 0.7 * part)
            }
        };
        let cells = grid.cells.iter().map(|&value| color(value)).collect();
        self.image(grid.columns, grid.rows, cells);
    }

    fn heat(&mut self, grid: &Grid) {
        let Some(axis) = &self.scene.color else {
            return;
        };
        let color = |value: f64| {
            if value.is_nan() {
                self.theme.nothing
            } else {
                color::of_part(axis.part(value))
            }
        };
        let cells = grid.cells.iter().map(|&value| color(value)).collect();
        self.image(grid.columns, grid.rows, cells);
    }

    fn pixels(&mut self, pixels: &Pixels) {
        let paper = self.theme.paper;
        let cover = |[r, g, b, alpha]: [u8; 4]| color::between(paper, [r, g, b], f64::from(alpha) / 255.0);
        let cells = pixels.cells.iter().map(|&cell| cover(cell)).collect();
        self.image(pixels.columns, pixels.rows, cells);
    }

    fn image(&mut self, columns: usize, rows: usize, cells: Vec<Rgb>) {
        self.shapes.push(Shape::Image {
            area: self.inner,
            columns,
            rows,
            cells,
        });
    }
}
