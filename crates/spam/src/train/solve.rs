//! Logistic regression with squared weights as their price, solved in the dual by coordinates
//! (Yu, Huang and Lin, "Dual coordinate descent methods for logistic regression", 2011). Deterministic.

/// An example: its cells, each column once.
pub(super) struct Row {
    pub cells: Vec<(u32, f32)>,
    pub is_positive: bool,
    pub weight: f64,
}

/// Passes over all rows at most.
const PASSES_MAX: usize = 200;

/// A gradient below this ends it.
const GRADIENT_MIN: f64 = 1e-2;

/// The order of rows is shuffled from here on.
const SEED: u64 = 0x706f_7374_726f_6164;

/// The weights of `width` columns.
pub(super) fn solve(rows: &[Row], width: usize, cost: f64) -> Vec<f64> {
    let mut solver = Solver {
        rows,
        weights: vec![0.0; width],
        alphas: rows
            .iter()
            .map(|row| {
                let cost = cost * row.weight;
                let small = (0.001 * cost).min(1e-8);
                [small, cost - small]
            })
            .collect(),
        squares: rows
            .iter()
            .map(|row| {
                row.cells
                    .iter()
                    .map(|(_, value)| f64::from(*value).powi(2))
                    .sum()
            })
            .collect(),
        cost,
        precision: 1e-2,
    };
    for at in 0..rows.len() {
        let alpha = solver.alphas.get(at).map_or(0.0, |alpha| alpha[0]);
        solver.move_weights(at, alpha);
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = SEED;
    for _ in 0..PASSES_MAX {
        shuffle(&mut order, &mut random);
        let mut steepest = 0.0_f64;
        let mut newton_steps = 0;
        for &at in &order {
            let (gradient, steps) = solver.step(at);
            steepest = steepest.max(gradient);
            newton_steps += steps;
        }
        if steepest < GRADIENT_MIN {
            break;
        }
        if newton_steps <= rows.len() / 10 {
            solver.precision = (0.1 * solver.precision).max(1e-8);
        }
    }
    solver.weights
}

fn shuffle(order: &mut [usize], random: &mut u64) {
    for at in (1..order.len()).rev() {
        *random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let to = usize::try_from(*random >> 33).unwrap_or_default() % (at + 1);
        order.swap(at, to);
    }
}

struct Solver<'r> {
    rows: &'r [Row],
    weights: Vec<f64>,
    alphas: Vec<[f64; 2]>,
    squares: Vec<f64>,
    cost: f64,
    precision: f64,
}

impl Solver<'_> {
    /// Improves one row's pair of multipliers; gives the gradient before, and how many steps it took.
    fn step(&mut self, at: usize) -> (f64, usize) {
        let (Some(row), Some(alpha), Some(&square)) =
            (self.rows.get(at), self.alphas.get(at), self.squares.get(at))
        else {
            return (0.0, 0);
        };
        let cost = self.cost * row.weight;
        let side = if row.is_positive { 1.0 } else { -1.0 };
        let dot = |sum: f64, (column, value): &(u32, f32)| {
            sum + self.weights[*column as usize] * f64::from(*value)
        };
        let margin = side * row.cells.iter().fold(0.0, dot);
        let (which, sign) = if 0.5 * square * (alpha[1] - alpha[0]) + margin < 0.0 {
            (1, -1.0)
        } else {
            (0, 1.0)
        };
        let old = alpha[which];
        let mut new = old;
        if cost - new < 0.5 * cost {
            new *= 0.1;
        }
        let slope = |z: f64| square * (z - old) + sign * margin + (z / (cost - z)).ln();
        let mut gradient = slope(new);
        let first = gradient.abs();
        let mut steps = 0;
        while steps <= 100 && gradient.abs() >= self.precision {
            let curve = square + cost / (cost - new) / new;
            let next = new - gradient / curve;
            new = if next <= 0.0 { new * 0.1 } else { next };
            gradient = slope(new);
            steps += 1;
        }
        if steps > 0 {
            if let Some(alpha) = self.alphas.get_mut(at) {
                alpha[which] = new;
                alpha[1 - which] = cost - new;
            }
            self.move_weights(at, sign * (new - old));
        }
        (first, steps)
    }

    fn move_weights(&mut self, at: usize, by: f64) {
        let Some(row) = self.rows.get(at) else {
            return;
        };
        let by = if row.is_positive { by } else { -by };
        for (column, value) in &row.cells {
            self.weights[*column as usize] += by * f64::from(*value);
        }
    }
}
