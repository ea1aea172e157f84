//! Where an actor's random bytes come from: a seeded generator. For test vectors its draws can be noted, or given.

use rand::SeedableRng;
use rand::rand_core::{Infallible, TryCryptoRng, TryRng};
use rand_chacha::ChaCha20Rng;

/// The randomness of one actor.
pub struct Randomness {
    source: ChaCha20Rng,
    #[cfg(bemr_weaken)]
    tape: Tape,
}

/// What is known of the draws.
#[cfg(bemr_weaken)]
enum Tape {
    /// Nothing.
    None,
    /// What was drawn since somebody last asked.
    Noted(Vec<u8>),
    /// What is still to be drawn, and whether there was enough so far.
    Given(std::collections::VecDeque<u8>, bool),
}

impl Randomness {
    /// A generator that starts from `seed`: 32 bytes that nobody else knows and that seed no other generator. Whoever knows
    /// the seed knows every key and every nonce that is drawn.
    pub fn from_seed(seed: [u8; 32]) -> Randomness {
        ChaCha20Rng::from_seed(seed).into()
    }
}

impl From<ChaCha20Rng> for Randomness {
    fn from(source: ChaCha20Rng) -> Randomness {
        Randomness {
            source,
            #[cfg(bemr_weaken)]
            tape: Tape::None,
        }
    }
}

#[cfg(bemr_weaken)]
impl Randomness {
    /// What was drawn since this was last asked; from now on it is noted.
    pub fn drawn(&mut self) -> Vec<u8> {
        match std::mem::replace(&mut self.tape, Tape::Noted(Vec::new())) {
            Tape::Noted(drawn) => drawn,
            Tape::None | Tape::Given(..) => Vec::new(),
        }
    }

    /// From now on these bytes are drawn, in their order.
    pub fn give(&mut self, bytes: &[u8]) {
        self.tape = Tape::Given(bytes.iter().copied().collect(), true);
    }

    /// Whether all that was given was drawn, and no more.
    pub fn used_up(&self) -> bool {
        matches!(&self.tape, Tape::Given(left, true) if left.is_empty())
    }
}

impl TryRng for Randomness {
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
        #[cfg(bemr_weaken)]
        if let Tape::Given(left, enough) = &mut self.tape {
            *enough &= out.len() <= left.len();
            // Something else than zeros after the end, so that the draw of a scalar ends.
            out.iter_mut().for_each(|byte| *byte = left.pop_front().unwrap_or(1));
            return Ok(());
        }
        self.source.try_fill_bytes(out)?;
        #[cfg(bemr_weaken)]
        if let Tape::Noted(drawn) = &mut self.tape {
            drawn.extend_from_slice(out);
        }
        Ok(())
    }
}

impl TryCryptoRng for Randomness {}

#[cfg(test)]
#[cfg(bemr_weaken)]
mod tests {
    use super::*;
    use rand::Rng;

    fn seeded() -> Randomness {
        ChaCha20Rng::seed_from_u64(1).into()
    }

    #[test]
    fn numbers_are_read_from_the_bytes_in_their_order() {
        let (mut numbers, mut bytes) = (seeded(), [0; 12]);
        seeded().fill_bytes(&mut bytes);
        assert_eq!(numbers.next_u32().to_le_bytes(), bytes[..4]);
        assert_eq!(numbers.next_u64().to_le_bytes(), bytes[4..]);
    }

    #[test]
    fn what_is_drawn_is_noted_once_somebody_asked() {
        let (mut randomness, mut bytes) = (seeded(), [0; 4]);
        randomness.fill_bytes(&mut bytes);
        assert!(randomness.drawn().is_empty());
        randomness.fill_bytes(&mut bytes);
        assert_eq!(randomness.drawn(), bytes);
        assert!(randomness.drawn().is_empty());
    }

    #[test]
    fn what_is_given_is_drawn_to_its_end_and_no_further() {
        let (mut randomness, mut bytes) = (seeded(), [0; 2]);
        assert!(!randomness.used_up());
        randomness.give(&[7, 8, 9, 10]);
        randomness.fill_bytes(&mut bytes);
        assert_eq!((bytes, randomness.used_up()), ([7, 8], false));
        randomness.fill_bytes(&mut bytes);
        assert_eq!((bytes, randomness.used_up()), ([9, 10], true));
        randomness.fill_bytes(&mut bytes);
        assert_eq!((bytes, randomness.used_up()), ([1, 1], false));
    }
}
