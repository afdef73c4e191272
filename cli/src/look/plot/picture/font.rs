//! The letters of pictures: DejaVu Sans with Latin, Greek and Cyrillic letters, in `font.ttf` beside `LICENSE-FONT`.

use ttf_parser::{Face, GlyphId, OutlineBuilder};

const BYTES: &[u8] = include_bytes!("font.ttf");

/// Stands for what the font does not have.
const UNKNOWN: char = '\u{fffd}';

/// Outlines of letters one after another, in pixels from the start of the line they stand on, y downwards.
pub fn outlines(text: &str, size: f64) -> Vec<Vec<(f64, f64)>> {
    let Some((face, scale)) = face(size) else {
        return Vec::new();
    };
    let mut pen = Pen {
        scale,
        x: 0.0,
        outlines: Vec::new(),
    };
    for glyph in glyphs(&face, text) {
        face.outline_glyph(glyph, &mut pen);
        pen.x += advance(&face, glyph) * scale;
    }
    pen.outlines
}

/// How wide a text is.
pub fn width(text: &str, size: f64) -> f64 {
    face(size).map_or(0.0, |(face, scale)| {
        glyphs(&face, text).map(|glyph| advance(&face, glyph) * scale).sum()
    })
}

/// The text, or its start and `…` where there is no room for all of it.
pub fn cut(text: &str, size: f64, room: f64) -> String {
    let Some((face, scale)) = face(size) else {
        return text.to_owned();
    };
    let wide = |text: &str| {
        glyphs(&face, text)
            .map(|glyph| advance(&face, glyph) * scale)
            .sum::<f64>()
    };
    let mark = wide("…");
    let (mut so_far, mut fits) = (0.0, 0);
    for (at, c) in text.char_indices() {
        so_far += wide(c.encode_utf8(&mut [0; 4]));
        if so_far > room {
            return if mark <= room {
                format!("{}…", text[..fits].trim_end())
            } else {
                String::new()
            };
        }
        if so_far + mark <= room {
            fits = at + c.len_utf8();
        }
    }
    text.to_owned()
}

fn face(size: f64) -> Option<(Face<'static>, f64)> {
    let face = Face::parse(BYTES, 0).ok()?;
    let scale = size / f64::from(face.units_per_em());
    Some((face, scale))
}

fn glyphs<'f>(face: &'f Face<'_>, text: &'f str) -> impl Iterator<Item = GlyphId> {
    text.chars()
        .filter_map(|c| face.glyph_index(c).or_else(|| face.glyph_index(UNKNOWN)))
}

fn advance(face: &Face<'_>, glyph: GlyphId) -> f64 {
    face.glyph_hor_advance(glyph).unwrap_or(0).into()
}

/// Collects outlines, curves as a few straight lines.
struct Pen {
    scale: f64,
    x: f64,
    outlines: Vec<Vec<(f64, f64)>>,
}

/// Of a curve: letters are small.
const PARTS: i32 = 5;

impl Pen {
    fn point(&self, x: f32, y: f32) -> (f64, f64) {
        (self.x + f64::from(x) * self.scale, -f64::from(y) * self.scale)
    }

    fn push(&mut self, point: (f64, f64)) {
        if let Some(outline) = self.outlines.last_mut() {
            outline.push(point);
        }
    }

    fn last(&self) -> (f64, f64) {
        self.outlines
            .last()
            .and_then(|outline| outline.last())
            .copied()
            .unwrap_or_default()
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.outlines.push(vec![self.point(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push(self.point(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (a, b, c) = (self.last(), self.point(x1, y1), self.point(x, y));
        for i in 1..=PARTS {
            let t = f64::from(i) / f64::from(PARTS);
            let at = |a: f64, b: f64, c: f64| (1.0 - t) * (1.0 - t) * a + 2.0 * t * (1.0 - t) * b + t * t * c;
            self.push((at(a.0, b.0, c.0), at(a.1, b.1, c.1)));
        }
    }

    /// A TrueType font has none.
    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, x: f32, y: f32) {
        self.line_to(x, y);
    }

    fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_outlines_and_widths() {
        assert_eq!(outlines("i", 12.0).len(), 2);
        assert!(outlines(" ", 12.0).is_empty());
        assert!((2.0 * width("0", 10.0) - width("00", 20.0) / 2.0).abs() < 1e-9);
        assert!(width("温度", 12.0) > width("é", 12.0));
        assert_eq!(cut("abcdef", 12.0, 1000.0), "abcdef");
        assert!(cut("abcdef", 12.0, 30.0).ends_with('…'));
    }
}
