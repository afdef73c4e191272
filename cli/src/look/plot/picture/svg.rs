//! SVG: a shape an element; cells are a PNG within.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::png;
use super::raster::Raster;
use super::shapes::{Anchor, Picture, Shape, Text};
use crate::look::plot::color::Rgb;

pub fn write(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let (width, height, paper) = (picture.width, picture.height, hex(picture.paper));
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans, Verdana, sans-serif\">"
    )?;
    writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"{paper}\"/>")?;
    for shape in &picture.shapes {
        writeln!(out, "{}", element(shape)?)?;
    }
    writeln!(out, "</svg>")
}

fn element(shape: &Shape) -> io::Result<String> {
    Ok(match shape {
        Shape::Rect { area, color } => {
            let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(short);
            let color = hex(*color);
            format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{color}\"/>")
        }
        Shape::Path { points, width, color } => {
            let mut path = String::new();
            for (i, (x, y)) in points.iter().enumerate() {
                let _ = write!(path, "{}{} {}", if i == 0 { "M" } else { "L" }, short(*x), short(*y));
            }
            let color = hex(*color);
            format!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
            )
        }
        Shape::Dot { at, radius, color } => {
            let (x, y) = (short(at.0), short(at.1));
            format!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{}\"/>",
                hex(*color)
            )
        }
        Shape::Image {
            area,
            columns,
            rows,
            cells,
        } => {
            let mut bytes = Vec::new();
            let raster = Raster {
                width: *columns,
                height: *rows,
                pixels: cells.clone(),
            };
            png::write(&raster, &mut bytes)?;
            let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(short);
            format!(
                "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
                 style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
                base64(&bytes)
            )
        }
        Shape::Text(text) => letters(text),
    })
}

fn letters(text: &Text) -> String {
    let (x, y) = (short(text.at.0), short(text.at.1));
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let turned = if text.turned {
        format!(" transform=\"rotate(-90 {x} {y})\"")
    } else {
        String::new()
    };
    let (size, color, words) = (text.size, hex(text.color), escaped(&text.text));
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\"{turned}>{words}</text>"
    )
}

/// Names of members are no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Tenths of a pixel are enough.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, i| {
            bits << 8 | u32::from(group.get(i).copied().unwrap_or(0))
        });
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_base64() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
