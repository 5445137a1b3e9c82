//! Making exact values of an answer takes no memory, however many there are.

use std::alloc::System;

use kamstrup_kmp::frame::{Address, Decoder, Found};
use kamstrup_kmp::message::Answer;
use kamstrup_kmp::responder::Reply;
use kamstrup_kmp::{Decimal, Record, RegisterId, Scale, Unit, Value};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn eight_numbers_are_decoded_without_an_allocation() {
    let record = |id: u16| Record {
        register: RegisterId(id),
        unit: Unit::GJ,
        length: 4,
        scale: Scale(0x43),
        value: Value::Number(Decimal::new(84_817, -3)),
    };
    let wire = Reply::Registers((60..68).map(record).collect())
        .encode(Address::METER)
        .unwrap();
    let mut decoder = Decoder::new();
    // The first frame makes the decoder's buffer.
    assert!(matches!(
        decoder.next(&mut wire.as_slice()),
        Some(Found::Frame(_))
    ));

    let region = Region::new(ALLOCATOR);
    let mut rest = wire.as_slice();
    let Some(Found::Frame(frame)) = decoder.next(&mut rest) else {
        panic!("a frame expected")
    };
    let Ok(Answer::Registers(records)) = Answer::decode(&frame) else {
        panic!("registers expected")
    };
    let sum: i128 = records
        .map(|record| record.unwrap().value().as_number().unwrap().mantissa())
        .sum();
    let change = region.change();

    assert_eq!(sum, 8 * 84_817);
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}
