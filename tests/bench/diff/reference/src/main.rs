//! Makes a diff for each line read, with the reference's routine: `OLD NEW DIFF` are paths, OLD may be `-` for none.
//! It answers with nanoseconds for the diff, its bytes and nanoseconds for the patch, then writes the diff to DIFF.
//! A line `patch OLD DIFF NEW` applies a diff that somebody else made, and answers `ok` if it gives what NEW holds.

#[allow(dead_code)]
mod reference {
    include!(env!("DIFF_SOURCE"));
}

use std::fs;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

/// As the reference's exchange calls it.
const SCAN_SHIFT: u32 = 16;
const CURSORS: usize = 6;

fn read(path: &str) -> Vec<u8> {
    if path == "-" { Vec::new() } else { fs::read(path).expect(path) }
}

fn answer(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    if let ["patch", old, diff, new] = words[..] {
        let ok = reference::patch(&read(old), &read(diff)).is_ok_and(|data| data == read(new));
        return if ok { "ok".into() } else { "differs".into() };
    }
    let [old, new, diff] = words[..] else { panic!("expected three paths, got {line}") };
    let (old, new) = (read(old), read(new));
    // The exchange keeps what it made for the state before, so that is not timed.
    let before = reference::State::new().diff(&[], &old, SCAN_SHIFT, CURSORS).unwrap().1;
    let begin = Instant::now();
    let made = before.diff(&old, &new, SCAN_SHIFT, CURSORS).unwrap().0;
    let diffed = begin.elapsed().as_nanos();
    let begin = Instant::now();
    let patched = reference::patch(&old, &made).unwrap();
    let patching = begin.elapsed().as_nanos();
    assert!(patched == new);
    fs::write(diff, &made).expect(diff);
    format!("{diffed} {} {patching}", made.len())
}

fn main() {
    for line in stdin().lock().lines() {
        println!("{}", answer(&line.unwrap()));
        stdout().flush().unwrap();
    }
}
