//! Shapes as pixels. An outline is filled by the share of each pixel that lies inside of it.

use super::font;
use super::shapes::{Anchor, Area, Picture, Shape, Text};
use crate::look::plot::color::{Rgb, between};

/// Pixels row by row.
pub struct Raster {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<Rgb>,
}

pub fn fill(picture: &Picture) -> Raster {
    let mut raster = Raster {
        width: picture.width,
        height: picture.height,
        pixels: vec![picture.paper; picture.width * picture.height],
    };
    for shape in &picture.shapes {
        match shape {
            Shape::Rect { area, color } => raster.polygons(&[corners(area)], *color),
            Shape::Path { points, width, color } => raster.polygons(&stroke(points, *width), *color),
            Shape::Dot { at, radius, color } => raster.polygons(&[circle(*at, *radius)], *color),
            Shape::Image {
                area,
                columns,
                rows,
                cells,
            } => raster.image(area, *columns, *rows, cells),
            Shape::Text(text) => raster.polygons(&letters(text), text.color),
        }
    }
    raster
}

type Polygon = Vec<(f64, f64)>;

fn corners(area: &Area) -> Polygon {
    let (x, y) = (area.x + area.width, area.y + area.height);
    vec![(area.x, area.y), (x, area.y), (x, y), (area.x, y)]
}

fn circle((x, y): (f64, f64), radius: f64) -> Polygon {
    let corner = |i: u32| std::f64::consts::TAU * f64::from(i) / 12.0;
    (0..12)
        .map(|i| (x + radius * corner(i).cos(), y + radius * corner(i).sin()))
        .collect()
}

/// A quad for each part of a line, all turning the same way.
fn stroke(points: &[(f64, f64)], width: f64) -> Vec<Polygon> {
    let half = width / 2.0;
    let parts = points.windows(2).filter(|part| part[0] != part[1]);
    parts
        .map(|part| {
            let (from, to) = (part[0], part[1]);
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let along = ((to.0 - from.0) / length * half, (to.1 - from.1) / length * half);
            let across = (-along.1, along.0);
            // Half a width longer on both sides, so that parts meet without a notch.
            let (from, to) = (
                (from.0 - along.0 / 2.0, from.1 - along.1 / 2.0),
                (to.0 + along.0 / 2.0, to.1 + along.1 / 2.0),
            );
            vec![
                (from.0 + across.0, from.1 + across.1),
                (from.0 - across.0, from.1 - across.1),
                (to.0 - across.0, to.1 - across.1),
                (to.0 + across.0, to.1 + across.1),
            ]
        })
        .collect()
}

fn letters(text: &Text) -> Vec<Polygon> {
    let wide = font::width(&text.text, text.size);
    let back = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => wide / 2.0,
        Anchor::End => wide,
    };
    let (x, y) = text.at;
    let place = |(along, down): (f64, f64)| match text.turned {
        false => (x + along - back, y + down),
        true => (x + down, y - along + back),
    };
    let outlines = font::outlines(&text.text, text.size);
    outlines
        .into_iter()
        .map(|outline| outline.into_iter().map(place).collect())
        .collect()
}

impl Raster {
    /// Fills polygons: what lies in several of them that turn the same way is filled once, a hole turns the other way.
    fn polygons(&mut self, polygons: &[Polygon], color: Rgb) {
        let mut cover = Cover::new(polygons, self.width, self.height);
        for polygon in polygons {
            let ends = polygon.iter().skip(1).chain(polygon.first());
            polygon.iter().zip(ends).for_each(|(&from, &to)| cover.edge(from, to));
        }
        for row in 0..cover.height {
            let mut sum = 0.0;
            for column in 0..cover.width {
                sum += cover.shares[row * (cover.width + 2) + column];
                let share = sum.abs().min(1.0);
                if share > 0.002 {
                    let pixel = &mut self.pixels[(cover.top + row) * self.width + cover.left + column];
                    *pixel = between(*pixel, color, share);
                }
            }
        }
    }

    /// Each pixel has the colour of the cell that it lies in.
    fn image(&mut self, area: &Area, columns: usize, rows: usize, cells: &[Rgb]) {
        let (width, height) = (area.width as usize, area.height as usize);
        for y in 0..height {
            for x in 0..width {
                let cell = y * rows / height * columns + x * columns / width;
                let (x, y) = (area.x as usize + x, area.y as usize + y);
                if let (true, Some(&cell)) = (x < self.width && y < self.height, cells.get(cell)) {
                    self.pixels[y * self.width + x] = cell;
                }
            }
        }
    }
}

