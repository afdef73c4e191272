//! `npz stats`: what the numbers of each member are like. One pass in constant memory on all processors.

pub mod column;
mod moments;
pub mod pass;
mod rank;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::Style;
use serde::Serialize;
use serde_json::Value as Json;

use self::column::{Column, Kind, columns};
use self::moments::Moments;
use self::rank::{Counts, Ranks};
use crate::frame::context::Context;
use crate::frame::element::{Layout, in_memory};
use crate::frame::fault::{Outcome, Result};
use crate::frame::input::{self, Input, Member, count, data_len};
use crate::frame::json::{Files, JsonArgs};
use crate::frame::select::MemberArgs;
use crate::frame::table::{self, Align, Table};
use crate::frame::text::escape;

/// Minimum, maximum, mean, deviation, NaN, infinities, zeros of each member
///
/// Records have a line a field. NaN are counted and otherwise left out, as np.nanmin and the like do.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// .npy and .npz files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    members: MemberArgs,
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    json: JsonArgs,
}

/// What costs more passes over the data.
#[derive(clap::Args, Clone, Copy, Default)]
pub struct Asked {
    /// Quartiles, exact: the data is read up to four times more
    #[arg(long)]
    quantiles: bool,
    /// How many different values there are, up to 10,000
    #[arg(long)]
    distinct: bool,
    /// How the values are spread, as blocks in one line
    #[arg(long)]
    hist: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz stats run.npz
  npz stats --quantiles --hist x.npy
  npz stats --json *.npz | jq -r '.files[] | select(any(.members[]; .nan > 0)).path'";

/// More different values are not told apart.
const DISTINCT: usize = 10_000;

/// Blocks of `--hist`.
const BINS: usize = 24;

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let paths = input::expand(&args.files);
    let open = |path: &Path| {
        let mut input = Input::open(path, context)?;
        let members = input.members(&args.members.members, context)?;
        Ok((input, members))
    };
    Files::each(&paths, args.json, context, open, |path, (mut input, members), files| {
        let shown = path.to_string_lossy();
        let mut rows = Vec::new();
        for member in &members {
            let result = describe(&mut input, member, &args.asked).map(|more| rows.extend(more));
            if let Err(fault) = result {
                context.complain(fault.at(&member.name).of(path), Outcome::Differs)?;
            }
        }
        if let Some(files) = files {
            return files.file(&shown, (), &rows);
        }
        if paths.len() > 1 {
            writeln!(context.out(), "{}:", escape(&shown))?;
        }
        text(&rows, &args.asked, context)
    })
}

/// One column in JSON; a value that is NaN, infinite or makes no sense is null.
#[derive(Serialize)]
pub struct Row {
    name: String,
    field: Option<String>,
    count: u64,
    min: Json,
    max: Json,
    mean: Option<f64>,
    std: Option<f64>,
    nan: u64,
    inf: u64,
    zeros: u64,
    #[serde(flatten)]
    quantiles: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distinct: Option<Distinct>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hist: Option<Vec<u64>>,
}

/// Above [`Row::cells`].
pub const TITLES: [&str; 7] = ["min", "max", "mean", "std", "nan", "inf", "zeros"];

impl Row {
    /// For people.
    pub fn cells(&self) -> [String; 7] {
        let [min, max] = [&self.min, &self.max].map(extreme);
        let [mean, std] = [self.mean, self.std].map(rounded);
        let [nan, inf, zeros] = [self.nan, self.inf, self.zeros].map(|n| n.to_string());
        [min, max, mean, std, nan, inf, zeros]
    }

    /// Extremes in full and what is out of the ordinary, in one line that is the same for the same data.
    pub fn range(&self) -> String {
        let field = self
            .field
            .as_deref()
            .map_or_else(String::new, |field| format!("{}: ", escape(field)));
        format!(
            "{field}min {} max {} nan {} inf {} zeros {}",
            self.min, self.max, self.nan, self.inf, self.zeros
        )
    }
}

#[derive(Serialize)]
struct Quantiles {
    q25: Option<f64>,
    q50: Option<f64>,
    q75: Option<f64>,
}

/// `None` where there are more than are told apart.
#[derive(Serialize)]
#[serde(transparent)]
struct Distinct(Option<usize>);

