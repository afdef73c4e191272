//! Scenes as shapes of one picture, one below the other; and these as SVG or PNG.
//!
//! ```text
//! shapes     what stands where, in pixels: the only place that lays out
//! svg, png   write them; raster fills what has an outline, font has those of letters
//! ```

mod font;
mod png;
mod raster;
mod shapes;
mod svg;
mod theme;

use std::io::Write;
use std::path::Path;

use self::shapes::Picture;
use self::theme::{DARK, LIGHT};
use super::read::Room;
use super::scene::Scene;
use crate::frame::fault::{Fault, Result};

/// What no plot of a picture is smaller than.
const LEAST: (usize, usize) = (120, 90);

/// Pixels of a picture.
const MOST: usize = 100_000_000;

#[derive(Clone, Copy)]
pub enum Format {
    Svg,
    Png,
}

/// By the suffix.
pub fn format(path: &Path) -> Result<Format> {
    match path
        .extension()
        .and_then(|suffix| suffix.to_str())
        .map(str::to_lowercase)
        .as_deref()
    {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(Fault::new("found another suffix, expected .png or .svg").of(path)),
    }
}

/// Of one plot.
pub fn size(asked: Option<(usize, usize)>) -> (usize, usize) {
    let (width, height) = asked.unwrap_or((900, 540));
    (width.max(LEAST.0), height.max(LEAST.1))
}

pub fn room((width, height): (usize, usize)) -> Room {
    Room {
        dots: (width, height),
        cells: (width, height),
        points: (width / 2, height / 2),
    }
}

/// Writes scenes of this size below each other.
pub fn write(scenes: &[Scene], size: (usize, usize), format: Format, dark: bool, out: &mut dyn Write) -> Result<()> {
    if scenes.len().saturating_mul(size.0 * size.1) > MOST {
        let fact = format!(
            "found {} plots of {} x {} pixels, expected at most 10^8 pixels",
            scenes.len(),
            size.0,
            size.1
        );
        return Err(Fault::new(fact).hint("--size takes fewer"));
    }
    let picture = Picture::new(scenes, size, if dark { &DARK } else { &LIGHT });
    match format {
        Format::Svg => svg::write(&picture, out)?,
        Format::Png => png::write(&raster::fill(&picture), out)?,
    }
    Ok(())
}
