//! Bytes in the place of randomness.

use crate::vectors::Hex;
use rand::rand_core::{Infallible, TryCryptoRng, TryRng};

/// Gives these bytes, one draw after the other; after the end zeros, and it says so.
pub(in crate::vectors) struct Tape<'a> {
    left: &'a [u8],
    over: bool,
}

impl<'a> Tape<'a> {
    pub(in crate::vectors) const fn of(bytes: &'a [u8]) -> Tape<'a> {
        Tape { left: bytes, over: false }
    }

    /// What comes of exactly these bytes.
    pub(super) fn drawing<T>(bytes: &Hex, draw: impl FnOnce(&mut Tape<'_>) -> T) -> Result<T, String> {
        let mut tape = Tape::of(&bytes.0);
        let drawn = draw(&mut tape);
        tape.end().map(|()| drawn)
    }

    /// What was drawn is exactly what was there.
    pub(in crate::vectors) fn end(self) -> Result<(), String> {
        match (self.over, self.left.len()) {
            (false, 0) => Ok(()),
            (true, _) => Err("more was drawn than there is".to_owned()),
            (false, left) => Err(format!("{left} bytes were not drawn")),
        }
    }
}

impl TryRng for Tape<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        match self.left.split_at_checked(out.len()) {
            Some((drawn, left)) => {
                out.copy_from_slice(drawn);
                self.left = left;
            }
            None => {
                // One, so that a draw of a scalar ends.
                out.fill(1);
                self.over = true;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Tape<'_> {}
