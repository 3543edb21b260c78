//! Any bytes: both ways to read records say the same, or both refuse. Runs with the stable toolchain and cargo-fuzz:
//!
//!     RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none differential -- -max_total_time=600 -dict=fuzz/record.dict

#![no_main]

use std::cell::RefCell;

use jcdetect::input::differential::{Both, plan};
use libfuzzer_sys::fuzz_target;

thread_local! {
    // What was seen before is the point, so it lives as long as the run.
    static BOTH: RefCell<Both<'static>> = RefCell::new(Both::new(Box::leak(Box::new(plan()))));
}

fuzz_target!(|text: &[u8]| {
    BOTH.with_borrow_mut(|both| {
        let (seen, parsed) = both.told(text);
        assert_eq!(seen, parsed);
    });
});
