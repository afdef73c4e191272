//! Which plots are meant: what stands in one of them, and of which kind it is.

use serde_npz::Header;

use super::Args;
use super::clock::Clock;
use super::scene::Kind;
use super::values::{Part, Pool, Series, Source, Stream};
use crate::frame::context::Context;
use crate::frame::element::{Layout, in_memory};
use crate::frame::fault::{Fault, Result};
use crate::frame::input::Member;
use crate::frame::slice;
use crate::frame::text::{Shape, escape};
use crate::look::stats::column::{self, Column};

/// So many values are bars, if nothing else was asked for.
const FEW: u64 = 16;

/// More lines in one plot cannot be told apart.
const LINES: u64 = 12;

/// More plots at once are hardly meant.
const PLOTS: usize = 24;

/// One plot.
pub struct Wanted<'m> {
    pub title: String,
    pub kind: Kind,
    pub sources: Vec<Source<'m>>,
    /// Whether the first series of each source is what the others are plotted against.
    pub has_x: bool,
}

/// The members that were named, in the order in which they were; all where none was. That of `--x` comes first.
pub fn members(pool: &mut Pool<'_>, args: &Args, context: &Context) -> Result<(Vec<Member>, bool)> {
    let input = pool.first();
    let mut members: Vec<Member> = Vec::new();
    let mut has_x = false;
    if let Some(x) = &args.x {
        // It may be a field of records as well.
        if let Ok(found) = input.members(std::slice::from_ref(x), context) {
            has_x = !x.is_empty() && found.len() == 1;
            members.extend(found.into_iter().take(usize::from(has_x)));
        }
    }
    if args.members.is_empty() {
        let all = input.members(&[], context)?;
        members.extend(all.into_iter().filter(|member| args.x.as_ref() != Some(&member.name)));
    }
    for pattern in &args.members {
        for member in input.members(std::slice::from_ref(pattern), context)? {
            if members.iter().all(|other| other.name != member.name) {
                members.push(member);
            }
        }
    }
    Ok((members, has_x))
}

/// The plots of these members, the first of which may be `--x`. Where none was named, what cannot be plotted is left out.
pub fn plots<'m>(members: &'m [Member], has_x: bool, args: &Args) -> Result<Vec<Result<Wanted<'m>>>> {
    let named = !args.members.is_empty() || members.len() == 1;
    let mut streams = Vec::new();
    let mut refused = Vec::new();
    for member in members {
        match stream(member, args) {
            Ok(stream) if named || streams.is_empty() && has_x || is_worth_it(&stream) => streams.push(stream),
            Ok(_) => {}
            Err(fault) if named => refused.push(Err(fault.at(&member.name))),
            Err(_) => {}
        }
    }
    if streams.is_empty() && refused.is_empty() {
        return Err(Fault::new("found nothing to plot").hint("npz ls lists what is there"));
    }
    if streams.len() > PLOTS {
        let fact = format!("found {} arrays, expected at most {PLOTS} plots at once", streams.len());
        return Err(Fault::new(fact).hint("name some of them: npz plot FILE MEMBER.."));
    }
    let is_pair = args.members.len() == 2 && streams.len() == 2 && args.x.is_none();
    let is_line = |stream: &Stream<'_>| stream.header.dtype().fields().is_empty() && is_1d(stream);
    let lines = matches!(args.kind, None | Some(Kind::Line | Kind::Scatter)) && streams.iter().all(is_line);
    let mut plots = refused;
    if has_x && !lines {
        let hint = "--x takes the name of an array of one axis, or of a field of records";
        return Err(Fault::new("found an array of several axes, expected one against another").hint(hint));
    }
    if lines && ((is_pair && args.kind != Some(Kind::Line)) || has_x) {
        plots.push(against(&streams, args));
    } else if lines && named && streams.len() > 1 && args.kind != Some(Kind::Scatter) {
        plots.push(together(&streams, args));
    } else {
        streams.iter().for_each(|stream| plots.extend(alone(stream, args)));
    }
    Ok(plots)
}

fn stream<'m>(member: &'m Member, args: &Args) -> Result<Stream<'m>> {
    if let Some(fault) = &member.fault {
        return Err(fault.clone());
    }
    let Some(header) = &member.header else {
        return Err(Fault::new("found a text, expected an array").hint("npz show prints it"));
    };
    let axes = slice::parse(args.slice.as_deref().unwrap_or(""), header.shape())?;
    if slice::shape(&axes).contains(&0) {
        return Err(Fault::new(format_args!(
            "found no values: the shape is {}",
            Shape(&slice::shape(&axes))
        )));
    }
    let numbers = columns(header);
    if numbers.is_empty() {
        let fact = format!(
            "found {}, expected numbers, times or bools",
            escape(&header.dtype().to_string())
        );
        return Err(Fault::new(fact).hint("npz show prints the values, npz stats --distinct counts them"));
    }
    Ok(Stream { member, header, axes })
}

