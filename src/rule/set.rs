//! Set: all rules that run together, linked: references resolved, cycles refused, an order in which each
//! rule comes after those it refers to, and an index from event type to the rules that can match it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::alias;
use super::expr::Expr;
use super::kept::{Kept, Types, Wanted};
use super::lists::Lists;
use super::logic::Logic;
use super::names::Names;
use super::parsed::Parsed;
use super::verdict::{Tests, Verdict};
use super::{Problem, Rule};
use crate::event::facet::FieldPlan;
use crate::event::field::Field;
use crate::event::letters;
use crate::event::nearest::hint;

/// Rules that run together.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// all rules, local ones too
    pub rules: Vec<Rule>,
    /// for each rule those it refers to, in the order of [`Logic::references`]
    pub references: Vec<Vec<usize>>,
    /// all rules, each after those it refers to
    pub order: Vec<usize>,
    /// what is wrong; the rules concerned are not in the set
    pub problems: Vec<Problem>,
    /// what is worth a look
    pub warnings: Vec<Problem>,
    /// detections that say the same, so that they are evaluated once; many files have a local "sign-in"
    alike: Vec<Vec<usize>>,
    /// for each rule the first that says the same, or itself
    first_alike: Vec<usize>,
    /// places in `alike` by the event type that is needed, in lower case
    by_type: HashMap<String, Vec<usize>>,
    /// places in `alike` that any event type can match
    any_type: Vec<usize>,
    /// fields of events that are read after the events are gone
    pub kept: Kept,
    /// the members of records that the rules ask for
    pub plan: FieldPlan,
    /// the tests of each facet of the plan
    pub tests: Tests,
    /// for each rule the event types that it can be made of
    types: Vec<Types>,
    verdicts: Vec<Verdict>,
    /// those of them that take the whole event
    whole: BTreeSet<usize>,
}

impl RuleSet {
    /// Reads rule files, with the built-in lists.
    pub fn load<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> RuleSet {
        let lists = Lists::default();
        RuleSet::keeping(files.into_iter().map(|(path, text)| Parsed::new(path, text, &lists)), &[])
    }

    /// One condition, and fields of the events that meet it which are read after the events are gone.
    pub fn asking(condition: Expr, kept: &[Wanted]) -> RuleSet {
        let mut set = RuleSet::default();
        set.link(vec![vec![Rule::of("condition", condition)]]);
        set.index(kept);
        set
    }

    /// Links rule files; these fields of events are read after the events are gone, too. A broken file is a problem of
    /// its own and takes along only what refers to it.
    pub fn keeping(files: impl IntoIterator<Item = Parsed>, kept: &[Wanted]) -> RuleSet {
        let mut set = RuleSet::default();
        let (mut reported, mut ids) = (BTreeMap::<String, String>::new(), BTreeMap::<String, String>::new());
        let mut read = Vec::new();
        for Parsed { path, rules, warnings } in files {
            set.warnings.extend(warnings);
            match rules {
                Err(problem) => set.problems.push(problem),
                Ok(rules) => {
                    let name = rules[0].name.clone();
                    if let Some(other) = reported.insert(name.clone(), path.clone()) {
                        let message = format!("a rule named {name:?} stands in {other} too: rename one");
                        set.problems.push(Problem { file: path, line: 1, message });
                        continue;
                    }
                    // A reference by id has to mean one rule.
                    if let Some(id) = &rules[0].uuid
                        && let Some(other) = ids.insert(letters::lower(id), path.clone())
                    {
                        let message = format!("the id {id} stands in {other} too: give {name} one of its own");
                        set.problems.push(Problem { file: path, line: rules[0].line, message });
                        continue;
                    }
                    read.push(rules);
                }
            }
        }
        set.link(read);
        set.index(kept);
        set
    }

    fn link(&mut self, files: Vec<Vec<Rule>>) {
        // Names of other files, by name and by UUID; locals only within their file.
        let mut global = Names::default();
        let mut locals: Vec<Names> = Vec::new();
        let mut file_of = Vec::new();
        self.rules.reserve(files.iter().map(Vec::len).sum());
        for (file, rules) in files.into_iter().enumerate() {
            let mut own = Names::default();
            for rule in rules {
                let place = self.rules.len();
                own.add(&rule, place);
                if rule.is_reported {
                    global.add(&rule, place);
                }
                file_of.push(file);
                self.rules.push(rule);
            }
            locals.push(own);
        }
        let mut references: Vec<Option<Vec<usize>>> = Vec::new();
        for (place, rule) in self.rules.iter().enumerate() {
            let own = &locals[file_of[place]];
            let mut found = Some(Vec::new());
            for (nth, name) in rule.logic.references().into_iter().enumerate() {
                let message = match own.get(name).or_else(|| global.get(name)) {
                    Some(to) if matches!(self.rules[to].logic, Logic::Risk(_)) => {
                        format!("{name:?} adds up all findings, so no rule can be made of it")
                    }
                    Some(to) => {
                        found.iter_mut().for_each(|f: &mut Vec<usize>| f.push(to));
                        continue;
                    }
                    None => {
                        let known: BTreeSet<&str> = own.all().chain(global.all()).collect();
                        let hint = hint(name, known.into_iter());
                        format!("no rule named {name:?}{hint} (rules are referred to by name or id, not by title)")
                    }
                };
                let line = rule.reference_lines.get(nth).copied().unwrap_or(rule.line);
                self.problems.push(Problem { file: rule.file.clone(), line, message });
                found = None;
                break;
            }
            references.push(found);
        }
        self.warnings.extend(alias::check(&mut self.rules, &references));
        self.arrange(&references);
    }

