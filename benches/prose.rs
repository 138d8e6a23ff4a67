//! How long the prose diff takes: `cargo bench --bench prose`.

use divan::{Bencher, black_box};
use reachform::render::prose::ProseDiff;

fn main() {
    divan::main();
}

/// Words as prose repeats them: a small vocabulary, drawn by a fixed sequence.
fn words(count: usize, seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    // Drawing the bound first makes some words as frequent as "the", and most as rare as names.
    (0..count)
        .map(|_| {
            let bound = random.u32(1..4000);
            format!("w{}", random.u32(0..bound))
        })
        .collect()
}

/// Sentences of about twelve words, paragraphs of about six sentences where `lines` asks for them.
fn prose(bytes: usize, seed: u64, lines: bool) -> String {
    let mut out = String::with_capacity(bytes);
    for (index, word) in words(bytes / 5, seed).iter().enumerate() {
        if out.len() >= bytes {
            break;
        }
        out.push_str(word);
        out.push_str(match index % 72 {
            71 if lines => ".\n\n",
            n if n % 12 == 11 => ". ",
            _ => " ",
        });
    }
    out
}

/// A 30 kB prompt in one paragraph, three words of it changed.
#[divan::bench]
fn three_words_of_30_kb(bencher: Bencher<'_, '_>) {
    let before = prose(30_000, 1, false);
    let mut parts: Vec<&str> = before.split(' ').collect();
    let count = parts.len();
    for at in [count / 5, count / 2, count - 10] {
        parts[at] = "changed";
    }
    let after = parts.join(" ");
    bencher.bench(|| ProseDiff::of(black_box(&before), black_box(&after)));
}

/// 200 kB against 200 kB of other text in the same vocabulary.
#[divan::bench(args = [true, false])]
fn rewrite_of_200_kb(bencher: Bencher<'_, '_>, lines: bool) {
    let (before, after) = (prose(200_000, 1, lines), prose(200_000, 2, lines));
    bencher.bench(|| ProseDiff::of(black_box(&before), black_box(&after)));
}

/// Every second line of 200 kB changed by a word: the most work that is still read word by word.
#[divan::bench]
fn every_second_line_of_200_kb(bencher: Bencher<'_, '_>) {
    let before = prose(200_000, 1, true);
    let after: Vec<String> = before
        .split('\n')
        .enumerate()
        .map(|(index, line)| if index % 4 == 0 { line.replacen(' ', " changed ", 1) } else { line.to_owned() })
        .collect();
    let after = after.join("\n");
    bencher.bench(|| ProseDiff::of(black_box(&before), black_box(&after)));
}

/// A rewrite that is just small enough to be compared word by word.
#[divan::bench]
fn rewrite_at_the_word_bound(bencher: Bencher<'_, '_>) {
    let (before, after) = (prose(115_000, 1, false), prose(115_000, 2, false));
    bencher.bench(|| ProseDiff::of(black_box(&before), black_box(&after)));
}