/// Whether it is shown without being named.
fn is_worth_it(stream: &Stream<'_>) -> bool {
    slice::shape(&stream.axes).iter().any(|&axis| axis > 1)
}

fn is_1d(stream: &Stream<'_>) -> bool {
    slice::shape(&stream.axes).len() == 1
}

/// The columns that are numbers, each with the mask beside it; masks are none.
fn columns(header: &Header) -> Vec<(Column, Option<Column>)> {
    let element = in_memory(header.dtype().itemsize());
    let all = column::columns(Layout::new(header.dtype()), element);
    let name_of_mask = |column: &Column| column.field.as_ref().map(|name| format!("{name}?"));
    let is_mask = |column: &Column| {
        column.kind == column::Kind::Bool
            && all
                .iter()
                .any(|other| name_of_mask(other) == column.field && other.field.is_some())
    };
    let is_number = |column: &Column| column.kind != column::Kind::Other && column.repeat > 0 && !is_mask(column);
    let found = all.iter().filter(|column| is_number(column)).map(|column| {
        let name = name_of_mask(column);
        let mask = all
            .iter()
            .find(|mask| name.is_some() && mask.field == name && is_mask(mask));
        (column.clone(), mask.cloned())
    });
    found.collect()
}

/// The series of a column: one, or one for each number of a short subarray and each part of a complex one.
fn series(stream: &Stream<'_>, column: &(Column, Option<Column>), kind: Kind) -> Vec<Series> {
    let (column, mask) = column.clone();
    let name = match (&column.field, &*stream.member.name) {
        (Some(field), _) => escape(field).into_owned(),
        (None, name) => escape(name).into_owned(),
    };
    let clock = match &column.layout {
        Layout::Time(dtype) => Clock::new(dtype),
        _ => None,
    };
    let items = match column.repeat {
        1 => vec![None],
        _ if kind == Kind::Hist => vec![None],
        many => (0..many).map(Some).collect(),
    };
    let parts: &[Part] = match (column.kind, kind) {
        (column::Kind::Complex, Kind::Line) => &[Part::Real, Part::Imaginary],
        (column::Kind::Complex, _) => &[Part::Magnitude],
        _ => &[Part::Whole],
    };
    let one = |item: Option<usize>, part: Part| {
        let name = item.map_or_else(|| name.clone(), |item| format!("{name}[{item}]"));
        let name = match part {
            Part::Whole => name,
            Part::Real => format!("{name}.real"),
            Part::Imaginary => format!("{name}.imag"),
            Part::Magnitude => format!("|{name}|"),
        };
        Series {
            name,
            column: column.clone(),
            part,
            item,
            mask: mask.clone(),
            clock,
        }
    };
    items
        .iter()
        .flat_map(|&item| parts.iter().map(move |&part| (item, part)))
        .map(|(item, part)| one(item, part))
        .collect()
}

/// The name with the slice.
fn title(stream: &Stream<'_>, field: Option<&str>, args: &Args) -> String {
    let mut title = match (&*stream.member.name, args.file.file_name()) {
        ("", Some(file)) => escape(&file.to_string_lossy()).into_owned(),
        (name, _) => escape(name).into_owned(),
    };
    if let Some(field) = field {
        title.push_str(&format!(".{}", escape(field)));
    }
    if let Some(slice) = &args.slice {
        title.push_str(&format!("[{}]", escape(slice.trim_matches(['[', ']']))));
    }
    title
}

/// Members of one axis, the first of them along x.
fn against<'m>(streams: &[Stream<'m>], args: &Args) -> Result<Wanted<'m>> {
    let count = |stream: &Stream<'_>| slice::shape(&stream.axes)[0];
    for stream in streams {
        if count(stream) != count(&streams[0]) {
            let (x, found) = (
                Shape(&[count(&streams[0])]).to_string(),
                Shape(&[count(stream)]).to_string(),
            );
            let fault = Fault::new(format_args!("found {found} values against {x}, expected as many"));
            return Err(fault
                .at(&stream.member.name)
                .hint("--kind line draws each over its index"));
        }
    }
    let mut all = Vec::new();
    let mut offset = 0;
    for (i, stream) in streams.iter().enumerate() {
        let kind = if i == 0 {
            Kind::Scatter
        } else {
            args.kind.unwrap_or(Kind::Line)
        };
        for column in columns(stream.header) {
            all.extend(series(stream, &column, kind).into_iter().map(|mut series| {
                series.column.offset += offset;
                series
            }));
        }
        offset += in_memory(stream.header.dtype().itemsize());
    }
    let names: Vec<_> = streams[1..].iter().map(|stream| title(stream, None, args)).collect();
    Ok(Wanted {
        title: format!("{} over {}", names.join(", "), title(&streams[0], None, args)),
        // It is decided when x is known.
        kind: args.kind.unwrap_or(Kind::Line),
        sources: vec![Source {
            streams: streams.to_vec(),
            series: all,
        }],
        has_x: true,
    })
}