    /// Orders the rules, and drops those that are in a cycle or refer to a dropped one.
    fn arrange(&mut self, references: &[Option<Vec<usize>>]) {
        let count = self.rules.len();
        let mut state = vec![State::New; count];
        let mut order = Vec::new();
        for start in 0..count {
            let mut path = Vec::new();
            self.visit(start, references, &mut state, &mut order, &mut path);
        }
        // A file is one unit: if its rule or one of its locals is out, all of it is.
        let dropped: BTreeSet<String> =
            (0..count).filter(|r| state[*r] == State::Dropped).map(|r| self.rules[r].file.clone()).collect();
        let mut keep: Vec<bool> = self.rules.iter().map(|rule| !dropped.contains(&rule.file)).collect();
        loop {
            let lost: Vec<usize> =
                (0..count).filter(|r| keep[*r] && references[*r].iter().flatten().any(|to| !keep[*to])).collect();
            if lost.is_empty() {
                break;
            }
            for rule in lost {
                if keep[rule] {
                    let (file, line) = (self.rules[rule].file.clone(), self.rules[rule].line);
                    let message = "it refers to a rule that could not be loaded".to_owned();
                    (0..count).filter(|r| self.rules[*r].file == file).for_each(|r| keep[r] = false);
                    self.problems.push(Problem { file, line, message });
                }
            }
        }
        let mut place = vec![usize::MAX; count];
        let mut next = 0;
        for rule in 0..count {
            if keep[rule] {
                place[rule] = next;
                next += 1;
            }
        }
        self.order = order.into_iter().filter(|r| keep[*r]).map(|r| place[r]).collect();
        self.references = (0..count)
            .filter(|r| keep[*r])
            .map(|r| references[r].iter().flatten().map(|to| place[*to]).collect())
            .collect();
        let mut keep = keep.into_iter();
        self.rules.retain(|_| keep.next().unwrap_or(false));
    }

    fn visit(
        &mut self,
        rule: usize,
        references: &[Option<Vec<usize>>],
        state: &mut [State],
        order: &mut Vec<usize>,
        path: &mut Vec<usize>,
    ) {
        match state[rule] {
            State::New => {}
            State::Open => {
                let start = path.iter().position(|r| *r == rule).unwrap_or(0);
                let names: Vec<&str> =
                    path[start..].iter().chain([&rule]).map(|r| self.rules[*r].name.as_str()).collect();
                let message = format!("the rules refer to each other in a circle: {}", names.join(" → "));
                let problem = Problem { file: self.rules[rule].file.clone(), line: self.rules[rule].line, message };
                self.problems.push(problem);
                path[start..].iter().for_each(|r| state[*r] = State::Dropped);
                return;
            }
            State::Done | State::Dropped => return,
        }
        let Some(targets) = &references[rule] else {
            state[rule] = State::Dropped;
            return;
        };
        state[rule] = State::Open;
        path.push(rule);
        for to in targets {
            self.visit(*to, references, state, order, path);
        }
        path.pop();
        if state[rule] == State::Open {
            state[rule] = State::Done;
            order.push(rule);
        }
    }

