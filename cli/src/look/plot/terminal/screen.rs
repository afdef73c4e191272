//! Characters in rows and columns, each with a style.

use std::io::{self, Write};

use anstyle::{Ansi256Color, Color, RgbColor, Style};
use unicode_width::UnicodeWidthChar;

use crate::frame::context::Context;
use crate::look::plot::color::Rgb;

pub struct Screen {
    columns: usize,
    cells: Vec<Cell>,
    /// Whether all colours can be shown, or only 256 of them.
    is_true_color: bool,
}

#[derive(Clone, Copy, PartialEq)]
struct Cell {
    /// NUL behind a wide character.
    glyph: char,
    style: Style,
}

const EMPTY: Cell = Cell {
    glyph: ' ',
    style: Style::new(),
};

/// The dots of a braille character, column by column.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BRAILLE: u32 = 0x2800;

impl Screen {
    pub fn new(columns: usize, rows: usize) -> Self {
        let term = std::env::var("COLORTERM").unwrap_or_default();
        Screen {
            columns,
            cells: vec![EMPTY; columns * rows],
            is_true_color: matches!(&*term, "truecolor" | "24bit"),
        }
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn set(&mut self, x: usize, y: usize, glyph: char, style: Style) {
        if x < self.columns
            && let Some(cell) = self.cells.get_mut(y * self.columns + x)
        {
            *cell = Cell { glyph, style };
        }
    }

    /// A text as far as it fits.
    pub fn put(&mut self, x: usize, y: usize, text: &str, style: Style) {
        let mut x = x;
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            if wide == 0 || x + wide > self.columns {
                continue;
            }
            self.set(x, y, c, style);
            if wide == 2 {
                self.set(x + 1, y, '\0', style);
            }
            x += wide;
        }
    }

    /// One more dot of a braille character.
    pub fn braille(&mut self, x: usize, y: usize, (column, row): (usize, usize), style: Style) {
        let old = self.cells.get(y * self.columns + x).map_or(' ', |cell| cell.glyph);
        let old = if (BRAILLE..BRAILLE + 0x100).contains(&u32::from(old)) {
            u32::from(old)
        } else {
            BRAILLE
        };
        if let Some(glyph) = char::from_u32(old | DOTS[column][row]) {
            self.set(x, y, glyph, style);
        }
    }

    /// Two colours above each other.
    pub fn half_blocks(&mut self, x: usize, y: usize, [above, below]: [Option<Rgb>; 2], ascii: bool) {
        let color = |rgb: Rgb| self.color(rgb);
        let (glyph, front, back) = match (above, below) {
            (None, None) => (' ', None, None),
            (Some(above), None) if !ascii => ('▀', Some(above), None),
            (None, Some(below)) if !ascii => ('▄', Some(below), None),
            (Some(above), Some(below)) if !ascii && above != below => ('▀', Some(above), Some(below)),
            (above, below) => (' ', None, above.or(below)),
        };
        let style = Style::new().fg_color(front.map(color)).bg_color(back.map(color));
        self.set(x, y, glyph, style);
    }

    fn color(&self, [r, g, b]: Rgb) -> Color {
        if self.is_true_color {
            return Color::Rgb(RgbColor(r, g, b));
        }
        // The cube of 6 x 6 x 6 colours, whose levels are 0, 95, 135, .. 255.
        let level = |v: u8| {
            if v < 48 {
                0
            } else {
                (u16::from(v).saturating_sub(35) / 40).max(1) as u8
            }
        };
        Color::Ansi256(Ansi256Color(16 + 36 * level(r) + 6 * level(g) + level(b)))
    }

    pub fn write(&self, context: &Context, out: &mut dyn Write) -> io::Result<()> {
        for row in self.cells.chunks(self.columns) {
            let len = row.iter().rposition(|cell| *cell != EMPTY).map_or(0, |last| last + 1);
            // Without colours blanks are blanks, whatever their style.
            let len = match context.colored() {
                true => len,
                false => row[..len]
                    .iter()
                    .rposition(|cell| cell.glyph != ' ')
                    .map_or(0, |last| last + 1),
            };
            let mut rest = &row[..len];
            while let Some(first) = rest.first() {
                let run = rest
                    .iter()
                    .position(|cell| cell.style != first.style)
                    .unwrap_or(rest.len());
                let text: String = rest[..run]
                    .iter()
                    .map(|cell| cell.glyph)
                    .filter(|&c| c != '\0')
                    .collect();
                let style = context.style(first.style);
                write!(out, "{style}{text}{style:#}")?;
                rest = &rest[run..];
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