/// What a pass finds out of a column.
#[derive(Clone)]
enum Tally {
    Float(Moments<f64>),
    Int(Moments<i64>),
    Uint(Moments<u64>),
    /// NaN, infinite, zero.
    Complex(u64, u64, u64),
    Nothing,
}

impl Tally {
    fn of(column: &Column, block: &[u8], element: usize) -> Self {
        match column.kind {
            Kind::Float => Tally::Float(moments::floats(&column.floats(block, element))),
            Kind::Int => Tally::Int(moments::integers(&column.ints(block, element), |v| v as f64)),
            Kind::Uint | Kind::Bool => Tally::Uint(moments::integers(&column.uints(block, element), |v| v as f64)),
            Kind::Time => {
                let all = column.ints(block, element);
                let known: Vec<i64> = all.iter().copied().filter(|&v| v != i64::MIN).collect();
                let mut moments = moments::integers(&known, |v| v as f64);
                moments.nan = (all.len() - known.len()) as u64;
                moments.count = all.len() as u64;
                Tally::Int(moments)
            }
            Kind::Complex => {
                let layout = &column.layout;
                let mut tally = (0, 0, 0);
                for bytes in column.parts(block, element) {
                    let (re, im) = layout.complex(bytes);
                    let nan = re.is_nan() || im.is_nan();
                    tally.0 += u64::from(nan);
                    tally.1 += u64::from(re.is_infinite() || im.is_infinite());
                    tally.2 += u64::from(re == 0.0 && im == 0.0);
                }
                Tally::Complex(tally.0, tally.1, tally.2)
            }
            Kind::Other => Tally::Nothing,
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Tally::Float(ours), Tally::Float(theirs)) => ours.merge(&theirs),
            (Tally::Int(ours), Tally::Int(theirs)) => ours.merge(&theirs),
            (Tally::Uint(ours), Tally::Uint(theirs)) => ours.merge(&theirs),
            (Tally::Complex(nan, inf, zeros), Tally::Complex(a, b, c)) => {
                (*nan, *inf, *zeros) = (*nan + a, *inf + b, *zeros + c);
            }
            (ours, theirs) => *ours = theirs,
        }
    }
}