    fn index(&mut self, kept: &[Wanted]) {
        // Those that say the same ask for the same fields.
        let mut by_fields: HashMap<Vec<Field>, Vec<(&Expr, usize)>> = HashMap::new();
        for (rule, Rule { logic, .. }) in self.rules.iter().enumerate() {
            let Logic::Detection(expr) = logic else { continue };
            let mut asked = Vec::new();
            expr.fields(&mut asked);
            let others = by_fields.entry(asked).or_default();
            if let Some((_, place)) = others.iter().find(|(known, _)| *known == expr) {
                self.alike[*place].push(rule);
                continue;
            }
            let place = self.alike.len();
            others.push((expr, place));
            self.alike.push(vec![rule]);
            match expr.event_types() {
                Some(types) => types.into_iter().for_each(|t| self.by_type.entry(t).or_default().push(place)),
                None => self.any_type.push(place),
            }
        }
        self.first_alike = (0..self.rules.len()).collect();
        for alike in &self.alike {
            alike.iter().for_each(|rule| self.first_alike[*rule] = alike[0]);
        }
        self.find_alike();
        self.find_types();
        self.kept = Kept::new(&self.rules, &self.types, kept);
        let exprs: Vec<&Expr> = (0..self.alike.len()).filter_map(|place| self.expr(place)).collect();
        let mut fields = self.kept.fields.clone();
        exprs.iter().for_each(|expr| expr.fields(&mut fields));
        let (mut plan, mut tests) = (FieldPlan::new(&fields), Tests::default());
        self.verdicts = exprs.into_iter().map(|expr| Verdict::new(expr, &mut plan, &mut tests)).collect();
        tests.cover(&plan);
        (self.plan, self.tests) = (plan, tests);
        let takes_whole = |place: &usize| self.verdicts[*place].needs_whole();
        self.whole = (0..self.verdicts.len()).filter(takes_whole).collect();
    }

    /// Finds correlations within files that say the same of the same: many files have a local "signed in from
    /// a new country".
    fn find_alike(&mut self) {
        let mut known: HashMap<Vec<usize>, Vec<usize>> = HashMap::new();
        for &place in &self.order {
            let rule = &self.rules[place];
            if rule.is_reported || matches!(rule.logic, Logic::Detection(_)) {
                continue;
            }
            let of: Vec<usize> = self.references[place].iter().map(|to| self.first_alike[*to]).collect();
            let others = known.entry(of).or_default();
            match others.iter().find(|other| self.rules[**other].logic == rule.logic) {
                Some(first) => self.first_alike[place] = *first,
                None => others.push(place),
            }
        }
    }

    /// The detections that an event of this type can match, as places in [`RuleSet::alike`].
    pub fn candidates(&self, event_type: &str) -> impl Iterator<Item = usize> {
        self.by_type.get(&*letters::lowered(event_type)).into_iter().flatten().chain(&self.any_type).copied()
    }

    /// Whether a detection takes the whole event and not just its facets.
    pub fn takes_whole(&self, event_type: &str) -> bool {
        !self.whole.is_empty() && self.candidates(event_type).any(|place| self.whole.contains(&place))
    }

    /// A detection, compiled for reading.
    pub fn verdict(&self, alike: usize) -> &Verdict {
        &self.verdicts[alike]
    }

    /// Detections that say the same, by the places that [`RuleSet::candidates`] gives.
    pub fn alike(&self) -> &[Vec<usize>] {
        &self.alike
    }

    /// The first of the rules that say the same as this one, or itself.
    pub fn first_alike(&self, rule: usize) -> usize {
        self.first_alike[rule]
    }

    /// Whether no other rule stands for this one. Detections that say the same share what they match anyway.
    pub fn is_first(&self, rule: usize) -> bool {
        self.first_alike[rule] == rule || matches!(self.rules[rule].logic, Logic::Detection(_))
    }

    /// The condition of detections that say the same.
    pub fn expr(&self, alike: usize) -> Option<&Expr> {
        match &self.rules[*self.alike[alike].first()?].logic {
            Logic::Detection(expr) => Some(expr),
            _ => None,
        }
    }

    /// The event types that a rule can be made of, through all it refers to, in lower case; `None` is any.
    pub fn event_types(&self, rule: usize) -> Types {
        self.types[rule].clone()
    }

    /// Finds them once for each rule: there may be very many ways from one to another.
    fn find_types(&mut self) {
        self.types = vec![None; self.rules.len()];
        for &rule in &self.order {
            self.types[rule] = match &self.rules[rule].logic {
                Logic::Detection(expr) => expr.event_types(),
                Logic::Risk(_) => None,
                _ => {
                    let parts: Option<Vec<_>> =
                        self.references[rule].iter().map(|to| self.types[*to].as_ref()).collect();
                    parts.map(|parts| parts.into_iter().flatten().cloned().collect())
                }
            };
        }
    }

    /// The place of the reported rule of this name; the error suggests the nearest one.
    pub fn find(&self, name: &str) -> Result<usize, String> {
        let place = self.rules.iter().position(|rule| rule.is_reported && rule.name == name);
        place.ok_or_else(|| format!("no such rule{}", hint(name, self.names())))
    }

    /// All names that `--enable` and `--disable` take.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.is_reported).map(|rule| rule.name.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
    Dropped,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::sample::{count, detection};

    fn load(files: &[(&str, String)]) -> RuleSet {
        RuleSet::load(files.iter().map(|(path, text)| (*path, text.as_str())))
    }

