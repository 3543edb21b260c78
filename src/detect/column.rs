//! Column: a list that grows piece by piece, so that growing copies nothing and takes no room for two.

use std::ops::Index;

/// How many things a piece holds.
const PIECE: usize = 1 << 16;

/// A list of things.
#[derive(Debug)]
pub struct Column<T> {
    pieces: Vec<Vec<T>>,
}

impl<T> Default for Column<T> {
    fn default() -> Column<T> {
        Column { pieces: Vec::new() }
    }
}

impl<T> Column<T> {
    /// Takes a thing.
    pub fn push(&mut self, thing: T) {
        if let Some(piece) = self.pieces.last_mut().filter(|piece| piece.len() < PIECE) {
            return piece.push(thing);
        }
        // The first one is as small as what is in it.
        let mut piece = Vec::with_capacity(if self.pieces.is_empty() { 0 } else { PIECE });
        piece.push(thing);
        self.pieces.push(piece);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// All of them side by side; each piece goes as soon as it is taken over.
    pub fn into_vec(self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.len());
        self.pieces.into_iter().for_each(|piece| all.extend(piece));
        all
    }
}

impl<T> Index<usize> for Column<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        &self.pieces[place / PIECE][place % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_stay_in_their_order() {
        let mut column = Column::default();
        assert!(column.is_empty());
        (0..PIECE * 2 + 5).for_each(|thing| column.push(thing));
        assert_eq!((column.len(), column[PIECE - 1], column[PIECE]), (PIECE * 2 + 5, PIECE - 1, PIECE));
        assert!(column.into_vec().into_iter().eq(0..PIECE * 2 + 5));
    }
}