/// A member with a row a column; no row for a text.
pub fn describe(input: &mut Input, member: &Member, args: &Asked) -> Result<Vec<Row>> {
    if let Some(fault) = &member.fault {
        return Err(fault.clone());
    }
    let Some(header) = &member.header else {
        return Ok(Vec::new());
    };
    let element = in_memory(header.dtype().itemsize());
    let columns = columns(Layout::new(header.dtype()), element);
    let mut pass = Pass {
        input,
        member,
        element,
        len: data_len(header),
    };
    let mut tallies = vec![Tally::Nothing; columns.len()];
    if columns.iter().any(|column| column.kind != Kind::Other) {
        let all = |block: &[u8]| {
            columns
                .iter()
                .map(|column| Tally::of(column, block, element))
                .collect::<Vec<_>>()
        };
        pass.run(all, |found| {
            tallies
                .iter_mut()
                .zip(found)
                .for_each(|(tally, found)| tally.merge(found))
        })?;
    }
    let mut rows = Vec::new();
    for (column, tally) in columns.iter().zip(&tallies) {
        let mut row = row(member, column, tally, count(header));
        if args.quantiles {
            row.quantiles = Some(pass.quantiles(column, row.count - row.nan)?);
        }
        if args.distinct {
            row.distinct = Some(Distinct(pass.distinct(column)?));
        }
        if args.hist {
            row.hist = pass.hist(column, tally)?;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn row(member: &Member, column: &Column, tally: &Tally, elements: u64) -> Row {
    let finite = |v: f64| v.is_finite().then_some(v);
    let mut row = Row {
        name: member.name.clone(),
        field: column.field.clone(),
        count: elements.saturating_mul(column.repeat as u64),
        min: Json::Null,
        max: Json::Null,
        mean: None,
        std: None,
        nan: 0,
        inf: 0,
        zeros: 0,
        quantiles: None,
        distinct: None,
        hist: None,
    };
    match tally {
        Tally::Float(moments) => {
            (row.nan, row.inf, row.zeros) = (moments.nan, moments.inf, moments.zeros);
            if let Some((low, high)) = moments.range {
                (row.min, row.max) = (finite(low).into(), finite(high).into());
                (row.mean, row.std) = (finite(moments.mean), finite(moments.std()));
            }
        }
        Tally::Int(moments) if column.kind == Kind::Time => {
            (row.nan, row.zeros) = (moments.nan, moments.zeros);
            if let Some((low, high)) = moments.range {
                let shown = |v: i64| match &column.layout {
                    Layout::Time(_) => {
                        let bytes = if column.big { v.to_be_bytes() } else { v.to_le_bytes() };
                        column.layout.text(&bytes, None).into()
                    }
                    _ => Json::from(v),
                };
                (row.min, row.max) = (shown(low), shown(high));
            }
        }
        Tally::Int(moments) => {
            row.zeros = moments.zeros;
            if let Some((low, high)) = moments.range {
                (row.min, row.max) = (low.into(), high.into());
                (row.mean, row.std) = (finite(moments.mean), finite(moments.std()));
            }
        }
        Tally::Uint(moments) => {
            row.zeros = moments.zeros;
            if let Some((low, high)) = moments.range {
                (row.min, row.max) = (low.into(), high.into());
                (row.mean, row.std) = (finite(moments.mean), finite(moments.std()));
            }
        }
        Tally::Complex(nan, inf, zeros) => (row.nan, row.inf, row.zeros) = (*nan, *inf, *zeros),
        Tally::Nothing => {}
    }
    row
}

/// A member that is read from its start as often as it takes.
struct Pass<'i> {
    input: &'i mut Input,
    member: &'i Member,
    element: usize,
    len: u64,
}

impl Pass<'_> {
    fn run<P: Send>(&mut self, work: impl Fn(&[u8]) -> P + Sync, merge: impl FnMut(P)) -> Result<()> {
        if self.len == 0 {
            return Ok(());
        }
        let mut data = self.input.data(self.member)?;
        pass::run(&mut data, self.element, self.len, work, merge)
    }

    /// As `np.nanquantile`, between two values where the place lies between them.
    fn quantiles(&mut self, column: &Column, known: u64) -> Result<Quantiles> {
        let element = self.element;
        if known == 0 || matches!(column.kind, Kind::Complex | Kind::Other) {
            return Ok(Quantiles {
                q25: None,
                q50: None,
                q75: None,
            });
        }
        let places = [0.25, 0.5, 0.75].map(|q| q * (known - 1) as f64);
        let ranks = places.map(|place| [place.floor() as u64, (place.floor() as u64 + 1).min(known - 1)]);
        let mut found = Ranks::new(ranks.as_flattened());
        while !found.is_done() {
            let mut counts = Counts::new();
            let count = |block: &[u8]| found.count(&column.keys(block, element));
            self.run(count, |more| {
                for (prefix, more) in more {
                    match counts.entry(prefix) {
                        std::collections::btree_map::Entry::Vacant(entry) => {
                            entry.insert(more);
                        }
                        std::collections::btree_map::Entry::Occupied(mut entry) => {
                            entry
                                .get_mut()
                                .iter_mut()
                                .zip(more)
                                .for_each(|(sum, more)| *sum += more);
                        }
                    }
                }
            })?;
            found.narrow(&counts);
        }
        let values: Vec<f64> = found.keys().map(|key| column.value(key)).collect();
        let between = |i: usize| {
            let (low, high) = (values[2 * i], values[2 * i + 1]);
            let value = if low == high {
                low
            } else {
                low + (high - low) * places[i].fract()
            };
            value.is_finite().then_some(value)
        };
        Ok(Quantiles {
            q25: between(0),
            q50: between(1),
            q75: between(2),
        })
    }

    fn distinct(&mut self, column: &Column) -> Result<Option<usize>> {
        let element = self.element;
        let mut all: HashSet<Vec<u8>> = HashSet::new();
        let distinct = |block: &[u8]| {
            let mut set: HashSet<&[u8]> = HashSet::new();
            for bytes in column.parts(block, element) {
                if set.len() <= DISTINCT {
                    set.insert(bytes);
                }
            }
            set.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        self.run(distinct, |found| {
            if all.len() <= DISTINCT {
                all.extend(found);
            }
        })?;
        Ok((all.len() <= DISTINCT).then_some(all.len()))
    }

    fn hist(&mut self, column: &Column, tally: &Tally) -> Result<Option<Vec<u64>>> {
        let range = match tally {
            Tally::Float(moments) => moments.range,
            Tally::Int(moments) => moments.range.map(|(low, high)| (low as f64, high as f64)),
            Tally::Uint(moments) => moments.range.map(|(low, high)| (low as f64, high as f64)),
            _ => None,
        };
        let Some((low, high)) = range.filter(|(low, high)| low.is_finite() && high.is_finite()) else {
            return Ok(None);
        };
        let element = self.element;
        let mut bins = vec![0; BINS];
        let count = |block: &[u8]| {
            let mut bins = [0_u64; BINS];
            for key in column.keys(block, element) {
                let part = (column.value(key) - low) / (high - low);
                bins[((part * BINS as f64) as usize).min(BINS - 1)] += 1;
            }
            bins
        };
        self.run(count, |found| {
            bins.iter_mut().zip(found).for_each(|(bin, found)| *bin += found)
        })?;
        Ok(Some(bins))
    }
}

fn text(rows: &[Row], args: &Asked, context: &Context) -> Result<()> {
    let right = |title: &str| table::Column::new(title, Align::Right);
    let mut titles = vec![table::Column::new("name", Align::Left).flexible()];
    titles.push(right("count"));
    titles.extend(TITLES.map(right));
    if args.quantiles {
        titles.extend(["25%", "50%", "75%"].map(right));
    }
    if args.distinct {
        titles.push(right("distinct"));
    }
    if args.hist {
        titles.push(table::Column::new("hist", Align::Left));
    }
    let mut table = Table::new(titles).keep(4);
    for row in rows {
        let name = match &row.field {
            Some(field) if row.name.is_empty() => format!(".{field}"),
            Some(field) => format!("{}.{field}", row.name),
            None => row.name.clone(),
        };
        let mut cells = vec![escape(&name).into_owned(), row.count.to_string()];
        cells.extend(row.cells());
        if let Some(quantiles) = &row.quantiles {
            cells.extend([quantiles.q25, quantiles.q50, quantiles.q75].map(rounded));
        }
        if let Some(Distinct(distinct)) = row.distinct {
            cells.push(distinct.map_or_else(|| format!(">{DISTINCT}"), |n| n.to_string()));
        }
        if args.hist {
            cells.push(
                row.hist
                    .as_deref()
                    .map_or_else(String::new, |bins| blocks(bins, context.ascii())),
            );
        }
        let style = match row.nan + row.inf {
            0 => Style::new(),
            _ => anstyle::AnsiColor::Yellow.on_default(),
        };
        table.row(cells, style);
    }
    Ok(table.write(&mut *context.out(), context)?)
}

fn extreme(value: &Json) -> String {
    match value {
        Json::Null => "-".into(),
        Json::String(text) => text.clone(),
        Json::Number(number) if number.is_f64() => rounded(number.as_f64()),
        other => other.to_string(),
    }
}

/// Six digits, which is what fits a line; `--json` has all.
pub fn rounded(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(v) if v == 0.0 || (1e-4..1e7).contains(&v.abs()) => {
            let before = if v == 0.0 {
                1
            } else {
                (v.abs().log10().floor() as i32 + 1).max(0)
            };
            let text = format!("{v:.0$}", (6 - before).clamp(0, 8) as usize);
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        Some(v) => format!("{v:.4e}"),
    }
}

/// One character a bin; the fullest is a full block.
fn blocks(bins: &[u64], ascii: bool) -> String {
    let marks: Vec<char> = if ascii {
        " .:-=+*#".chars().collect()
    } else {
        "▁▂▃▄▅▆▇█".chars().collect()
    };
    let most = bins.iter().copied().max().unwrap_or(0).max(1) as f64;
    let mark = |&n: &u64| match n {
        0 => ' ',
        n => marks[((n as f64 / most * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    bins.iter().map(mark).collect()
}