    #[test]
    fn references_are_found_and_ordered() {
        let set = load(&[("b.yml", count("b", "a")), ("a.yml", detection("a")), ("c.yml", count("c", "b"))]);
        assert!(set.problems.is_empty(), "{:?}", set.problems);
        let names: Vec<&str> = set.order.iter().map(|r| set.rules[*r].name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(set.candidates("a").count(), 1);
        let c = set.rules.iter().position(|r| r.name == "c").unwrap();
        assert_eq!(set.event_types(c).unwrap().into_iter().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn rules_that_share_their_parts_are_looked_at_once() {
        let layer = |n: usize| {
            let below = format!("a{n}, b{n}");
            ["a", "b"].map(|half| (format!("{half}{}.yml", n + 1), count(&format!("{half}{}", n + 1), &below)))
        };
        let mut files: Vec<(String, String)> = (0..60).flat_map(layer).collect();
        files.extend(["a0", "b0"].map(|name| (format!("{name}.yml"), detection(name))));
        let set = RuleSet::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let top = set.rules.iter().position(|rule| rule.name == "a60").unwrap();
        assert_eq!(set.event_types(top).unwrap().into_iter().collect::<Vec<_>>(), ["a0", "b0"]);
    }

    #[test]
    fn locals_stay_in_their_file() {
        let text = format!("{}---\n{}", count("b", "own"), detection("own"));
        let set = load(&[("b.yml", text), ("c.yml", count("c", "own"))]);
        assert_eq!(set.problems.len(), 1);
        assert!(set.problems[0].message.contains("no rule named \"own\""));
        assert_eq!(set.names().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn one_wrong_rule_takes_along_only_what_needs_it() {
        let broken = detection("a").replace("event_type", "event_tpye");
        let set = load(&[("a.yml", broken), ("b.yml", count("b", "a")), ("ok.yml", detection("ok"))]);
        assert_eq!(set.names().collect::<Vec<_>>(), ["ok"]);
        assert_eq!(set.problems.len(), 2);
    }

    #[test]
    fn a_circle_is_printed() {
        let set = load(&[("a.yml", count("a", "b")), ("b.yml", count("b", "a")), ("c.yml", detection("c"))]);
        assert!(set.problems[0].message.contains("a → b → a"), "{:?}", set.problems);
        assert_eq!(set.names().collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn nothing_is_made_of_risk() {
        let risk = "title: r\nname: r\njcdetect: {risk: {min_score: 1}}\n".to_owned();
        let set = load(&[("r.yml", risk), ("b.yml", count("b", "r"))]);
        assert!(set.problems[0].message.contains("adds up all findings"), "{:?}", set.problems);
        assert_eq!(set.names().collect::<Vec<_>>(), ["r"]);
    }

    #[test]
    fn an_id_is_of_one_rule() {
        let id = "id: \"11111111-2222-4333-8444-555555555555\"\n";
        let set = load(&[
            ("a.yml", detection("a") + id),
            ("b.yml", detection("b") + id),
            ("c.yml", count("c", "11111111-2222-4333-8444-555555555555")),
        ]);
        let told: Vec<String> = set.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["b.yml:1: the id 11111111-2222-4333-8444-555555555555 stands in a.yml too: give b one of its own"]
        );
        assert_eq!(set.names().collect::<Vec<_>>(), ["a", "c"]);
        let c = set.rules.iter().position(|rule| rule.name == "c").unwrap();
        assert_eq!(set.rules[set.references[c][0]].name, "a");
        let letters = "abcdefab-2222-4333-8444-555555555555";
        let set = load(&[
            ("a.yml", detection("a") + &format!("id: \"{letters}\"\n")),
            ("b.yml", count("b", &letters.to_uppercase())),
            (
                "c.yml",
                count("c", "own") + "---\n" + &detection("own") + &format!("id: \"{}\"\n", letters.to_uppercase()),
            ),
            (
                "d.yml",
                count("d", &letters.to_uppercase()) + "---\n" + &detection("own") + &format!("id: \"{letters}\"\n"),
            ),
        ]);
        assert!(set.problems.is_empty(), "{:?}", set.problems);
        let of = |name: &str| {
            let place = set.rules.iter().position(|rule| rule.name == name).unwrap();
            &set.rules[set.references[place][0]].name
        };
        assert_eq!((of("b").as_str(), of("c").as_str(), of("d").as_str()), ("a", "own", "own"));
        // Two files may have the same local rule.
        let with_local = |name: &str| format!("{}---\n{}{id}", count(name, "own"), detection("own"));
        assert!(load(&[("a.yml", with_local("a")), ("b.yml", with_local("b"))]).problems.is_empty());
    }

    #[test]
    fn titles_and_typos_are_no_references() {
        let set = load(&[("a.yml", detection("failed-login")), ("b.yml", count("b", "faild-login"))]);
        assert!(set.problems[0].message.contains("did you mean `failed-login`?"), "{:?}", set.problems);
        assert_eq!(set.problems[0].line, 3);
    }
}
