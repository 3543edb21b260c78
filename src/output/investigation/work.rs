//! Work: what was changed, and how to undo it, for whoever puts it in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::text::{VALUES, of, types};
use crate::event::counted::few;
use crate::event::time::Zone;
use crate::output::prose::{say, when, wrapped};
use crate::output::safe::Safe;
use crate::triage::change::{Change, How, Settled};
use crate::triage::investigation::Investigation;
use crate::triage::row::said;
use crate::triage::watch::Happening;

/// Changes that are shown; the rest are counted.
const CHANGES: usize = 40;
/// Steps of a change that are shown.
const STEPS: usize = 5;

/// Writes what was changed, and how to undo it.
pub(super) fn write(all: &Investigation<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    if all.changes.is_empty() {
        return Ok(());
    }
    // What stands in sessions that are not ordinary comes first; without any, the newest.
    let telling: Vec<&Change> = all.changes.iter().filter(|change| change.is_telling).collect();
    let (shown, left) = match telling.is_empty() {
        true => {
            let (older, newest) = all.changes.split_at(all.changes.len().saturating_sub(CHANGES));
            (newest.iter().collect(), older.iter().collect())
        }
        false => of_each_kind(&telling, all.happenings),
    };
    writeln!(out, "What was changed, and how to undo it")?;
    keys(&shown, all.happenings, out)?;
    for change in &shown {
        for (number, step) in change.steps.iter().enumerate() {
            if number == STEPS && change.steps.len() > STEPS + 1 {
                writeln!(out, "{:23}{} more of the same; --format json has them all", "", change.steps.len() - STEPS)?;
                break;
            }
            let first = &all.happenings[step[0]];
            let where_ = of(all, &first.organization);
            say(out, &format!("  {}  {}{where_}", first.time.short(zone), said(all.happenings, step)), 23)?;
        }
        for settled in &change.settled {
            say(out, &format!("{:23}{}", "", self::settled(settled, change, zone)), 25)?;
        }
        if let Some(undo) = change.undo(all.happenings, &|text| Safe(text).to_string()) {
            writeln!(out, "{}", wrapped(&format!("{:23}Undo: {undo}", ""), 29))?;
        }
    }
    let ordinary = all.changes.len() - shown.len() - left.len();
    let of_types = format!(" ({})", types(left.iter().map(|change| &*change.first(all.happenings).deed)));
    for (count, which) in [(left.len(), of_types.as_str()), (ordinary, " in ordinary sessions")] {
        if count > 0 {
            let noun = if count == 1 { "change" } else { "changes" };
            say(out, &format!("  {count} more {noun}{which}; --format json has them all"), 4)?;
        }
    }
    writeln!(out)
}

/// Whose API keys the telling changes were made with: while a key works, what is undone is done again.
fn keys(changes: &[&Change], happenings: &[Happening], out: &mut dyn Write) -> io::Result<()> {
    let telling = changes.iter().filter(|change| change.is_telling && change.has_undo());
    let deeds = telling.flat_map(|change| change.events()).map(|event| &happenings[event].deed);
    let actors = deeds.filter(|deed| deed.is_by_key && !deed.actor.is_empty()).map(|deed| deed.actor.as_str());
    let actors: BTreeSet<&str> = actors.collect();
    if actors.is_empty() {
        return Ok(());
    }
    let actors: Vec<&str> = actors.into_iter().collect();
    say(
        out,
        &format!("  First delete the API key of {}, with which some of this was done.", few(&actors, VALUES, ", ")),
        4,
    )
}

/// The changes that are shown, and those that are left out: of each type as many, the first ones, so that a hundred of one do
/// not hide the only one of another.
fn of_each_kind<'c>(changes: &[&'c Change], happenings: &[Happening]) -> (Vec<&'c Change>, Vec<&'c Change>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        let count = counts.entry(&change.first(happenings).deed.event_type).or_default();
        ranked.push((*count, place));
        *count += 1;
    }
    ranked.sort_unstable();
    let places: BTreeSet<usize> = ranked.into_iter().take(CHANGES).map(|(_, place)| place).collect();
    let (shown, left): (Vec<_>, Vec<_>) = (0..).zip(changes).partition(|(place, _)| places.contains(place));
    let only = |all: Vec<(usize, &&'c Change)>| all.into_iter().map(|(_, change)| *change).collect();
    (only(shown), only(left))
}

/// Why something is not to be undone.
fn settled(settled: &Settled, change: &Change, zone: Zone) -> String {
    let actor = if settled.actor.is_empty() { "somebody" } else { &settled.actor };
    let when = format!("{} by {actor}", when(settled.first, settled.last, zone));
    let is_all = change.settled.len() == 1 && !change.has_undo();
    let names: Vec<&str> = settled.fields.iter().map(|field| field.name.as_str()).collect();
    let which = if is_all || names.is_empty() { String::new() } else { format!(": {}", few(&names, VALUES, ", ")) };
    match settled.how {
        How::PutBack => format!("Already put back {when}{which}."),
        How::MadeAnew => format!("Made anew {when}: see whether it is as it was."),
        How::ChangedAgain => {
            let known = settled.fields.iter().filter_map(|field| {
                Some(format!("{} is {} now, and was {}", field.name, field.is.as_ref()?, field.was.as_ref()?))
            });
            let known: Vec<String> = known.collect();
            let known = if known.is_empty() { which } else { format!(": {}", few(&known, VALUES, "; ")) };
            format!("Changed again {when}{known}.")
        }
        How::Gone => format!("Nothing to undo{which}: it was deleted {when}."),
        How::Afterwards => format!("No undo: {actor} did this after what was found, and had no part in that."),
        How::Answer => format!("It may be {actor}'s answer to what was found before. If it is none:"),
    }
}