/// How much of each pixel is covered, as differences to the pixel before it.
struct Cover {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// Two more a row, for edges that end at its last pixel.
    shares: Vec<f64>,
}

impl Cover {
    /// As large as the polygons, and no larger than the picture.
    fn new(polygons: &[Polygon], width: usize, height: usize) -> Self {
        let points = || polygons.iter().flatten();
        let bound = |values: &mut dyn Iterator<Item = f64>, most: usize| {
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
            let low = (low.floor().max(0.0) as usize).min(most);
            (low, (high.ceil().max(0.0) as usize).clamp(low, most))
        };
        let (left, right) = bound(&mut points().map(|point| point.0), width);
        let (top, bottom) = bound(&mut points().map(|point| point.1), height);
        Cover {
            left,
            top,
            width: right - left,
            height: bottom - top,
            shares: vec![0.0; (right - left + 2) * (bottom - top)],
        }
    }

    /// What lies right of an edge, row by row.
    fn edge(&mut self, from: (f64, f64), to: (f64, f64)) {
        let move_in = |(x, y): (f64, f64)| (x - self.left as f64, y - self.top as f64);
        let (from, to) = (move_in(from), move_in(to));
        if from.1 == to.1 {
            return;
        }
        let (sign, upper, lower) = if from.1 < to.1 {
            (1.0, from, to)
        } else {
            (-1.0, to, from)
        };
        let slope = (lower.0 - upper.0) / (lower.1 - upper.1);
        let first = upper.1.max(0.0).floor() as usize;
        let last = (lower.1.ceil().max(0.0) as usize).min(self.height);
        for row in first..last {
            let (y0, y1) = (upper.1.max(row as f64), lower.1.min(row as f64 + 1.0));
            if y1 <= y0 {
                continue;
            }
            let most = self.width as f64;
            let at = |y: f64| (upper.0 + (y - upper.1) * slope).clamp(0.0, most);
            let (a, b) = (at(y0), at(y1));
            self.row(row, sign * (y1 - y0), a.min(b), a.max(b));
        }
    }

    /// An edge of this height within one row, from `x0` to `x1`.
    fn row(&mut self, row: usize, height: f64, x0: f64, x1: f64) {
        let shares = &mut self.shares[row * (self.width + 2)..(row + 1) * (self.width + 2)];
        let (first, last) = (x0.floor() as usize, x1.ceil() as usize);
        if last <= first + 1 {
            // All in one pixel, of which the part right of the edge is covered.
            let inside = 1.0 - ((x0 + x1) / 2.0 - first as f64);
            shares[first] += height * inside;
            shares[first + 1] += height * (1.0 - inside);
            return;
        }
        // The area right of the edge up to each pixel's right border; shares are its differences.
        let per = height / (x1 - x0);
        let (mut before, mut before_share) = (0.0, 0.0);
        for (x, share) in shares.iter_mut().enumerate().take(last + 1).skip(first) {
            let right = (x as f64 + 1.0).min(x1);
            let left = (x as f64).max(x0);
            let inside = (right - left).max(0.0);
            // Columns that the edge has passed are covered whole.
            let covered = before + per * inside * (x as f64 + 1.0 - (left + right) / 2.0);
            *share += covered - before_share;
            before += per * inside;
            before_share = covered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank(width: usize, height: usize) -> Raster {
        Raster {
            width,
            height,
            pixels: vec![[0; 3]; width * height],
        }
    }

    fn levels(raster: &Raster) -> Vec<u8> {
        raster.pixels.iter().map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn a_pixel_is_covered_by_its_share() {
        let mut raster = blank(4, 2);
        let area = Area {
            x: 0.5,
            y: 0.0,
            width: 2.0,
            height: 1.5,
        };
        raster.polygons(&[corners(&area)], [200; 3]);
        assert_eq!(levels(&raster), [100, 200, 100, 0, 50, 100, 50, 0]);
    }

    #[test]
    fn a_slope_is_covered_by_its_share() {
        let mut raster = blank(4, 2);
        raster.polygons(&[vec![(0.0, 0.0), (4.0, 2.0), (0.0, 2.0)]], [200; 3]);
        assert_eq!(levels(&raster), [150, 50, 0, 0, 200, 200, 150, 50]);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut raster = blank(2, 2);
        raster.polygons(&[vec![(-5.0, -5.0), (9.0, -5.0), (9.0, 9.0), (-5.0, 9.0)]], [200; 3]);
        assert_eq!(levels(&raster), [200; 4]);
        raster.polygons(&[vec![(5.0, 5.0), (9.0, 5.0), (9.0, 9.0)]], [7; 3]);
        assert_eq!(levels(&raster), [200; 4]);
    }
}
