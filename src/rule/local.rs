//! Local: the rules of a file that only feed its first, which is the one that is reported.

use super::Rule;
use super::detection::{Fault, fault};
use super::logic::Logic;
use crate::event::nearest::nearest_of;

/// What is wrong with the rules of a file together: one that is never reported, since it is not the first and the first
/// is not made of it, or two of one id. With it the place of the rule concerned.
pub(super) fn check(rules: &[Rule]) -> Result<(), (usize, Fault)> {
    for (place, rule) in rules.iter().enumerate() {
        let is_taken = |id: &String| rules[..place].iter().any(|other| other.uuid.is_some() && other.is_called(id));
        if rule.uuid.as_ref().is_some_and(is_taken) {
            return Err((place, fault("id", "the file has two rules of this id: give each its own")));
        }
    }
    let feeding = |place: usize| {
        let names = rules[place].logic.references();
        names.into_iter().filter_map(|name| rules.iter().position(|r| r.is_called(name)))
    };
    let mut is_used = vec![false; rules.len()];
    let mut open = vec![0];
    while let Some(place) = open.pop() {
        if !std::mem::replace(&mut is_used[place], true) {
            open.extend(feeding(place));
        }
    }
    let unused = || (0..rules.len()).filter(|place| !is_used[*place]);
    let feeds_none = |place: &usize| !unused().any(|other| other != *place && feeding(other).any(|to| to == *place));
    let Some(place) = unused().find(feeds_none).or_else(|| unused().next()) else { return Ok(()) };
    let name = &rules[place].name;
    let strange =
        rules.iter().enumerate().flat_map(|(at, rule)| rule.logic.references().into_iter().map(move |to| (at, to)));
    let is_misspelt = |to: &str| {
        let is_known = rules.iter().any(|rule| rule.is_called(to));
        !is_known && nearest_of(to, std::iter::once(name.as_str())).is_some()
    };
    if let Some((at, misspelt)) = strange.into_iter().find(|(_, to)| is_misspelt(to)) {
        let message =
            format!("{name:?} is never reported, and nothing in the file refers to it: is it what {misspelt:?} means?");
        return Err((at, fault(misspelt.clone(), message)));
    }
    let remedy = match rules[place].logic {
        Logic::Detection(_) => "refer to it, or give it a file of its own",
        _ => "put the correlation first, or give it a file of its own",
    };
    let message =
        format!("{name:?} is never reported: a file reports its first rule, which is not made of it; {remedy}");
    Err((place, fault("", message)))
}

#[cfg(test)]
mod tests {
    use crate::rule::lists::Lists;
    use crate::rule::parse;
    use crate::rule::sample::{count, detection};

    fn check(documents: &[String]) -> Result<usize, String> {
        let text = documents.join("---\n");
        parse("t.yml", &text, &Lists::default(), &mut vec![]).map(|rules| rules.len()).map_err(|e| e.to_string())
    }

    #[test]
    fn every_local_rule_feeds_the_first() {
        let (base, other) = (detection("base"), detection("other"));
        assert_eq!(check(&[count("t", "mid"), count("mid", "base"), base.clone()]), Ok(3));
        let id = "id: \"0e95725d-7320-415d-80f7-004da920fc11\"\n";
        assert_eq!(check(&[count("t", &id[5..41]), base.clone() + id]), Ok(2));
        let upper = detection("base") + &id.to_uppercase().replace("ID:", "id:");
        assert_eq!(check(&[count("t", &id[5..41]), upper]), Ok(2));
        let first_last = check(&[base.clone(), count("t", "base")]).unwrap_err();
        assert!(first_last.starts_with("t.yml:6: \"t\" is never reported: "), "{first_last}");
        assert!(first_last.contains("put the correlation first"), "{first_last}");
        // The last of a chain is what was meant.
        let chain = check(&[base.clone(), count("mid", "base"), count("top", "mid")]).unwrap_err();
        assert!(chain.contains("\"top\" is never reported"), "{chain}");
        let misspelt = check(&[count("t", "bass"), base.clone()]).unwrap_err();
        let want =
            "t.yml:3: \"base\" is never reported, and nothing in the file refers to it: is it what \"bass\" means?";
        assert_eq!(misspelt, want);
        let spare = check(&[count("t", "base"), base.clone(), other]).unwrap_err();
        assert!(
            spare.contains("\"other\" is never reported")
                && spare.ends_with("refer to it, or give it a file of its own")
        );
        let circle = check(&[base.clone(), count("a", "b"), count("b", "a")]).unwrap_err();
        assert!(circle.contains("\"a\" is never reported"), "{circle}");
        let twice = check(&[count("t", "base") + id, base + id]).unwrap_err();
        assert!(twice.ends_with("the file has two rules of this id: give each its own"), "{twice}");
    }
}
