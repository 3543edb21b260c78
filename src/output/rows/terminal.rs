//! Terminal: a table for people. On a terminal it is as wide as that; else a row is a line, for `grep` and `less`.

use std::io::{self, Write};

use comfy_table::{Attribute, ColumnConstraint, ContentArrangement, presets};

use crate::event::counted::{more, plural};
use crate::event::coverage::Coverage;
use crate::event::time::Zone;
use crate::output::Look;
use crate::output::safe::Safe;
use crate::output::table::examples;
use crate::output::unread;
use crate::triage::table::{Cell, Table};

/// Things shown of a cell that has many.
const SHOWN: usize = 6;

/// Characters shown of a cell: where a row is a line, all rows are as long as the longest.
const LONGEST: usize = 200;

/// Writes the first rows, all of them if `limit` is 0, and how many more there are.
pub fn write(table: Table<'_>, limit: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if table.count == 0 {
        return Ok(());
    }
    let limit = if limit == 0 { usize::MAX } else { limit };
    let mut sheet = comfy_table::Table::new();
    sheet.load_style(presets::NOTHING);
    match look.is_terminal {
        true => sheet.set_content_arrangement(ContentArrangement::Dynamic),
        false => sheet.set_content_arrangement(ContentArrangement::Disabled),
    };
    match look.is_coloured {
        true => sheet.enforce_styling(),
        false => sheet.force_no_tty(),
    };
    let mut is_time = vec![false; table.columns.len()];
    let mut is_narrow = is_time.clone();
    let mut rows = Vec::new();
    // Where an event stands is whole: the line is at its end, and files are not named by who is in the log.
    let show = |(name, cell): (&String, &Cell)| match cell {
        Cell::Text(text) if ["origin", "source"].contains(&name.as_str()) => Safe(text).to_string(),
        _ => shown(cell, look.zone),
    };
    for row in table.rows.take(limit) {
        row.iter().zip(&mut is_time).for_each(|(cell, is)| *is |= matches!(cell, Cell::Time(_)));
        row.iter().zip(&mut is_narrow).for_each(|(cell, is)| *is |= matches!(cell, Cell::Time(_) | Cell::Number(_)));
        rows.push(table.columns.iter().zip(&row).map(show).collect::<Vec<_>>());
    }
    let title = |(name, is_time): (&String, &bool)| {
        let text = if *is_time { format!("{} ({})", Safe(name), look.zone) } else { Safe(name).to_string() };
        let cell = comfy_table::Cell::new(text);
        if look.is_coloured { cell.add_attribute(Attribute::Bold) } else { cell }
    };
    sheet.set_header(table.columns.iter().zip(&is_time).map(title));
    rows.into_iter().for_each(|row| _ = sheet.add_row(row));
    // A narrow terminal breaks texts; times and numbers stay whole.
    for (column, _) in is_narrow.iter().enumerate().filter(|(_, is)| **is) {
        sheet.column_mut(column).map(|column| column.set_constraint(ColumnConstraint::ContentWidth));
    }
    writeln!(out, "{}", sheet.trim_fmt())?;
    if table.count > limit {
        writeln!(out, "… {} more; --limit 0 shows all of them", table.count - limit)?;
    }
    Ok(())
}

fn shown(cell: &Cell, zone: Zone) -> String {
    match cell {
        Cell::Nothing | Cell::Share(_, 0) => "-".to_owned(),
        Cell::Text(text) => Safe(text).cut(LONGEST),
        Cell::Texts(texts) => some(texts.len(), texts.iter().map(|text| Safe(text).cut(LONGEST))),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => time.short(zone),
        Cell::Counts(counts) => {
            some(counts.len(), counts.iter().map(|(name, count)| format!("{} {count}", Safe(name).cut(LONGEST))))
        }
        Cell::Share(part, whole) => format!("{} % ({part} of {whole})", percent(*part, *whole)),
    }
}

/// The first few of a list, and how many more.
fn some(count: usize, list: impl Iterator<Item = String>) -> String {
    let mut length = 0;
    let fits = |text: &String| {
        let is_first = length == 0;
        length += text.chars().count();
        is_first || length <= LONGEST
    };
    let shown: Vec<String> = list.take(SHOWN).take_while(fits).collect();
    shown.join(", ") + &more(count, shown.len())
}

/// A whole percentage that is 0 or 100 only where that is true.
fn percent(part: u64, whole: u64) -> u64 {
    match part {
        0 => 0,
        all if all >= whole => 100,
        _ => (part * 100 / whole).clamp(1, 99),
    }
}

/// The last line: how much of how much, and what was not read, also of older exports that teach.
pub fn account(
    found: &str,
    coverage: &Coverage,
    history: Option<&Coverage>,
    sources: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let skipped = skipped(coverage, sources).unwrap_or_else(|| "nothing skipped".to_owned());
    let of_history = history.map(|history| unread::count(history, " of the history")).unwrap_or_default();
    writeln!(out, "{found}; {skipped}{}{of_history}", unread::count(coverage, ""))?;
    unread::sources(coverage, "", out)?;
    history.map_or(Ok(()), |history| unread::sources(history, " of the history", out))?;
    unread::left_out(coverage, out)
}

/// What was skipped, and where; `None` if nothing was.
pub fn skipped(coverage: &Coverage, sources: &[String]) -> Option<String> {
    let parts: Vec<String> = coverage
        .skipped
        .iter()
        .map(|(reason, skipped)| {
            let places = examples(skipped, sources);
            format!("{} skipped, {} ({places})", plural(skipped.count, "record"), reason.words())
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_do_not_round_to_all_or_nothing() {
        assert_eq!(shown(&Cell::Share(999, 1000), Zone::Utc), "99 % (999 of 1000)");
        assert_eq!(shown(&Cell::Share(1, 1000), Zone::Utc), "1 % (1 of 1000)");
        assert_eq!(shown(&Cell::Share(0, 0), Zone::Utc), "-");
        assert_eq!(shown(&Cell::Share(2, 2), Zone::Utc), "100 % (2 of 2)");
    }

    #[test]
    fn a_cell_shows_a_few_and_does_nothing() {
        let many: Vec<String> = (0..9).map(|n| format!("{n}\u{1b}")).collect();
        assert_eq!(
            shown(&Cell::Texts(many), Zone::Utc),
            "0\\u{1b}, 1\\u{1b}, 2\\u{1b}, 3\\u{1b}, 4\\u{1b}, 5\\u{1b} and 3 more"
        );
        assert_eq!(shown(&Cell::Counts(vec![("a".to_owned(), 2)]), Zone::Utc), "a 2");
        let long = "x".repeat(300);
        let cut = format!("{}…", &long[..LONGEST]);
        assert_eq!(shown(&Cell::Text(long.clone()), Zone::Utc), cut);
        let texts = |list: &[&str]| shown(&Cell::Texts(list.iter().map(|&text| text.to_owned()).collect()), Zone::Utc);
        assert_eq!(texts(&[&long, "a", "b"]), format!("{cut} and 2 more"));
        assert_eq!(texts(&["a", &long]), "a and 1 more");
    }
}
