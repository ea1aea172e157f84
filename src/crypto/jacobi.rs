//! The Jacobi symbol of public numbers, by the binary algorithm sixty-one halvings at a time.
//!
//! It decides membership: modulo a safe prime p = 2q + 1 a number is of order q or 1 exactly when its symbol is 1.
//! The time depends on the numbers; secrets have no business here.

/// The symbol (a | n): 1, -1, or 0 when the two have a common factor. Both big-endian of one length, `n` odd.
pub(super) fn symbol(a: &[u8], n: &[u8]) -> i8 {
    let (mut a, mut n) = (words(a), words(n));
    debug_assert!(a.len() == n.len() && n[0] & 1 == 1);
    let mut sign = 0;
    loop {
        while a.len() > 1 && a.last() == Some(&0) && n.last() == Some(&0) {
            a.pop();
            n.pop();
        }
        if a.len() <= 1 {
            return last_word(a[0], n[0], sign);
        }
        if a.iter().all(|word| *word == 0) {
            return 0;
        }
        let steps = Steps::plan(&a, &n);
        if steps.halvings == 0 {
            // The leading words do not decide which is greater: one subtraction in full.
            if a.iter().rev().lt(n.iter().rev()) {
                sign ^= (a[0] & n[0]) >> 1;
                std::mem::swap(&mut a, &mut n);
            }
            subtract(&mut a, &n);
        } else {
            sign ^= steps.sign;
            steps.apply(&mut a, &mut n);
        }
    }
}

/// What a run of steps does to (a, n): `a' = (aa * a + an * n) / 2^halvings`, `n' = (na * a + nn * n) / 2^halvings`.
struct Steps {
    aa: i64,
    an: i64,
    na: i64,
    nn: i64,
    halvings: u32,
    sign: u64,
}

impl Steps {
    /// With 61 halvings the lowest word of each number still has the three right bits that the rules of the symbol ask for,
    /// and no factor exceeds 2^62.
    const HALVINGS: u32 = 61;

    /// A leading word is off by at most 1 at first and by half more after each subtraction, so by at most 32;
    /// two that differ by more than 64 compare as the numbers do.
    const MARGIN: u64 = 64;

    /// Plans from the leading and the lowest words alone. It stops early when it cannot tell which number is the
    /// greater, so neither ever becomes negative.
    fn plan(a: &[u64], n: &[u64]) -> Steps {
        let top = a.len() - 1;
        let shift = (a[top] | n[top]).leading_zeros();
        let head = |x: &[u64]| x[top] << shift | x[top - 1].checked_shr(64 - shift).unwrap_or(0);
        let (mut a_head, mut n_head, mut a_low, mut n_low) = (head(a), head(n), a[0], n[0]);
        let mut steps = Steps { aa: 1, an: 0, na: 0, nn: 1, halvings: 0, sign: 0 };
        loop {
            // (2 | n) = -1 exactly for n = 3, 5 mod 8.
            let zeros = a_low.trailing_zeros().min(Self::HALVINGS - steps.halvings);
            a_low >>= zeros;
            a_head >>= zeros;
            steps.na <<= zeros;
            steps.nn <<= zeros;
            steps.halvings += zeros;
            steps.sign ^= u64::from(zeros) & (n_low >> 1 ^ n_low >> 2);
            if steps.halvings == Self::HALVINGS || a_head.abs_diff(n_head) <= Self::MARGIN {
                steps.sign &= 1;
                return steps;
            }
            if a_head < n_head {
                // Reciprocity: the sign turns when both are 3 mod 4.
                steps.sign ^= (a_low & n_low) >> 1;
                std::mem::swap(&mut a_head, &mut n_head);
                std::mem::swap(&mut a_low, &mut n_low);
                std::mem::swap(&mut steps.aa, &mut steps.na);
                std::mem::swap(&mut steps.an, &mut steps.nn);
            }
            a_low = a_low.wrapping_sub(n_low);
            a_head -= n_head;
            steps.aa -= steps.na;
            steps.an -= steps.nn;
        }
    }

    fn apply(&self, a: &mut [u64], n: &mut [u64]) {
        let (mut a_carry, mut n_carry) = (0, 0);
        let (mut a_held, mut n_held) = (0, 0);
        for i in 0..a.len() {
            let (x, y) = (i128::from(a[i]), i128::from(n[i]));
            let a_sum = i128::from(self.aa) * x + i128::from(self.an) * y + a_carry;
            let n_sum = i128::from(self.na) * x + i128::from(self.nn) * y + n_carry;
            (a_carry, n_carry) = (a_sum >> 64, n_sum >> 64);
            if i > 0 {
                a[i - 1] = a_held >> self.halvings | (a_sum as u64) << (64 - self.halvings);
                n[i - 1] = n_held >> self.halvings | (n_sum as u64) << (64 - self.halvings);
            }
            (a_held, n_held) = (a_sum as u64, n_sum as u64);
        }
        let top = a.len() - 1;
        a[top] = a_held >> self.halvings | (a_carry as u64) << (64 - self.halvings);
        n[top] = n_held >> self.halvings | (n_carry as u64) << (64 - self.halvings);
    }
}

fn last_word(mut a: u64, mut n: u64, mut sign: u64) -> i8 {
    while a != 0 {
        let zeros = a.trailing_zeros();
        a >>= zeros;
        sign ^= u64::from(zeros) & (n >> 1 ^ n >> 2);
        if a < n {
            sign ^= (a & n) >> 1;
            std::mem::swap(&mut a, &mut n);
        }
        a -= n;
    }
    match (n, sign & 1) {
        (1, 0) => 1,
        (1, _) => -1,
        _ => 0,
    }
}

fn subtract(a: &mut [u64], n: &[u64]) {
    let mut borrow = false;
    for (a, n) in a.iter_mut().zip(n) {
        let (less, under) = a.overflowing_sub(*n);
        let (less, under_too) = less.overflowing_sub(u64::from(borrow));
        *a = less;
        borrow = under | under_too;
    }
}

/// Little-endian words of a big-endian number.
fn words(bytes: &[u8]) -> Vec<u64> {
    bytes.rchunks(8).map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))).collect()
}
