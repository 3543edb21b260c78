//! Office: when an organization works, and the hours of the week in which it does not.

use anyhow::{Result, anyhow, bail};
use serde_json::Value as Yaml;

use crate::event::letters;
use crate::event::nearest::hint;
use crate::event::time::Zone;

const KEYS: [&str; 4] = ["days", "from", "to", "zone"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: usize = 24 * 60;
const WEEK: usize = 7 * DAY;

/// The hours of the week in UTC, from 0 on Monday, that lie wholly outside `{days, from, to, zone}`.
pub fn off_hours(office: &Yaml) -> Result<Vec<String>> {
    let Yaml::Object(map) = office else {
        bail!("it has to be a map: {{days: [mon, …], from: \"08:00\", to: \"18:00\"}}")
    };
    if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
        bail!("no key `{key}`{}", hint(key, KEYS.into_iter()));
    }
    let text = |key: &str| map.get(key).and_then(Yaml::as_str);
    let clock = |key: &str| {
        let written = map.get(key).ok_or_else(|| anyhow!("it lacks `{key}`, a time such as \"08:00\""))?;
        let told = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        written
            .as_str()
            .and_then(minutes)
            .ok_or_else(|| anyhow!("`{key}: {told}` is not a time; write it as \"08:00\""))
    };
    let (from, to) = (clock("from")?, clock("to")?);
    // To midnight, or into the next morning.
    let length = if to > from { to - from } else { to + DAY - from };
    let offset = offset(text("zone"))?;
    let mut is_open = vec![false; WEEK];
    for day in days(map.get("days"))? {
        let start = day * DAY + from + WEEK - offset;
        (start..start + length).for_each(|minute| is_open[minute % WEEK] = true);
    }
    let is_off = |hour: &usize| is_open[hour * 60..(hour + 1) * 60].iter().all(|is_open| !is_open);
    Ok((0..7 * 24).filter(is_off).map(|hour| hour.to_string()).collect())
}

fn minutes(text: &str) -> Option<usize> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (usize, usize) = (hours.parse().ok()?, minutes.parse().ok()?);
    (minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
}

/// How many minutes the zone is before UTC, within a day.
fn offset(zone: Option<&str>) -> Result<usize> {
    let Some(zone) = zone else { return Ok(0) };
    match Zone::parse(zone) {
        Some(Zone::Utc) => Ok(0),
        Some(Zone::Offset(offset)) => {
            let minutes = i64::from(offset.local_minus_utc()) / 60;
            Ok(usize::try_from(minutes.rem_euclid(7 * 24 * 60)).unwrap_or(0))
        }
        _ => bail!("`zone: {zone}` is not a time zone; write UTC or an offset such as \"+01:00\""),
    }
}

fn days(value: Option<&Yaml>) -> Result<Vec<usize>> {
    let Some(value) = value else { return Ok((0..5).collect()) };
    let Some(list) = value.as_array() else { bail!("`days` takes a list such as [mon, tue]") };
    let day = |value: &Yaml| {
        let word = letters::lower(value.as_str().unwrap_or_default());
        DAYS.iter()
            .position(|day| *day == word)
            .ok_or_else(|| anyhow!("`days`: {value} is not one of {}", DAYS.join(", ")))
    };
    list.iter().map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn off(office: &Yaml) -> Vec<usize> {
        off_hours(office).unwrap().iter().map(|hour| hour.parse().unwrap()).collect()
    }

    #[test]
    fn nights_and_weekends_are_off() {
        let hours = off(&json!({"from": "08:00", "to": "18:30"}));
        assert_eq!(hours.len(), 7 * 24 - 5 * 11);
        assert!(hours.contains(&7) && !hours.contains(&8) && !hours.contains(&18) && hours.contains(&19));
        assert!(hours.contains(&(5 * 24 + 12)), "Saturday noon");
    }

    #[test]
    fn zones_move_the_week() {
        // Monday at eight in Brisbane is Sunday evening in UTC.
        let hours = off(&json!({"from": "08:00", "to": "18:00", "zone": "+10:00", "days": ["mon"]}));
        assert!(!hours.contains(&(6 * 24 + 22)) && hours.contains(&(6 * 24 + 21)) && hours.contains(&8));
        let hours = off(&json!({"from": "08:00", "to": "18:00", "zone": "-05:00", "days": ["sun"]}));
        assert!(!hours.contains(&(6 * 24 + 13)) && hours.contains(&(6 * 24 + 23)));
    }

    #[test]
    fn a_night_shift_ends_in_the_morning() {
        let hours = off(&json!({"from": "22:00", "to": "06:00", "days": ["sun"]}));
        assert!(!hours.contains(&(6 * 24 + 22)) && !hours.contains(&5) && hours.contains(&6));
    }

    #[test]
    fn mistakes_are_pointed_out() {
        for (office, want) in [
            (json!([1]), "it has to be a map"),
            (json!({"from": "8", "to": "18:00"}), "`from: 8` is not a time"),
            (json!({"from": "08:00"}), "it lacks `to`"),
            (json!({"from": "08:00", "to": "18:00", "dayz": []}), "did you mean `days`?"),
            (json!({"from": "08:00", "to": "18:00", "days": ["monday"]}), "not one of mon, tue"),
            (json!({"from": "08:00", "to": "18:00", "zone": "Mars"}), "is not a time zone"),
            (json!({"from": "08:00", "to": "24:30"}), "`to: 24:30` is not a time"),
        ] {
            let error = format!("{:#}", off_hours(&office).unwrap_err());
            assert!(error.contains(want), "{error}");
        }
    }
}