/// Members of one axis as lines over their index.
fn together<'m>(streams: &[Stream<'m>], args: &Args) -> Result<Wanted<'m>> {
    let names: Vec<_> = streams.iter().map(|stream| title(stream, None, args)).collect();
    let sources: Vec<_> = streams
        .iter()
        .map(|stream| Source {
            series: columns(stream.header)
                .iter()
                .flat_map(|column| series(stream, column, Kind::Line))
                .collect(),
            streams: vec![stream.clone()],
        })
        .collect();
    few_enough(sources.iter().map(|source| source.series.len() as u64).sum())?;
    Ok(Wanted {
        title: names.join(", "),
        kind: Kind::Line,
        sources,
        has_x: false,
    })
}

fn few_enough(lines: u64) -> Result<()> {
    if lines > LINES {
        let fact = format!("found {lines} lines, expected at most {LINES} in one plot");
        return Err(Fault::new(fact).hint("--slice or names choose some of them, --kind heat and --kind hist show all"));
    }
    Ok(())
}

/// A member by itself: records have a plot a field.
fn alone<'m>(stream: &Stream<'m>, args: &Args) -> Vec<Result<Wanted<'m>>> {
    let all = columns(stream.header);
    let is_field = |column: &Column, name: &str| column.field.as_deref() == Some(name);
    let x = args
        .x
        .as_ref()
        .and_then(|x| all.iter().find(|(column, _)| is_field(column, x)));
    let member = &stream.member.name;
    for name in args.x.iter().chain(&args.fields) {
        if !all.iter().any(|(column, _)| is_field(column, name)) {
            let known: Vec<_> = all
                .iter()
                .filter_map(|(column, _)| column.field.as_deref())
                .map(escape)
                .collect();
            let fault = Fault::new(format_args!("found no field `{}` of numbers", escape(name))).at(member);
            return vec![Err(match known.is_empty() {
                true => fault,
                false => fault.hint(format_args!("there is {}", known.join(", "))),
            })];
        }
    }
    let is_chosen = |column: &Column| {
        let chosen = args.fields.is_empty() || args.fields.iter().any(|name| is_field(column, name));
        chosen && args.x.as_deref().is_none_or(|x| !is_field(column, x))
    };
    let chosen = all.iter().filter(|(column, _)| is_chosen(column));
    let plots = chosen.map(|column| {
        let kind = kind(stream, &column.0, args).map_err(|fault| fault.at(member))?;
        let mut all = series(stream, column, kind);
        if let Some(x) = x {
            all.splice(0..0, series(stream, x, Kind::Scatter));
        }
        let field = column.0.field.as_deref();
        Ok(Wanted {
            title: title(stream, field, args),
            kind,
            sources: vec![Source {
                streams: vec![stream.clone()],
                series: all,
            }],
            has_x: x.is_some(),
        })
    });
    plots.collect()
}

/// The kind that was asked for, if it fits, or the one that shows most.
fn kind(stream: &Stream<'_>, column: &Column, args: &Args) -> Result<Kind> {
    let shape = slice::shape(&stream.axes);
    let count = shape.iter().fold(1, |n: u64, &axis| n.saturating_mul(axis));
    let is_color = matches!(shape[..], [_, _, 3 | 4]);
    let repeat = column.repeat as u64;
    let expected = |what: &str| {
        let fact = format!("found the shape {}, expected {what}", Shape(&shape));
        Err(Fault::new(fact).hint("--slice takes axes away: --slice '0, ..., :, 1'; --kind hist shows all values"))
    };
    let Some(asked) = args.kind else {
        return Ok(match shape.len() {
            _ if repeat > LINES => Kind::Hist,
            0 | 1 if args.x.is_some() => Kind::Line,
            0 | 1 if count <= FEW && repeat == 1 => Kind::Bar,
            1 => Kind::Line,
            _ if repeat > 1 => Kind::Hist,
            3 if is_color && column.kind == column::Kind::Uint && column.size == 1 => Kind::Image,
            2 => Kind::Heat,
            _ => Kind::Hist,
        });
    };
    match asked {
        Kind::Hist => {}
        Kind::Bar if shape.len() <= 1 && repeat == 1 && count <= 20 * FEW => {}
        Kind::Bar => return expected("at most 320 values for bars"),
        Kind::Line if shape.len() <= 1 => few_enough(repeat)?,
        Kind::Line if shape.len() == 2 && repeat == 1 => few_enough(shape[1])?,
        Kind::Line => return expected("one axis, or two for a line a column"),
        Kind::Scatter if shape.len() <= 1 && repeat == 1 => {}
        Kind::Scatter => return expected("one axis for points"),
        Kind::Heat if shape.len() == 2 && repeat == 1 => {}
        Kind::Heat => return expected("two axes for a heat map"),
        Kind::Image if (shape.len() == 2 || is_color) && repeat == 1 => {}
        Kind::Image => return expected("(h, w), (h, w, 3) or (h, w, 4) for an image"),
    }
    Ok(asked)
}
