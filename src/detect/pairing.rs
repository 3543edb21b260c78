//! Pairing: each step of a chain has an event of its own, and no event serves two.

/// Gives a step one of its candidates, moving others to make room; `fixed` does not move. No step is tried twice.
pub fn serve(
    step: usize,
    candidates: &[Vec<u32>],
    served: &mut [Option<u32>],
    fixed: usize,
    tried: &mut [bool],
) -> bool {
    if std::mem::replace(&mut tried[step], true) {
        return false;
    }
    for event in &candidates[step] {
        let holder = served.iter().position(|e| *e == Some(*event));
        let is_free = match holder {
            None => true,
            Some(other) => other != fixed && other != step && serve(other, candidates, served, fixed, tried),
        };
        if is_free {
            served[step] = Some(*event);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_makes_room() {
        let candidates = [vec![1, 2], vec![1], vec![2, 1], vec![3]];
        let mut served = [None; 4];
        let mut given = |step, fixed| serve(step, &candidates, &mut served, fixed, &mut [false; 4]);
        assert!(given(0, 3) && !given(1, 0) && given(1, 3) && !given(2, 3) && given(3, 0));
        assert_eq!(served, [Some(2), Some(1), None, Some(3)]);
    }
}
